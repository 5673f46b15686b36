/* SPDX-License-Identifier: Apache-2.0 */
/* Whole-number noise in log space, where nothing underflows; sums have positive terms only. */
#include "dp/lattice.h"

#include <math.h>
#include <stdlib.h>

#define SUM_REACH_MAX 4096u
#define SUM_SIGMA_MAX 4.0

double lattice_gaussian_tail(double sigma, uint32_t n, double tail)
{
    return ceil(sigma * sqrt(-2.0 * (double)n * log(tail))) + 1.0;
}

double lattice_skellam_tail(double variance, double tail)
{
    double want = log(tail), k = 1.0;
    for (;; k *= 1.01) {
        double s = asinh(k / variance);
        if (variance * (cosh(s) - 1.0) - s * k <= want) return ceil(k) + 1.0;
    }
}

/* Make the table a law: all chances add up to 1. What lies beyond the reach is left out of the
 * sum, and so every entry can only come out too large, by that share. */
static void normalize(struct lattice *law)
{
    double total = 1.0;
    for (uint32_t k = law->reach; k > 0; k--) total += 2.0 * exp(law->log_p[k] - law->log_p[0]);
    double shift = law->log_p[0] + log(total);
    for (uint32_t k = 0; k <= law->reach; k++) law->log_p[k] -= shift;
}

static enum status table_new(struct lattice *law, uint32_t reach)
{
    if (reach > LATTICE_REACH_MAX) return STATUS_RANGE;
    double *log_p = calloc((size_t)reach + 1, sizeof *log_p);
    if (log_p == NULL) return STATUS_NOMEM;
    *law = (struct lattice){reach, log_p};
    return STATUS_OK;
}

void lattice_free(struct lattice *law)
{
    free(law->log_p);
    *law = (struct lattice){0};
}

double lattice_log(const struct lattice *law, int64_t k)
{
    uint64_t at = (uint64_t)(k < 0 ? -k : k);
    return at <= law->reach ? law->log_p[at] : -(double)INFINITY;
}

/* out = the law of a + b, both of out's reach. */
static void add_up(struct lattice *out, const struct lattice *a, const struct lattice *b)
{
    int64_t reach = (int64_t)out->reach;
    for (int64_t k = 0; k <= reach; k++) {
        double most = -(double)INFINITY, sum = 0.0;
        for (int64_t i = k - reach; i <= reach; i++)
            most = fmax(most, lattice_log(a, i) + lattice_log(b, k - i));
        for (int64_t i = k - reach; i <= reach; i++) {
            double term = lattice_log(a, i) + lattice_log(b, k - i) - most;
            if (term > -50.0) sum += exp(term);
        }
        out->log_p[k] = most + log(sum);
    }
}

static enum status one_gaussian(struct lattice *law, double sigma, uint32_t reach)
{
    TRY(table_new(law, reach));
    for (uint32_t k = 0; k <= reach; k++)
        law->log_p[k] = -(double)k / sigma * (double)k / sigma / 2.0;
    normalize(law);
    return STATUS_OK;
}

enum status lattice_gaussian(struct lattice *law, double sigma, uint32_t n, uint32_t reach)
{
    REQUIRE(sigma > 0.0 && n >= 1);
    if (n == 1 || sigma >= SUM_SIGMA_MAX) return one_gaussian(law, sigma * sqrt((double)n), reach);
    if (reach > SUM_REACH_MAX) return STATUS_RANGE;
    AUTO(lattice_free) struct lattice power = {0};
    AUTO(lattice_free) struct lattice next = {0};
    AUTO(lattice_free) struct lattice sum = {0};
    TRY(one_gaussian(&power, sigma, reach));
    TRY(table_new(&next, reach));
    TRY(table_new(&sum, reach));
    for (uint32_t k = 1; k <= reach; k++) sum.log_p[k] = -(double)INFINITY;
    for (uint32_t left = n; left > 0; left /= 2) {
        if (left % 2 == 1) {
            add_up(&next, &sum, &power);
            struct lattice swap = sum;
            sum = next;
            next = swap;
        }
        if (left == 1) break;
        add_up(&next, &power, &power);
        struct lattice swap = power;
        power = next;
        next = swap;
    }
    *law = sum;
    sum = (struct lattice){0};
    return STATUS_OK;
}

/* P(k) / P(k-1) = r_k with r_k = 1 / (2k/variance + r_(k+1)), a recurrence that forgets where it
 * began: it starts behind the table at the ratio's asymptotic value. */
enum status lattice_skellam(struct lattice *law, double variance, uint32_t reach)
{
    REQUIRE(variance > 0.0);
    TRY(table_new(law, reach));
    double start = (double)reach + 200.0 - 0.5;
    double ratio = variance / (start + sqrt(start * start + variance * variance));
    for (uint32_t k = reach + 199; k > reach; k--) ratio = 1.0 / (2.0 * k / variance + ratio);
    for (uint32_t k = reach; k > 0; k--) {
        ratio = 1.0 / (2.0 * k / variance + ratio);
        law->log_p[k] = log(ratio);
    }
    for (uint32_t k = 1; k <= reach; k++) law->log_p[k] += law->log_p[k - 1];
    normalize(law);
    return STATUS_OK;
}

/* log sum of exp(log Q(k) + power * loss(k)) over all k where both laws are in the table. */
static double log_moment(const struct lattice *law, double power, uint32_t shift, double q)
{
    int64_t low = (int64_t)shift - (int64_t)law->reach, high = (int64_t)law->reach;
    double most = -(double)INFINITY, sum = 0.0, edge = most;
    for (int64_t k = low; k <= high; k++) {
        double base = lattice_log(law, k);
        double loss = lattice_log(law, k - (int64_t)shift) - base;
        if (q < 1.0)
            loss = loss > 0.0 ? loss + log(q + (1.0 - q) * exp(-loss)) : log1p(q * expm1(loss));
        double term = base + power * loss;
        if (k == low || k == high) edge = fmax(edge, term);
        if (term > most) {
            sum = sum * exp(most - term) + 1.0;
            most = term;
        } else {
            sum += exp(term - most);
        }
    }
    /* Log-concave terms: what was cut off is far below the edge times its length. */
    return edge < most - 50.0 ? most + log(sum) : (double)INFINITY;
}

double lattice_rdp(const struct lattice *law, double a, uint32_t shift, double q)
{
    REQUIRE(a > 1.0 && shift >= 1 && q > 0.0 && q <= 1.0);
    if (shift > law->reach) return (double)INFINITY;
    double moment = log_moment(law, a, shift, q);
    if (q < 1.0) moment = fmax(moment, log_moment(law, 1.0 - a, shift, q));
    /* the moment is a log of about 1, right to some 1e-14 */
    return fmax(0.0, (moment + 1e-13) / (a - 1.0)) * (1.0 + 1e-9);
}

double lattice_constant(const struct lattice *law, double a, uint32_t most)
{
    double constant = 0.0;
    for (uint32_t s = 1; s <= most; s++)
        constant = fmax(constant, lattice_rdp(law, a, s, 1.0) / ((double)s * (double)s));
    return constant;
}

double lattice_sum_constant(double a, double sigma, uint32_t n)
{
    REQUIRE(a > 1.0 && sigma >= 0.5 && n >= 1);
    double tau = 0.0;
    for (double k = 1.0; k < (double)n; k += 1.0)
        tau += 10.0 * exp(-2.0 * M_PI * M_PI * sigma * sigma * k / (k + 1.0));
    const double one = a / (2.0 * (double)n * sigma * sigma);
    return (one + tau * (2.0 * a - 1.0) / (a - 1.0)) * (1.0 + 1e-9);
}

double lattice_sum_continuous(double sigma, uint32_t n)
{
    const double variance = (double)n * sigma * sigma;
    REQUIRE(variance > 9.0);
    return (variance - 9.0) * (1.0 - 1e-12);
}
