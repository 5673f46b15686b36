/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/likeness.h"

#include <math.h>
#include <stdlib.h>

#include "base/vector.h"
#include "dp/tail.h"

static double decibels(double error, size_t n)
{
    return error > 0 ? fmin(-10 * log10(error / (double)n), LIKENESS_MAX) : LIKENESS_MAX;
}

/* The products of a record's and a picture's distances from the guess, in lanes. */
struct products {
    double along, length;
};

#define LANES 8

VECTOR_CLONES static struct products likeness_products(const float *restrict record,
                                                       const float *restrict guess,
                                                       const float *restrict picture, size_t n)
{
    double along[LANES] = {0}, length[LANES] = {0};
    struct products sum = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            const double step = (double)picture[i + k] - (double)guess[i + k];
            along[k] += ((double)record[i + k] - (double)guess[i + k]) * step;
            length[k] += step * step;
        }
    for (; i < n; i++) {
        const double step = (double)picture[i] - (double)guess[i];
        sum.along += ((double)record[i] - (double)guess[i]) * step;
        sum.length += step * step;
    }
    for (size_t k = 0; k < LANES; k++) sum.along += along[k], sum.length += length[k];
    return sum;
}

struct likeness likeness_of(const float *record, const float *guess, const struct gallery *pictures)
{
    const size_t n = pictures->floats;
    const double alone = likeness_products(record, guess, record, n).length;
    double least = alone;
    struct likeness likeness = {0};
    for (size_t c = 0; c < pictures->n; c++) {
        const struct products p = likeness_products(record, guess, pictures->pixel + c * n, n);
        const double k = p.length > 0 ? fmin(fmax(p.along / p.length, 0), 1) : 0;
        const double error = alone - k * (2 * p.along - k * p.length);
        if (error >= least) continue;
        least = error;
        likeness.best = c;
    }
    likeness.guess = decibels(alone, n);
    likeness.psnr = decibels(least, n);
    return likeness;
}

double likeness_gain(const struct likeness *likeness)
{
    return likeness->psnr - likeness->guess;
}

/* The quantile 0.975 of Student's law: by the first terms of its expansion around the normal one
 * (Abramowitz and Stegun 26.7.5), to two digits from 4 degrees of freedom on. */
static double student(size_t freedom)
{
    static const double few[] = {0, 12.7062, 4.3027, 3.1824};
    if (freedom < sizeof few / sizeof *few) return few[freedom];
    const double z = tail_normal_inverse(0.975), v = (double)freedom;
    const double z2 = z * z;
    return z * (1 + (z2 + 1) / (4 * v) + ((5 * z2 + 16) * z2 + 3) / (96 * v * v) +
                (((3 * z2 + 19) * z2 + 17) * z2 - 15) / (384 * v * v * v));
}

struct likeness_mean likeness_mean(const double *value, size_t n)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) sum += value[i];
    const double mean = n > 0 ? sum / (double)n : 0;
    for (size_t i = 0; i < n; i++) squares += (value[i] - mean) * (value[i] - mean);
    const double reach = n < 2 ? 0 : student(n - 1) * sqrt(squares / (double)(n - 1) / (double)n);
    return (struct likeness_mean){mean, mean - reach, mean + reach};
}

struct placed {
    double value;
    bool first;
};

static int by_value(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

enum status likeness_compare(double *p, const double *a, size_t n_a, const double *b, size_t n_b)
{
    *p = 1;
    if (n_a == 0 || n_b == 0) return STATUS_OK;
    const size_t n = n_a + n_b;
    struct placed *all = calloc(n, sizeof *all);
    if (all == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < n; i++) all[i] = (struct placed){i < n_a ? a[i] : b[i - n_a], i < n_a};
    qsort(all, n, sizeof *all, by_value);
    double ranks = 0;
    for (size_t i = 0, ties = 0; i < n; i += ties) {
        for (ties = 1; i + ties < n && all[i + ties].value == all[i].value;) ties++;
        for (size_t k = 0; k < ties; k++)
            if (all[i + k].first) ranks += (double)i + ((double)ties + 1) / 2;
    }
    free(all);
    const double x = (double)n_a, y = (double)n_b;
    const double above = ranks - x * (x + y + 1) / 2 - 0.5; /* 1/2 for continuity */
    *p = tail_normal(-above / sqrt(x * y * (x + y + 1) / 12));
    return STATUS_OK;
}

double likeness_uniform(const uint32_t *value, size_t n, unsigned bits)
{
    const double turn = 2 * M_PI / exp2(bits);
    const uint32_t ring = UINT32_MAX >> (32 - bits);
    double x = 0, y = 0;
    for (size_t i = 0; i < n; i++) {
        x += cos(turn * (value[i] & ring));
        y += sin(turn * (value[i] & ring));
    }
    return n > 0 ? exp(-(x * x + y * y) / (double)n) : 1;
}
