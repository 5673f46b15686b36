/* SPDX-License-Identifier: Apache-2.0 */
/* law_sample for whole sigma in 64-bit integers: the same samples from the same words. */
#ifndef DP_NOISE_EXACT_H
#define DP_NOISE_EXACT_H

#include <stdint.h>

#include "dp/noise_law.h"

/* Larger k come once in 10^9 samples. */
#define EXACT_STEPS 7

/* What is computed once for a sigma; public. */
struct exact {
    struct law law;
    unsigned shift;                   /* sigma <= 2^shift */
    uint64_t inverse;                 /* floor(2^(63 + shift) / sigma) */
    uint32_t head[EXACT_STEPS];       /* of law_heads */
    uint64_t power[64 * EXACT_STEPS]; /* of law_powers */
};

/* 1 <= sigma <= NOISE_SIGMA_MAX. */
void exact_init(struct exact *out, uint32_t sigma);
/* 2^32 exp(-f (2k + f) / 2) rounded down, f = j / sigma < 1, k < EXACT_STEPS: less than 1 above it
 * and less than 2 below (dp/SPEC.md). */
uint64_t exact_bound(const struct exact *exact, uint32_t k, uint32_t j);

int64_t exact_sample(const struct exact *exact, struct words *words);

#endif
