/* SPDX-License-Identifier: Apache-2.0 */
/* The road without noise: a sum that is masked as it is. This must not compile. */
#include "crypto/mask.h"
#include "dp/clip.h"
#include "dp/grid_sum.h"

enum status shortcut(struct masked *masked, const struct update *update, const struct grid *grid,
                     struct grid_sum *sum, const struct pad *pad, struct rng *rng);

enum status shortcut(struct masked *masked, const struct update *update, const struct grid *grid,
                     struct grid_sum *sum, const struct pad *pad, struct rng *rng)
{
    struct clipped clipped = {0};
    AUTO(encoded_free) struct encoded encoded = {0};
    TRY(clip_l2(&clipped, update, 1.0));
    TRY(grid_add(sum, &clipped, grid, rng));
    TRY(grid_seal(&encoded, sum, grid, NULL));
    return mask_add(masked, &encoded, pad, 1, &(struct mask_how){.bits = grid->bits}, 0);
}
