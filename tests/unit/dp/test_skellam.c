/* SPDX-License-Identifier: Apache-2.0 */
/* That the law is right is shown in tests/stats/test_skellam.c. */
#include "dp/skellam.h"

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

#define N 2000

/* Mean and variance at six deviations of what they should be. */
static void moments_are_right_at(uint64_t numerator, uint32_t denominator)
{
    struct rng rng = {0};
    rng_numbered(&rng, numerator);
    AUTO(noise_free) struct noise noise = {0};
    CHECK_OK(skellam_draw(&noise, N, numerator, denominator, &rng));
    const double variance = (double)numerator / denominator;
    double sum = 0, sum2 = 0;
    for (size_t i = 0; i < N; i++) {
        const double x = (int32_t)noise.value[i];
        sum += x;
        sum2 += x * x;
    }
    /* fourth moment 3 v^2 + v */
    CHECK(sum * sum <= 36 * N * variance);
    const double off = sum2 - N * variance;
    CHECK(off * off <= 36 * N * (2 * variance * variance + variance));
}

static void moments_are_right(void)
{
    moments_are_right_at(1, 1);
    moments_are_right_at(7, 3);
    moments_are_right_at(200, 1);
    moments_are_right_at(1, 100);
}

static void no_variance_is_no_noise(void)
{
    struct rng unused = {0};
    AUTO(noise_free) struct noise noise = {0};
    CHECK_OK(skellam_draw(&noise, 3, 0, 1, &unused));
    CHECK(noise.n == 3 && noise.value[0] == 0 && noise.value[2] == 0);
}

static void bad_arguments_are_refused(void)
{
    struct noise out = {0};
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    CHECK_STATUS(STATUS_RANGE, skellam_draw(&out, 3, SKELLAM_VARIANCE_MAX + 1, 1, &rng));
    CHECK_STATUS(STATUS_RANGE, skellam_draw(&out, 3, 2 * SKELLAM_VARIANCE_MAX + 1, 2, &rng));
    CHECK_STATUS(STATUS_RANGE, skellam_draw(&out, 3, 1, 0, &rng));
    CHECK_STATUS(STATUS_RANGE, skellam_draw(&out, 3, 1, UINT32_C(1) << 31, &rng));
    CHECK(out.value == NULL);
    AUTO(noise_free) struct noise edge = {0};
    CHECK_OK(skellam_draw(&edge, 3, 1, INT32_MAX, &rng));
}

static void memory_may_end_anywhere(void)
{
    OOM_EACH {
        AUTO(noise_free) struct noise noise = {0};
        struct rng rng = {0};
        rng_numbered(&rng, 1);
        const enum status status = skellam_draw(&noise, N, 1, 1, &rng);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((noise.value == NULL) == (status != STATUS_OK));
    }
}

int main(void)
{
    RUN(moments_are_right);
    RUN(no_variance_is_no_noise);
    RUN(bad_arguments_are_refused);
    RUN(memory_may_end_anywhere);
    return check_done();
}
