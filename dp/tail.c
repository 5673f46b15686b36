/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of positive terms from the largest one on, with the exact ratio of neighbours; only the
 * first term needs factorials, and their logs cancel in long double. */
#include "dp/tail.h"

#include <math.h>
#include <stddef.h>

#include "base/status.h"

/* Terms below this part of the sum are left out. */
#define TERM_MIN 1e-18
#define LOGIT_LIMIT 100.0
/* What a chance is raised by before it is called small: more than all rounding. */
#define CHANCE_MARGIN 1e-9

double tail_rate(double logit)
{
    return 1.0 / (1.0 + exp(-logit));
}

static long double log_factorial(uint32_t n)
{
    int sign = 0;
    return lgammal_r((long double)n + 1.0L, &sign);
}

/* log P[X = k]. */
static double log_mass(uint32_t n, uint32_t k, double logit)
{
    const long double t = (long double)logit, hits = (long double)k;
    const long double misses = (long double)(n - k);
    const long double choose = log_factorial(n) - log_factorial(k) - log_factorial(n - k);
    const long double away = t < 0.0L ? hits * t : -misses * t;
    return (double)(choose + away - (long double)n * log1pl(expl(-fabsl(t))));
}

/* P[X = j + 1] / P[X = j]. */
static double ratio_up(uint32_t n, uint32_t j, double odds)
{
    return (double)(n - j) / (double)(j + 1) * odds;
}

/* Sum of P[X = j] / P[X = from] over from <= j <= to; the terms must fall. */
static double sum_up(uint32_t n, uint32_t from, uint32_t to, double odds)
{
    double sum = 1.0, term = 1.0;
    for (uint32_t j = from; j < to && term > TERM_MIN * sum; j++) {
        term *= ratio_up(n, j, odds);
        sum += term;
    }
    return sum;
}

double tail_binomial(uint32_t n, uint32_t k, double logit)
{
    REQUIRE(k <= n && n <= TAIL_COUNT_MAX && fabs(logit) <= 300.0);
    if (k == 0) return 0.0;
    const double odds = exp(logit);
    if (ratio_up(n, k, odds) < 1.0)
        return fmin(0.0, log_mass(n, k, logit) + log(sum_up(n, k, n, odds)));
    /* The other side, mirrored: n - X is binomial with the opposite logit, and its terms fall. */
    const uint32_t mirror = n - k + 1;
    const double rest = log_mass(n, mirror, -logit) + log(sum_up(n, mirror, n, 1.0 / odds));
    return log1p(-exp(rest));
}

double tail_binomial_peak(uint32_t n, uint32_t k, double logit)
{
    REQUIRE(k >= 1 && k <= n && n <= TAIL_COUNT_MAX && fabs(logit) <= 300.0);
    const double odds = exp(logit);
    const uint32_t mode = (uint32_t)fmin((double)n, ((double)n + 1.0) * tail_rate(logit));
    if (k - 1 <= mode) return log_mass(n, k - 1, logit);
    /* The best run holds the mode and goes on below it as long as that raises the mean. */
    double sum = sum_up(n, mode, k - 1, odds), width = (double)(k - mode), term = 1.0;
    for (uint32_t j = mode; j > 0; j--) {
        term /= ratio_up(n, j - 1, odds);
        if (term * width < sum) break;
        sum += term;
        width += 1.0;
    }
    return log_mass(n, mode, logit) + log(sum / width);
}

double tail_binomial_limit(uint32_t hits, uint32_t n, double chance)
{
    REQUIRE(hits <= n && chance > 0.0 && chance < 1.0);
    if (hits == n) return (double)INFINITY;
    double low = -LOGIT_LIMIT, high = LOGIT_LIMIT;
    for (int i = 0; i < 60; i++) {
        const double middle = (low + high) / 2.0;
        if (exp(tail_binomial(n, n - hits, -middle)) * (1.0 + CHANCE_MARGIN) <= chance)
            high = middle;
        else
            low = middle;
    }
    return high;
}

double tail_normal(double x)
{
    return 0.5 * erfc(-x * M_SQRT1_2);
}

double tail_normal_inverse(double p)
{
    REQUIRE(p >= 1e-300 && p < 1.0);
    if (p > 0.5) return -tail_normal_inverse(1.0 - p);
    /* Newton on the log of the law: it is concave and rises, so from the left each step stays on
     * the left. P[Z <= x] <= exp(-x^2 / 2) / 2 gives a start on the left. */
    const double want = log(p);
    double x = -sqrt(-2.0 * want), step = 0.0;
    do {
        const double law = tail_normal(x);
        step = (want - log(law)) * law * sqrt(2.0 * M_PI) * exp(x * x / 2.0);
        x += step;
    } while (step > 1e-14 * (1.0 - x));
    return x;
}
