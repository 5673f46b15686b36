/* SPDX-License-Identifier: Apache-2.0 */
/* Shamir's sharing in the field of 13 elements, completely: every secret, every polynomial, every
 * threshold up to five sites and every set of responders. The polynomial is chosen by forging what
 * the generator will give, so that the shipping code runs. */
#include <string.h>

#include "crypto/share.h"
#include "tests/lib/check.h"

#define P 13
#define SITES_MAX 5
#define SETS_MAX 32
#define VIEWS_MAX (13 * 13 * 13 * 13)

static const struct share_field field = {{P}};

static size_t power(size_t exponent)
{
    return exponent == 0 ? 1 : P * power(exponent - 1);
}

/* A generator that draws the t - 1 digits of number as field elements. */
static struct rng forged(size_t number, size_t t)
{
    struct rng rng = {.ready = 1};
    for (size_t k = 0; k + 1 < t; k++, number /= P)
        rng.block[k * SHARE_BYTES] = (uint8_t)(number % P);
    return rng;
}

static void split(uint8_t shares[SITES_MAX * SHARE_BYTES], size_t secret, size_t polynomial,
                  size_t n, size_t t)
{
    struct rng rng = forged(polynomial, t);
    const uint8_t element[SHARE_BYTES] = {(uint8_t)secret};
    CHECK_OK(share_split(shares, element, n, t, &field, &rng));
    CHECK_NUMBER((t - 1) * SHARE_BYTES, rng.used);
}

/* The sites of a set, and their number. */
static size_t members(uint32_t index[SITES_MAX], unsigned set)
{
    size_t n = 0;
    for (uint32_t i = 0; i < SITES_MAX; i++)
        if ((set >> i & 1) != 0) index[n++] = i;
    return n;
}

/* What a set of sites sees, as one number. */
static size_t view_of(const uint8_t *shares, const uint32_t *index, size_t n)
{
    size_t view = 0;
    for (size_t k = 0; k < n; k++) view = P * view + shares[index[k] * SHARE_BYTES];
    return view;
}

static void check_join(const uint8_t *shares, const uint32_t *index,
                       const struct share_weights *weights, size_t secret)
{
    uint8_t some[SITES_MAX * SHARE_BYTES], got[SHARE_BYTES];
    for (size_t k = 0; k < weights->t; k++)
        memcpy(some + k * SHARE_BYTES, shares + index[k] * SHARE_BYTES, SHARE_BYTES);
    CHECK_OK(share_join(got, some, weights, &field));
    const uint8_t want[SHARE_BYTES] = {(uint8_t)secret};
    CHECK_BYTES(want, got, sizeof got);
}

/* How often each set of t - 1 sites saw each view. */
static unsigned char seen[SETS_MAX][VIEWS_MAX];

static void try_polynomials(size_t n, size_t t, size_t secret,
                            const struct share_weights weights[static SETS_MAX])
{
    for (size_t polynomial = 0; polynomial < power(t - 1); polynomial++) {
        uint8_t shares[SITES_MAX * SHARE_BYTES];
        split(shares, secret, polynomial, n, t);
        for (unsigned set = 0; set < 1u << n; set++) {
            uint32_t index[SITES_MAX];
            const size_t size = members(index, set);
            if (size == t) check_join(shares, index, &weights[set], secret);
            if (size == t - 1) seen[set][view_of(shares, index, size)]++;
        }
    }
}

/* Over all polynomials each view of t - 1 sites comes exactly once with each secret, so that all
 * secrets are equally likely after it. */
static void any_t_shares_give_the_secret_and_fewer_say_nothing(void)
{
    struct share_weights weights[SETS_MAX] = {0};
    for (unsigned set = 1; set < SETS_MAX; set++) {
        uint32_t index[SITES_MAX];
        const size_t size = members(index, set);
        CHECK_OK(share_weights_new(&weights[set], index, size, &field));
    }
    for (size_t n = 1; n <= SITES_MAX; n++)
        for (size_t t = 1; t <= n; t++)
            for (size_t secret = 0; secret < P; secret++) {
                memset(seen, 0, sizeof seen);
                try_polynomials(n, t, secret, weights);
                for (unsigned set = 0; set < 1u << n; set++)
                    for (size_t view = 0; view < power(t - 1); view++)
                        CHECK_NUMBER((size_t)__builtin_popcount(set) == t - 1, seen[set][view]);
            }
    for (unsigned set = 0; set < SETS_MAX; set++) share_weights_free(&weights[set]);
}

/* The largest group that the field has points for. */
static void all_twelve_points_are_used(void)
{
    uint8_t shares[(P - 1) * SHARE_BYTES];
    struct rng rng = forged(1, 2);
    CHECK_OK(share_split(shares, (uint8_t[SHARE_BYTES]){3}, P - 1, 2, &field, &rng));
    for (size_t i = 0; i < P - 1; i++) CHECK_NUMBER((3 + i + 1) % P, shares[i * SHARE_BYTES]);
}

int main(void)
{
    RUN(any_t_shares_give_the_secret_and_fewer_say_nothing);
    RUN(all_twelve_points_are_used);
    return check_done();
}
