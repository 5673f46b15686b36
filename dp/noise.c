/* SPDX-License-Identifier: Apache-2.0 */
/* Exact discrete Gaussian: Canonne, Kamath, Steinke 2020, algorithms 1 to 3 with t = sigma, in
 * integers only. Their rational exponents are split into trials whose exponent is at most 1, so
 * that nothing is divided and nothing can overflow; every trial is exact (dp/SPEC.md). */
#include "dp/noise.h"

#include <stdbool.h>

#include "base/secret.h"

__extension__ typedef unsigned __int128 u128;

/* How many digits a trial draws at a time; a test sets 1, so that ties become common. */
#ifndef TRIAL_BITS
#define TRIAL_BITS 16
#endif

/* Random bits, handed out a few at a time. Secret: they determine the noise. */
struct pool {
    struct rng *rng;
    uint64_t word;
    unsigned left;
};

/* n <= 32 fresh bits; what is left of a word that is too short is thrown away. */
static inline uint64_t take(struct pool *pool, unsigned n)
{
    if (pool->left < n) {
        pool->word = rng_u64(pool->rng);
        pool->left = 64;
    }
    uint64_t bits = pool->word & ((UINT64_C(1) << n) - 1);
    pool->word >>= n;
    pool->left -= n;
    return bits;
}

/* True with probability p / q, 0 <= p <= q < 2^96: whether a uniform real in [0, 1) is below p / q.
 * Its binary digits are drawn only until they decide; a tie goes on with what is left of p. */
static inline bool trial(struct pool *pool, u128 p, u128 q)
{
    for (;;) {
        u128 low = take(pool, TRIAL_BITS) * q;
        p <<= TRIAL_BITS;
        if (low >= p) return false;
        p -= low;
        if (p >= q) return true;
    }
}

/* True with probability exp(-p / q), p <= q: von Neumann's alternating series (algorithm 1). k is
 * small: k trials succeed with probability at most 1 / k!. */
static bool trial_exp(struct pool *pool, uint64_t p, uint64_t q)
{
    uint32_t k = 1;
    while (trial(pool, p, (u128)q * k)) k++;
    return k % 2 == 1;
}

/* The same n times over: true with probability exp(-n p / q). */
static bool trials_exp(struct pool *pool, uint64_t n, uint64_t p, uint64_t q)
{
    for (uint64_t i = 0; i < n; i++)
        if (!trial_exp(pool, p, q)) return false;
    return true;
}

/* Uniform in [0, n), by drawing as many bits as n - 1 has until they are below n. */
static uint64_t below(struct pool *pool, uint32_t n)
{
    if (n == 1) return 0;
    unsigned bits = 32 - (unsigned)__builtin_clz(n - 1);
    uint64_t x = take(pool, bits);
    while (x >= n) x = take(pool, bits);
    return x;
}

/* m = u + sigma v has probability proportional to exp(-m / sigma) (algorithm 2) and is kept with
 * probability exp(-(m - sigma)^2 / (2 sigma^2)) (algorithm 3). With w = v - 1 the exponent is
 *   w^2 / 2 + w u / sigma + u^2 / (2 sigma^2),
 * a product of trials; only w = -1 needs the square as it stands. */
static int64_t sample(struct pool *pool, uint32_t sigma)
{
    uint64_t s = sigma;
    for (;;) {
        uint64_t u = below(pool, sigma);
        if (!trial_exp(pool, u, s)) continue;
        uint64_t v = 0;
        while (trial_exp(pool, 1, 1)) v++;
        bool negative = take(pool, 1) == 1;
        if (negative && u == 0 && v == 0) continue; /* zero has one sign only */
        bool kept;
        if (v == 0)
            kept = trial_exp(pool, (s - u) * (s - u), 2 * s * s);
        else
            kept = trials_exp(pool, (v - 1) * (v - 1), 1, 2) && trials_exp(pool, v - 1, u, s) &&
                   trial_exp(pool, u * u, 2 * s * s);
        if (!kept) continue;
        int64_t m = (int64_t)(u + s * v);
        return negative ? -m : m;
    }
}

int64_t noise_sample(uint32_t sigma, struct rng *rng)
{
    REQUIRE(sigma >= 1 && sigma <= NOISE_SIGMA_MAX);
    struct pool pool = {.rng = rng};
    int64_t x = sample(&pool, sigma);
    secret_wipe(&pool, sizeof pool);
    return x;
}

enum status noise_add(struct noised *out, const struct encoded *in, uint32_t sigma, struct rng *rng)
{
    if (out->n != in->n || sigma > NOISE_SIGMA_MAX) return STATUS_RANGE;
    struct pool pool = {.rng = rng};
    for (size_t i = 0; i < in->n; i++) {
        uint32_t noise = sigma == 0 ? 0 : (uint32_t)sample(&pool, sigma);
        out->value[i] = (uint32_t)in->value[i] + noise;
    }
    secret_wipe(&pool, sizeof pool);
    return STATUS_OK;
}
