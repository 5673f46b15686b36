/* SPDX-License-Identifier: Apache-2.0 */
/* Discrete Gaussian noise by exact integer sampling: no floating point, so no floating-point
 * attack. Canonne, Kamath, Steinke 2020, algorithms 1 to 3, with t = sigma. Running time depends on
 * the values drawn (rejection), never on what they are added to. */
#ifndef DP_NOISE_H
#define DP_NOISE_H

#include <stdint.h>

#include "base/stage.h"
#include "crypto/rng.h"

/* (sigma - u)^2 and 2 sigma^2 must stay below 2^64; the ring ends long before. */
#define NOISE_SIGMA_MAX UINT32_C(500000000)
/* Below this a sum of discrete Gaussians is too far from one (dp/SPEC.md): plans refuse it. */
#define NOISE_SIGMA_MIN UINT32_C(4)

/* One sample of N_Z(0, sigma^2): P(x) proportional to exp(-x^2 / (2 sigma^2)); 1 <= sigma <=
 * NOISE_SIGMA_MAX. Secret. */
int64_t noise_sample(uint32_t sigma, struct rng *rng);

/* Put in + one fresh sample per coordinate, modulo 2^32, into out. sigma 0 adds nothing (epsilon
 * infinite: for rehearsals).
 * out  n elements, owned by the caller.
 * STATUS_RANGE  sizes differ or sigma > NOISE_SIGMA_MAX; out is untouched. */
MUST_USE enum status noise_add(struct noised *out, const struct encoded *in, uint32_t sigma,
                               struct rng *rng);

#endif
