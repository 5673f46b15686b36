/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed point: x is held as a whole number near 2^bits x, its "error" is in units of the last bit.
 * GMP ends the program when memory runs out: what is needed here is a few kilobytes. */
#include "dp/noise_law.h"

#include <gmp.h>

#include "base/secret.h"

#define GUARD_BITS 64

static void number_clear(mpz_t *x)
{
    const size_t limbs = (size_t)x[0]->_mp_alloc;
    secret_wipe(mpz_limbs_modify(*x, x[0]->_mp_alloc), limbs * sizeof(mp_limb_t));
    mpz_clear(*x);
}

/* A zero that wipes itself, with room to grow without leaving copies behind. */
#define NUMBER(name)                                                                               \
    AUTO(number_clear) mpz_t name;                                                                 \
    mpz_init2(name, 1024)

static void set_u64(mpz_t out, uint64_t x)
{
    mpz_import(out, 1, -1, sizeof x, 0, 0, &x);
}

/* out = 2^bits exp(-x), error below 2, for x = numerator / denominator >= 0; out is neither of
 * them. x is halved until it
 * is small, the series summed, the sum squared back. With W = bits + 64, each of at most W / 8 + 2
 * terms errs by less than 2, x by less than 1, and squaring doubles an error and adds 1. It happens
 * 8 + log2(2 bits) times at most, so that the error is below W bits 2^11 < 2^63 before the end. */
static void exp_minus(mpz_t out, const mpz_t numerator, const mpz_t denominator, size_t bits)
{
    const size_t work = bits + GUARD_BITS;
    NUMBER(x);
    NUMBER(term);
    mpz_set_ui(out, 0);
    mpz_fdiv_q(x, numerator, denominator);
    if (mpz_cmp_ui(x, bits) > 0) return;
    const size_t halvings = 8 + mpz_sizeinbase(x, 2);
    mpz_mul_2exp(x, numerator, work);
    mpz_fdiv_q(x, x, denominator);
    mpz_fdiv_q_2exp(x, x, halvings);
    mpz_set_ui(term, 1);
    mpz_mul_2exp(term, term, work);
    for (unsigned long i = 1; mpz_sgn(term) != 0; i++) {
        mpz_add(out, out, term);
        mpz_mul(term, term, x);
        mpz_tdiv_q_2exp(term, term, work);
        mpz_tdiv_q_ui(term, term, i);
        mpz_neg(term, term);
    }
    for (size_t i = 0; i < halvings; i++) {
        mpz_mul(out, out, out);
        mpz_fdiv_q_2exp(out, out, work);
    }
    mpz_fdiv_q_2exp(out, out, GUARD_BITS);
}

/* out = 2^bits exp(-x^2 / (2 s^2)), error below 2. */
static void weight(mpz_t out, uint64_t x, uint64_t s, size_t bits)
{
    NUMBER(numerator);
    NUMBER(denominator);
    set_u64(numerator, x * x);
    set_u64(denominator, 2 * s * s);
    exp_minus(out, numerator, denominator, bits);
}

/* The sum of the weights of 0, 1, 2, ... Returns a bound of its error: 2 for each, and as they fall
 * below 2^-bits here, by more than half in every s, 2 s for those left out. */
static uint64_t sum_weights(mpz_t out, uint64_t s, size_t bits)
{
    NUMBER(w);
    mpz_set_ui(out, 0);
    uint64_t x = 0;
    for (; x * x < 2 * s * s * bits; x++) {
        weight(w, x, s, bits);
        mpz_add(out, out, w);
    }
    return 2 * x + 2 * s;
}

/* Binary digits of U: u 2^-bits <= U < (u + 1) 2^-bits. */
struct digits {
    mpz_t u;
    size_t bits;
};

static void digits_clear(struct digits *d)
{
    number_clear(&d->u);
}

static void digits_init(struct digits *d, uint32_t first, size_t bits)
{
    mpz_init2(d->u, 1024);
    mpz_set_ui(d->u, first);
    d->bits = bits;
}

static void digits_more(struct digits *d, struct words *words)
{
    for (int i = 0; i < 2; i++) {
        mpz_mul_2exp(d->u, d->u, 32);
        mpz_add_ui(d->u, d->u, words_next(words));
    }
    d->bits += 64;
}

/* Where U is beside a / b. OPEN: the digits of U do not tell; UNKNOWN: those of a and b do not. */
enum side { SIDE_BELOW, SIDE_ABOVE, SIDE_OPEN, SIDE_UNKNOWN };

/* a and b are known to within error. */
static enum side side_of(const struct digits *d, const mpz_t a, const mpz_t b, uint64_t error)
{
    NUMBER(least);
    NUMBER(most);
    NUMBER(product);
    mpz_sub_ui(least, a, error);
    mpz_add_ui(most, a, error);
    mpz_mul_2exp(least, least, d->bits);
    mpz_mul_2exp(most, most, d->bits);
    NUMBER(b_least);
    NUMBER(b_most);
    mpz_sub_ui(b_least, b, error);
    mpz_add_ui(b_most, b, error);
    NUMBER(u_next);
    mpz_add_ui(u_next, d->u, 1);
    mpz_mul(product, u_next, b_most);
    if (mpz_cmp(product, least) <= 0) return SIDE_BELOW;
    mpz_mul(product, d->u, b_least);
    if (mpz_cmp(product, most) >= 0) return SIDE_ABOVE;
    mpz_mul(product, d->u, b_most);
    if (mpz_cmp(product, least) > 0) return SIDE_UNKNOWN;
    mpz_mul(product, u_next, b_least);
    return mpz_cmp(product, most) >= 0 ? SIDE_OPEN : SIDE_UNKNOWN;
}

/* The least t with t^2 >= numerator / denominator. */
static uint32_t ceil_root(uint64_t numerator, uint64_t denominator)
{
    NUMBER(root);
    set_u64(root, (numerator - 1) / denominator);
    mpz_sqrt(root, root);
    return (uint32_t)mpz_get_ui(root) + 1;
}

void law_init(struct law *out, uint64_t numerator, uint64_t denominator)
{
    const uint32_t t = ceil_root(numerator, denominator);
    *out = (struct law){.numerator = numerator,
                        .denominator = denominator,
                        .t = t,
                        .left_over = words_left_over(t)};
    NUMBER(sum);
    out->error = sum_weights(sum, 1, STEP_BITS + 64);
    mpz_export(out->sum, NULL, -1, sizeof *out->sum, 0, 0, sum);
}

/* The bounds P(k <= i) are no fractions, so that enough digits decide. */
uint32_t law_step(const struct law *law, uint32_t digits, struct words *words)
{
    AUTO(digits_clear) struct digits d;
    digits_init(&d, digits, STEP_BITS);
    NUMBER(sum);
    mpz_import(sum, 2, -1, sizeof *law->sum, 0, 0, law->sum);
    uint64_t error = law->error;
    size_t bits = STEP_BITS + 64;
    for (;;) {
        NUMBER(part);
        NUMBER(w);
        enum side side = SIDE_ABOVE;
        uint32_t k = 0;
        for (; side == SIDE_ABOVE; k++) {
            weight(w, k, 1, bits);
            mpz_add(part, part, w);
            side = side_of(&d, part, sum, error);
        }
        if (side == SIDE_BELOW) return k - 1;
        if (side == SIDE_OPEN) digits_more(&d, words);
        bits += 64;
        error = sum_weights(sum, 1, bits);
    }
}

bool law_keep(const struct law *law, uint32_t digits, uint32_t k, uint64_t m, struct words *words)
{
    NUMBER(x);
    NUMBER(k2);
    NUMBER(variance);
    set_u64(variance, law->numerator);
    set_u64(x, m);
    mpz_mul(x, x, x);
    set_u64(k2, law->denominator);
    mpz_mul(x, x, k2);
    mpz_set_ui(k2, k);
    mpz_mul(k2, k2, k2);
    mpz_mul(k2, k2, variance);
    mpz_sub(x, x, k2);
    if (mpz_sgn(x) == 0) return true; /* else exp(-x) is no fraction */
    mpz_mul_2exp(variance, variance, 1);
    AUTO(digits_clear) struct digits d;
    digits_init(&d, digits, KEEP_BITS);
    NUMBER(power);
    NUMBER(one);
    for (size_t bits = KEEP_BITS + 32;; bits += 64) {
        mpz_set_ui(one, 1);
        mpz_mul_2exp(one, one, bits);
        exp_minus(power, x, variance, bits);
        const enum side side = side_of(&d, power, one, 2);
        if (side == SIDE_BELOW || side == SIDE_ABOVE) return side == SIDE_BELOW;
        if (side == SIDE_OPEN) digits_more(&d, words);
    }
}

int64_t law_sample(const struct law *law, struct words *words)
{
    for (;;) {
        const uint32_t word = words_next(words);
        const bool negative = word % 2 == 1;
        const uint32_t k = law_step(law, word >> (32 - STEP_BITS), words);
        const uint64_t m = (uint64_t)k * law->t + words_below(words, law->t, law->left_over);
        const uint32_t digits = words_next(words) >> (32 - KEEP_BITS);
        if (!law_keep(law, digits, k, m, words)) continue;
        if (negative && m == 0) continue;
        return negative ? -(int64_t)m : (int64_t)m;
    }
}

void law_heads(uint32_t *head, size_t n)
{
    NUMBER(sum);
    NUMBER(part);
    NUMBER(w);
    const uint64_t error = sum_weights(sum, 1, 256);
    for (size_t i = 0; i < n; i++) {
        weight(w, i, 1, 256);
        mpz_add(part, part, w);
        mpz_mul_2exp(w, part, STEP_BITS);
        mpz_fdiv_q(w, w, sum);
        head[i] = (uint32_t)mpz_get_ui(w);
        AUTO(digits_clear) struct digits d;
        digits_init(&d, head[i], STEP_BITS);
        REQUIRE(side_of(&d, part, sum, error) == SIDE_OPEN);
    }
}

void law_powers(uint64_t *power, size_t n)
{
    NUMBER(ratio);
    NUMBER(x);
    NUMBER(out);
    mpz_set_ui(out, 1);
    mpz_set_ui(x, 64);
    exp_minus(ratio, out, x, 128);
    mpz_set_ui(x, 0);
    /* 2^128 - 1, so that the first fits; every product errs by less than 4 more */
    mpz_setbit(x, 128);
    mpz_sub_ui(x, x, 65);
    for (size_t i = 0; i < n; i++) {
        mpz_fdiv_q_2exp(out, x, 64);
        power[i] = mpz_get_ui(out);
        mpz_mul(x, x, ratio);
        mpz_fdiv_q_2exp(x, x, 128);
    }
}

/* At least 2^bits S, S the sum over all integers. */
static void most_of_all(mpz_t out, uint32_t sigma, size_t bits)
{
    const uint64_t error = sum_weights(out, sigma, bits);
    mpz_add_ui(out, out, error);
    mpz_mul_2exp(out, out, 1);
    NUMBER(one);
    mpz_setbit(one, bits);
    mpz_sub(out, out, one);
}

void law_weights(u128 *w, uint32_t n, uint32_t sigma, unsigned bits)
{
    const size_t work = bits + GUARD_BITS;
    NUMBER(sum);
    NUMBER(x);
    most_of_all(sum, sigma, work);
    w[0] = (u128)1 << bits;
    for (uint32_t i = 1; i < n; i++) {
        weight(x, i, sigma, work);
        mpz_sub_ui(x, x, mpz_cmp_ui(x, 2) < 0 ? mpz_get_ui(x) : 2);
        mpz_mul_2exp(x, x, bits);
        mpz_fdiv_q(x, x, sum);
        uint64_t half[2] = {0};
        mpz_export(half, NULL, -1, sizeof *half, 0, 0, x);
        w[i] = (u128)half[1] << 64 | half[0];
        w[0] -= 2 * w[i];
    }
}

int law_distance(u128 w0, uint32_t sigma, unsigned bits)
{
    /* Only 0 has more than it should: w0 - 2^bits / S. */
    const size_t work = bits + GUARD_BITS;
    NUMBER(sum);
    NUMBER(law);
    NUMBER(excess);
    most_of_all(sum, sigma, work);
    mpz_setbit(law, 2 * work);
    mpz_fdiv_q(law, law, sum);
    set_u64(excess, (uint64_t)(w0 >> 64));
    mpz_mul_2exp(excess, excess, 64);
    NUMBER(low);
    set_u64(low, (uint64_t)w0);
    mpz_add(excess, excess, low);
    mpz_mul_2exp(excess, excess, GUARD_BITS);
    mpz_sub(excess, excess, law);
    REQUIRE(mpz_sgn(excess) > 0);
    return (int)mpz_sizeinbase(excess, 2) - (int)work;
}
