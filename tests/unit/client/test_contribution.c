/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of one record's contribution, or of a site's, before it is noised and masked. */
#include "client/submit.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/unit/client/world.h"

static void a_contribution_is_clipped_and_rounded(void)
{
    struct grid grid = {0};
    const struct grid_goal goal = {.clip = 1, .dim = 3, .n_sites = 2, .bits = 32};
    CHECK_OK(grid_plan(&grid, &goal));
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    CHECK_OK(grid_sum_new(&sum, 3, &grid, GRID_NEAREST));
    const float value[] = {30, 0, -40};
    const struct update update = {.n = 3, .value = value};
    CHECK_OK(submit_contribution(&sum, NULL, &update, 1, &grid, NULL));
    CHECK_OK(submit_contribution(&sum, NULL, &update, 1, &grid, NULL));
    AUTO(encoded_free) struct encoded encoded = {0};
    CHECK_OK(grid_seal(&encoded, &sum, &grid, NULL));
    CHECK_CLOSE(2 * 0.6 * grid.scale, encoded.value[0], 1.01);
    CHECK_NUMBER(0, encoded.value[1]);
    CHECK_CLOSE(2 * -0.8 * grid.scale, encoded.value[2], 1.01);
}

static void a_contribution_of_another_size_or_without_a_clip_is_refused(void)
{
    struct grid grid = {0};
    const struct grid_goal goal = {.clip = 1, .dim = 3, .n_sites = 2, .bits = 32};
    CHECK_OK(grid_plan(&grid, &goal));
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    CHECK_OK(grid_sum_new(&sum, 3, &grid, GRID_NEAREST));
    const float value[] = {1, 1, 1};
    const struct update right = {.n = 3, .value = value}, wrong = {.n = 2, .value = value};
    CHECK_STATUS(STATUS_RANGE, submit_contribution(&sum, NULL, &wrong, 1, &grid, NULL));
    CHECK_STATUS(STATUS_RANGE, submit_contribution(&sum, NULL, &right, 0, &grid, NULL));
    CHECK_STATUS(STATUS_RANGE, submit_contribution(&sum, NULL, &right, (double)NAN, &grid, NULL));
    CHECK_NUMBER(0, sum.part_count);
}

static void a_bit_says_whether_the_clip_left_a_contribution_whole(void)
{
    struct grid grid = {0};
    const struct grid_goal goal = {.clip = 5, .dim = 2, .n_sites = 2, .bits = 32};
    CHECK_OK(grid_plan(&grid, &goal));
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    CHECK_OK(grid_sum_new(&sum, 2, &grid, GRID_NEAREST));
    const float above = nextafterf(4, 5);
    static const struct {
        float x, y;
        int64_t bit;
    } known[] = {{3, 4, 1},         {0, 0, 1},     {-3, -4, 1},       {3, 4.001F, -1},
                 {NAN, 0, -1},      {0, -NAN, -1}, {INFINITY, 0, -1}, {FLT_MAX, FLT_MAX, -1},
                 {0x1p-149F, 0, 1}, {30, 40, -1}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const float value[] = {known[i].x, known[i].y};
        int64_t within = 100;
        CHECK_OK(submit_contribution(&sum, &within, &(struct update){.n = 2, .value = value}, 5,
                                     &grid, NULL));
        CHECK_NUMBER(100 + known[i].bit, within);
    }
    int64_t within = 0;
    const float next[] = {3, above};
    CHECK_OK(submit_contribution(&sum, &within, &(struct update){.n = 2, .value = next}, 5, &grid,
                                 NULL));
    CHECK(within == -1);
    CHECK_STATUS(STATUS_RANGE,
                 submit_contribution(&sum, &within, &(struct update){.n = 1, .value = next}, 5,
                                     &grid, NULL));
    CHECK_STATUS(STATUS_RANGE,
                 submit_contribution(&sum, &within, &(struct update){.n = 2, .value = next}, 0,
                                     &grid, NULL));
    CHECK(within == -1);
}

/* Floats of any kind: all bit patterns, and multiples of numbers near the clip. */
static void fill(float *value, size_t n, double clip, struct rng *rng)
{
    const unsigned kind = (unsigned)rng_below(rng, 4);
    for (size_t i = 0; i < n; i++) {
        const uint32_t pattern = (uint32_t)rng_u64(rng);
        memcpy(&value[i], &pattern, sizeof pattern);
        if (kind > 0) value[i] = (float)(clip * rng_normal(rng) * (kind == 1 ? 0.1 : 3));
        if (kind == 3 && rng_below(rng, n) == 0) value[i] = NAN;
    }
}

/* The sensitivity of a release that counts, measured in whole numbers. */
static void vector_and_bit_together_stay_within_the_norm_whatever_the_floats(void)
{
    struct rng rng = {0};
    rng_numbered(&rng, 4);
    double most = 0;
    for (size_t trial = 0; trial < 3000; trial++) {
        float value[40];
        const size_t n = 1 + rng_below(&rng, 40);
        const double clip = ldexp(1, (int)rng_below(&rng, 40) - 20);
        struct plan plan = {.clip_bit = 1 + (uint32_t)rng_below(&rng, 1000)};
        const struct grid_goal goal = {
            .clip = clip, .dim = n, .n_sites = 5, .bits = 32, .rounding = trial % GRID_ROUNDINGS};
        CHECK_OK(grid_plan(&plan.grid, &goal));
        plan.grid.norm2 += (uint64_t)plan.clip_bit * plan.clip_bit;
        const struct grid grid = schedule_grid(&plan);
        AUTO(grid_sum_free) struct grid_sum sum = {0};
        CHECK_OK(grid_sum_new(&sum, n, &grid, goal.rounding));
        fill(value, n, clip, &rng);
        int64_t within = 0;
        CHECK_OK(submit_contribution(&sum, &within, &(struct update){.n = n, .value = value}, clip,
                                     &grid, &rng));
        AUTO(encoded_free) struct encoded sealed = {0};
        CHECK_OK(grid_seal(&sealed, &sum, &grid, NULL));
        const int64_t bit = within * plan.clip_bit;
        const uint64_t norm2 = world_norm2(&sealed, NULL) + (uint64_t)(bit * bit);
        CHECK(within == 1 || within == -1);
        CHECK(norm2 <= plan.grid.norm2);
        most = fmax(most, (double)norm2 / (double)plan.grid.norm2);
    }
    CHECK(most > 0.98);
}

int main(void)
{
    RUN(a_contribution_is_clipped_and_rounded);
    RUN(a_contribution_of_another_size_or_without_a_clip_is_refused);
    RUN(a_bit_says_whether_the_clip_left_a_contribution_whole);
    RUN(vector_and_bit_together_stay_within_the_norm_whatever_the_floats);
    return check_done();
}
