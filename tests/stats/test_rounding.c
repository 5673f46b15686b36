/* SPDX-License-Identifier: Apache-2.0 */
/* Null hypothesis: sums of contributions rounded by chance have the true mean, by independent coins
 * with the right variance. For each fraction a z-value of the mean and one of the squares, false
 * alarm 2e-7 each and about 1e-5 in all; seeds are fixed, so a pass repeats. Roundings with a
 * planted fault must fail. And what it is for: on a narrow ring, at the same epsilon, sums of
 * spiky vectors come out closer to the truth when they are turned and rounded by chance. */
#include <math.h>
#include <stdlib.h>

#include "dp/grid_sum.h"
#include "tests/lib/check.h"
#include "tests/lib/narrow.h"

#define N 4096
#define TIMES 500
#define NORMAL_FAR 5.2 /* two-sided normal quantile of 2e-7 */

/* Round N copies of x, TIMES times, and add up the results and their squared distances from x. */
typedef void rounding(float x, double *sum, double *squares, struct rng *rng);

static void shipping(float x, double *sum, double *squares, struct rng *rng)
{
    static float value[N];
    const struct grid grid = {.scale = 1.0, .norm2 = UINT64_C(1) << 43, .cap = 1 << 23, .bits = 32};
    for (size_t i = 0; i < N; i++) value[i] = x;
    const struct clipped in = {.n = N, .value = value, .factor = 1.0F};
    for (size_t t = 0; t < TIMES; t++) {
        AUTO(grid_sum_free) struct grid_sum part = {0};
        CHECK_OK(grid_sum_new(&part, N, &grid, GRID_STOCHASTIC));
        CHECK_OK(grid_add(&part, &in, &grid, rng));
        for (size_t i = 0; i < N; i++) {
            const double off = part.part[i] - (double)x;
            *sum += off;
            *squares += off * off;
        }
    }
}

/* Planted: coins of 8 bits, a coin that is reused, and one that leans by 1 in 200. */
static void few_digits(float x, double *sum, double *squares, struct rng *rng)
{
    for (size_t i = 0; i < (size_t)N * TIMES; i++) {
        const double low = floor((double)x), chance = (double)x - low;
        const double off = low + ((double)(rng_u64(rng) >> 56) < chance * 0x1p8) - (double)x;
        *sum += off;
        *squares += off * off;
    }
}

static void one_coin_for_all(float x, double *sum, double *squares, struct rng *rng)
{
    for (size_t t = 0; t < TIMES; t++) {
        const double low = floor((double)x), chance = (double)x - low;
        const double off = low + (rng_unit(rng) < chance) - (double)x;
        *sum += N * off;
        *squares += N * off * off;
    }
}

static void leaning(float x, double *sum, double *squares, struct rng *rng)
{
    for (size_t i = 0; i < (size_t)N * TIMES; i++) {
        const double low = floor((double)x), chance = (double)x - low;
        const double off = low + (rng_unit(rng) < chance * 1.005) - (double)x;
        *sum += off;
        *squares += off * off;
    }
}

static bool looks_right(rounding *round)
{
    static const float fractions[] = {0.001F, 0.0625F, 0.3F, 0.5F, 0.71F, 0.9375F, 0.999F};
    struct rng rng = {0};
    rng_numbered(&rng, 11);
    bool right = true;
    for (size_t i = 0; i < sizeof fractions / sizeof *fractions; i++)
        for (int sign = -1; sign <= 1; sign += 2) {
            const float x = (float)sign * (5.0F + fractions[i]);
            double sum = 0.0, squares = 0.0;
            round(x, &sum, &squares, &rng);
            const double p = (double)x - floor((double)x), n = (double)N * TIMES, v = p * (1 - p);
            /* The square is (1 - p)^2 or p^2: its deviation is sqrt(v) |1 - 2 p|. */
            const double spread = sqrt(n * v) * fabs(1 - 2 * p) + 1e-9 * n;
            right = right && fabs(sum) <= NORMAL_FAR * sqrt(n * v) &&
                    fabs(squares - n * v) <= NORMAL_FAR * spread;
        }
    return right;
}

static void rounding_by_chance_is_unbiased_and_independent(void)
{
    CHECK(looks_right(shipping));
}

static void planted_faults_are_caught(void)
{
    CHECK(!looks_right(few_digits));
    CHECK(!looks_right(one_coin_for_all));
    CHECK(!looks_right(leaning));
}

/* The noise of multiplier 1 alone has an error of 1: 20000 squares make it known to 0.5 %, and six
 * such deviations are 3 %. */
static void a_narrow_ring_is_better_used_turned_and_by_chance(void)
{
    struct narrow narrow = {.bits = 15, .rounding = GRID_NEAREST};
    CHECK(!narrow_run(&narrow));
    double plain[2] = {0};
    for (unsigned turned = 0; turned < 2; turned++)
        for (unsigned wide = 0; wide < 2; wide++) {
            narrow = (struct narrow){.bits = wide == 0 ? 16 : 20,
                                     .rounding = turned == 0 ? GRID_NEAREST : GRID_STOCHASTIC,
                                     .turned = turned == 1};
            CHECK(narrow_run(&narrow));
            CHECK(turned == 0 || narrow.error < 1.03);
            if (turned == 0) plain[wide] = narrow.error;
        }
    CHECK(plain[0] > 1.1 && plain[1] < 1.03);
}

int main(void)
{
    RUN(rounding_by_chance_is_unbiased_and_independent);
    RUN(planted_faults_are_caught);
    RUN(a_narrow_ring_is_better_used_turned_and_by_chance);
    return check_done();
}
