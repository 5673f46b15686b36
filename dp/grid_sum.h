/* SPDX-License-Identifier: Apache-2.0 */
/* A site's sum of rounded contributions, and the integer norm check on which sensitivity rests:
 * nothing stays added whose exact squared norm is above the grid's norm2, whatever the floats did.
 */
#ifndef DP_GRID_SUM_H
#define DP_GRID_SUM_H

#include "crypto/rng.h"
#include "dp/grid.h"

/* Wide accumulator. Secret. */
struct grid_sum {
    size_t n;
    enum grid_rounding rounding;
    int64_t *value; /* owned */
    int32_t *part;  /* owned; flushed into value before it could overflow */
    int32_t *point; /* owned: the contribution at hand, rounded by chance; NULL to the nearest */
    uint32_t part_count; /* contributions in part */
    uint32_t part_limit; /* how many fit: floor((2^31 - 1) / sqrt(norm2)) */
    uint64_t shrunk;     /* contributions that failed the first norm check: local diagnostics */
};

/* n > 0. STATUS_NOMEM leaves out untouched. */
MUST_USE enum status grid_sum_new(struct grid_sum *out, size_t n, const struct grid *grid,
                                  enum grid_rounding rounding);
/* Wipe and release. */
void grid_sum_free(struct grid_sum *sum);

/* Round one clipped contribution, the float product of value and factor * scale, check in exact
 * integers that its squared norm is at most norm2, and add it. When the check fails it is rounded
 * again, at most GRID_RETRIES times with fresh coins (stochastic rounding only), then at most
 * GRID_RETRIES times 0.1 % smaller each time, and then dropped. Saturation at +-cap happens once,
 * on the whole sum, in grid_seal: a coordinate-wise projection cannot raise its sensitivity. A sum
 * holds fewer than 2^41 contributions, whatever they are.
 *
 * in    n == sum->n; secret.
 * grid  the one that sum was made for.
 * rng   from the system: coins that no other contribution uses (stochastic rounding only).
 *
 * STATUS_RANGE  sizes differ; sum is untouched. */
#define GRID_RETRIES 16
MUST_USE enum status grid_add(struct grid_sum *sum, const struct clipped *in,
                              const struct grid *grid, struct rng *rng);

/* Saturate every coordinate at +-cap and hand the site's integer sum over; sum is emptied.
 * *capped (may be NULL) counts saturated coordinates: secret, local diagnostics only.
 * STATUS_NOMEM  out and sum are untouched. */
MUST_USE enum status grid_seal(struct encoded *out, struct grid_sum *sum, const struct grid *grid,
                               uint64_t *capped);

#endif
