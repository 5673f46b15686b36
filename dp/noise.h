/* SPDX-License-Identifier: Apache-2.0 */
/* Discrete Gaussian noise N_Z(0, sigma^2), P(x) proportional to exp(-x^2 / (2 sigma^2)). No
 * floating point, so no floating-point attack. Noise is drawn by itself, before a site touches its
 * data, so that the time it takes tells nothing of them (dp/SPEC.md). */
#ifndef DP_NOISE_H
#define DP_NOISE_H

#include <stdint.h>

#include "base/stage.h"
#include "crypto/rng.h"

/* sigma and all that is drawn with it must fit 64 bits with room; the ring ends long before. */
#define NOISE_SIGMA_MAX UINT32_C(500000000)
/* Below this a sum of discrete Gaussians is too far from one (dp/SPEC.md): plans refuse it. */
#define NOISE_SIGMA_MIN UINT32_C(4)
/* The largest sigma whose table stays in the first-level cache. */
#define NOISE_TABLE_SIGMA_MAX UINT32_C(64)
/* log2 of the statistical distance between one sample of a table and N_Z, at most. */
#define NOISE_TABLE_LOG2_DISTANCE (-117)

/* On the wire: numbers are never reused. */
enum noise_sampler {
    NOISE_EXACT, /* the law itself; time depends on the values drawn */
    NOISE_TABLE, /* sigma <= NOISE_TABLE_SIGMA_MAX; no branch depends on the values drawn, and the
                  * distance from the law is charged to delta */
    NOISE_SAMPLERS
};

/* One site's noise of a round, modulo 2^32. Secret. */
struct noise {
    size_t n;
    uint32_t *value;
};

/* Allocate n > 0 zeros. STATUS_NOMEM leaves out untouched. */
MUST_USE enum status noise_new(struct noise *out, size_t n);
/* Wipe and release. */
void noise_free(struct noise *noise);

/* Allocate and draw n > 0 samples. sigma 0 gives zeros (epsilon infinite: for rehearsals).
 *
 * STATUS_RANGE  sigma > NOISE_SIGMA_MAX, or above NOISE_TABLE_SIGMA_MAX by table, or an unknown
 *               sampler. STATUS_NOMEM  out is untouched on failure. */
MUST_USE enum status noise_draw(struct noise *out, size_t n, uint32_t sigma,
                                enum noise_sampler sampler, struct rng *rng);
/* The same by exact rationals at any sigma^2 = numerator / denominator up to NOISE_SIGMA_MAX^2,
 * both above 0: a hundred times slower. Where sigma is whole, the samples are NOISE_EXACT's. */
MUST_USE enum status noise_draw_rational(struct noise *out, size_t n, uint64_t numerator,
                                         uint64_t denominator, struct rng *rng);
/* Put in + noise, modulo 2^32, into out, which is empty and takes the noise's array over: noise can
 * be used once.
 * STATUS_RANGE  sizes differ; nothing is touched. */
MUST_USE enum status noise_add(struct noised *out, const struct encoded *in, struct noise *noise);

/* What drawing so many samples with this sampler, instead of from N_Z, adds to the delta of what is
 * made from them at this epsilon: (1 + exp(epsilon)) samples 2^NOISE_TABLE_LOG2_DISTANCE, or 0. */
double noise_delta(enum noise_sampler sampler, double samples, double epsilon);

/* log2 of an upper bound of the statistical distance between a sample by NOISE_TABLE and N_Z:
 * computed from the table's weights; 1 <= sigma <= NOISE_TABLE_SIGMA_MAX. */
double noise_table_distance(uint32_t sigma);

#endif
