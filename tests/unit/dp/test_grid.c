/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/grid.h"

#include <math.h>
#include <string.h>

#include "dp/account.h"
#include "dp/noise.h"
#include "tests/lib/check.h"

#define NORM2_MAX ((UINT64_C(1) << 44) - 1)

static void plan_is_fine_enough_and_no_finer(void)
{
    const double clips[] = {1.0, 0.001, 3.7, 1e9, 0x1p-64, 0x1p64};
    const uint64_t dims[] = {1, 2, 199210, UINT64_C(1) << 28};
    for (size_t c = 0; c < 6; c++)
        for (size_t d = 0; d < 4; d++) {
            struct grid grid = {0};
            const struct grid_goal goal = {
                .clip = clips[c], .dim = dims[d], .n_sites = 10, .bits = 32};
            CHECK_OK(grid_plan(&grid, &goal));
            int exponent;
            CHECK(frexp(grid.scale, &exponent) == 0.5);
            double root = sqrt((double)dims[d]), clip = grid.scale * clips[c];
            CHECK(clip >= GRID_FINENESS * root && clip < 2.0 * GRID_FINENESS * root);
            double most = (clip + root / 2.0) * (clip + root / 2.0);
            CHECK((double)grid.norm2 <= most && (double)grid.norm2 >= most * (1.0 - 1e-11) - 1.0);
            CHECK(grid_fits(&grid, 10) && grid_cost(&grid, clips[c]) <= 1.0051);
            CHECK(grid.sigma == 0 && grid.bits == 32);
        }
}

/* A goal as training rounds have it. */
static struct grid_goal training(uint64_t dim, unsigned bits, enum grid_rounding rounding)
{
    return (struct grid_goal){.clip = 1.0,
                              .dim = dim,
                              .n_sites = 20,
                              .bits = bits,
                              .z = 1.0,
                              .n_shares = 15,
                              .rounding = rounding,
                              .crowd = 10};
}

/* norm2 by the formulas of the header, in long double. */
static long double bound2_of(long double r, uint64_t dim, enum grid_rounding rounding)
{
    const long double q = sqrtl((long double)dim), near = (r + q / 2) * (r + q / 2);
    if (rounding == GRID_NEAREST) return near;
    return fminl((r + q) * (r + q), r * r + q * q / 4 + sqrtl(2 * 0.5L) * (r + q / 2));
}

static bool has_room(const struct grid_goal *goal, long double scale)
{
    const long double norm2 =
        floorl(bound2_of(scale * (long double)goal->clip, goal->dim, goal->rounding));
    uint32_t sigma = 0;
    if (account_share(&sigma, goal->z, (uint64_t)norm2, goal->n_shares) != STATUS_OK) return false;
    const long double n = goal->n_sites, tail = 12.0L * sigma * sqrtl(n);
    const long double flat = goal->spread > 1 ? fminl(1, 6 / sqrtl((long double)goal->spread)) : 1;
    const long double cap = floorl((ldexpl(1, (int)goal->bits - 1) - 1 - ceill(tail)) / n);
    return cap >= 1 && cap >= sqrtl((long double)goal->crowd * norm2) * flat;
}

/* 16 to 32 bits, from a handful of coordinates to millions: what is planned has room and would not
 * have it twice as fine; what is refused would cost more than half the noise again. */
static void plan_is_the_finest_that_has_room(void)
{
    size_t coarse = 0, refused = 0;
    for (unsigned bits = 16; bits <= 32; bits++)
        for (uint64_t dim = 10; dim <= 10000000; dim *= 100)
            for (enum grid_rounding rounding = 0; rounding < GRID_ROUNDINGS; rounding++)
                for (uint64_t spread = 1; spread <= 4096; spread *= 4096) {
                    struct grid_goal goal = training(dim, bits, rounding);
                    goal.spread = spread;
                    struct grid grid = {0};
                    const long double q = sqrtl((long double)dim);
                    if (grid_plan(&grid, &goal) != STATUS_OK) {
                        long double scale = 1;
                        while (bound2_of(scale, dim, rounding) > 2.25L * scale * scale) scale *= 2;
                        CHECK(!has_room(&goal, scale));
                        refused++;
                        continue;
                    }
                    const long double r = (long double)grid.scale,
                                      bound2 = bound2_of(r, dim, rounding);
                    CHECK((long double)grid.norm2 <= bound2);
                    CHECK((long double)grid.norm2 >= bound2 * (1 - 1e-11L) - 1);
                    CHECK(grid_fits(&grid, 20) && grid_cost(&grid, 1.0) <= GRID_COST_MAX);
                    CHECK(has_room(&goal, r));
                    CHECK(r >= 100 * q ? r < 200 * q : !has_room(&goal, 2 * r));
                    coarse += r < 100 * q;
                    uint32_t sigma = 0;
                    CHECK_OK(account_share(&sigma, 1.0, grid.norm2, 15));
                    CHECK_NUMBER(sigma, grid.sigma);
                }
    CHECK(coarse > 30 && refused > 5);
}

/* Where a ring is narrow: chance beats the nearest point, and a rotation leaves room for more. */
static void stochastic_and_rotated_grids_cost_less(void)
{
    struct grid near = {0}, chance = {0}, turned = {0};
    struct grid_goal goal = training(100000, 18, GRID_NEAREST);
    goal.n_sites = 100;
    goal.n_shares = 80;
    goal.crowd = 1;
    CHECK_OK(grid_plan(&near, &goal));
    goal.rounding = GRID_STOCHASTIC;
    CHECK_OK(grid_plan(&chance, &goal));
    goal.spread = 65536;
    CHECK_OK(grid_plan(&turned, &goal));
    CHECK(chance.scale >= near.scale && turned.scale > chance.scale);
    CHECK(grid_cost(&near, 1.0) > 1.01 * grid_cost(&chance, 1.0));
    CHECK(grid_cost(&chance, 1.0) > grid_cost(&turned, 1.0));
    CHECK((uint64_t)turned.cap * (uint64_t)turned.cap < turned.norm2);
}

static void cap_is_the_largest_that_cannot_wrap(void)
{
    for (unsigned bits = 8; bits <= 32; bits++)
        for (uint32_t n = 1; n <= 65536; n = 3 * n + 1)
            for (uint32_t sigma = 0; sigma <= 100000; sigma = 10 * sigma + 4) {
                struct grid grid = {.scale = 1.0, .norm2 = 1, .bits = bits};
                if (grid_noise(&grid, n, sigma) != STATUS_OK) {
                    CHECK(grid.cap == 0 && grid.sigma == 0);
                    continue;
                }
                CHECK_NUMBER(sigma, grid.sigma);
                long double tail = 12.0L * (long double)sigma * sqrtl((long double)n);
                long double half = ldexpl(1.0L, (int)bits - 1);
                CHECK((long double)n * (long double)grid.cap + tail < half);
                CHECK((long double)n * ((long double)grid.cap + 1.0L) + tail + 2.0L > half);
                if (grid.cap == INT32_MAX) continue;
                grid.cap++;
                CHECK(!grid_fits(&grid, n));
            }
}

/* Against the formula in long double, which a whole grid is 12 deviations from at least. */
static void wrap_is_bounded_from_above(void)
{
    for (unsigned bits = 16; bits <= 32; bits += 2)
        for (uint32_t n = 1; n <= 1000; n *= 10)
            for (uint32_t sigma = 4; sigma <= 4000000; sigma *= 7) {
                struct grid grid = {.scale = 1.0, .norm2 = 1, .bits = bits};
                if (grid_noise(&grid, n, sigma) != STATUS_OK) continue;
                for (int32_t less = 0; less < 2; less++) {
                    grid.cap -= less * (grid.cap / 3);
                    const long double left =
                        ldexpl(1.0L, (int)bits - 1) - (long double)n * grid.cap;
                    const long double t = left / (sigma * sqrtl((long double)n));
                    const long double want = 2e6L * expl(-t * t / 2);
                    const double got = grid_wrap(&grid, 1000000, n);
                    CHECK((long double)got >= want);
                    CHECK((long double)got <= want * (1 + 1e-6L) || got <= 1e-300);
                    CHECK(got < 1.1e-25);
                }
            }
    struct grid still = {.scale = 1.0, .norm2 = 1, .cap = 3, .bits = 8};
    CHECK(grid_wrap(&still, 5, 2) == 0.0);
}

static void goals_out_of_range_are_refused(void)
{
    struct grid grid = {.scale = 7.0}, ok = {0};
    const struct grid_goal good = training(10, 32, GRID_NEAREST);
    struct grid_goal bad[18];
    for (size_t i = 0; i < 18; i++) bad[i] = good;
    bad[0].bits = 7;
    bad[1].bits = 33;
    bad[2].clip = 0.0;
    bad[3].clip = -1.0;
    bad[4].clip = (double)NAN;
    bad[5].clip = (double)INFINITY;
    bad[6].clip = 0x1p-65;
    bad[7].clip = 0x1p65;
    bad[8].dim = 0;
    bad[9].dim = (UINT64_C(1) << 28) + 1;
    bad[10].n_sites = 0;
    bad[11].n_sites = 65537;
    bad[12].z = -1.0;
    bad[13].z = (double)NAN;
    bad[14].n_shares = 0;
    bad[15].z = 1e8; /* the noise alone fills the ring */
    bad[16].rounding = GRID_ROUNDINGS;
    bad[17].dim = 10000000; /* one contribution does not fit */
    bad[17].bits = 16;
    for (size_t i = 0; i < 18; i++) CHECK_STATUS(STATUS_RANGE, grid_plan(&grid, &bad[i]));
    CHECK(grid.scale == 7.0 && grid.norm2 == 0 && grid.bits == 0);
    CHECK_OK(grid_plan(&ok, &good));
    CHECK_STATUS(STATUS_RANGE, grid_noise(&ok, 10, NOISE_SIGMA_MAX));
    CHECK_STATUS(STATUS_RANGE, grid_noise(&ok, 0, 4));
    CHECK(grid_fits(&ok, 10) && ok.sigma >= NOISE_SIGMA_MIN);
}

static void foreign_grid_is_proved_again(void)
{
    struct grid good = {0};
    const struct grid_goal goal = {.clip = 1.0, .dim = 1000, .n_sites = 10, .bits = 24};
    CHECK_OK(grid_plan(&good, &goal));
    CHECK_OK(grid_noise(&good, 10, 50));
    CHECK(grid_fits(&good, 10) && grid_fits(&good, 1));
    CHECK(!grid_fits(&good, 11));
    CHECK(!grid_fits(&good, 0));
    struct grid bad = good;
    bad.sigma *= 2;
    CHECK(!grid_fits(&bad, 10));
    bad.sigma = NOISE_SIGMA_MAX + 1;
    CHECK(!grid_fits(&bad, 1));
    const double scales[] = {3.0, 0.0, -2.0, (double)NAN, (double)INFINITY, 0x1p-65, 0x1p97};
    for (size_t i = 0; i < 7; i++) {
        bad = good;
        bad.scale = scales[i];
        CHECK(!grid_fits(&bad, 10));
    }
    const unsigned widths[] = {0, 7, 23, 33, 200};
    for (size_t i = 0; i < 5; i++) {
        bad = good;
        bad.bits = widths[i];
        CHECK(!grid_fits(&bad, 10));
    }
    const int32_t caps[] = {0, -1, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < 4; i++) {
        bad = good;
        bad.cap = caps[i];
        CHECK(!grid_fits(&bad, 10));
    }
    bad = (struct grid){.scale = 1.0, .norm2 = 1, .cap = 1, .sigma = 0, .bits = 32};
    CHECK(grid_fits(&bad, 65536));
    CHECK(!grid_fits(&bad, 65537));
    bad = good;
    bad.norm2 = 0;
    CHECK(!grid_fits(&bad, 10));
    bad.norm2 = NORM2_MAX + 1;
    bad.cap = INT32_MAX / 2;
    bad.bits = 32;
    CHECK(!grid_fits(&bad, 1));
    bad.norm2--;
    CHECK(grid_fits(&bad, 1));
}

/* Of any point within the ring's half, whole or divided. */
static void decode_is_the_inverse_of_encode(void)
{
    for (unsigned bits = 8; bits <= 32; bits++) {
        const struct grid grid = {.scale = 64.0, .norm2 = 1, .cap = 1, .bits = bits};
        const int64_t half = INT64_C(1) << (bits - 1);
        for (int64_t x = -half; x < half; x += 1 + half / 50) {
            uint32_t point = (uint32_t)(uint64_t)x & (uint32_t)(2 * half - 1);
            float got = 0.0F;
            const struct opened in = {.n = 1, .value = &point};
            struct mean out = {.n = 1, .value = &got};
            CHECK_OK(grid_decode(&out, &in, &grid, 5.0));
            CHECK_CLOSE((double)x / 320.0, (double)got, 1e-7 * fabs((double)x));
        }
    }
}

static void decode_centres_the_ring(void)
{
    const uint32_t value[] = {0, 1, 127, 128, 255};
    const float want[] = {0.0F, 0.25F, 31.75F, -32.0F, -0.25F};
    struct grid grid = {.scale = 2.0, .norm2 = 1, .cap = 1, .bits = 8};
    uint32_t copy[5];
    memcpy(copy, value, sizeof copy);
    float got[5] = {0};
    struct opened in = {.n = 5, .value = copy};
    struct mean out = {.n = 5, .value = got};
    CHECK_OK(grid_decode(&out, &in, &grid, 2.0));
    CHECK_BYTES(want, got, sizeof want);
    uint32_t edge[] = {0x80000000U, 0x7fffffffU};
    grid.bits = 32;
    out.n = in.n = 2;
    in.value = edge;
    CHECK_OK(grid_decode(&out, &in, &grid, 0.5));
    CHECK(got[0] == -0x1p31F && got[1] == 0x1p31F);
}

static void sizes_and_divisors_that_do_not_fit_are_refused(void)
{
    const struct grid grid = {.scale = 1.0, .norm2 = 1, .cap = 1, .bits = 8};
    AUTO(opened_free) struct opened opened = {0};
    AUTO(mean_free) struct mean mean = {0};
    CHECK_OK(opened_new(&opened, 3));
    CHECK_OK(mean_new(&mean, 4));
    mean.value[0] = 9.0F;
    CHECK_STATUS(STATUS_RANGE, grid_decode(&mean, &opened, &grid, 1.0));
    mean.n = 3;
    CHECK_STATUS(STATUS_RANGE, grid_decode(&mean, &opened, &grid, 0.0));
    CHECK_STATUS(STATUS_RANGE, grid_decode(&mean, &opened, &grid, -1.0));
    CHECK_STATUS(STATUS_RANGE, grid_decode(&mean, &opened, &grid, (double)NAN));
    CHECK(mean.value[0] == 9.0F);
}

int main(void)
{
    RUN(plan_is_fine_enough_and_no_finer);
    RUN(plan_is_the_finest_that_has_room);
    RUN(stochastic_and_rotated_grids_cost_less);
    RUN(cap_is_the_largest_that_cannot_wrap);
    RUN(wrap_is_bounded_from_above);
    RUN(goals_out_of_range_are_refused);
    RUN(foreign_grid_is_proved_again);
    RUN(decode_is_the_inverse_of_encode);
    RUN(decode_centres_the_ring);
    RUN(sizes_and_divisors_that_do_not_fit_are_refused);
    return check_done();
}
