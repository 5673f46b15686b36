/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/grid_sum.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "dp/clip.h"
#include "dp/rotate.h"
#include "tests/lib/check.h"
#include "tests/unit/dp/points.h"

#define DIM 300

static void rounding_is_to_nearest_even(void)
{
    const float value[] = {0.5F,  1.5F,  2.5F,    -0.5F,   -1.5F,   -2.5F,    0.49999997F,
                           0.75F, -0.0F, 1000.5F, 1001.5F, 4096.5F, -4095.5F, 1e-30F};
    const int32_t want[] = {0, 2, 2, 0, -2, -2, 0, 1, 0, 1000, 1002, 4096, -4096, 0};
    int32_t got[14] = {0};
    struct grid grid = points_grid(UINT64_C(1) << 40);
    points_of(got, &(struct clipped){.n = 14, .value = value, .factor = 1.0F}, &grid, NULL);
    CHECK_BYTES(want, got, sizeof want);
}

static void encoding_is_rint_of_the_product(void)
{
    struct rng rng = {0};
    rng_numbered(&rng, 2);
    float value[DIM];
    int32_t got[DIM];
    struct grid grid = points_grid(POINTS_NORM2_MAX);
    for (int trial = 0; trial < 100; trial++) {
        grid.scale = ldexp(1.0, (int)rng_below(&rng, 17));
        for (size_t i = 0; i < DIM; i++) value[i] = (float)rng_normal(&rng);
        float factor = (float)rng_unit(&rng);
        points_of(got, &(struct clipped){.n = DIM, .value = value, .factor = factor}, &grid, NULL);
        float step = factor * (float)grid.scale;
        for (size_t i = 0; i < DIM; i++) CHECK_NUMBER(lrintf(value[i] * step), got[i]);
    }
}

static void rotated(float *value, size_t n, uint64_t trial)
{
    AUTO(rotate_free) struct rotate rotate = {0};
    const uint8_t seed[RNG_SEED_BYTES] = {(uint8_t)trial, (uint8_t)(trial >> 8)};
    CHECK_OK(rotate_new(&rotate, n, seed));
    rotate_forth(&rotate, value);
}

static void norm_never_exceeds_the_bound(void)
{
    struct rng rng = {0};
    rng_numbered(&rng, 3);
    float value[DIM];
    int32_t got[DIM];
    for (uint64_t trial = 0; trial < 6000; trial++) {
        size_t n = 1 + rng_below(&rng, DIM);
        points_nasty(value, n, trial % POINTS_KINDS, &rng);
        if (trial / POINTS_KINDS % 2 == 1) rotated(value, n, trial);
        struct grid grid = points_grid(1 + rng_below(&rng, UINT64_C(1) << rng_below(&rng, 44)));
        grid.scale = ldexp(1.0, (int)rng_below(&rng, 60) - 30);
        /* Not from clip_l2: the check has to hold by itself. */
        struct clipped in = {.n = n, .value = value, .factor = (float)rng_unit(&rng)};
        if (trial % 3 == 0) in.factor = 1.0F;
        points_of(got, &in, &grid, NULL);
        CHECK(points_norm2(got, n) <= grid.norm2);
        points_of(got, &in, &grid, &rng);
        CHECK(points_norm2(got, n) <= grid.norm2);
    }
}

static void bound_itself_is_allowed_and_one_more_is_not(void)
{
    const float value[] = {3.0F, -4.0F};
    struct clipped in = {.n = 2, .value = value, .factor = 1.0F};
    struct grid grid = points_grid(25);
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    CHECK_OK(grid_sum_new(&sum, 2, &grid, GRID_NEAREST));
    CHECK_OK(grid_add(&sum, &in, &grid, NULL));
    CHECK_NUMBER(0, sum.shrunk);
    struct grid less = points_grid(24);
    AUTO(grid_sum_free) struct grid_sum other = {0};
    CHECK_OK(grid_sum_new(&other, 2, &less, GRID_NEAREST));
    CHECK_OK(grid_add(&other, &in, &less, NULL));
    CHECK_NUMBER(1, other.shrunk);
    CHECK(other.part[0] == 0 && other.part[1] == 0); /* 1.6 % less still rounds to (3, -4) */
}

static void what_is_too_large_is_dropped_at_any_bound(void)
{
    struct rng rng = {0};
    rng_numbered(&rng, 10);
    const float value[] = {NAN, FLT_MAX, -FLT_MAX, INFINITY, -INFINITY};
    for (size_t i = 0; i < 5; i++)
        for (unsigned bits = 0; bits <= 44; bits++) {
            int32_t got[1];
            struct grid grid = points_grid(bits == 0 ? 1 : (UINT64_C(1) << bits) - 1);
            points_of(got, &(struct clipped){.n = 1, .value = value + i, .factor = 1.0F}, &grid,
                      NULL);
            CHECK_NUMBER(0, got[0]);
            points_of(got, &(struct clipped){.n = 1, .value = value + i, .factor = 1.0F}, &grid,
                      &rng);
            CHECK_NUMBER(0, got[0]);
        }
}

static void shrinking_a_little_saves_a_contribution(void)
{
    const float value[] = {1000.0F, 0.0F};
    struct grid grid = points_grid(999 * 999);
    int32_t got[2];
    points_of(got, &(struct clipped){.n = 2, .value = value, .factor = 1.0F}, &grid, NULL);
    CHECK_NUMBER(999, got[0]);
}

static void clipped_contributions_are_not_shrunk(void)
{
    struct rng rng = {0};
    rng_numbered(&rng, 4);
    float value[DIM];
    struct grid grid = {0};
    const struct grid_goal goal = {.clip = 2.0, .dim = DIM, .n_sites = 10, .bits = 32};
    CHECK_OK(grid_plan(&grid, &goal));
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    CHECK_OK(grid_sum_new(&sum, DIM, &grid, GRID_NEAREST));
    for (int trial = 0; trial < 500; trial++) {
        for (size_t i = 0; i < DIM; i++) value[i] = (float)rng_normal(&rng);
        struct clipped in = {0};
        CHECK_OK(clip_l2(&in, &(struct update){.n = DIM, .value = value}, 2.0));
        CHECK_OK(grid_add(&sum, &in, &grid, NULL));
    }
    CHECK_NUMBER(0, sum.shrunk);
}

static void long_vector_is_checked_as_a_whole(void)
{
    enum { N = 200000 }; /* several blocks, each within the bound alone */
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    AUTO(mean_free) struct mean ones = {0}; /* any float array that frees itself */
    CHECK_OK(mean_new(&ones, N));
    for (size_t i = 0; i < N; i++) ones.value[i] = 1.0F;
    struct grid grid = points_grid(N - 1);
    CHECK_OK(grid_sum_new(&sum, N, &grid, GRID_NEAREST));
    struct clipped in = {.n = N, .value = ones.value, .factor = 1.0F};
    CHECK_OK(grid_add(&sum, &in, &grid, NULL));
    CHECK_NUMBER(1, sum.shrunk);
    CHECK_NUMBER(0, sum.part_count);
    in.n = N - 1;
    AUTO(grid_sum_free) struct grid_sum fits = {0};
    CHECK_OK(grid_sum_new(&fits, N - 1, &grid, GRID_NEAREST));
    CHECK_OK(grid_add(&fits, &in, &grid, NULL));
    CHECK_NUMBER(0, fits.shrunk);
    CHECK_NUMBER(1, fits.part[N - 2]);
}

/* The rule, one coordinate after the other: round, check, and shrink or give up before anything is
 * added. Returns how often it shrank. */
static unsigned add_plainly(int64_t *sum, const struct clipped *in, const struct grid *grid)
{
    const float limit = floorf((float)sqrt((double)grid->norm2)) + 1;
    float step = (float)((double)in->factor * grid->scale);
    for (unsigned retry = 0; retry <= GRID_RETRIES; retry++, step *= 0.999F)
        for (unsigned add = 0, norm2_fits = 1; add < 2 && norm2_fits; add++) {
            uint64_t norm2 = 0;
            for (size_t i = 0; i < in->n; i++) {
                float x = in->value[i] * step;
                x = x < limit ? x : limit;
                x = x > -limit ? x : -limit;
                const int64_t point = lrintf(x);
                norm2 += (uint64_t)(point * point);
                if (add) sum[i] += point;
            }
            norm2_fits = norm2 <= grid->norm2;
            if (add) return retry;
        }
    return GRID_RETRIES + 1;
}

/* Over block ends, at bounds that some vectors keep to at once, some after shrinking, some never.
 */
static void sums_are_those_of_one_coordinate_after_the_other(void)
{
    enum { N = 9000 };
    static const size_t sizes[] = {1, 7, 4095, 4096, 4097, N};
    static float value[N];
    static int64_t want[N];
    struct rng rng = {0};
    unsigned shrunk = 0, dropped = 0, whole = 0;
    rng_numbered(&rng, 11);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (unsigned bits = 2; bits < 44; bits += 3) {
            const size_t n = sizes[s];
            struct grid grid = points_grid((UINT64_C(1) << bits) + rng_below(&rng, 99));
            grid.scale = 8;
            AUTO(grid_sum_free) struct grid_sum sum = {0};
            CHECK_OK(grid_sum_new(&sum, n, &grid, GRID_NEAREST));
            memset(want, 0, sizeof want);
            for (uint64_t kind = 0; kind < POINTS_KINDS; kind++) {
                struct clipped in = {0};
                points_nasty(value, n, kind, &rng);
                const double root = sqrt((double)grid.norm2) / grid.scale;
                /* A little more than the bound, so that rounding decides. */
                const double clip = kind % 2 == 0 ? root * 1.005 : root;
                CHECK_OK(clip_l2(&in, &(struct update){.n = n, .value = value}, clip));
                if (kind == 3) in.factor = 1;
                const unsigned tries = add_plainly(want, &in, &grid);
                whole += tries == 0;
                shrunk += tries > 0 && tries <= GRID_RETRIES;
                dropped += tries > GRID_RETRIES;
                CHECK_OK(grid_add(&sum, &in, &grid, NULL));
            }
            size_t off = 0;
            for (size_t i = 0; i < n; i++) off += want[i] != sum.value[i] + sum.part[i];
            CHECK_NUMBER(0, off);
        }
    CHECK(whole > 100 && shrunk > 50 && dropped > 50);
}

static void chance_goes_to_the_two_neighbours_only(void)
{
    const float value[] = {0.25F, -0.25F, 7.75F, -7.75F, 3.0F, -0.0F, 1e-30F, 100.5F};
    const int32_t low[] = {0, -1, 7, -8, 3, 0, 0, 100}, high[] = {1, 0, 8, -7, 3, 0, 1, 101};
    struct rng rng = {0};
    rng_numbered(&rng, 7);
    struct grid grid = points_grid(UINT64_C(1) << 40);
    bool saw_low[8] = {0}, saw_high[8] = {0};
    for (int trial = 0; trial < 400; trial++) {
        int32_t got[8];
        points_of(got, &(struct clipped){.n = 8, .value = value, .factor = 1.0F}, &grid, &rng);
        for (size_t i = 0; i < 8; i++) {
            CHECK(got[i] == low[i] || got[i] == high[i]);
            saw_low[i] |= got[i] == low[i];
            saw_high[i] |= got[i] == high[i];
        }
    }
    /* 400 coins of 1/4: that one never falls has a chance below 1e-49. */
    for (size_t i = 0; i < 8; i++) {
        CHECK(saw_low[i]);
        CHECK(saw_high[i] || i == 6);
    }
}

static void a_contribution_that_fails_by_chance_is_rounded_again(void)
{
    /* 1000 passes beside 0 and not beside 1: one coin in two fails. A contribution that is smaller
     * by 0.1 % has 999. */
    const float value[] = {1000.0F, 0.5F};
    struct grid grid = points_grid(1000 * 1000);
    struct rng rng = {0};
    rng_numbered(&rng, 8);
    size_t again = 0;
    for (int trial = 0; trial < 200; trial++) {
        AUTO(grid_sum_free) struct grid_sum sum = {0};
        CHECK_OK(grid_sum_new(&sum, 2, &grid, GRID_STOCHASTIC));
        const struct clipped in = {.n = 2, .value = value, .factor = 1.0F};
        CHECK_OK(grid_add(&sum, &in, &grid, &rng));
        CHECK_NUMBER(1000, sum.part[0]); /* 17 failures in a row: below 1e-5 each, seed is fixed */
        again += sum.shrunk;
    }
    CHECK(again > 50 && again < 150);
}

static void stochastic_contributions_at_the_clip_mostly_pass_at_once(void)
{
    struct rng rng = {0};
    rng_numbered(&rng, 9);
    float value[DIM];
    struct grid grid = {0};
    /* a coordinate is about one grid unit. */
    const struct grid_goal goal = {.clip = 1.0,
                                   .dim = DIM,
                                   .n_sites = 50,
                                   .bits = 12,
                                   .z = 4.0,
                                   .n_shares = 40,
                                   .rounding = GRID_STOCHASTIC};
    CHECK_OK(grid_plan(&grid, &goal));
    CHECK(grid_cost(&grid, 1.0) > 1.1);
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    CHECK_OK(grid_sum_new(&sum, DIM, &grid, GRID_STOCHASTIC));
    for (int trial = 0; trial < 500; trial++) {
        for (size_t i = 0; i < DIM; i++) value[i] = (float)rng_normal(&rng);
        struct clipped in = {0};
        CHECK_OK(clip_l2(&in, &(struct update){.n = DIM, .value = value}, 1.0));
        CHECK_OK(grid_add(&sum, &in, &grid, &rng));
    }
    CHECK(sum.shrunk < 25);
}

int main(void)
{
    RUN(rounding_is_to_nearest_even);
    RUN(encoding_is_rint_of_the_product);
    RUN(norm_never_exceeds_the_bound);
    RUN(bound_itself_is_allowed_and_one_more_is_not);
    RUN(what_is_too_large_is_dropped_at_any_bound);
    RUN(shrinking_a_little_saves_a_contribution);
    RUN(clipped_contributions_are_not_shrunk);
    RUN(long_vector_is_checked_as_a_whole);
    RUN(sums_are_those_of_one_coordinate_after_the_other);
    RUN(chance_goes_to_the_two_neighbours_only);
    RUN(a_contribution_that_fails_by_chance_is_rounded_again);
    RUN(stochastic_contributions_at_the_clip_mostly_pass_at_once);
    return check_done();
}
