/* SPDX-License-Identifier: Apache-2.0 */
/* Null hypothesis: the samples are independent draws of N_Z(0, sigma^2). Five statistics, each with
 * a false-alarm rate of at most 2e-7 (FAR = exp(-LOG_FAR)), so about 1e-6 for each sampler and
 * sigma; seeds are fixed, so a pass repeats. Wrong samplers, planted as test doubles, must fail. */
#include "dp/noise.h"

#include <math.h>
#include <stdlib.h>

#include "tests/lib/check.h"

#define SAMPLES 1000000
#define LOG_FAR 15.43
#define NORMAL_FAR 5.2 /* two-sided normal quantile of 2e-7 */
#define BINS 66        /* [-4 sigma, 4 sigma) in steps of sigma / 8, and the tails */

/* Fill x with SAMPLES draws. */
typedef void sampler(int64_t *x, uint32_t sigma, struct rng *rng);

/* Facts of the law, by adding up exp(-x^2 / (2 sigma^2)) over all integers that matter. */
struct law {
    double variance, fourth; /* moments */
    double zero, beyond;     /* probability of 0, and of 4 sigma or more */
    double bin[BINS];
};

static size_t bin_of(int64_t x, uint32_t sigma)
{
    double at = floor(8.0 * (double)x / (double)sigma) + 33.0;
    return at < 0.0 ? 0 : at > 65.0 ? 65 : (size_t)at;
}

static struct law law_of(uint32_t sigma)
{
    struct law law = {0};
    double total = 0.0;
    for (int64_t x = -10 * (int64_t)sigma; x <= 10 * (int64_t)sigma; x++) {
        double z = (double)x / (double)sigma, p = exp(-z * z / 2.0), x2 = (double)x * (double)x;
        total += p;
        law.variance += p * x2;
        law.fourth += p * x2 * x2;
        law.bin[bin_of(x, sigma)] += p;
        if (llabs(x) >= 4 * (int64_t)sigma) law.beyond += p;
    }
    law.variance /= total;
    law.fourth /= total;
    law.zero = 1.0 / total;
    law.beyond /= total;
    for (size_t i = 0; i < BINS; i++) law.bin[i] /= total;
    return law;
}

/* Chernoff: a binomial of this mean is at or beyond count with probability at most exp(-result). */
static double log_rarity(double count, double mean)
{
    return count > 0.0 ? count * log(count / mean) - count + mean : mean;
}

/* Laurent and Massart 2000, lemma 1: chi-square with k degrees of freedom exceeds this with
 * probability at most FAR. Bins that expect fewer than 30 join their neighbour. */
static bool shape_fits(const size_t *seen, const struct law *law)
{
    double chi2 = 0.0, want = 0.0, got = 0.0, k = -1.0;
    for (size_t i = 0; i < BINS; i++) {
        want += SAMPLES * law->bin[i];
        got += (double)seen[i];
        if (want < 30.0) continue;
        chi2 += (got - want) * (got - want) / want;
        k += 1.0;
        want = got = 0.0;
    }
    return chi2 <= k + 2.0 * sqrt(k * LOG_FAR) + 2.0 * LOG_FAR;
}

/* Draw, and tell whether nothing speaks against the null hypothesis. */
static bool looks_right(sampler *draw, uint32_t sigma, const struct law *law)
{
    static int64_t x[SAMPLES];
    struct rng rng = {0};
    rng_numbered(&rng, sigma);
    draw(x, sigma, &rng);
    size_t seen[BINS] = {0}, beyond = 0, zeros = 0;
    double sum = 0.0, sum2 = 0.0, n = SAMPLES;
    for (size_t i = 0; i < SAMPLES; i++) {
        seen[bin_of(x[i], sigma)]++;
        beyond += llabs(x[i]) >= 4 * (int64_t)sigma;
        zeros += x[i] == 0;
        sum += (double)x[i];
        sum2 += (double)x[i] * (double)x[i];
    }
    /* The law is symmetric and sub-Gaussian with parameter sigma. */
    bool mean = fabs(sum / n) <= (double)sigma * sqrt(2.0 * (LOG_FAR + log(2.0)) / n);
    double spread = sqrt((law->fourth - law->variance * law->variance) / n);
    bool variance = fabs(sum2 / n - law->variance) <= NORMAL_FAR * spread;
    bool tail = log_rarity((double)beyond, n * law->beyond) <= LOG_FAR + log(2.0);
    bool zero = log_rarity((double)zeros, n * law->zero) <= LOG_FAR + log(2.0);
    return mean && variance && tail && zero && shape_fits(seen, law);
}

static void draw_with(int64_t *x, uint32_t sigma, enum noise_sampler how, struct rng *rng)
{
    AUTO(noise_free) struct noise noise = {0};
    CHECK_OK(noise_draw(&noise, SAMPLES, sigma, how, rng));
    for (size_t i = 0; i < SAMPLES; i++) x[i] = (int32_t)noise.value[i];
}

static void exact(int64_t *x, uint32_t sigma, struct rng *rng)
{
    draw_with(x, sigma, NOISE_EXACT, rng);
}

static void table(int64_t *x, uint32_t sigma, struct rng *rng)
{
    draw_with(x, sigma, NOISE_TABLE, rng);
}

static void one_percent_wide(int64_t *x, uint32_t sigma, struct rng *rng)
{
    exact(x, sigma >= 100 ? sigma + sigma / 100 : sigma, rng);
    /* +-1 with probability 2 % of sigma^2 adds 2 % to the variance. */
    for (size_t i = 0; i < SAMPLES && sigma < 100; i++)
        if (rng_below(rng, 100) < 2 * (uint64_t)sigma * sigma)
            x[i] += rng_below(rng, 2) == 0 ? -1 : 1;
}

static void sign_biased(int64_t *x, uint32_t sigma, struct rng *rng)
{
    exact(x, sigma, rng);
    for (size_t i = 0; i < SAMPLES; i++)
        if (rng_below(rng, 50) == 0) x[i] = llabs(x[i]);
}

static void tail_cut(int64_t *x, uint32_t sigma, struct rng *rng)
{
    exact(x, sigma, rng);
    for (size_t i = 0; i < SAMPLES; i++)
        if (llabs(x[i]) >= 4 * (int64_t)sigma) x[i] = 0;
}

/* Beyond 3 sigma, one further out. */
static void tail_off_by_one(int64_t *x, uint32_t sigma, struct rng *rng)
{
    exact(x, sigma, rng);
    for (size_t i = 0; i < SAMPLES; i++)
        if (llabs(x[i]) >= 3 * (int64_t)sigma) x[i] += x[i] < 0 ? -1 : 1;
}

/* The classic slip: zero is kept with either sign, and so comes twice as often. */
static void zero_twice(int64_t *x, uint32_t sigma, struct rng *rng)
{
    static int64_t again[SAMPLES];
    exact(x, sigma, rng);
    exact(again, sigma, rng);
    for (size_t i = 0; i < SAMPLES; i++)
        if (again[i] == 0) x[i] = 0;
}

/* Right moments, wrong shape: rounded sums of twelve uniforms. */
static void sum_of_twelve(int64_t *x, uint32_t sigma, struct rng *rng)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        double sum = -6.0;
        for (int k = 0; k < 12; k++) sum += rng_unit(rng);
        x[i] = llround(sum * (double)sigma);
    }
}

static const uint32_t SIGMAS[] = {1, 4, 100, 1000000};
static struct law laws[4];

static void samples_follow_the_law(void)
{
    for (size_t i = 0; i < 4; i++) CHECK(looks_right(exact, SIGMAS[i], &laws[i]));
    for (size_t i = 0; i < 2; i++) CHECK(looks_right(table, SIGMAS[i], &laws[i]));
    for (uint32_t sigma = 33; sigma <= 64; sigma += 31) {
        const struct law law = law_of(sigma);
        CHECK(looks_right(exact, sigma, &law));
        CHECK(looks_right(table, sigma, &law));
    }
}

static void wrong_samplers_are_caught(void)
{
    for (size_t i = 0; i < 4; i++) {
        CHECK(!looks_right(one_percent_wide, SIGMAS[i], &laws[i]));
        CHECK(!looks_right(sign_biased, SIGMAS[i], &laws[i]));
        CHECK(!looks_right(tail_cut, SIGMAS[i], &laws[i]));
        CHECK(!looks_right(sum_of_twelve, SIGMAS[i], &laws[i]));
        /* At sigma = 100 one is too little to be seen among 10^6 samples, and at 10^6 there are
         * no zeros to count. */
        if (SIGMAS[i] < 100) CHECK(!looks_right(tail_off_by_one, SIGMAS[i], &laws[i]));
        if (SIGMAS[i] <= 100) CHECK(!looks_right(zero_twice, SIGMAS[i], &laws[i]));
    }
}

int main(void)
{
    for (size_t i = 0; i < 4; i++) laws[i] = law_of(SIGMAS[i]);
    RUN(samples_follow_the_law);
    RUN(wrong_samplers_are_caught);
    return check_done();
}
