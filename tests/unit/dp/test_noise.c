/* SPDX-License-Identifier: Apache-2.0 */
/* That the law is right is shown in tests/stats/test_noise.c. */
#include "dp/noise.h"

#include <string.h>

#include "tests/lib/check.h"

#define N 1000

static void sum_minus_input_is_the_noise(void)
{
    AUTO(encoded_free) struct encoded in = {0};
    AUTO(encoded_free) struct encoded zero = {0};
    AUTO(noised_free) struct noised out = {0};
    AUTO(noised_free) struct noised noise = {0};
    CHECK_OK(encoded_new(&in, N));
    CHECK_OK(encoded_new(&zero, N));
    CHECK_OK(noised_new(&out, N));
    CHECK_OK(noised_new(&noise, N));
    for (size_t i = 0; i < N; i++) in.value[i] = i % 3 == 0 ? INT32_MAX : -(int32_t)i;
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    CHECK_OK(noise_add(&out, &in, 1000, &rng));
    rng_numbered(&rng, 1);
    CHECK_OK(noise_add(&noise, &zero, 1000, &rng));
    size_t zeros = 0;
    for (size_t i = 0; i < N; i++) {
        CHECK_NUMBER((uint32_t)in.value[i] + noise.value[i], out.value[i]);
        CHECK((int32_t)noise.value[i] > -20000 && (int32_t)noise.value[i] < 20000);
        zeros += noise.value[i] == 0;
    }
    CHECK(zeros < N / 10);
}

static void sigma_zero_adds_nothing(void)
{
    int32_t value[] = {0, -1, INT32_MAX, INT32_MIN};
    const uint32_t want[] = {0, 0xffffffffU, 0x7fffffffU, 0x80000000U};
    uint32_t got[4];
    struct rng unused = {0}; /* drawing from it would be a bug */
    CHECK_OK(noise_add(&(struct noised){.n = 4, .value = got},
                       &(struct encoded){.n = 4, .value = value}, 0, &unused));
    CHECK_BYTES(want, got, sizeof want);
}

static void same_seed_same_noise(void)
{
    const uint32_t sigmas[] = {1, 2, 3, 4, 255, 256, 257, 1000003, NOISE_SIGMA_MAX};
    for (size_t s = 0; s < 9; s++) {
        struct rng a = {0}, b = {0}, c = {0};
        rng_numbered(&a, s);
        rng_numbered(&b, s);
        rng_numbered(&c, s + 1000);
        int same = 0;
        for (int i = 0; i < 100; i++) {
            int64_t x = noise_sample(sigmas[s], &a);
            CHECK_NUMBER(x, noise_sample(sigmas[s], &b));
            same += x == noise_sample(sigmas[s], &c);
            int64_t reach = 15 * (int64_t)sigmas[s];
            CHECK(x >= -reach && x <= reach);
        }
        CHECK(same < 80);
    }
}

static void bad_arguments_are_refused(void)
{
    int32_t value[3] = {1, 2, 3};
    uint32_t got[4] = {9, 9, 9, 9};
    const uint32_t untouched[4] = {9, 9, 9, 9};
    struct encoded in = {.n = 3, .value = value};
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    CHECK_STATUS(STATUS_RANGE, noise_add(&(struct noised){.n = 4, .value = got}, &in, 4, &rng));
    CHECK_STATUS(STATUS_RANGE,
                 noise_add(&(struct noised){.n = 3, .value = got}, &in, NOISE_SIGMA_MAX + 1, &rng));
    CHECK_BYTES(untouched, got, sizeof got);
}

int main(void)
{
    RUN(sum_minus_input_is_the_noise);
    RUN(sigma_zero_adds_nothing);
    RUN(same_seed_same_noise);
    RUN(bad_arguments_are_refused);
    return check_done();
}
