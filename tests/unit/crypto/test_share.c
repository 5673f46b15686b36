/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/share.h"

#include <gmp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

/* One prime for each number of words, with and without a full top word. */
static const struct share_field fields[] = {
    {{13}},
    {{(UINT64_C(1) << 61) - 1}},
    {{13, 1}},
    {{UINT64_MAX, UINT64_MAX >> 1}},
    {{UINT64_MAX, UINT64_MAX - 1, UINT64_MAX}},
    {{UINT64_MAX - 18, UINT64_MAX, UINT64_MAX, UINT64_MAX >> 1}},
    {{UINT64_MAX - 188, UINT64_MAX, UINT64_MAX, UINT64_MAX}},
};
#define FIELDS (sizeof fields / sizeof *fields)
#define SMALL (&fields[0])

static void to_mpz(mpz_t out, const uint8_t *bytes)
{
    mpz_import(out, SHARE_BYTES, -1, 1, 0, 0, bytes);
}

static void to_bytes(uint8_t out[static SHARE_BYTES], const mpz_t x)
{
    memset(out, 0, SHARE_BYTES);
    mpz_export(out, NULL, -1, 1, 0, 0, x);
}

static void prime_of(mpz_t out, const struct share_field *field)
{
    mpz_import(out, 4, -1, 8, 0, 0, field->prime);
}

static struct rng replay(uint64_t number)
{
    struct rng rng;
    rng_numbered(&rng, number);
    return rng;
}

static void the_shipping_field_is_two_to_the_255_minus_19(void)
{
    CHECK_BYTES(fields[5].prime, SHARE_FIELD.prime, sizeof SHARE_FIELD.prime);
}

static void the_tested_fields_are_fields(void)
{
    mpz_t p;
    mpz_init(p);
    for (size_t f = 0; f < FIELDS; f++) {
        prime_of(p, &fields[f]);
        CHECK(mpz_probab_prime_p(p, 30) > 0);
    }
    mpz_clear(p);
}

static void canonical_means_below_the_prime(void)
{
    mpz_t x;
    mpz_init(x);
    for (size_t f = 0; f < FIELDS; f++) {
        uint8_t bytes[SHARE_BYTES];
        prime_of(x, &fields[f]);
        to_bytes(bytes, x);
        CHECK(!share_canonical(bytes, &fields[f]));
        mpz_sub_ui(x, x, 1);
        to_bytes(bytes, x);
        CHECK(share_canonical(bytes, &fields[f]));
        memset(bytes, 0, sizeof bytes);
        CHECK(share_canonical(bytes, &fields[f]));
        memset(bytes, 0xff, sizeof bytes);
        CHECK(!share_canonical(bytes, &fields[f]));
        memset(bytes, 0, sizeof bytes);
        bytes[SHARE_BYTES - 1] = 0x80;
        CHECK(share_canonical(bytes, &fields[f]) == (f == FIELDS - 1));
    }
    mpz_clear(x);
}

static void random_elements_are_canonical_and_reach_the_top(void)
{
    struct rng rng = replay(1);
    for (size_t f = 0; f < FIELDS; f++) {
        bool top = false;
        for (size_t k = 0; k < 200; k++) {
            uint8_t x[SHARE_BYTES];
            share_random(x, &fields[f], &rng);
            CHECK(share_canonical(x, &fields[f]));
            mpz_t value, prime;
            mpz_inits(value, prime, NULL);
            to_mpz(value, x);
            prime_of(prime, &fields[f]);
            mpz_mul_2exp(value, value, 1);
            top |= mpz_cmp(value, prime) > 0;
            mpz_clears(value, prime, NULL);
        }
        CHECK(top);
    }
}

static void a_candidate_that_is_not_canonical_is_drawn_again(void)
{
    struct rng rng = replay(1);
    rng.used = 0;
    memset(rng.block, 0, 4 * SHARE_BYTES);
    rng.block[0] = 0xfd;             /* 13 once cut to four bits */
    rng.block[SHARE_BYTES] = 15;     /* not below 13 */
    rng.block[2 * SHARE_BYTES] = 12; /* the first good one */
    uint8_t x[SHARE_BYTES];
    share_random(x, SMALL, &rng);
    CHECK_NUMBER(12, x[0]);
    CHECK(sodium_is_zero(x + 1, sizeof x - 1) == 1);
    CHECK_NUMBER(3 * SHARE_BYTES, rng.used);
}

/* The polynomial at each point, from coefficients replayed with the same generator. */
static void check_against_mpz(const struct share_field *field, size_t n, size_t t)
{
    uint8_t secret[SHARE_BYTES], shares[40 * SHARE_BYTES], drawn[SHARE_BYTES], want[SHARE_BYTES];
    struct rng rng = replay(n * 100 + t), twin = rng;
    share_random(secret, field, &rng);
    share_random(drawn, field, &twin);
    CHECK_OK(share_split(shares, secret, n, t, field, &rng));
    mpz_t p, coefficient[40], value;
    mpz_inits(p, value, NULL);
    prime_of(p, field);
    for (size_t k = t; k-- > 0;) {
        mpz_init(coefficient[k]);
        if (k > 0) share_random(drawn, field, &twin);
        to_mpz(coefficient[k], k > 0 ? drawn : secret);
    }
    for (size_t i = 0; i < n; i++) {
        mpz_set_ui(value, 0);
        for (size_t k = t; k-- > 0;) {
            mpz_mul_ui(value, value, i + 1);
            mpz_add(value, value, coefficient[k]);
            mpz_mod(value, value, p);
        }
        to_bytes(want, value);
        CHECK_BYTES(want, shares + i * SHARE_BYTES, SHARE_BYTES);
    }
    for (size_t k = 0; k < t; k++) mpz_clear(coefficient[k]);
    mpz_clears(p, value, NULL);
}

static void shares_are_the_polynomial_at_the_points(void)
{
    for (size_t f = 0; f < FIELDS; f++) {
        const size_t n_max = f == 0 ? 12 : 40;
        for (size_t t = 1; t <= n_max; t++) check_against_mpz(&fields[f], n_max, t);
    }
}

/* Weights by the definition, with an inverse for each quotient. */
static void weights_are_lagrange_coefficients_at_zero(void)
{
    const uint32_t index[7] = {3, 0, 11, 7, 5, 1, 10};
    mpz_t p, weight, x;
    mpz_inits(p, weight, x, NULL);
    for (size_t f = 0; f < FIELDS; f++) {
        AUTO(share_weights_free) struct share_weights weights = {0};
        CHECK_OK(share_weights_new(&weights, index, 7, &fields[f]));
        CHECK_NUMBER(7, weights.t);
        prime_of(p, &fields[f]);
        for (size_t i = 0; i < 7; i++) {
            mpz_set_ui(weight, 1);
            for (size_t j = 0; j < 7; j++) {
                if (j == i) continue;
                mpz_set_si(x, (long)index[j] - (long)index[i]);
                CHECK(mpz_invert(x, x, p) != 0);
                mpz_mul_ui(x, x, index[j] + 1);
                mpz_mul(weight, weight, x);
                mpz_mod(weight, weight, p);
            }
            uint8_t want[SHARE_BYTES];
            to_bytes(want, weight);
            CHECK_BYTES(want, weights.weight + i * SHARE_BYTES, SHARE_BYTES);
        }
    }
    mpz_clears(p, weight, x, NULL);
}

static void any_t_shares_give_the_secret_and_fewer_do_not(void)
{
    struct rng rng = replay(2);
    for (size_t f = 1; f < FIELDS; f++) {
        uint8_t secret[SHARE_BYTES], all[9 * SHARE_BYTES], some[5 * SHARE_BYTES], got[SHARE_BYTES];
        share_random(secret, &fields[f], &rng);
        CHECK_OK(share_split(all, secret, 9, 5, &fields[f], &rng));
        const uint32_t index[5] = {8, 2, 0, 5, 7};
        for (size_t i = 0; i < 5; i++)
            memcpy(some + i * SHARE_BYTES, all + index[i] * SHARE_BYTES, SHARE_BYTES);
        for (size_t t = 4; t <= 5; t++) {
            AUTO(share_weights_free) struct share_weights weights = {0};
            CHECK_OK(share_weights_new(&weights, index, t, &fields[f]));
            CHECK_OK(share_join(got, some, &weights, &fields[f]));
            CHECK((memcmp(secret, got, sizeof got) == 0) == (t == 5));
        }
    }
}

static void one_of_one_is_the_secret_itself(void)
{
    struct rng rng = replay(3);
    uint8_t secret[SHARE_BYTES], share[SHARE_BYTES];
    share_random(secret, &SHARE_FIELD, &rng);
    CHECK_OK(share_split(share, secret, 1, 1, &SHARE_FIELD, &rng));
    CHECK_BYTES(secret, share, sizeof share);
}

static void the_largest_group_works_with_extreme_values(void)
{
    static uint8_t shares[SHARE_SITES_MAX * SHARE_BYTES];
    static uint32_t index[SHARE_SITES_MAX];
    const struct share_field *field = &fields[FIELDS - 1];
    uint8_t secret[SHARE_BYTES], got[SHARE_BYTES];
    memset(secret, 0xff, sizeof secret);
    secret[0] = 0xff - 189; /* the prime less one */
    struct rng rng = replay(4);
    CHECK_OK(share_split(shares, secret, SHARE_SITES_MAX, 600, field, &rng));
    for (uint32_t i = 0; i < 600; i++) index[i] = SHARE_SITES_MAX - 1 - i;
    for (uint32_t i = 0; i < 600; i++) {
        uint8_t *share = shares + i * SHARE_BYTES;
        memcpy(share, shares + index[i] * SHARE_BYTES, i < 424 ? SHARE_BYTES : 0);
    }
    /* Shares 1023 ... 600 lie in front now; the others are joined in ascending order. */
    for (uint32_t i = 424; i < 600; i++) index[i] = i;
    AUTO(share_weights_free) struct share_weights weights = {0};
    CHECK_OK(share_weights_new(&weights, index, 600, field));
    CHECK_OK(share_join(got, shares, &weights, field));
    CHECK_BYTES(secret, got, sizeof got);
}

/* The lazy reductions at their worst: every coefficient is the prime less one, at point 1024. */
static void the_largest_coefficients_do_not_overflow(void)
{
    static uint8_t shares[SHARE_SITES_MAX * SHARE_BYTES];
    const struct share_field *field = &fields[FIELDS - 1];
    uint8_t top[SHARE_BYTES];
    memset(top, 0xff, sizeof top);
    top[0] = 0xff - 189;
    struct rng rng = replay(1);
    rng.used = 0;
    for (size_t k = 0; k < 12; k++) memcpy(rng.block + k * SHARE_BYTES, top, SHARE_BYTES);
    CHECK_OK(share_split(shares, top, SHARE_SITES_MAX, 13, field, &rng));
    mpz_t p, value;
    mpz_inits(p, value, NULL);
    prime_of(p, field);
    for (size_t k = 0; k < 13; k++) {
        mpz_mul_ui(value, value, SHARE_SITES_MAX);
        mpz_sub_ui(value, value, 1);
    }
    mpz_mod(value, value, p);
    uint8_t want[SHARE_BYTES];
    to_bytes(want, value);
    CHECK_BYTES(want, shares + (SHARE_SITES_MAX - 1) * SHARE_BYTES, SHARE_BYTES);
    mpz_clears(p, value, NULL);
}

static void refuse_split(const uint8_t secret[static SHARE_BYTES], size_t n, size_t t,
                         const struct share_field *field)
{
    static uint8_t shares[(SHARE_SITES_MAX + 1) * SHARE_BYTES];
    struct rng rng = replay(1);
    memset(shares, 0xaa, sizeof shares);
    CHECK_STATUS(STATUS_RANGE, share_split(shares, secret, n, t, field, &rng));
    for (size_t i = 0; i < sizeof shares; i++)
        if (shares[i] != 0xaa) CHECK_NUMBER(0xaa, shares[i]);
}

static void impossible_groups_are_refused(void)
{
    const uint8_t secret[SHARE_BYTES] = {1};
    refuse_split(secret, 0, 0, &SHARE_FIELD);
    refuse_split(secret, 3, 0, &SHARE_FIELD);
    refuse_split(secret, 3, 4, &SHARE_FIELD);
    refuse_split(secret, SHARE_SITES_MAX + 1, 1, &SHARE_FIELD);
    refuse_split(secret, SIZE_MAX, 1, &SHARE_FIELD);
    refuse_split(secret, 13, 2, SMALL);
}

static void a_secret_that_is_not_canonical_is_refused(void)
{
    uint8_t secret[SHARE_BYTES] = {13};
    refuse_split(secret, 3, 2, SMALL);
    memset(secret, 0xff, sizeof secret);
    refuse_split(secret, 3, 2, &SHARE_FIELD);
}

static void refuse_weights(const uint32_t *index, size_t t, const struct share_field *field)
{
    struct share_weights out = {.t = 7};
    CHECK_STATUS(STATUS_RANGE, share_weights_new(&out, index, t, field));
    CHECK(out.t == 7 && out.weight == NULL);
}

static void impossible_responders_are_refused(void)
{
    static uint32_t many[SHARE_SITES_MAX + 1];
    for (uint32_t i = 0; i <= SHARE_SITES_MAX; i++) many[i] = i;
    refuse_weights(many, 0, &SHARE_FIELD);
    refuse_weights(many, SHARE_SITES_MAX + 1, &SHARE_FIELD);
    refuse_weights((uint32_t[]){0, SHARE_SITES_MAX}, 2, &SHARE_FIELD);
    refuse_weights((uint32_t[]){UINT32_MAX}, 1, &SHARE_FIELD);
    refuse_weights((uint32_t[]){4, 2, 4}, 3, &SHARE_FIELD);
    refuse_weights((uint32_t[]){0, 12}, 2, SMALL);
}

static void a_share_that_is_not_canonical_is_refused_and_the_secret_wiped(void)
{
    AUTO(share_weights_free) struct share_weights weights = {0};
    CHECK_OK(share_weights_new(&weights, (uint32_t[]){0, 1}, 2, SMALL));
    for (size_t bad = 0; bad < 2; bad++) {
        uint8_t shares[2 * SHARE_BYTES] = {1}, secret[SHARE_BYTES] = {5};
        shares[bad * SHARE_BYTES] = 13;
        CHECK_STATUS(STATUS_RANGE, share_join(secret, shares, &weights, SMALL));
        CHECK(sodium_is_zero(secret, sizeof secret) == 1);
    }
}

static void out_of_memory_leaves_out_untouched(void)
{
    const uint32_t index[3] = {0, 1, 2};
    OOM_EACH {
        struct share_weights out = {.t = 7};
        const enum status status = share_weights_new(&out, index, 3, &SHARE_FIELD);
        oom_stop();
        if (status == STATUS_OK) {
            CHECK(!oom_hit());
            share_weights_free(&out);
            CHECK(out.t == 0 && out.weight == NULL);
            share_weights_free(&out);
            continue;
        }
        CHECK_STATUS(STATUS_NOMEM, status);
        CHECK(out.t == 7 && out.weight == NULL);
    }
}

int main(void)
{
    RUN(the_shipping_field_is_two_to_the_255_minus_19);
    RUN(the_tested_fields_are_fields);
    RUN(canonical_means_below_the_prime);
    RUN(random_elements_are_canonical_and_reach_the_top);
    RUN(a_candidate_that_is_not_canonical_is_drawn_again);
    RUN(shares_are_the_polynomial_at_the_points);
    RUN(weights_are_lagrange_coefficients_at_zero);
    RUN(any_t_shares_give_the_secret_and_fewer_do_not);
    RUN(one_of_one_is_the_secret_itself);
    RUN(the_largest_group_works_with_extreme_values);
    RUN(the_largest_coefficients_do_not_overflow);
    RUN(impossible_groups_are_refused);
    RUN(a_secret_that_is_not_canonical_is_refused);
    RUN(impossible_responders_are_refused);
    RUN(a_share_that_is_not_canonical_is_refused_and_the_secret_wiped);
    RUN(out_of_memory_leaves_out_untouched);
    return check_done();
}
