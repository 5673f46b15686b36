/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/grid_sum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dp/clip.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/unit/dp/points.h"

#define DIM 300

static void wide_sum_does_not_overflow(void)
{
    const float value[] = {4194303.0F, -4194303.0F};
    struct grid grid = points_grid(POINTS_NORM2_MAX);
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    CHECK_OK(grid_sum_new(&sum, 1, &grid, GRID_NEAREST));
    struct clipped up = {.n = 1, .value = value, .factor = 1.0F};
    for (int i = 0; i < 10000; i++) CHECK_OK(grid_add(&sum, &up, &grid, NULL));
    int64_t got = sum.value[0] + sum.part[0];
    CHECK_NUMBER(INT64_C(10000) * 4194303, got);
    CHECK_NUMBER(0, sum.shrunk);
    struct clipped low = {.n = 1, .value = value + 1, .factor = 1.0F};
    for (int i = 0; i < 9999; i++) CHECK_OK(grid_add(&sum, &low, &grid, NULL));
    AUTO(encoded_free) struct encoded encoded = {0};
    grid.cap = 1 << 23;
    CHECK_OK(grid_seal(&encoded, &sum, &grid, NULL));
    CHECK_NUMBER(4194303, encoded.value[0]);
}

static void one_contribution_moves_the_sealed_sum_by_at_most_the_bound(void)
{
    struct rng rng = {0};
    rng_numbered(&rng, 5);
    float value[DIM];
    struct grid grid = points_grid(50000);
    grid.cap = 60; /* many coordinates saturate */
    bool saturated = false;
    for (uint64_t trial = 0; trial < 300; trial++) {
        size_t n = 1 + rng_below(&rng, DIM);
        AUTO(grid_sum_free) struct grid_sum with = {0};
        AUTO(grid_sum_free) struct grid_sum without = {0};
        CHECK_OK(grid_sum_new(&with, n, &grid, GRID_NEAREST));
        CHECK_OK(grid_sum_new(&without, n, &grid, GRID_NEAREST));
        for (uint64_t record = 0; record < 12; record++) {
            points_nasty(value, n, record == 11 ? trial % POINTS_KINDS : 0, &rng);
            struct clipped in = {.n = n, .value = value, .factor = 1.0F};
            if (record < 11) in.factor = 20.0F;
            CHECK_OK(grid_add(&with, &in, &grid, NULL));
            if (record < 11) CHECK_OK(grid_add(&without, &in, &grid, NULL));
        }
        AUTO(encoded_free) struct encoded a = {0};
        AUTO(encoded_free) struct encoded b = {0};
        uint64_t capped = 0;
        CHECK_OK(grid_seal(&a, &with, &grid, &capped));
        CHECK_OK(grid_seal(&b, &without, &grid, NULL));
        saturated |= capped > 0;
        for (size_t i = 0; i < n; i++) {
            CHECK(abs(a.value[i]) <= grid.cap);
            a.value[i] -= b.value[i];
        }
        CHECK(points_norm2(a.value, n) <= grid.norm2);
    }
    CHECK(saturated);
}

static void seal_empties_the_sum_and_counts(void)
{
    const float value[] = {100.0F, -100.0F, 7.0F};
    struct grid grid = points_grid(100000);
    grid.cap = 50;
    struct grid_sum sum = {0};
    AUTO(encoded_free) struct encoded out = {0};
    uint64_t capped = 99;
    CHECK_OK(grid_sum_new(&sum, 3, &grid, GRID_NEAREST));
    CHECK_OK(
        grid_add(&sum, &(struct clipped){.n = 3, .value = value, .factor = 1.0F}, &grid, NULL));
    CHECK_OK(grid_seal(&out, &sum, &grid, &capped));
    CHECK(out.n == 3 && out.value[0] == 50 && out.value[1] == -50 && out.value[2] == 7);
    CHECK_NUMBER(2, capped);
    CHECK(sum.n == 0 && sum.value == NULL && sum.part == NULL && sum.point == NULL);
}

static void sizes_that_differ_are_refused(void)
{
    const float value[4] = {1.0F};
    struct grid grid = points_grid(100);
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    AUTO(grid_sum_free) struct grid_sum other = {0};
    CHECK_OK(grid_sum_new(&sum, 3, &grid, GRID_NEAREST));
    CHECK_OK(grid_sum_new(&other, 4, &grid, GRID_NEAREST));
    struct clipped in = {.n = 4, .value = value, .factor = 1.0F};
    CHECK_OK(grid_add(&other, &in, &grid, NULL));
    CHECK_STATUS(STATUS_RANGE, grid_add(&sum, &in, &grid, NULL));
    CHECK(sum.part_count == 0 && sum.part[0] == 0 && sum.value[0] == 0);
}

static void decoding_is_the_inverse_of_encoding(void)
{
    struct rng rng = {0};
    rng_numbered(&rng, 6);
    float value[DIM];
    for (unsigned bits = 16; bits <= 32; bits++) {
        struct grid grid = {0};
        const struct grid_goal goal = {.clip = 1.0, .dim = DIM, .n_sites = 5, .bits = bits};
        CHECK_OK(grid_plan(&grid, &goal));
        for (size_t i = 0; i < DIM; i++) value[i] = (float)rng_normal(&rng);
        struct clipped in = {0};
        CHECK_OK(clip_l2(&in, &(struct update){.n = DIM, .value = value}, 1.0));
        int32_t point[DIM];
        points_of(point, &in, &grid, NULL);
        AUTO(opened_free) struct opened opened = {0};
        AUTO(mean_free) struct mean mean = {0};
        CHECK_OK(opened_new(&opened, DIM));
        CHECK_OK(mean_new(&mean, DIM));
        uint32_t ring = UINT32_MAX >> (32 - bits);
        for (size_t i = 0; i < DIM; i++) opened.value[i] = (uint32_t)(5 * point[i]) & ring;
        CHECK_OK(grid_decode(&mean, &opened, &grid, 5.0));
        for (size_t i = 0; i < DIM; i++)
            CHECK_CLOSE((double)(value[i] * in.factor), (double)mean.value[i], 0.5001 / grid.scale);
    }
}

/* Two outer products side by side, with and without coordinates around them; every other unit has
 * a delta of zero. */
static void outer_products_are_rounded_as_the_vector_they_stand_for(void)
{
    enum { ROWS = 6, COLS = 21, SMALL = 4, BOTH = ROWS * COLS + SMALL * ROWS, MOST = BOTH + 10 };
    struct rng rng = {0};
    rng_numbered(&rng, 9);
    uint64_t shrunk = 0;
    for (uint64_t form = 0; form < 400; form++) {
        const size_t before = form % 2 * 7, n = before + BOTH + form / 2 % 2 * 3;
        /* Where a try fails, how many coins it used depends on the stretches. */
        const bool by_chance = form / 4 % 2 == 1, shrinks = !by_chance && form / 8 % 2 == 1;
        const struct grid grid = points_grid(shrinks ? 1600 : 1000000);
        AUTO(grid_sum_free) struct grid_sum sum = {0}, want = {0};
        const enum grid_rounding rounding = by_chance ? GRID_STOCHASTIC : GRID_NEAREST;
        CHECK_OK(grid_sum_new(&sum, n, &grid, rounding));
        CHECK_OK(grid_sum_new(&want, n, &grid, rounding));
        struct rng coins = {0}, same = {0};
        rng_numbered(&coins, form);
        rng_numbered(&same, form);
        for (unsigned record = 0; record < 5; record++) {
            float value[MOST], whole[MOST], left[ROWS], right[COLS];
            points_nasty(value, MOST, record == 3 && !by_chance ? 6 : 0, &rng);
            points_nasty(left, ROWS, 0, &rng);
            points_nasty(right, COLS, record == 2 && !by_chance ? form % 12 : 0, &rng);
            for (size_t i = 0; i < ROWS; i += 2) left[i] = 0;
            const struct outer_product outer[] = {{before, ROWS, COLS, left, right},
                                                  {before + ROWS * COLS, SMALL, ROWS, right, left}};
            memcpy(whole, value, sizeof value);
            for (size_t k = 0; k < 2; k++)
                for (size_t i = 0; i < outer[k].rows * outer[k].cols; i++) {
                    const float a = outer[k].left[i / outer[k].cols];
                    whole[outer[k].at + i] = a == 0 ? 0 : a * outer[k].right[i % outer[k].cols];
                }
            const float factor = 3.0F + (float)record;
            CHECK_OK(grid_add(
                &sum,
                &(struct clipped){
                    .n = n, .value = value, .factor = factor, .n_outer = 2, .outer = outer},
                &grid, &coins));
            CHECK_OK(grid_add(&want, &(struct clipped){.n = n, .value = whole, .factor = factor},
                              &grid, &same));
        }
        CHECK_NUMBER(want.shrunk, sum.shrunk);
        shrunk += sum.shrunk;
        AUTO(encoded_free) struct encoded got = {0}, expected = {0};
        CHECK_OK(grid_seal(&got, &sum, &grid, NULL));
        CHECK_OK(grid_seal(&expected, &want, &grid, NULL));
        CHECK(memcmp(got.value, expected.value, n * sizeof *got.value) == 0);
        CHECK(points_norm2(got.value, n) > 0);
    }
    CHECK(shrunk > 100);
}

/* Longer than what is rounded together, too long from the beginning, or by its last coordinate, and
 * beside a part that has no room for more. */
static void what_is_too_long_leaves_nothing_behind(void)
{
    enum { N = 5000 };
    static float value[N], bad[N];
    const struct grid grid = points_grid(POINTS_NORM2_MAX);
    struct rng rng = {0};
    rng_numbered(&rng, 10);
    points_nasty(value, N, 0, &rng);
    value[0] = 4194000.0F;
    const struct clipped in = {.n = N, .value = value, .factor = 1.0F};
    AUTO(grid_sum_free) struct grid_sum sum = {0}, want = {0};
    CHECK_OK(grid_sum_new(&sum, N, &grid, GRID_NEAREST));
    CHECK_OK(grid_sum_new(&want, N, &grid, GRID_NEAREST));
    uint64_t tries = 0;
    for (uint32_t k = 0; k < sum.part_limit; k++) {
        CHECK_OK(grid_add(&sum, &in, &grid, NULL));
        CHECK_OK(grid_add(&want, &in, &grid, NULL));
        const size_t at[] = {0, 1, N / 2, N - 1};
        for (size_t i = 0; k % 73 == 0 && i < sizeof at / sizeof *at; i++, tries++) {
            memcpy(bad, value, sizeof bad);
            bad[at[i]] = k % 3 == 0 ? NAN : k % 3 == 1 ? 1e30F : -1e30F;
            CHECK_OK(
                grid_add(&sum, &(struct clipped){.n = N, .value = bad, .factor = 1}, &grid, NULL));
        }
    }
    CHECK_NUMBER(512, want.part_limit);
    CHECK_NUMBER(tries, sum.shrunk);
    AUTO(encoded_free) struct encoded got = {0}, expected = {0};
    CHECK_OK(grid_seal(&got, &sum, &grid, NULL));
    CHECK_OK(grid_seal(&expected, &want, &grid, NULL));
    CHECK(memcmp(got.value, expected.value, N * sizeof *got.value) == 0);
}

static void memory_may_run_out(void)
{
    struct grid grid = points_grid(100);
    const float value[3] = {5.0F};
    OOM_EACH {
        AUTO(grid_sum_free) struct grid_sum sum = {.shrunk = 7};
        AUTO(encoded_free) struct encoded out = {0};
        enum status made = grid_sum_new(&sum, 3, &grid, GRID_NEAREST), sealed = STATUS_NOMEM;
        if (made == STATUS_OK) {
            struct clipped in = {.n = 3, .value = value, .factor = 1.0F};
            CHECK_OK(grid_add(&sum, &in, &grid, NULL));
            sealed = grid_seal(&out, &sum, &grid, NULL);
        }
        oom_stop();
        if (made != STATUS_OK) {
            CHECK_STATUS(STATUS_NOMEM, made);
            CHECK(sum.shrunk == 7 && sum.value == NULL && sum.part == NULL && sum.point == NULL);
        } else if (sealed != STATUS_OK) {
            CHECK_STATUS(STATUS_NOMEM, sealed);
            CHECK(out.value == NULL && sum.n == 3 && sum.part[0] == 5);
        } else {
            CHECK_NUMBER(5, out.value[0]);
        }
    }
}

int main(void)
{
    RUN(wide_sum_does_not_overflow);
    RUN(one_contribution_moves_the_sealed_sum_by_at_most_the_bound);
    RUN(seal_empties_the_sum_and_counts);
    RUN(sizes_that_differ_are_refused);
    RUN(decoding_is_the_inverse_of_encoding);
    RUN(outer_products_are_rounded_as_the_vector_they_stand_for);
    RUN(what_is_too_long_leaves_nothing_behind);
    RUN(memory_may_run_out);
    return check_done();
}
