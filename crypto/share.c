/* SPDX-License-Identifier: Apache-2.0 */
/* Shamir's secret sharing on GMP's limbs. Secrets meet only the functions that GMP promises to be
 * constant time (mpn_sec_*) or that those are made of (mpn_add_n, mpn_sub_n, mpn_mul_1, which run a
 * fixed loop); tests/ctime checks it. The points and the weights are public. */
#include "crypto/share.h"

#include <gmp.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

_Static_assert(GMP_NUMB_BITS == 64, "a limb is a 64-bit word");

#define LIMBS 4
#define SCRATCH_LIMBS 64
/* Two spare limbs hold this many steps of Horner's rule at points up to 1024: 1025^12 < 2^128. */
#define SPARE 2
#define STEPS_MAX 12
_Static_assert(SHARE_SITES_MAX <= 1024, "points are small");

const struct share_field SHARE_FIELD = {
    .prime = {0xffffffffffffffed, 0xffffffffffffffff, 0xffffffffffffffff, 0x7fffffffffffffff},
};

struct element {
    mp_limb_t limb[LIMBS];
};

/* One limb times another, and what is carried. */
__extension__ typedef unsigned __int128 wide;

/* The prime without leading zero limbs, as GMP wants it, and room for its functions to work in. */
struct modulus {
    mp_size_t n;
    mp_limb_t prime[LIMBS];
    mp_limb_t scratch[SCRATCH_LIMBS];
};

static void modulus_init(struct modulus *p, const struct share_field *field)
{
    p->n = LIMBS;
    while (p->n > 0 && field->prime[p->n - 1] == 0) p->n--;
    REQUIRE(p->n > 0 && field->prime[0] % 2 == 1);
    for (size_t i = 0; i < LIMBS; i++) p->prime[i] = field->prime[i];
    REQUIRE(mpn_sec_div_r_itch(2 * p->n + 1, p->n) <= SCRATCH_LIMBS);
    REQUIRE(mpn_sec_mul_itch(p->n, p->n) <= SCRATCH_LIMBS);
    REQUIRE(mpn_sec_invert_itch(p->n) <= SCRATCH_LIMBS);
}

static void modulus_wipe(struct modulus *p)
{
    secret_wipe(p, sizeof *p);
}

/* Reduce n limbs, more than the prime has, to the field. */
static void reduce(mp_limb_t *x, mp_size_t n, struct modulus *p)
{
    mpn_sec_div_r(x, n, p->prime, p->n, p->scratch);
}

static void load(mp_limb_t out[static LIMBS], const uint8_t in[static SHARE_BYTES])
{
    for (size_t i = 0; i < LIMBS; i++) {
        out[i] = 0;
        for (size_t j = 0; j < 8; j++) out[i] |= (mp_limb_t)in[8 * i + j] << (8 * j);
    }
}

static void store(uint8_t out[static SHARE_BYTES], const mp_limb_t *in, mp_size_t n)
{
    memset(out, 0, SHARE_BYTES);
    for (size_t i = 0; i < (size_t)n; i++)
        for (size_t j = 0; j < 8; j++) out[8 * i + j] = (uint8_t)(in[i] >> (8 * j));
}

/* Whether n is below the prime. */
static bool fits(size_t n, const struct share_field *field)
{
    return (field->prime[1] | field->prime[2] | field->prime[3]) != 0 || n < field->prime[0];
}

bool share_canonical(const uint8_t element[static SHARE_BYTES], const struct share_field *field)
{
    mp_limb_t x[LIMBS], prime[LIMBS];
    load(x, element);
    for (size_t i = 0; i < LIMBS; i++) prime[i] = field->prime[i];
    mp_limb_t below = mpn_sub_n(x, x, prime, LIMBS);
    PUBLIC(&below, sizeof below);
    secret_wipe(x, sizeof x);
    return below != 0;
}

void share_random(uint8_t secret[static SHARE_BYTES], const struct share_field *field,
                  struct rng *rng)
{
    /* Bits above the prime's highest are cleared, so that a candidate fails at most every other
     * time. */
    size_t bits = 256;
    while (field->prime[(bits - 1) / 64] >> ((bits - 1) % 64) == 0) bits--;
    do {
        rng_bytes(rng, secret, SHARE_BYTES);
        for (size_t i = 0; i < SHARE_BYTES; i++) {
            const size_t kept = bits <= 8 * i ? 0 : bits - 8 * i;
            if (kept < 8) secret[i] &= (uint8_t)((1u << kept) - 1);
        }
    } while (!share_canonical(secret, field));
}

/* Carry a share m steps further along Horner's rule: share = share * x + coefficient. */
static void advance(uint8_t share[static SHARE_BYTES], mp_limb_t x,
                    const struct element *coefficient, size_t m, struct modulus *p)
{
    mp_limb_t sum[LIMBS + SPARE] = {0};
    load(sum, share);
    for (size_t k = 0; k < m; k++) {
        wide carry = 0;
        for (size_t i = 0; i < LIMBS + SPARE; i++, carry >>= 64) {
            carry += (wide)sum[i] * x + (i < LIMBS ? coefficient[k].limb[i] : 0);
            sum[i] = (mp_limb_t)carry;
        }
    }
    reduce(sum, p->n + SPARE, p);
    store(share, sum, p->n);
    secret_wipe(sum, sizeof sum);
}

enum status share_split(uint8_t *shares, const uint8_t secret[static SHARE_BYTES], size_t n,
                        size_t t, const struct share_field *field, struct rng *rng)
{
    if (t == 0 || t > n || n > SHARE_SITES_MAX || !fits(n, field)) return STATUS_RANGE;
    if (!share_canonical(secret, field)) return STATUS_RANGE;
    AUTO(modulus_wipe) struct modulus p = {0};
    modulus_init(&p, field);

    /* Highest coefficients first, a few at a time for all sites, so that none needs to be kept. */
    struct element coefficient[STEPS_MAX];
    uint8_t bytes[SHARE_BYTES];
    memset(shares, 0, n * SHARE_BYTES);
    for (size_t left = t; left > 0;) {
        size_t m = 0;
        for (; m < STEPS_MAX && left > 0; m++) {
            if (--left > 0)
                share_random(bytes, field, rng);
            else
                memcpy(bytes, secret, SHARE_BYTES);
            load(coefficient[m].limb, bytes);
        }
        for (size_t i = 0; i < n; i++) advance(shares + i * SHARE_BYTES, i + 1, coefficient, m, &p);
    }
    secret_wipe(bytes, sizeof bytes);
    secret_wipe(coefficient, sizeof coefficient);
    return STATUS_OK;
}

/* A product of small factors: they are gathered in a word before the long product takes them in. */
struct product {
    mp_limb_t limb[LIMBS + 1];
    mp_limb_t word;
};

static void product_flush(struct product *x, struct modulus *p)
{
    x->limb[p->n] = mpn_mul_1(x->limb, x->limb, p->n, x->word);
    reduce(x->limb, p->n + 1, p);
    x->word = 1;
}

/* factor is at most SHARE_SITES_MAX. */
static void product_take(struct product *x, mp_limb_t factor, struct modulus *p)
{
    if (x->word > UINT64_MAX / SHARE_SITES_MAX) product_flush(x, p);
    x->word *= factor;
}

/* x = x * y, both below the prime. */
static void multiply(mp_limb_t *x, const mp_limb_t *y, struct modulus *p)
{
    mp_limb_t product[2 * LIMBS];
    mpn_sec_mul(product, x, p->n, y, p->n, p->scratch);
    reduce(product, 2 * p->n, p);
    mpn_copyi(x, product, p->n);
}

/* What the weight of responder i is divided by: x_i times the product over the others of x_j - x_i,
 * where x = index + 1. */
static void divisor(mp_limb_t out[static LIMBS], size_t i, const uint32_t *index, size_t t,
                    struct modulus *p)
{
    struct product x = {.limb = {1}, .word = index[i] + 1};
    bool negative = false;
    for (size_t j = 0; j < t; j++) {
        if (j == i) continue;
        negative ^= index[j] < index[i];
        product_take(&x, index[j] < index[i] ? index[i] - index[j] : index[j] - index[i], p);
    }
    product_flush(&x, p);
    if (negative)
        mpn_sub_n(out, p->prime, x.limb, p->n);
    else
        mpn_copyi(out, x.limb, p->n);
}

/* The product of all points is divided by the product of all divisors, which costs one inversion
 * (Montgomery 1987); going back, each divisor but one's own is multiplied in again. */
static void weigh(uint8_t *weight, const uint32_t *index, size_t t, const struct share_field *field)
{
    struct modulus p = {0};
    modulus_init(&p, field);
    struct element below[SHARE_SITES_MAX], before[SHARE_SITES_MAX + 1] = {{{1}}};
    struct product all = {.limb = {1}, .word = 1};
    for (size_t i = 0; i < t; i++) {
        product_take(&all, index[i] + 1, &p);
        divisor(below[i].limb, i, index, t, &p);
        before[i + 1] = before[i];
        multiply(before[i + 1].limb, below[i].limb, &p);
    }
    product_flush(&all, &p);

    mp_limb_t rest[LIMBS];
    const mp_bitcnt_t bits = (mp_bitcnt_t)p.n * 128;
    REQUIRE(mpn_sec_invert(rest, before[t].limb, p.prime, p.n, bits, p.scratch));
    multiply(rest, all.limb, &p);
    for (size_t i = t; i-- > 0;) {
        multiply(before[i].limb, rest, &p);
        multiply(rest, below[i].limb, &p);
        store(weight + i * SHARE_BYTES, before[i].limb, p.n);
    }
}

/* Distinct site numbers whose points are not zero in the field. */
static bool index_ok(const uint32_t *index, size_t t, const struct share_field *field)
{
    if (t == 0 || t > SHARE_SITES_MAX) return false;
    bool seen[SHARE_SITES_MAX] = {0};
    for (size_t i = 0; i < t; i++) {
        if (index[i] >= SHARE_SITES_MAX || !fits((size_t)index[i] + 1, field)) return false;
        if (seen[index[i]]) return false;
        seen[index[i]] = true;
    }
    return true;
}

enum status share_weights_new(struct share_weights *out, const uint32_t *index, size_t t,
                              const struct share_field *field)
{
    if (!index_ok(index, t, field)) return STATUS_RANGE;
    uint8_t *weight = malloc(t * SHARE_BYTES);
    if (weight == NULL) return STATUS_NOMEM;
    weigh(weight, index, t, field);
    *out = (struct share_weights){.t = t, .weight = weight};
    return STATUS_OK;
}

void share_weights_free(struct share_weights *weights)
{
    free(weights->weight);
    *weights = (struct share_weights){0};
}

enum status share_join(uint8_t secret[static SHARE_BYTES], const uint8_t *shares,
                       const struct share_weights *weights, const struct share_field *field)
{
    secret_wipe(secret, SHARE_BYTES);
    for (size_t i = 0; i < weights->t; i++)
        if (!share_canonical(shares + i * SHARE_BYTES, field)) return STATUS_RANGE;

    AUTO(modulus_wipe) struct modulus p = {0};
    modulus_init(&p, field);
    /* 1024 products of two limb runs leave room in one limb more: one reduction for all. */
    mp_limb_t sum[2 * LIMBS + 1] = {0}, product[2 * LIMBS], weight[LIMBS], share[LIMBS];
    for (size_t i = 0; i < weights->t; i++) {
        load(weight, weights->weight + i * SHARE_BYTES);
        load(share, shares + i * SHARE_BYTES);
        mpn_sec_mul(product, share, p.n, weight, p.n, p.scratch);
        sum[2 * p.n] += mpn_add_n(sum, sum, product, 2 * p.n);
    }
    reduce(sum, 2 * p.n + 1, &p);
    store(secret, sum, p.n);
    secret_wipe(sum, sizeof sum);
    secret_wipe(product, sizeof product);
    secret_wipe(share, sizeof share);
    return STATUS_OK;
}
