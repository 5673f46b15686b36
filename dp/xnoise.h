/* SPDX-License-Identifier: Apache-2.0 */
/* Noise in parts, of which those that turn out to be too much are taken away again, so that a sum
 * has the noise that was planned however many sites dropped out. Jiang, Wang, Chen 2024 (XNoise);
 * the parts here are discrete Gaussians, and each is chosen after those before it (dp/SPEC.md). */
#ifndef DP_XNOISE_H
#define DP_XNOISE_H

#include <stdint.h>

#include "base/status.h"

/* Parts that can be taken away. */
#define XNOISE_REMOVABLE_MAX 64

/* What a site draws; public. Part 0 always stays; with D dropouts the parts 1 to D stay too. */
struct xnoise {
    uint32_t removable;                       /* cohort - quorum */
    uint32_t sigma[1 + XNOISE_REMOVABLE_MAX]; /* of each part; 0: nothing is drawn for it */
};

/* Divide noise up so that what `cohort - dropped` survivors keep, of whom `colluding` may have
 * added none, has at least the variance of quorum - colluding whole shares, for every number of
 * dropouts up to cohort - quorum. No sigma is below NOISE_SIGMA_MIN but for those that are 0.
 *
 * sigma  of a whole share, one among quorum - colluding; at most NOISE_SIGMA_MAX.
 *
 * STATUS_RANGE  sigma below NOISE_SIGMA_MIN or too large, colluding >= quorum, quorum > cohort,
 *               more than XNOISE_REMOVABLE_MAX dropouts, or sigma so small for them that rounding
 *               up would give a sum more noise than cohort whole shares, which is what the ring is
 *               planned for (dp/grid.h); out is untouched. */
MUST_USE enum status xnoise_of(struct xnoise *out, uint32_t sigma, uint32_t cohort, uint32_t quorum,
                               uint32_t colluding);

/* Variance of what one survivor keeps when so many dropped out: that of parts 0 to dropped. */
uint64_t xnoise_kept(const struct xnoise *parts, uint32_t dropped);

#endif
