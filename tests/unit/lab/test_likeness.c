/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/likeness.h"

#include <math.h>

#include "crypto/rng.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

enum { PIXELS = 11 };

static void an_equal_picture_is_found(void)
{
    float guess[PIXELS], pixel[3 * PIXELS] = {0}, record[PIXELS];
    for (size_t i = 0; i < PIXELS; i++) {
        guess[i] = 0.5F;
        record[i] = pixel[2 * PIXELS + i] = (float)i / 16;
        pixel[i] = 1;
    }
    const struct gallery gallery = {3, PIXELS, pixel};
    const struct likeness likeness = likeness_of(record, guess, &gallery);
    CHECK_NUMBER(2, likeness.best);
    CHECK_CLOSE(LIKENESS_MAX, likeness.psnr, 0);
    double error = 0;
    for (size_t i = 0; i < PIXELS; i++) error += pow((double)record[i] - 0.5, 2) / PIXELS;
    CHECK_CLOSE(-10 * log10(error), likeness.guess, 1e-9);
    CHECK_CLOSE(LIKENESS_MAX - likeness.guess, likeness_gain(&likeness), 1e-12);
}

/* The record lies half way to the picture; a hundredth is off in each pixel after that. */
static void a_picture_is_blended_with_the_guess(void)
{
    float guess[PIXELS] = {0}, pixel[PIXELS] = {0}, record[PIXELS] = {0};
    pixel[0] = 1;
    record[0] = 0.5F;
    record[1] = 0.01F;
    const struct gallery gallery = {1, PIXELS, pixel};
    const struct likeness likeness = likeness_of(record, guess, &gallery);
    CHECK_CLOSE(10 * log10(PIXELS / 1e-4), likeness.psnr, 1e-5);
    /* Never beyond the picture, and never away from it. */
    record[0] = 0.9F;
    pixel[0] = 0.6F;
    CHECK_CLOSE(10 * log10(PIXELS / (0.09 + 1e-4)), likeness_of(record, guess, &gallery).psnr,
                1e-5);
    guess[0] = 1;
    record[0] = 1;
    CHECK_CLOSE(likeness_of(record, guess, &gallery).guess,
                likeness_of(record, guess, &gallery).psnr, 0);
}

static void intervals_are_those_of_the_t_tables(void)
{
    static const struct {
        size_t n;
        double t;
    } row[] = {{2, 12.706}, {3, 4.303}, {4, 3.182}, {5, 2.776}, {9, 2.306}, {31, 2.042}};
    for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
        double value[31], squares = 0;
        const size_t n = row[k].n;
        for (size_t i = 0; i < n; i++) value[i] = (double)i;
        const double mean = (double)(n - 1) / 2;
        for (size_t i = 0; i < n; i++) squares += pow((double)i - mean, 2);
        const double error = sqrt(squares / (double)(n - 1) / (double)n);
        const struct likeness_mean m = likeness_mean(value, n);
        CHECK_CLOSE(mean, m.mean, 1e-12);
        CHECK_CLOSE(row[k].t, (m.high - m.mean) / error, 0.01);
        CHECK_CLOSE(m.high - m.mean, m.mean - m.low, 1e-12);
    }
    const double one = 7;
    CHECK_CLOSE(7, likeness_mean(&one, 1).low, 0);
    CHECK_CLOSE(0, likeness_mean(&one, 0).mean, 0);
}

/* scipy.stats.mannwhitneyu(a, b, alternative="greater", method="asymptotic") without its correction
 * for ties, which would make it smaller. */
static void ranks_are_compared_as_mann_and_whitney_do(void)
{
    const double a[] = {19, 22, 16, 29, 24}, b[] = {20, 11, 17, 12};
    double p = 0;
    CHECK_OK(likeness_compare(&p, a, 5, b, 4));
    CHECK_CLOSE(0.055673, p, 1e-5); /* U = 17 */
    CHECK_OK(likeness_compare(&p, b, 4, a, 5));
    CHECK_CLOSE(1 - 0.0331, p, 1e-3); /* U = 3 */
    const double same[] = {1, 1, 1, 1, 1, 1};
    CHECK_OK(likeness_compare(&p, same, 6, same, 6));
    CHECK(p > 0.5 && p < 0.6);
    CHECK_OK(likeness_compare(&p, a, 0, b, 4));
    CHECK_CLOSE(1, p, 0);
    CHECK_OK(likeness_compare(&p, a, 5, b, 0));
    CHECK_CLOSE(1, p, 0);
}

/* Of what is drawn alike, a tenth has a p below a tenth: 400 times, give or take 6 deviations. */
static void chances_are_honest(void)
{
    size_t low = 0, uniform = 0;
    struct rng rng = {0};
    rng_numbered(&rng, 4);
    for (size_t k = 0; k < 4000; k++) {
        double a[12], b[30], p = 0;
        uint32_t value[50];
        for (size_t i = 0; i < 12; i++) a[i] = rng_unit(&rng);
        for (size_t i = 0; i < 30; i++) b[i] = rng_unit(&rng);
        CHECK_OK(likeness_compare(&p, a, 12, b, 30));
        low += p < 0.1;
        rng_bytes(&rng, value, sizeof value);
        uniform += likeness_uniform(value, 50, 20) < 0.1;
    }
    CHECK(low > 286 && low < 514);
    CHECK(uniform > 286 && uniform < 514);
}

static void what_lies_around_zero_is_not_uniform(void)
{
    uint32_t value[40];
    for (uint32_t i = 0; i < 40; i++) value[i] = (uint32_t)((int32_t)i * 100 - 2000);
    CHECK(likeness_uniform(value, 40, 32) < 1e-12);
    CHECK(likeness_uniform(value, 40, 16) < 1e-12);
    CHECK_CLOSE(1, likeness_uniform(value, 0, 32), 0);
    for (uint32_t i = 0; i < 40; i++) value[i] = i << 27 | 5; /* once and a quarter around */
    CHECK(likeness_uniform(value, 40, 32) > 0.01);
}

static void memory_may_end(void)
{
    const double a[] = {1, 2}, b[] = {3};
    OOM_EACH {
        double p = 0;
        const enum status status = likeness_compare(&p, a, 2, b, 1);
        oom_stop();
        CHECK(status == STATUS_OK || status == STATUS_NOMEM);
    }
}

int main(void)
{
    RUN(an_equal_picture_is_found);
    RUN(a_picture_is_blended_with_the_guess);
    RUN(intervals_are_those_of_the_t_tables);
    RUN(ranks_are_compared_as_mann_and_whitney_do);
    RUN(chances_are_honest);
    RUN(what_lies_around_zero_is_not_uniform);
    RUN(memory_may_end);
    return check_done();
}
