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

int main(void)
{
    RUN(short_vector_is_left_alone);
    RUN(long_vector_comes_to_the_bound_and_not_above);
    RUN(zero_vector_is_left_alone);
    RUN(largest_floats_do_not_overflow);
    RUN(vector_that_is_not_finite_gets_factor_zero);
    RUN(bound_that_is_not_positive_is_refused);
    return check_done();
}
