/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/grid.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/rng.h"
#include "dp/clip.h"
#include "dp/noise.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

#define DIM 300
#define NORM2_MAX ((UINT64_C(1) << 44) - 1)

/* A grid of scale 1 with room for anything, for tests that count by hand. */
static struct grid plain(uint64_t norm2)
{
    return (struct grid){.scale = 1.0, .norm2 = norm2, .cap = 1 << 22, .sigma = 4, .bits = 32};
}

/* What one contribution puts into an empty sum; out has n elements. */
static void points_of(int32_t *out, const struct clipped *in, const struct grid *grid)
{
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    AUTO(encoded_free) struct encoded encoded = {0};
    CHECK_OK(grid_sum_new(&sum, in->n, grid));
    CHECK_OK(grid_add(&sum, in, grid));
    CHECK_OK(grid_seal(&encoded, &sum, grid, NULL));
    memcpy(out, encoded.value, in->n * sizeof *out);
}

static uint64_t norm2_of(const int32_t *x, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += (uint64_t)((int64_t)x[i] * x[i]);
    return sum;
}

static void plan_is_fine_enough_and_no_finer(void)
{
    const double clips[] = {1.0, 0.001, 3.7, 1e9, 0x1p-64, 0x1p64};
    const uint64_t dims[] = {1, 2, 199210, UINT64_C(1) << 28};
    for (size_t c = 0; c < 6; c++)
        for (size_t d = 0; d < 4; d++) {
            struct grid grid = {0};
            CHECK_OK(grid_plan(&grid, clips[c], dims[d], 10, 1000, 32));
            int exponent;
            CHECK(frexp(grid.scale, &exponent) == 0.5);
            double root = sqrt((double)dims[d]), clip = grid.scale * clips[c];
            CHECK(clip >= GRID_FINENESS * root && clip < 2.0 * GRID_FINENESS * root);
            double most = (clip + root / 2.0) * (clip + root / 2.0);
            CHECK((double)grid.norm2 <= most && (double)grid.norm2 >= most * (1.0 - 1e-11) - 1.0);
            CHECK(grid_fits(&grid, 10));
        }
}

static void cap_is_the_largest_that_cannot_wrap(void)
{
    for (unsigned bits = 16; bits <= 32; bits++)
        for (uint32_t n = 1; n <= 65536; n = 3 * n + 1)
            for (uint32_t sigma = 0; sigma <= 100000; sigma = 10 * sigma + 4) {
                struct grid grid = {0};
                if (grid_plan(&grid, 1.0, 1, n, sigma, bits) != STATUS_OK) continue;
                long double tail = 12.0L * (long double)sigma * sqrtl((long double)n);
                long double half = ldexpl(1.0L, (int)bits - 1);
                CHECK((long double)n * (long double)grid.cap + tail < half);
                CHECK((long double)n * ((long double)grid.cap + 1.0L) + tail + 2.0L > half);
                if (grid.cap == INT32_MAX) continue;
                grid.cap++;
                CHECK(!grid_fits(&grid, n));
            }
}

static void plan_out_of_range_is_refused(void)
{
    struct grid grid = {.scale = 7.0}, ok = {0};
    const struct {
        double clip;
        uint64_t dim;
        uint32_t n_sites, sigma;
        unsigned bits;
    } bad[] = {
        {1.0, 10, 10, 4, 7},
        {1.0, 10, 10, 4, 33},
        {0.0, 10, 10, 4, 32},
        {-1.0, 10, 10, 4, 32},
        {(double)NAN, 10, 10, 4, 32},
        {(double)INFINITY, 10, 10, 4, 32},
        {0x1p-65, 10, 10, 4, 32},
        {0x1p65, 10, 10, 4, 32},
        {1.0, 0, 10, 4, 32},
        {1.0, (UINT64_C(1) << 28) + 1, 10, 4, 32},
        {1.0, 10, 0, 4, 32},
        {1.0, 10, 65537, 4, 32},
        {1.0, 10, 10, NOISE_SIGMA_MAX + 1, 32},
        {1.0, 10, 10, 100000000, 32}, /* the noise alone fills the ring */
        {1.0, 1000000, 10, 4, 20},    /* one contribution does not fit */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_STATUS(STATUS_RANGE, grid_plan(&grid, bad[i].clip, bad[i].dim, bad[i].n_sites,
                                             bad[i].sigma, bad[i].bits));
    CHECK(grid.scale == 7.0 && grid.norm2 == 0 && grid.bits == 0);
    CHECK_OK(grid_plan(&ok, 1.0, 10, 10, 4, 32));
}

static void foreign_grid_is_proved_again(void)
{
    struct grid good = {0};
    CHECK_OK(grid_plan(&good, 1.0, 1000, 10, 50, 24));
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
    bad.norm2 = (uint64_t)good.cap * (uint64_t)good.cap;
    CHECK(grid_fits(&bad, 10));
    bad.norm2++;
    CHECK(!grid_fits(&bad, 10));
    bad.norm2 = NORM2_MAX + 1;
    bad.cap = INT32_MAX / 2;
    bad.bits = 32;
    CHECK(!grid_fits(&bad, 1));
    bad.norm2--;
    CHECK(grid_fits(&bad, 1));
}

static void rounding_is_to_nearest_even(void)
{
    const float value[] = {0.5F,  1.5F,  2.5F,    -0.5F,   -1.5F,   -2.5F,    0.49999997F,
                           0.75F, -0.0F, 1000.5F, 1001.5F, 4096.5F, -4095.5F, 1e-30F};
    const int32_t want[] = {0, 2, 2, 0, -2, -2, 0, 1, 0, 1000, 1002, 4096, -4096, 0};
    int32_t got[14] = {0};
    struct grid grid = plain(UINT64_C(1) << 40);
    points_of(got, &(struct clipped){.n = 14, .value = value, .factor = 1.0F}, &grid);
    CHECK_BYTES(want, got, sizeof want);
}

static void encoding_is_rint_of_the_product(void)
{
    struct rng rng = {0};
    rng_numbered(&rng, 2);
    float value[DIM];
    int32_t got[DIM];
    struct grid grid = plain(NORM2_MAX);
    for (int trial = 0; trial < 100; trial++) {
        grid.scale = ldexp(1.0, (int)rng_below(&rng, 17));
        for (size_t i = 0; i < DIM; i++) value[i] = (float)rng_normal(&rng);
        float factor = (float)rng_unit(&rng);
        points_of(got, &(struct clipped){.n = DIM, .value = value, .factor = factor}, &grid);
        float step = factor * (float)grid.scale;
        for (size_t i = 0; i < DIM; i++) CHECK_NUMBER(lrintf(value[i] * step), got[i]);
    }
}

/* Fill with one of several kinds of nastiness. */
static void nasty(float *value, size_t n, uint64_t kind, struct rng *rng)
{
    for (size_t i = 0; i < n; i++) {
        float x = (float)rng_normal(rng);
        if (kind == 1) x = rng_below(rng, 2) == 0 ? 0.5F : -0.5F; /* all on the edge, going down */
        if (kind == 2) x = rng_below(rng, 2) == 0 ? 1.5F : -1.5F; /* all on the edge, going up */
        if (kind == 3) x = i == 0 ? 1e38F : 0.0F;
        if (kind == 4) x *= FLT_MAX / 100.0F;
        if (kind == 5) x *= 1e-40F;
        if (kind == 6) x = i % 7 == 0 ? (i % 2 == 0 ? NAN : INFINITY) : x;
        if (kind == 7) x = i < 4 ? -FLT_MAX : 0.0F; /* squares of INT_MIN would add up to 2^64 */
        if (kind == 8) x = i < 4 ? FLT_MAX : 0.0F;
        value[i] = x;
    }
}

static void norm_never_exceeds_the_bound(void)
{
    struct rng rng = {0};
    rng_numbered(&rng, 3);
    float value[DIM];
    int32_t got[DIM];
    for (uint64_t trial = 0; trial < 4000; trial++) {
        size_t n = 1 + rng_below(&rng, DIM);
        nasty(value, n, trial % 9, &rng);
        struct grid grid = plain(1 + rng_below(&rng, UINT64_C(1) << rng_below(&rng, 44)));
        grid.scale = ldexp(1.0, (int)rng_below(&rng, 60) - 30);
        /* Not from clip_l2: the check has to hold by itself. */
        struct clipped in = {.n = n, .value = value, .factor = (float)rng_unit(&rng)};
        if (trial % 3 == 0) in.factor = 1.0F;
        points_of(got, &in, &grid);
        CHECK(norm2_of(got, n) <= grid.norm2);
    }
}

static void bound_itself_is_allowed_and_one_more_is_not(void)
{
    const float value[] = {3.0F, -4.0F};
    struct clipped in = {.n = 2, .value = value, .factor = 1.0F};
    struct grid grid = plain(25);
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    CHECK_OK(grid_sum_new(&sum, 2, &grid));
    CHECK_OK(grid_add(&sum, &in, &grid));
    CHECK_NUMBER(0, sum.shrunk);
    struct grid less = plain(24);
    AUTO(grid_sum_free) struct grid_sum other = {0};
    CHECK_OK(grid_sum_new(&other, 2, &less));
    CHECK_OK(grid_add(&other, &in, &less));
    CHECK_NUMBER(1, other.shrunk);
    CHECK(other.part[0] == 0 && other.part[1] == 0); /* 1.6 % less still rounds to (3, -4) */
}

static void what_is_too_large_is_dropped_at_any_bound(void)
{
    const float value[] = {NAN, FLT_MAX, -FLT_MAX, INFINITY, -INFINITY};
    for (size_t i = 0; i < 5; i++)
        for (unsigned bits = 0; bits <= 44; bits++) {
            int32_t got[1];
            struct grid grid = plain(bits == 0 ? 1 : (UINT64_C(1) << bits) - 1);
            points_of(got, &(struct clipped){.n = 1, .value = value + i, .factor = 1.0F}, &grid);
            CHECK_NUMBER(0, got[0]);
        }
}

static void shrinking_a_little_saves_a_contribution(void)
{
    const float value[] = {1000.0F, 0.0F};
    struct grid grid = plain(999 * 999);
    int32_t got[2];
    points_of(got, &(struct clipped){.n = 2, .value = value, .factor = 1.0F}, &grid);
    CHECK_NUMBER(999, got[0]);
}

static void clipped_contributions_are_not_shrunk(void)
{
    struct rng rng = {0};
    rng_numbered(&rng, 4);
    float value[DIM];
    struct grid grid = {0};
    CHECK_OK(grid_plan(&grid, 2.0, DIM, 10, 100, 32));
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    CHECK_OK(grid_sum_new(&sum, DIM, &grid));
    for (int trial = 0; trial < 500; trial++) {
        for (size_t i = 0; i < DIM; i++) value[i] = (float)rng_normal(&rng);
        struct clipped in = {0};
        CHECK_OK(clip_l2(&in, &(struct update){.n = DIM, .value = value}, 2.0));
        CHECK_OK(grid_add(&sum, &in, &grid));
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
    struct grid grid = plain(N - 1);
    CHECK_OK(grid_sum_new(&sum, N, &grid));
    struct clipped in = {.n = N, .value = ones.value, .factor = 1.0F};
    CHECK_OK(grid_add(&sum, &in, &grid));
    CHECK_NUMBER(1, sum.shrunk);
    CHECK_NUMBER(0, sum.part_count);
    in.n = N - 1;
    AUTO(grid_sum_free) struct grid_sum fits = {0};
    CHECK_OK(grid_sum_new(&fits, N - 1, &grid));
    CHECK_OK(grid_add(&fits, &in, &grid));
    CHECK_NUMBER(0, fits.shrunk);
    CHECK_NUMBER(1, fits.part[N - 2]);
}

static void wide_sum_does_not_overflow(void)
{
    const float value[] = {4194303.0F, -4194303.0F};
    struct grid grid = plain(NORM2_MAX);
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    CHECK_OK(grid_sum_new(&sum, 1, &grid));
    struct clipped up = {.n = 1, .value = value, .factor = 1.0F};
    for (int i = 0; i < 10000; i++) CHECK_OK(grid_add(&sum, &up, &grid));
    int64_t got = sum.value[0] + sum.part[0];
    CHECK_NUMBER(INT64_C(10000) * 4194303, got);
    CHECK_NUMBER(0, sum.shrunk);
    struct clipped low = {.n = 1, .value = value + 1, .factor = 1.0F};
    for (int i = 0; i < 9999; i++) CHECK_OK(grid_add(&sum, &low, &grid));
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
    struct grid grid = plain(50000);
    grid.cap = 60; /* many coordinates saturate */
    bool saturated = false;
    for (uint64_t trial = 0; trial < 300; trial++) {
        size_t n = 1 + rng_below(&rng, DIM);
        AUTO(grid_sum_free) struct grid_sum with = {0};
        AUTO(grid_sum_free) struct grid_sum without = {0};
        CHECK_OK(grid_sum_new(&with, n, &grid));
        CHECK_OK(grid_sum_new(&without, n, &grid));
        for (uint64_t record = 0; record < 12; record++) {
            nasty(value, n, record == 11 ? trial % 9 : 0, &rng);
            struct clipped in = {.n = n, .value = value, .factor = 1.0F};
            if (record < 11) in.factor = 20.0F;
            CHECK_OK(grid_add(&with, &in, &grid));
            if (record < 11) CHECK_OK(grid_add(&without, &in, &grid));
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
        CHECK(norm2_of(a.value, n) <= grid.norm2);
    }
    CHECK(saturated);
}

static void seal_empties_the_sum_and_counts(void)
{
    const float value[] = {100.0F, -100.0F, 7.0F};
    struct grid grid = plain(100000);
    grid.cap = 50;
    struct grid_sum sum = {0};
    AUTO(encoded_free) struct encoded out = {0};
    uint64_t capped = 99;
    CHECK_OK(grid_sum_new(&sum, 3, &grid));
    CHECK_OK(grid_add(&sum, &(struct clipped){.n = 3, .value = value, .factor = 1.0F}, &grid));
    CHECK_OK(grid_seal(&out, &sum, &grid, &capped));
    CHECK(out.n == 3 && out.value[0] == 50 && out.value[1] == -50 && out.value[2] == 7);
    CHECK_NUMBER(2, capped);
    CHECK(sum.n == 0 && sum.value == NULL && sum.part == NULL);
}

static void sizes_that_differ_are_refused(void)
{
    const float value[4] = {1.0F};
    struct grid grid = plain(100);
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    AUTO(grid_sum_free) struct grid_sum other = {0};
    CHECK_OK(grid_sum_new(&sum, 3, &grid));
    CHECK_OK(grid_sum_new(&other, 4, &grid));
    struct clipped in = {.n = 4, .value = value, .factor = 1.0F};
    CHECK_OK(grid_add(&other, &in, &grid));
    CHECK_STATUS(STATUS_RANGE, grid_add(&sum, &in, &grid));
    CHECK(sum.part_count == 0 && sum.part[0] == 0 && sum.value[0] == 0);

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

static void decode_is_the_inverse_of_encode(void)
{
    struct rng rng = {0};
    rng_numbered(&rng, 6);
    float value[DIM];
    for (unsigned bits = 24; bits <= 32; bits++) {
        struct grid grid = {0};
        CHECK_OK(grid_plan(&grid, 1.0, DIM, 5, 0, bits));
        for (size_t i = 0; i < DIM; i++) value[i] = (float)rng_normal(&rng);
        struct clipped in = {0};
        CHECK_OK(clip_l2(&in, &(struct update){.n = DIM, .value = value}, 1.0));
        int32_t point[DIM];
        points_of(point, &in, &grid);
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

static void memory_may_run_out(void)
{
    struct grid grid = plain(100);
    const float value[3] = {5.0F};
    OOM_EACH {
        AUTO(grid_sum_free) struct grid_sum sum = {.shrunk = 7};
        AUTO(encoded_free) struct encoded out = {0};
        enum status made = grid_sum_new(&sum, 3, &grid), sealed = STATUS_NOMEM;
        if (made == STATUS_OK) {
            struct clipped in = {.n = 3, .value = value, .factor = 1.0F};
            CHECK_OK(grid_add(&sum, &in, &grid));
            sealed = grid_seal(&out, &sum, &grid, NULL);
        }
        oom_stop();
        if (made != STATUS_OK) {
            CHECK_STATUS(STATUS_NOMEM, made);
            CHECK(sum.shrunk == 7 && sum.value == NULL && sum.part == NULL);
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
    RUN(plan_is_fine_enough_and_no_finer);
    RUN(cap_is_the_largest_that_cannot_wrap);
    RUN(plan_out_of_range_is_refused);
    RUN(foreign_grid_is_proved_again);
    RUN(rounding_is_to_nearest_even);
    RUN(encoding_is_rint_of_the_product);
    RUN(norm_never_exceeds_the_bound);
    RUN(bound_itself_is_allowed_and_one_more_is_not);
    RUN(what_is_too_large_is_dropped_at_any_bound);
    RUN(shrinking_a_little_saves_a_contribution);
    RUN(clipped_contributions_are_not_shrunk);
    RUN(long_vector_is_checked_as_a_whole);
    RUN(wide_sum_does_not_overflow);
    RUN(one_contribution_moves_the_sealed_sum_by_at_most_the_bound);
    RUN(seal_empties_the_sum_and_counts);
    RUN(sizes_that_differ_are_refused);
    RUN(decode_is_the_inverse_of_encode);
    RUN(decode_centres_the_ring);
    RUN(memory_may_run_out);
    return check_done();
}
