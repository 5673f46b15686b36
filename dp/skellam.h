/* SPDX-License-Identifier: Apache-2.0 */
/* Skellam noise, the difference of two Poisson variables of mean v / 2: variance v, and a sum of
 * several is exactly one of the sum of their variances. Whole numbers only, and no distance from
 * the law; a sample takes time in proportion to v, and by chance. */
#ifndef DP_SKELLAM_H
#define DP_SKELLAM_H

#include "dp/noise.h"

#define SKELLAM_VARIANCE_MAX 1000

/* Allocate and draw n > 0 samples of variance numerator / denominator. Poisson variables of mean 1
 * by Duchon and Duvignau 2016; whole means are sums of them, and what is left of a mean is one of
 * them of which each count is kept with that probability.
 *
 * STATUS_RANGE  the variance is above SKELLAM_VARIANCE_MAX, the denominator is 0 or 2^31 and more.
 * STATUS_NOMEM  out is untouched on failure. */
MUST_USE enum status skellam_draw(struct noise *out, size_t n, uint64_t numerator,
                                  uint32_t denominator, struct rng *rng);

#endif
