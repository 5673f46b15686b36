/* SPDX-License-Identifier: Apache-2.0 */
/* Contributions of up to three coordinates, each from a short list that has every kind of float,
 * at every small norm bound, by both roundings: what is added never exceeds the bound, what fits is
 * added, and nothing but one of the two neighbours of a coordinate is. */
#include <float.h>
#include <math.h>

#include "dp/grid_sum.h"
#include "tests/lib/check.h"

enum { MOST = 3, BOUNDS = 14 };

static const float float_of[] = {0.0F,  -0.0F, 0.5F, -0.5F,    0.75F,    -1.25F, 1.5F,        2.0F,
                                 -2.5F, 3.0F,  1e9F, -FLT_MAX, INFINITY, NAN,    FLT_TRUE_MIN};
enum { FLOATS = sizeof float_of / sizeof *float_of };

static bool huge(float x)
{
    return !(fabsf(x) < 1e8F);
}

static void one(const float *value, size_t n, const struct grid *grid, enum grid_rounding rounding,
                struct rng *rng)
{
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    CHECK_OK(grid_sum_new(&sum, n, grid, rounding));
    const struct clipped in = {.n = n, .value = value, .factor = 1.0F};
    CHECK_OK(grid_add(&sum, &in, grid, rng));
    uint64_t norm2 = 0;
    double nearest2 = 0, highest2 = 0;
    bool beside = true, wild = false, empty = true;
    for (size_t i = 0; i < n; i++) {
        const int64_t x = sum.part[i];
        norm2 += (uint64_t)(x * x);
        empty = empty && x == 0;
        if ((wild = wild || huge(value[i]))) continue;
        const double v = (double)value[i], beyond = fmax(fabs(floor(v)), fabs(ceil(v)));
        nearest2 += rint(v) * rint(v);
        highest2 += beyond * beyond;
        beside =
            beside && (rounding == GRID_NEAREST ? (double)x == rint(v) : fabs((double)x - v) < 1);
    }
    const double bound = (double)grid->norm2;
    CHECK(norm2 <= grid->norm2);
    if (wild) CHECK(empty);
    if (!wild && (rounding == GRID_NEAREST ? nearest2 : highest2) <= bound)
        CHECK(beside && sum.shrunk == 0);
    CHECK(sum.part_count <= 1 && (sum.part_count == 1 || sum.shrunk == 1));
}

/* At every small bound, by both roundings. */
static void all_of(const float *value, size_t n)
{
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    for (uint64_t norm2 = 1; norm2 <= BOUNDS; norm2++) {
        const struct grid grid = {.scale = 1.0, .norm2 = norm2, .cap = 9, .bits = 8};
        for (enum grid_rounding r = 0; r < GRID_ROUNDINGS; r++) one(value, n, &grid, r, &rng);
    }
}

static void no_contribution_is_longer_than_its_bound(void)
{
    for (size_t n = 1; n <= MOST; n++) {
        size_t all = 1;
        for (size_t i = 0; i < n; i++) all *= FLOATS;
        for (size_t which = 0; which < all; which++) {
            float value[MOST];
            size_t rest = which;
            for (size_t i = 0; i < n; i++, rest /= FLOATS) value[i] = float_of[rest % FLOATS];
            all_of(value, n);
        }
    }
}

/* Four squares of 2^31 add up to nothing in 64 bits. */
static void four_that_are_out_of_all_bounds_are_too(void)
{
    for (size_t i = 0; i < FLOATS; i++) {
        const float value[] = {float_of[i], float_of[i], float_of[i], float_of[i]};
        all_of(value, 4);
    }
}

int main(void)
{
    RUN(no_contribution_is_longer_than_its_bound);
    RUN(four_that_are_out_of_all_bounds_are_too);
    return check_done();
}
