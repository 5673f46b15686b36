/* SPDX-License-Identifier: Apache-2.0 */
/* Renyi curves: closed forms where there are any, integrals with positive terms where not. */
#include "dp/renyi.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "dp/rdp.h"

/* Tables of whole numbers reach far enough for orders up to this. */
#define LATTICE_ORDER_MAX 256.0
/* Above it the sampled Gaussian is interpolated between whole orders. */
#define INTEGRAL_ORDER_MAX 16.0

static double round_up(double x)
{
    return x * (1.0 + 1e-9) + DBL_MIN;
}

static double log_add(double x, double y)
{
    double high = fmax(x, y), low = fmin(x, y);
    return isinf(high) ? high : high + log1p(exp(low - high));
}

enum status renyi_new(struct renyi *curve, const struct mechanism *m)
{
    TRY(mechanism_check(m));
    struct renyi made = {.m = m};
    const double n = (double)m->shares, reach = LATTICE_ORDER_MAX * (double)m->shift;
    if (m->kind == MECHANISM_DISCRETE_GAUSSIAN) {
        const double whole = reach + lattice_gaussian_tail(m->noise, m->shares, 1e-40);
        if (!(whole <= (double)LATTICE_REACH_MAX)) return STATUS_RANGE;
        TRY(lattice_gaussian(&made.law, m->noise, m->shares, (uint32_t)whole));
    } else if (m->kind == MECHANISM_SKELLAM) {
        const double variance = n * m->noise * m->noise;
        const double whole = reach + lattice_skellam_tail(variance, 1e-40);
        if (!(whole <= (double)LATTICE_REACH_MAX)) return STATUS_RANGE;
        TRY(lattice_skellam(&made.law, variance, (uint32_t)whole));
    }
    *curve = made;
    return STATUS_OK;
}

void renyi_free(struct renyi *curve)
{
    lattice_free(&curve->law);
}

/* log E[(1 - q + q e^L)^a] over a standard normal: the trapezoid rule, whose error falls with
 * exp(-2 pi d / step) where the integrand is analytic in a strip of half width d (here pi noise,
 * in units of sigma; Trefethen, Weideman 2014). */
static double sampled_integral(double a, double z, double q)
{
    const double mu = 1.0 / z, step = fmin(0.1, 0.5 * z);
    double most = -(double)INFINITY, sum = 0.0;
    for (double x = -13.0; x < a * mu + 13.0; x += step) {
        double term = -x * x / 2.0 + a * mechanism_sampled(mu * x - mu * mu / 2.0, q);
        if (term > most) {
            sum = sum * exp(most - term) + 1.0;
            most = term;
        } else {
            sum += exp(term - most);
        }
    }
    return most + log(sum * step) - log(2.0 * M_PI) / 2.0;
}

/* (a - 1) D_a is convex in a and 0 at 1: between whole orders it lies below the straight line. */
static double sampled_gaussian(double a, double z, double q)
{
    if (a > 1e6) return a / (2.0 * z * z);
    const double below = floor(a), part = a - below;
    if (below >= 2.0 && part == 0.0) return rdp_sampled_gaussian((uint32_t)a, z * z, q);
    if (a <= INTEGRAL_ORDER_MAX) return fmax(0.0, (sampled_integral(a, z, q) + 1e-12) / (a - 1.0));
    const double low = (below - 1.0) * rdp_sampled_gaussian((uint32_t)below, z * z, q);
    const double high = below * rdp_sampled_gaussian((uint32_t)below + 1, z * z, q);
    return ((1.0 - part) * low + part * high) / (a - 1.0);
}

/* Replacing one record, sampled without replacement: Wang, Balle, Kasiviswanathan 2019, theorem 27,
 * for whole orders; the next whole one bounds a real one. The curve before sampling is that of
 * twice the sensitivity. */
static double without_replacement(double a, double z, double q)
{
    const double order = fmax(2.0, ceil(a)), z2 = z * z / 4.0;
    const double whole = order / (2.0 * z2);
    if (q == 1.0 || order > 2000.0) return whole;
    const double two = 2.0 / (2.0 * z2);
    double log_choose = log(order * (order - 1.0) / 2.0);
    double sum = 2.0 * log(q) + log_choose + fmin(log(4.0) + two + log(-expm1(-two)), M_LN2 + two);
    for (double j = 3.0; j <= order; j += 1.0) {
        log_choose += log((order - j + 1.0) / j);
        sum = log_add(sum, j * log(q) + log_choose + M_LN2 + (j - 1.0) * j / (2.0 * z2));
    }
    return fmin(whole, log_add(0.0, sum) / (order - 1.0));
}

/* Two atoms and an exponential in between (Mironov 2017), sampled in both directions by
 * Gauss-Legendre of two nodes in a thousand pieces: exact to 1e-10. */
static double laplace(double a, double b, double q)
{
    const double whole = 1.0 / b;
    if (q == 1.0) {
        double sum = log_add(log(a / (2.0 * a - 1.0)) + (a - 1.0) * whole,
                             log((a - 1.0) / (2.0 * a - 1.0)) - a * whole);
        return fmin(whole, fmax(0.0, sum / (a - 1.0)));
    }
    double worst = 0.0;
    for (int remove = 0; remove <= 1; remove++) {
        const double power = remove ? 1.0 - a : a;
        double sum = log_add(-M_LN2 + power * mechanism_sampled(-whole, q),
                             -M_LN2 - whole + power * mechanism_sampled(whole, q));
        const double width = 1.0 / 1024.0;
        for (int i = 0; i < 2048; i++) {
            const double node = (i % 2 == 0 ? -0.5 : 0.5) * 0.5773502691896257;
            const double x = ((double)(i / 2) + 0.5 + node) * width;
            sum = log_add(sum, log(width / 4.0 / b) - x / b +
                                   power * mechanism_sampled((2.0 * x - 1.0) / b, q));
        }
        worst = fmax(worst, (sum + 1e-10) / (a - 1.0));
    }
    return fmin(worst, mechanism_sampled(whole, q));
}

double renyi_at(const struct renyi *curve, double a)
{
    const struct mechanism *m = curve->m;
    REQUIRE(a > 1.0);
    switch (m->kind) {
    case MECHANISM_LAPLACE:
        return round_up(laplace(a, m->noise, m->sampling));
    case MECHANISM_GAUSSIAN:
        if (m->replace) return round_up(without_replacement(a, m->noise, m->sampling));
        if (m->sampling == 1.0) return round_up(a / (2.0 * m->noise * m->noise));
        return round_up(sampled_gaussian(a, m->noise, m->sampling));
    default:
        if (a > LATTICE_ORDER_MAX) return (double)INFINITY;
        return lattice_rdp(&curve->law, a, m->shift, m->sampling);
    }
}

double renyi_convert(double a, double rdp, double delta)
{
    const double gain = log1p(-1.0 / a), price = -(log(delta) + log(a)) / (a - 1.0);
    if (-expm1(-rdp) <= delta * delta) return 0.0;
    const double epsilon = rdp + gain + price;
    return fmax(0.0, epsilon + 1e-12 * (rdp - gain + fabs(price)));
}

static double composed(const struct renyi *curve, size_t n, double a, double delta)
{
    double rdp = 0.0;
    for (size_t i = 0; i < n; i++) rdp += (double)curve[i].m->times * renyi_at(&curve[i], a);
    return renyi_convert(a, rdp, delta);
}

struct curves {
    size_t n;
    struct renyi *at;
};

static void curves_free(struct curves *curves)
{
    for (size_t i = 0; i < curves->n; i++) renyi_free(&curves->at[i]);
    free(curves->at);
}

/* Golden section over log(a - 1): the conversion is a convex function of a over a - 1, so it falls
 * and then rises; any order's value is an upper bound, so a search that missed would still be
 * one. */
enum status renyi_epsilon(double *epsilon, const struct mechanism *list, size_t n, double delta)
{
    REQUIRE(n > 0 && delta > 0.0 && delta < 1.0);
    AUTO(curves_free) struct curves curves = {.at = calloc(n, sizeof *curves.at)};
    if (curves.at == NULL) return STATUS_NOMEM;
    bool lattice = false;
    double pure = 0.0;
    for (; curves.n < n; curves.n++) {
        TRY(renyi_new(&curves.at[curves.n], &list[curves.n]));
        lattice = lattice || curves.at[curves.n].law.log_p != NULL;
        pure += (double)list[curves.n].times * mechanism_pure(&list[curves.n]);
    }
    const double golden = 0.6180339887498949;
    double a = log(1e-4), b = log(lattice ? LATTICE_ORDER_MAX - 1.0 : RENYI_ORDER_MAX - 1.0);
    double c = b - golden * (b - a), d = a + golden * (b - a);
    double at_c = composed(curves.at, n, 1.0 + exp(c), delta),
           at_d = composed(curves.at, n, 1.0 + exp(d), delta);
    double least = fmin(pure, fmin(at_c, at_d));
    while (b - a > 1e-5) {
        if (at_c < at_d) {
            b = d, d = c, at_d = at_c;
            c = b - golden * (b - a), at_c = composed(curves.at, n, 1.0 + exp(c), delta);
        } else {
            a = c, c = d, at_c = at_d;
            d = a + golden * (b - a), at_d = composed(curves.at, n, 1.0 + exp(d), delta);
        }
        least = fmin(least, fmin(at_c, at_d));
    }
    /* Whole orders have curves of their own. */
    const double order = fmax(2.0, floor(1.0 + exp(a)));
    least = fmin(least, composed(curves.at, n, order, delta));
    *epsilon = fmin(least, composed(curves.at, n, order + 1.0, delta));
    return STATUS_OK;
}

double renyi_zcdp_epsilon(double rho, double delta)
{
    const struct mechanism m = {MECHANISM_GAUSSIAN, 1.0, 1, 1, 1.0, false, 1};
    const struct renyi curve = {.m = &m};
    double least = (double)INFINITY;
    /* a fine scan: conversions are cheap here */
    for (double t = log(1e-4); t < log(1e7); t += 1e-4) {
        const double a = 1.0 + exp(t);
        least = fmin(least, renyi_convert(a, 2.0 * rho * renyi_at(&curve, a), delta));
    }
    return least;
}

double renyi_published_gaussian(double a, double sigma, double n, double l2, double l1, double dim)
{
    double tau = 0.0;
    for (double k = 1.0; k < n; k += 1.0)
        tau += 10.0 * exp(-2.0 * M_PI * M_PI * sigma * sigma * k / (k + 1.0));
    const double r2 = l2 / (sqrt(n) * sigma), r1 = l1 / (sqrt(n) * sigma);
    const double wide = r2 + sqrt(dim) * tau;
    return round_up(
        fmin(a / 2.0 * r2 * r2 + tau * dim,
             fmin(a / 2.0 * (r2 * r2 + 2.0 * r1 * tau + tau * tau * dim), a / 2.0 * wide * wide)));
}

double renyi_published_skellam(double a, double variance, double l2, double l1)
{
    const double v = variance;
    return round_up(
        a * l2 * l2 / (2.0 * v) +
        fmin(((2.0 * a - 1.0) * l2 * l2 + 6.0 * l1) / (4.0 * v * v), 3.0 * l1 / (2.0 * v)));
}

double renyi_published_rounding(double norm, double dim, double beta)
{
    const double most = norm + sqrt(dim);
    if (beta == 0.0) return most;
    const double retried =
        norm * norm + dim / 4.0 + sqrt(-2.0 * log(beta)) * (norm + sqrt(dim) / 2.0);
    return fmin(most, sqrt(retried));
}

double renyi_published_l1(double l2, double dim)
{
    return fmin(sqrt(dim) * l2, l2 * l2);
}
