/* SPDX-License-Identifier: Apache-2.0 */
/* Renyi curves at real orders of everything that mechanism.h names, for reports and comparisons;
 * and the bounds that others published for sums of whole-number noise. All are upper bounds. The
 * gate of a site is dp/account.h, at integer orders. */
#ifndef DP_RENYI_H
#define DP_RENYI_H

#include <stddef.h>

#include "dp/mechanism.h"

/* A mechanism ready to be asked for many orders. */
struct renyi {
    const struct mechanism *m; /* borrowed */
    struct lattice law;        /* of whole numbers */
};
#define RENYI_ORDER_MAX 1e9

/* STATUS_RANGE  a mechanism that mechanism_check refuses, or too wide for a table. STATUS_NOMEM.
 * curve is untouched. */
MUST_USE enum status renyi_new(struct renyi *curve, const struct mechanism *m);
void renyi_free(struct renyi *curve);

/* One release's curve at a real order a > 1; infinite where nothing is known. */
double renyi_at(const struct renyi *curve, double a);

/* Epsilon at delta in (0, 1) from a composed curve at one order (Canonne, Kamath, Steinke 2020,
 * proposition 12), not below 0. */
double renyi_convert(double a, double rdp, double delta);

/* The smallest epsilon over real orders of n mechanisms together. The same statuses; epsilon is
 * untouched. */
MUST_USE enum status renyi_epsilon(double *epsilon, const struct mechanism *list, size_t n,
                                   double delta);

/* rho-zCDP: the curve a rho, over all real orders. */
double renyi_zcdp_epsilon(double rho, double delta);

/* Published: order a, sum of n shares of parameter sigma >= 1/2, integer vectors in dim coordinates
 * with L2 norm l2 and L1 norm l1 (grid units). Kairouz, Liu, Steinke 2021, proposition 14. */
double renyi_published_gaussian(double a, double sigma, double n, double l2, double l1, double dim);
/* Total variance V. Agarwal, Kairouz, Liu 2021, theorem 3.5; integer a. */
double renyi_published_skellam(double a, double variance, double l2, double l1);
/* L2 norm bound of a vector of norm `norm` (grid units) after randomised rounding in dim
 * coordinates, retried until it holds; beta in [0, 1), 0: without retries. Kairouz, Liu, Steinke
 * 2021, theorem 1. And the L1 norm that comes with an L2 norm of integers. */
double renyi_published_rounding(double norm, double dim, double beta);
double renyi_published_l1(double l2, double dim);

#endif
