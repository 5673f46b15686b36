/* SPDX-License-Identifier: Apache-2.0 */
/* The whole road in order: this compiles. */
#include "crypto/mask.h"
#include "dp/clip.h"
#include "dp/grid_sum.h"
#include "dp/noise.h"

enum status road(struct masked *masked, const struct update *update, const struct grid *grid,
                 struct grid_sum *sum, const struct pad *pad, struct rng *rng);

enum status road(struct masked *masked, const struct update *update, const struct grid *grid,
                 struct grid_sum *sum, const struct pad *pad, struct rng *rng)
{
    struct clipped clipped = {0};
    AUTO(noise_free) struct noise noise = {0};
    AUTO(encoded_free) struct encoded encoded = {0};
    AUTO(noised_free) struct noised noised = {0};
    TRY(noise_draw(&noise, update->n, grid->sigma, NOISE_EXACT, rng));
    TRY(clip_l2(&clipped, update, 1.0));
    TRY(grid_add(sum, &clipped, grid, rng));
    TRY(grid_seal(&encoded, sum, grid, NULL));
    TRY(noise_add(&noised, &encoded, &noise));
    return mask_add(masked, &noised, pad, 1, &(struct mask_how){.bits = grid->bits}, 0);
}
