/* SPDX-License-Identifier: Apache-2.0 */
/* Null hypothesis: the samples are independent draws of a Skellam law of variance v. Chi-square of
 * all values that are expected often enough, and the sum of all samples and of their squares; each
 * with a false-alarm rate of at most 3e-7, so 1e-6 for each v; seeds are fixed. Wrong samplers must
 * fail. */
#include "dp/skellam.h"

#include <math.h>
#include <string.h>

#include "tests/lib/check.h"

#define LOG_FAR 15.02
#define NORMAL_FAR 5.13 /* two-sided normal quantile of 3e-7 */
#define REACH 400
#define WIDTH (2 * REACH + 1)

static const struct world {
    uint64_t numerator;
    uint32_t denominator;
    size_t n;
} worlds[] = {{1, 1, 1000000}, {5, 2, 400000}, {40, 1, 40000}, {1000, 1, 8000}};

static double variance_of(const struct world *w)
{
    return (double)w->numerator / w->denominator;
}

/* P(x), by adding up products of Poisson probabilities of mean v / 2. */
static void law_of(double *law, double v)
{
    static double poisson[2 * REACH + 2];
    const double mean = v / 2;
    for (size_t k = 0; k <= 2 * REACH; k++)
        poisson[k] = exp((double)k * log(mean) - mean - lgamma((double)k + 1));
    memset(law, 0, WIDTH * sizeof *law);
    for (size_t a = 0; a <= 2 * REACH; a++)
        for (size_t b = a > REACH ? a - REACH : 0; b <= 2 * REACH && b <= a + REACH; b++)
            law[REACH + a - b] += poisson[a] * poisson[b];
}

static bool looks_right(const int32_t *x, const struct world *w)
{
    static double law[WIDTH];
    static size_t seen[WIDTH];
    const double v = variance_of(w), n = (double)w->n;
    law_of(law, v);
    memset(seen, 0, sizeof seen);
    double sum = 0, sum2 = 0;
    for (size_t i = 0; i < w->n; i++) {
        if (x[i] < -REACH || x[i] > REACH) return false;
        seen[x[i] + REACH]++;
        sum += x[i];
        sum2 += (double)x[i] * x[i];
    }
    double chi2 = 0, want = 0, got = 0, k = -1;
    for (size_t i = 0; i < WIDTH; i++) {
        want += n * law[i];
        got += (double)seen[i];
        if (want < 30) continue;
        chi2 += (got - want) * (got - want) / want;
        k++;
        want = got = 0;
    }
    const bool shape = chi2 <= k + 2 * sqrt(k * LOG_FAR) + 2 * LOG_FAR;
    const bool mean = fabs(sum) <= NORMAL_FAR * sqrt(n * v);
    return shape && mean && fabs(sum2 - n * v) <= NORMAL_FAR * sqrt(n * (2 * v * v + v));
}

enum wrong { RIGHT, WIDER, BIASED, LATTICE, WRONGS };

/* What the null hypothesis is asked about: samples, and samples that were tampered with. */
static bool passes(const struct world *w, enum wrong wrong)
{
    struct rng rng = {0};
    rng_numbered(&rng, w->numerator);
    AUTO(noise_free) struct noise noise = {0};
    AUTO(noise_free) struct noise more = {0};
    CHECK_OK(skellam_draw(&noise, w->n, w->numerator, w->denominator, &rng));
    /* a fifth of the variance on top */
    CHECK_OK(skellam_draw(&more, w->n, w->numerator, 5 * w->denominator, &rng));
    for (size_t i = 0; i < w->n; i++) {
        uint32_t *x = &noise.value[i];
        if (wrong == WIDER) *x += more.value[i];
        if (wrong == BIASED && i % 10 == 0 && (int32_t)*x < 0) *x = -*x;
        if (wrong == LATTICE && i % 4 == 0) *x &= ~UINT32_C(1);
    }
    return looks_right((const int32_t *)noise.value, w);
}

static void samples_follow_the_law(void)
{
    for (size_t i = 0; i < 4; i++) CHECK(passes(&worlds[i], RIGHT));
}

static void wrong_samplers_are_caught(void)
{
    for (size_t i = 0; i < 4; i++)
        for (enum wrong wrong = WIDER; wrong < WRONGS; wrong++) {
            /* 8000 samples of a deviation of 32 do not show what the last bit does */
            if (wrong == LATTICE && i == 3) continue;
            CHECK(!passes(&worlds[i], wrong));
        }
}

int main(void)
{
    RUN(samples_follow_the_law);
    RUN(wrong_samplers_are_caught);
    return check_done();
}
