/* SPDX-License-Identifier: Apache-2.0 */
/* That the law is right is shown in tests/stats/test_noise.c. */
#include "dp/noise.h"

#include <math.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

#define N 1000

static void draw(struct noise *out, uint32_t sigma, enum noise_sampler sampler, uint64_t seed)
{
    struct rng rng = {0};
    rng_numbered(&rng, seed);
    CHECK_OK(noise_draw(out, N, sigma, sampler, &rng));
}

static void the_noise_is_added_modulo_2_to_the_32_and_used_up(void)
{
    int32_t value[] = {0, -1, INT32_MAX, INT32_MIN};
    const uint32_t want[] = {5, 0xfffffffeU, 0x80000006U, 0x7ffffff8U};
    AUTO(noise_free) struct noise noise = {0};
    CHECK_OK(noise_new(&noise, 4));
    noise.value[0] = 5;
    noise.value[1] = (uint32_t)-1;
    noise.value[2] = 7;
    noise.value[3] = (uint32_t)-8;
    AUTO(noised_free) struct noised out = {0};
    CHECK_OK(noise_add(&out, &(struct encoded){.n = 4, .value = value}, &noise));
    CHECK_NUMBER(4, out.n);
    CHECK_BYTES(want, out.value, sizeof want);
    CHECK(noise.n == 0 && noise.value == NULL);
}

static void noise_of_another_size_is_refused(void)
{
    int32_t value[3] = {1, 2, 3};
    AUTO(noise_free) struct noise noise = {0};
    CHECK_OK(noise_new(&noise, 4));
    noise.value[0] = 9;
    struct noised out = {0};
    CHECK_STATUS(STATUS_RANGE, noise_add(&out, &(struct encoded){.n = 3, .value = value}, &noise));
    CHECK(out.value == NULL && noise.n == 4 && noise.value[0] == 9);
}

static void sigma_zero_is_no_noise(void)
{
    static const uint32_t zero[N];
    for (enum noise_sampler sampler = 0; sampler < NOISE_SAMPLERS; sampler++) {
        AUTO(noise_free) struct noise noise = {0};
        struct rng unused = {0}; /* drawing from it would be a bug */
        CHECK_OK(noise_draw(&noise, N, 0, sampler, &unused));
        CHECK_BYTES(zero, noise.value, sizeof zero);
    }
}

static void same_seed_same_noise_and_none_out_of_reach(void)
{
    static const uint32_t sigmas[] = {1, 2, 3, 4, 64, 255, 256, 257, 1000003};
    for (size_t i = 0; i < 2 * 9; i++) {
        const uint32_t sigma = sigmas[i / 2];
        const enum noise_sampler sampler = i % 2 == 0 ? NOISE_EXACT : NOISE_TABLE;
        if (sampler == NOISE_TABLE && sigma > NOISE_TABLE_SIGMA_MAX) continue;
        AUTO(noise_free) struct noise a = {0};
        AUTO(noise_free) struct noise b = {0};
        AUTO(noise_free) struct noise c = {0};
        draw(&a, sigma, sampler, 1);
        draw(&b, sigma, sampler, 1);
        draw(&c, sigma, sampler, 2);
        size_t same = 0, zeros = 0;
        for (size_t k = 0; k < N; k++) {
            CHECK_NUMBER(a.value[k], b.value[k]);
            same += a.value[k] == c.value[k];
            zeros += a.value[k] == 0;
            CHECK(a.value[k] + 15 * sigma <= 30 * sigma);
        }
        CHECK(same < N / 2 && zeros < N / 2);
    }
}

static void the_rational_path_has_the_same_samples(void)
{
    AUTO(noise_free) struct noise whole = {0};
    AUTO(noise_free) struct noise rational = {0};
    draw(&whole, 30, NOISE_EXACT, 3);
    struct rng rng = {0};
    rng_numbered(&rng, 3);
    CHECK_OK(noise_draw_rational(&rational, N, 2700, 3, &rng));
    CHECK_BYTES(whole.value, rational.value, N * sizeof *whole.value);
}

static void bad_arguments_are_refused(void)
{
    struct noise out = {0};
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    const uint64_t most = (uint64_t)NOISE_SIGMA_MAX * NOISE_SIGMA_MAX;
    CHECK_STATUS(STATUS_RANGE, noise_draw(&out, N, NOISE_SIGMA_MAX + 1, NOISE_EXACT, &rng));
    CHECK_STATUS(STATUS_RANGE, noise_draw(&out, N, NOISE_TABLE_SIGMA_MAX + 1, NOISE_TABLE, &rng));
    CHECK_STATUS(STATUS_RANGE, noise_draw(&out, N, 4, NOISE_SAMPLERS, &rng));
    CHECK_STATUS(STATUS_RANGE, noise_draw_rational(&out, N, 0, 1, &rng));
    CHECK_STATUS(STATUS_RANGE, noise_draw_rational(&out, N, 1, 0, &rng));
    CHECK_STATUS(STATUS_RANGE, noise_draw_rational(&out, N, most + 1, 1, &rng));
    CHECK_STATUS(STATUS_RANGE, noise_draw_rational(&out, N, 2 * most + 1, 2, &rng));
    CHECK(out.n == 0 && out.value == NULL);
    AUTO(noise_free) struct noise largest = {0};
    CHECK_OK(noise_draw_rational(&largest, 1, 2 * most, 2, &rng));
}

static void memory_may_end_anywhere(void)
{
    for (enum noise_sampler sampler = 0; sampler < NOISE_SAMPLERS; sampler++) {
        OOM_EACH {
            AUTO(noise_free) struct noise noise = {0};
            struct rng rng = {0};
            rng_numbered(&rng, 1);
            const enum status status = noise_draw(&noise, N, 4, sampler, &rng);
            oom_stop();
            if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
            CHECK((noise.value == NULL) == (status != STATUS_OK));
        }
    }
    OOM_EACH {
        AUTO(noise_free) struct noise noise = {0};
        struct rng rng = {0};
        rng_numbered(&rng, 1);
        const enum status status = noise_draw_rational(&noise, 3, 4, 3, &rng);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((noise.value == NULL) == (status != STATUS_OK));
    }
}

static void no_table_is_further_from_the_law_than_is_charged(void)
{
    for (uint32_t sigma = 1; sigma <= NOISE_TABLE_SIGMA_MAX; sigma++)
        CHECK(noise_table_distance(sigma) <= NOISE_TABLE_LOG2_DISTANCE);
}

static void a_table_costs_its_distance_on_both_sides(void)
{
    CHECK_CLOSE(0, noise_delta(NOISE_EXACT, 0x1p60, 3), 0);
    CHECK_CLOSE((1 + exp(3.0)) * 0x1p-57, noise_delta(NOISE_TABLE, 0x1p60, 3), 0x1p-75);
    CHECK(noise_delta(NOISE_TABLE, 0x1p60, 3) > (1 + exp(3.0)) * 0x1p-57);
}

int main(void)
{
    RUN(the_noise_is_added_modulo_2_to_the_32_and_used_up);
    RUN(noise_of_another_size_is_refused);
    RUN(sigma_zero_is_no_noise);
    RUN(same_seed_same_noise_and_none_out_of_reach);
    RUN(the_rational_path_has_the_same_samples);
    RUN(bad_arguments_are_refused);
    RUN(memory_may_end_anywhere);
    RUN(no_table_is_further_from_the_law_than_is_charged);
    RUN(a_table_costs_its_distance_on_both_sides);
    return check_done();
}
