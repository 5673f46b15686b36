/* SPDX-License-Identifier: Apache-2.0 */
/* The discrete Gaussian law in numbers of any precision, by GMP: what the fast samplers are made
 * from, and what decides when their own precision does not.
 *
 * A choice by chance is whether a uniform real U is below a bound. U's binary digits are drawn a
 * few first, then 64 at a time, and only while they leave it open: every decision is exact, and
 * the words that it takes do not depend on how it is computed. */
#ifndef DP_NOISE_LAW_H
#define DP_NOISE_LAW_H

#include <stdbool.h>
#include <stdint.h>

#include "dp/noise_words.h"

__extension__ typedef unsigned __int128 u128;

/* First digits; a test sets fewer, so that open choices become common. */
#ifndef STEP_BITS
#define STEP_BITS 31
#endif
#ifndef KEEP_BITS
#define KEEP_BITS 32
#endif

/* Public. */
struct law {
    uint64_t numerator, denominator; /* of sigma^2 */
    uint32_t t, left_over;           /* ceil(sigma); words_left_over(t) */
    uint64_t sum[2], error;          /* of exp(-k^2 / 2) over k >= 0, STEP_BITS + 64 digits */
};

/* 0 < sigma <= NOISE_SIGMA_MAX. */
void law_init(struct law *out, uint64_t numerator, uint64_t denominator);

/* One sample, by steps of t; after Karney 2016, algorithm D:
 *
 *   1. from one word the sign, and k >= 0 with probability proportional to exp(-k^2 / 2);
 *   2. j uniform in [0, t); m = k t + j;
 *   3. keep m with probability exp(-(m^2 / sigma^2 - k^2) / 2), zero with one sign only. */
int64_t law_sample(const struct law *law, struct words *words);

/* Step 1's k when U begins with these STEP_BITS digits. */
uint32_t law_step(const struct law *law, uint32_t digits, struct words *words);
/* Whether step 3 keeps m when U begins with these KEEP_BITS digits. */
bool law_keep(const struct law *law, uint32_t digits, uint32_t k, uint64_t m, struct words *words);

/* head[i] = floor(2^STEP_BITS P(k <= i)). */
void law_heads(uint32_t *head, size_t n);
/* power[i] = floor(2^64 exp(-i / 64)) or 1 below it. */
void law_powers(uint64_t *power, size_t n);

/* w[x] <= 2^bits P(x) for 0 < x < n, by less than 2, and w[0] so that w[0] + 2 (w[1] + ...) is
 * 2^bits: the law that a table follows. n > 0, sigma >= 1, bits < 128. */
void law_weights(u128 *w, uint32_t n, uint32_t sigma, unsigned bits);
/* log2 of the statistical distance of that law and N_Z, rounded up to a whole number. */
int law_distance(u128 w0, uint32_t sigma, unsigned bits);

#endif
