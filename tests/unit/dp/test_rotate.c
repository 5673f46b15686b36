/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/rotate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

enum { MOST = 20000 };

static const uint8_t seed[RNG_SEED_BYTES] = {42};

static double norm_of(const float *value, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += (double)value[i] * (double)value[i];
    return sqrt(sum);
}

static void fill(float *value, size_t n, struct rng *rng)
{
    for (size_t i = 0; i < n; i++) value[i] = (float)rng_normal(rng);
}

/* By the definition: entry (i, k) of the transform is -1 to the number of common bits. */
static void plain_transform(double *value, size_t p)
{
    double out[512];
    for (size_t i = 0; i < p; i++) {
        out[i] = 0.0;
        for (size_t k = 0; k < p; k++)
            out[i] += __builtin_popcountll(i & k) % 2 == 0 ? value[k] : -value[k];
    }
    memcpy(value, out, p * sizeof *out);
}

static void it_is_signs_and_transform_of_the_first_and_of_the_last(void)
{
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    for (size_t n = 1; n <= 512; n += n < 70 ? 1 : 63) {
        AUTO(rotate_free) struct rotate rotate = {0};
        CHECK_OK(rotate_new(&rotate, n, seed));
        CHECK(rotate.p <= n && 2 * rotate.p > n);
        CHECK_NUMBER(rotate.p, rotate_spread(n));
        float value[512];
        double want[512];
        fill(value, n, &rng);
        for (size_t i = 0; i < n; i++) want[i] = (double)value[i];
        for (size_t i = 0; i < rotate.p; i++) want[i] *= (double)rotate.sign[i];
        plain_transform(want, rotate.p);
        double *last = want + (n - rotate.p);
        if (n > rotate.p) {
            for (size_t i = 0; i < rotate.p; i++) last[i] *= (double)rotate.sign[rotate.p + i];
            plain_transform(last, rotate.p);
        }
        rotate_forth(&rotate, value);
        for (size_t i = 0; i < n; i++) CHECK_CLOSE(want[i], (double)value[i], 1e-5);
    }
}

static float *floats(size_t n)
{
    float *value = calloc(n, sizeof *value);
    REQUIRE(value != NULL);
    return value;
}

static void free_floats(float **value)
{
    free(*value);
}

static void norms_stay_and_back_undoes_forth(void)
{
    static const size_t sizes[] = {1, 2, 3, 4, 7, 8, 15, 31, 33, 100, 4095, 4096, 4097, 8192, MOST};
    struct rng rng = {0};
    rng_numbered(&rng, 2);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const size_t n = sizes[s];
        AUTO(rotate_free) struct rotate rotate = {0};
        AUTO(free_floats) float *value = floats(n);
        AUTO(free_floats) float *was = floats(n);
        CHECK_OK(rotate_new(&rotate, n, seed));
        fill(value, n, &rng);
        memcpy(was, value, n * sizeof *was);
        const double norm = norm_of(value, n);
        rotate_forth(&rotate, value);
        CHECK_CLOSE(norm, norm_of(value, n), 1e-5 * norm);
        rotate_back(&rotate, value);
        for (size_t i = 0; i < n; i++) CHECK_CLOSE((double)was[i], (double)value[i], 2e-5);
    }
}

/* 15 norms / sqrt(p): over all coordinates tried here the chance is below 1e-40. */
static void a_spike_anywhere_becomes_flat(void)
{
    for (size_t at = 0; at < MOST; at += 199) {
        AUTO(rotate_free) struct rotate rotate = {0};
        AUTO(free_floats) float *value = floats(MOST);
        const uint8_t own[RNG_SEED_BYTES] = {(uint8_t)at, (uint8_t)(at >> 8)};
        CHECK_OK(rotate_new(&rotate, MOST, own));
        value[at] = 1.0F;
        rotate_forth(&rotate, value);
        float largest = 0.0F;
        for (size_t i = 0; i < MOST; i++) largest = fmaxf(largest, fabsf(value[i]));
        CHECK((double)largest <= 15.0 / sqrt((double)rotate.p));
    }
}

static void signs_follow_from_the_seed_and_are_even(void)
{
    AUTO(rotate_free) struct rotate a = {0}, b = {0}, c = {0};
    const uint8_t other[RNG_SEED_BYTES] = {43};
    CHECK_OK(rotate_new(&a, MOST, seed));
    CHECK_OK(rotate_new(&b, MOST, seed));
    CHECK_OK(rotate_new(&c, MOST, other));
    CHECK_BYTES(a.sign, b.sign, 2 * a.p * sizeof *a.sign);
    size_t minus = 0, same = 0, twice = 0;
    for (size_t i = 0; i < 2 * a.p; i++) {
        minus += a.sign[i] < 0.0F;
        same += a.sign[i] == c.sign[i];
        if (i < a.p) twice += a.sign[i] == a.sign[a.p + i];
    }
    /* 2 p = 32768 coins: beyond six deviations with a chance of 2e-9, and of p likewise. */
    CHECK_CLOSE((double)a.p, (double)minus, 6 * 0.5 * sqrt(2.0 * (double)a.p));
    CHECK_CLOSE((double)a.p, (double)same, 6 * 0.5 * sqrt(2.0 * (double)a.p));
    CHECK_CLOSE((double)a.p / 2, (double)twice, 6 * 0.5 * sqrt((double)a.p));
}

static void memory_may_run_out(void)
{
    OOM_EACH {
        AUTO(rotate_free) struct rotate rotate = {0};
        enum status status = rotate_new(&rotate, 100, seed);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((rotate.sign == NULL && rotate.n == 0) == (status != STATUS_OK));
    }
}

int main(void)
{
    RUN(it_is_signs_and_transform_of_the_first_and_of_the_last);
    RUN(norms_stay_and_back_undoes_forth);
    RUN(a_spike_anywhere_becomes_flat);
    RUN(signs_follow_from_the_seed_and_are_even);
    RUN(memory_may_run_out);
    return check_done();
}
