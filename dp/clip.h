/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DP_CLIP_H
#define DP_CLIP_H

#include <stdbool.h>

#include "base/stage.h"

/* Bound the L2 norm of a contribution: factor = min(1, bound / ||value||), rounded down, so that
 * ||factor * value|| <= bound up to float rounding. A vector with an infinity or NaN gets factor 0
 * (it then contributes nothing). The guarantee that privacy rests on is the integer check of
 * dp/grid.h, not this float product.
 *
 * out    borrows what in does, until its owner changes it.
 * bound  > 0, model units; infinity clips nothing.
 *
 * STATUS_RANGE  bound is not > 0; out is untouched. */
MUST_USE enum status clip_l2(struct clipped *out, const struct update *in, double bound);

/* A clip that follows a quantile of the norms (Andrew, Thakkar, McMahan, Ramaswamy 2021). With each
 * contribution goes one coordinate more, +bit when the clip left it whole (factor 1) and -bit when
 * not, so that their sum over 2 bit, and half of the contributions, is how many were within the
 * clip. Vector and bit are one release of squared norm norm2 + bit^2 (dp/SPEC.md). */
struct clip_goal {
    double first;    /* the clip to begin with, > 0 */
    double quantile; /* share of the contributions that shall be within the clip */
    double rate;     /* of the steps towards it */
    double noise;    /* standard deviation of the count, in contributions; 0: the clip is fixed */
};

/* The bit for vectors of squared norm norm2 > 0 with which the count has goal->noise when the whole
 * release has noise multiplier z: bit^2 = norm2 rho / (1 - rho), rho = (z / (2 noise))^2, rounded
 * up, at least 1.
 *
 * STATUS_RANGE  z >= 2 noise, where no bit is enough; or it does not fit a grid. bit is untouched.
 */
MUST_USE enum status clip_bit(uint32_t *bit, uint64_t norm2, double z,
                              const struct clip_goal *goal);

/* clip exp(-rate (share - quantile)), where share of the contributions were within clip; a share
 * outside [0, 1] counts as its nearest end, and the clip stays within CLIP_DRIFT of the first. */
double clip_next(double clip, double share, const struct clip_goal *goal);
#define CLIP_DRIFT 0x1p20

/* Whether a clip is one that clip_next may give; no for a NaN. */
bool clip_near(double clip, const struct clip_goal *goal);

#endif
