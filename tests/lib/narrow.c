/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/narrow.h"

#include <math.h>

#include "dp/clip.h"
#include "dp/grid_sum.h"
#include "dp/noise.h"
#include "dp/rotate.h"

enum { DIM = NARROW_DIM, SITES = NARROW_SITES };

static void must(enum status status)
{
    REQUIRE(status == STATUS_OK);
}

static void spiky(float *value, struct rng *rng)
{
    for (size_t i = 0; i < DIM; i++) value[i] = (float)rng_normal(rng) / 1000;
    value[77] = 0.98F;
}

/* Clip, round, add noise. */
static void contribute(uint32_t *total, const float *value, const struct grid *grid,
                       enum grid_rounding rounding, struct rng *rng)
{
    struct clipped in = {0};
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    AUTO(encoded_free) struct encoded encoded = {0};
    AUTO(noise_free) struct noise noise = {0};
    must(clip_l2(&in, &(struct update){.n = DIM, .value = value}, 1.0));
    must(grid_sum_new(&sum, DIM, grid, rounding));
    must(grid_add(&sum, &in, grid, rng));
    must(grid_seal(&encoded, &sum, grid, NULL));
    must(noise_draw(&noise, DIM, grid->sigma, NOISE_EXACT, rng));
    for (size_t i = 0; i < DIM; i++) total[i] += (uint32_t)encoded.value[i] + noise.value[i];
}

bool narrow_run(struct narrow *narrow)
{
    const uint8_t seed[RNG_SEED_BYTES] = {1};
    AUTO(rotate_free) struct rotate rotate = {0};
    must(rotate_new(&rotate, DIM, seed));
    const struct grid_goal goal = {.clip = 1.0,
                                   .dim = DIM,
                                   .n_sites = SITES,
                                   .bits = narrow->bits,
                                   .z = 1.0,
                                   .n_shares = SITES,
                                   .rounding = narrow->rounding,
                                   .spread = narrow->turned ? rotate.p : 1};
    struct grid grid = {0};
    if (grid_plan(&grid, &goal) != STATUS_OK) return false;
    narrow->cost = grid_cost(&grid, 1.0);
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    double truth[DIM] = {0}, squares = 0.0;
    uint32_t total[DIM] = {0};
    float value[DIM];
    for (size_t site = 0; site < SITES; site++) {
        spiky(value, &rng);
        for (size_t i = 0; i < DIM; i++) truth[i] += (double)value[i];
        if (narrow->turned) rotate_forth(&rotate, value);
        contribute(total, value, &grid, narrow->rounding, &rng);
    }
    struct mean mean = {.n = DIM, .value = value};
    must(grid_decode(&mean, &(struct opened){.n = DIM, .value = total}, &grid, 1.0));
    if (narrow->turned) rotate_back(&rotate, value);
    for (size_t i = 0; i < DIM; i++) squares += pow((double)value[i] - truth[i], 2);
    narrow->error = sqrt(squares / DIM);
    return true;
}
