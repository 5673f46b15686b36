/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/clip.h"

#include <float.h>
#include <math.h>

#include "crypto/rng.h"
#include "tests/lib/check.h"

static double norm_of(const struct clipped *x)
{
    double sum = 0.0;
    for (size_t i = 0; i < x->n; i++) {
        double v = (double)x->factor * (double)x->value[i];
        sum += v * v;
    }
    return sqrt(sum);
}

static void short_vector_is_left_alone(void)
{
    const float value[] = {3.0F, 4.0F};
    struct update in = {.n = 2, .value = value};
    struct clipped out = {0};
    CHECK_OK(clip_l2(&out, &in, 5.0));
    CHECK(out.n == 2 && out.value == value && out.factor == 1.0F);
    CHECK_OK(clip_l2(&out, &in, (double)INFINITY));
    CHECK(out.factor == 1.0F);
}

static void long_vector_comes_to_the_bound_and_not_above(void)
{
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    float value[101];
    for (int trial = 0; trial < 200; trial++) {
        size_t n = 1 + rng_below(&rng, 101);
        float size = ldexpf(1.0F, (int)rng_below(&rng, 80) - 20);
        for (size_t i = 0; i < n; i++) value[i] = size * (float)rng_normal(&rng);
        struct clipped out = {0};
        CHECK_OK(clip_l2(&out, &(struct update){.n = n, .value = value}, 1e-7));
        CHECK(norm_of(&out) <= 1e-7 * (1.0 + 1e-12));
        CHECK(out.factor == 1.0F || norm_of(&out) >= 1e-7 * (1.0 - 1e-6));
    }
}

/* Three coordinates, an outer product of 5 x 4, one of 2 x 3 right behind it, and one more. */
static void outer_products_are_measured_as_the_vector_they_stand_for(void)
{
    enum { N = 30 };
    struct rng rng = {0};
    rng_numbered(&rng, 2);
    for (int trial = 0; trial < 200; trial++) {
        float left[7], right[7], rest[N], whole[N];
        for (size_t i = 0; i < 7; i++) left[i] = (float)rng_normal(&rng);
        for (size_t i = 0; i < 7; i++) right[i] = (float)rng_normal(&rng);
        for (size_t i = 0; i < N; i++) rest[i] = i < 3 || i == 29 ? (float)rng_normal(&rng) : NAN;
        const struct outer_product outer[] = {{3, 5, 4, left, right},
                                              {23, 2, 3, left + 5, right + 4}};
        for (size_t i = 0; i < N; i++)
            whole[i] = i < 3 || i == 29 ? rest[i]
                       : i < 23         ? left[(i - 3) / 4] * right[(i - 3) % 4]
                                        : left[5 + (i - 23) / 3] * right[4 + (i - 23) % 3];
        const struct update in = {.n = N, .value = rest, .n_outer = 2, .outer = outer};
        struct clipped out = {0}, want = {0};
        CHECK_OK(clip_l2(&out, &in, 1.0));
        CHECK_OK(clip_l2(&want, &(struct update){.n = N, .value = whole}, 1.0));
        CHECK(out.value == rest && out.n_outer == 2 && out.outer == outer);
        CHECK_CLOSE((double)want.factor, (double)out.factor, 1e-6);
        left[4] = NAN;
        CHECK_OK(clip_l2(&out, &in, 1.0));
        CHECK(out.factor == 0.0F);
    }
}

static void zero_vector_is_left_alone(void)
{
    const float value[9] = {0};
    struct clipped out = {0};
    CHECK_OK(clip_l2(&out, &(struct update){.n = 9, .value = value}, 1e-30));
    CHECK(out.factor == 1.0F);
}

static void largest_floats_do_not_overflow(void)
{
    float value[20];
    for (size_t i = 0; i < 20; i++) value[i] = FLT_MAX;
    struct clipped out = {0};
    CHECK_OK(clip_l2(&out, &(struct update){.n = 20, .value = value}, 1.0));
    CHECK(norm_of(&out) <= 1.0 + 1e-12);
}

static void vector_that_is_not_finite_gets_factor_zero(void)
{
    const float bad[] = {INFINITY, -INFINITY, NAN};
    for (size_t kind = 0; kind < 3; kind++)
        for (size_t at = 0; at < 17; at++) {
            float value[17] = {1.0F};
            value[at] = bad[kind];
            struct clipped out = {0};
            CHECK_OK(clip_l2(&out, &(struct update){.n = 17, .value = value}, 1.0));
            CHECK(out.factor == 0.0F);
            CHECK_OK(clip_l2(&out, &(struct update){.n = 17, .value = value}, (double)INFINITY));
            CHECK(out.factor == 0.0F);
        }
}

static void bound_that_is_not_positive_is_refused(void)
{
    const float value[] = {1.0F};
    struct update in = {.n = 1, .value = value};
    struct clipped out = {.n = 7, .factor = 0.5F};
    CHECK_STATUS(STATUS_RANGE, clip_l2(&out, &in, 0.0));
    CHECK_STATUS(STATUS_RANGE, clip_l2(&out, &in, -1.0));
    CHECK_STATUS(STATUS_RANGE, clip_l2(&out, &in, (double)NAN));
    CHECK(out.n == 7 && out.value == NULL && out.factor == 0.5F);
}

/* The published multipliers of the vector alone, z' = (z^-2 - (2 noise)^-2)^(-1/2), with a count
 * whose noise is a twentieth of n contributions: TensorFlow Federated, adaptive_clip_noise_params.
 */
static void a_count_takes_its_share_of_the_multiplier(void)
{
    static const struct {
        double n, z, vector;
    } known[] = {{20, 1, 1.1547}, {50, 1, 1.0206}, {100, 4, 4.3644}};
    for (size_t i = 0; i < 3; i++) {
        const struct clip_goal goal = {.first = 1, .noise = known[i].n / 20};
        const uint64_t norm2 = UINT64_C(1) << 40;
        uint32_t bit = 0;
        CHECK_OK(clip_bit(&bit, norm2, known[i].z, &goal));
        const double sigma = known[i].z * sqrt((double)norm2 + (double)bit * bit);
        CHECK_CLOSE(known[i].vector, sigma / sqrt((double)norm2), 5e-5);
        /* and the count has what was asked for: up to the rounding of the bit, and never more */
        CHECK(sigma / (2.0 * bit) <= goal.noise);
        CHECK_CLOSE(goal.noise, sigma / (2.0 * bit), 1e-5 * goal.noise);
    }
}

static void a_count_that_would_take_everything_is_refused(void)
{
    const uint64_t norm2 = UINT64_C(1) << 40;
    uint32_t bit = 77;
    struct clip_goal goal = {.first = 1, .noise = 0.5}; /* ten contributions */
    CHECK_STATUS(STATUS_RANGE, clip_bit(&bit, norm2, 1, &goal));
    CHECK_STATUS(STATUS_RANGE, clip_bit(&bit, norm2, 1.5, &goal));
    CHECK_STATUS(STATUS_RANGE, clip_bit(&bit, norm2, (double)NAN, &goal));
    CHECK_STATUS(STATUS_RANGE, clip_bit(&bit, norm2, (double)INFINITY, &goal));
    /* enough, but more than a grid can hold beside the vector */
    CHECK_STATUS(STATUS_RANGE, clip_bit(&bit, norm2, 0.99, &goal));
    CHECK_NUMBER(77, bit);
    CHECK_OK(clip_bit(&bit, norm2, 0.9, &goal));
}

static void without_noise_a_bit_is_one(void)
{
    const struct clip_goal goal = {.first = 1, .noise = 3};
    uint32_t bit = 0;
    CHECK_OK(clip_bit(&bit, UINT64_C(1) << 40, 0, &goal));
    CHECK_NUMBER(1, bit);
    CHECK_OK(clip_bit(&bit, 1, 1e-9, &goal));
    CHECK_NUMBER(1, bit);
}

static void the_clip_steps_towards_its_quantile(void)
{
    const struct clip_goal goal = {.first = 3, .quantile = 0.25, .rate = 0.2};
    CHECK(clip_next(3, 0.25, &goal) == 3);
    CHECK_CLOSE(3 * exp(-0.05), clip_next(3, 0.5, &goal), 1e-12);
    CHECK_CLOSE(3 * exp(0.03), clip_next(3, 0.1, &goal), 1e-12);
    /* noise may bring a share out of its range */
    CHECK_CLOSE(3 * exp(-0.15), clip_next(3, 70, &goal), 1e-12);
    CHECK_CLOSE(3 * exp(0.05), clip_next(3, -70, &goal), 1e-12);
}

static void the_clip_stays_near_the_first(void)
{
    const struct clip_goal goal = {.first = 3, .quantile = 0.5, .rate = 10};
    double up = 3, down = 3;
    for (size_t i = 0; i < 10; i++) {
        up = clip_next(up, 0, &goal);
        down = clip_next(down, 1, &goal);
        CHECK(clip_near(up, &goal) && clip_near(down, &goal));
    }
    CHECK(up == 3 * CLIP_DRIFT && down == 3 / CLIP_DRIFT);
    CHECK(!clip_near(nextafter(up, (double)INFINITY), &goal) &&
          !clip_near(nextafter(down, 0), &goal));
    CHECK(!clip_near((double)NAN, &goal) && !clip_near(0, &goal) && !clip_near(-3, &goal));
    CHECK(!clip_near((double)INFINITY, &goal));
}

int main(void)
{
    RUN(short_vector_is_left_alone);
    RUN(long_vector_comes_to_the_bound_and_not_above);
    RUN(outer_products_are_measured_as_the_vector_they_stand_for);
    RUN(zero_vector_is_left_alone);
    RUN(largest_floats_do_not_overflow);
    RUN(vector_that_is_not_finite_gets_factor_zero);
    RUN(bound_that_is_not_positive_is_refused);
    RUN(a_count_takes_its_share_of_the_multiplier);
    RUN(a_count_that_would_take_everything_is_refused);
    RUN(without_noise_a_bit_is_one);
    RUN(the_clip_steps_towards_its_quantile);
    RUN(the_clip_stays_near_the_first);
    return check_done();
}
