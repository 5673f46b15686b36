/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DP_CLIP_H
#define DP_CLIP_H

#include "base/stage.h"

/* Bound the L2 norm of a contribution: factor = min(1, bound / ||value||), rounded down, so that
 * ||factor * value|| <= bound up to float rounding. A vector with an infinity or NaN gets factor 0
 * (it then contributes nothing). The guarantee that privacy rests on is the integer check of
 * dp/grid.h, not this float product.
 *
 * out    borrows in->value until in's owner changes it.
 * bound  > 0, model units; infinity clips nothing.
 *
 * STATUS_RANGE  bound is not > 0; out is untouched. */
MUST_USE enum status clip_l2(struct clipped *out, const struct update *in, double bound);

#endif
