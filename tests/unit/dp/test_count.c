/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/count.h"

#include "crypto/rng.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

enum { CELLS = 20, SITES = 8 };

static struct grid plan(enum count_unit unit, uint32_t certain)
{
    struct grid grid = {0};
    CHECK_OK(count_plan(&grid, unit, certain, SITES, 500, 32));
    return grid;
}

static void encode(struct encoded *out, const uint32_t *in, enum count_unit unit,
                   const struct grid *grid)
{
    encoded_free(out);
    CHECK_OK(count_encode(out, in, CELLS, unit, grid));
}

/* Some cells full, many empty. */
static void draw(uint32_t *in, struct rng *rng)
{
    for (size_t i = 0; i < CELLS; i++)
        in[i] = rng_below(rng, 2) == 0 ? 0 : (uint32_t)rng_below(rng, 1000);
}

static void steps_are_powers_of_two_for_the_certain_shares(void)
{
    for (enum count_unit unit = COUNT_RECORDS; unit <= COUNT_SHARES; unit++)
        for (uint32_t certain = 1; certain <= 4096; certain = 3 * certain + 1) {
            const struct grid grid = plan(unit, certain);
            const uint64_t step = (uint64_t)grid.scale, least = unit == COUNT_RECORDS ? 16 : 256;
            CHECK((step & (step - 1)) == 0 && (double)step == grid.scale);
            CHECK(step * step >= least * least * certain);
            CHECK(step * step < 4 * least * least * certain);
            CHECK_NUMBER(step * step, grid.norm2);
            CHECK(grid_fits(&grid, SITES));
            CHECK_NUMBER((uint64_t)grid.cap / step, count_room(&grid));
        }
}

static void a_ring_without_room_for_one_step_is_refused(void)
{
    const struct grid before = {.scale = 3, .cap = 7};
    struct grid grid = before;
    CHECK_STATUS(STATUS_RANGE, count_plan(&grid, COUNT_RECORDS, 5, SITES, 500, 15));
    CHECK_STATUS(STATUS_RANGE, count_plan(&grid, COUNT_SHARES, 5, SITES, 0, 13));
    CHECK_STATUS(STATUS_RANGE, count_plan(&grid, COUNT_SHARES, UINT32_MAX, SITES, 0, 32));
    CHECK_STATUS(STATUS_RANGE, count_plan(&grid, COUNT_RECORDS, 5, 0, 0, 32));
    CHECK_STATUS(STATUS_RANGE, count_plan(&grid, COUNT_RECORDS, 5, SITES, 0, 33));
    CHECK_STATUS(STATUS_RANGE, grid_plan_steps(&grid, 0, SITES, 0, 32));
    CHECK_STATUS(STATUS_RANGE, grid_plan_steps(&grid, 3, SITES, 0, 32));
    CHECK_STATUS(STATUS_RANGE, grid_plan_steps(&grid, UINT64_C(1) << 32, SITES, 0, 32));
    CHECK_BYTES(&before, &grid, sizeof grid);
}

static void a_record_more_moves_one_cell_by_one_step(void)
{
    const struct grid grid = plan(COUNT_RECORDS, 5);
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    for (size_t trial = 0; trial < 200; trial++) {
        uint32_t in[CELLS];
        draw(in, &rng);
        AUTO(encoded_free) struct encoded without = {0}, with = {0};
        encode(&without, in, COUNT_RECORDS, &grid);
        const size_t at = rng_below(&rng, CELLS);
        in[at]++;
        encode(&with, in, COUNT_RECORDS, &grid);
        for (size_t i = 0; i < CELLS; i++)
            CHECK(with.value[i] - without.value[i] == (i == at ? (int32_t)grid.scale : 0));
    }
}

static void a_full_cell_stays_full(void)
{
    struct grid grid = {0};
    CHECK_OK(count_plan(&grid, COUNT_RECORDS, 5, SITES, 10, 16));
    uint32_t in[CELLS] = {[3] = (uint32_t)count_room(&grid)};
    AUTO(encoded_free) struct encoded sum = {0};
    encode(&sum, in, COUNT_RECORDS, &grid);
    CHECK_NUMBER(in[3] * (uint32_t)grid.scale, sum.value[3]);
    in[3]++;
    encode(&sum, in, COUNT_RECORDS, &grid);
    CHECK_NUMBER(grid.cap, sum.value[3]);
    in[3] = COUNT_MAX;
    encode(&sum, in, COUNT_RECORDS, &grid);
    CHECK_NUMBER(grid.cap, sum.value[3]);
}

/* Whatever a site counted: it is one contribution. */
static void shares_of_a_site_are_within_the_norm_and_nearly_one(void)
{
    const struct grid grid = plan(COUNT_SHARES, 5);
    struct rng rng = {0};
    rng_numbered(&rng, 2);
    for (size_t trial = 0; trial < 200; trial++) {
        uint32_t in[CELLS] = {0};
        if (trial < CELLS)
            in[trial] = COUNT_MAX;
        else
            draw(in, &rng);
        AUTO(encoded_free) struct encoded sum = {0};
        encode(&sum, in, COUNT_SHARES, &grid);
        uint64_t norm2 = 0, total = 0;
        for (size_t i = 0; i < CELLS; i++) {
            norm2 += (uint64_t)((int64_t)sum.value[i] * sum.value[i]);
            total += (uint64_t)sum.value[i];
        }
        CHECK(norm2 <= grid.norm2);
        CHECK(total <= (uint64_t)grid.scale && total + CELLS >= (uint64_t)grid.scale);
    }
}

static void nothing_counted_is_nothing_contributed(void)
{
    const uint32_t in[CELLS] = {0};
    for (enum count_unit unit = COUNT_RECORDS; unit <= COUNT_SHARES; unit++) {
        const struct grid grid = plan(unit, 5);
        AUTO(encoded_free) struct encoded sum = {0};
        encode(&sum, in, unit, &grid);
        for (size_t i = 0; i < CELLS; i++) CHECK(sum.value[i] == 0);
    }
}

static void memory_may_end_anywhere(void)
{
    const uint32_t in[CELLS] = {1, 2, 3};
    const struct grid grid = plan(COUNT_RECORDS, 5);
    OOM_EACH {
        AUTO(encoded_free) struct encoded sum = {0};
        enum status status = count_encode(&sum, in, CELLS, COUNT_RECORDS, &grid);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((sum.value == NULL) == (status != STATUS_OK));
    }
}

int main(void)
{
    RUN(steps_are_powers_of_two_for_the_certain_shares);
    RUN(a_ring_without_room_for_one_step_is_refused);
    RUN(a_record_more_moves_one_cell_by_one_step);
    RUN(a_full_cell_stays_full);
    RUN(shares_of_a_site_are_within_the_norm_and_nearly_one);
    RUN(nothing_counted_is_nothing_contributed);
    RUN(memory_may_end_anywhere);
    return check_done();
}
