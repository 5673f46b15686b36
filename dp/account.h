/* SPDX-License-Identifier: Apache-2.0 */
/* Compose releases, convert to (epsilon, delta), for a named adversary. At one order that was fixed
 * before the first release an account is a filter: releases, their noise and their number may be
 * chosen by what came out before (Feldman, Zrnic 2021). The best order taken afterwards is for
 * schedules that were fixed in advance, and for reports that say so. */
#ifndef DP_ACCOUNT_H
#define DP_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "dp/rdp.h"

/* One noisy integer sum, as it is released. Sensitivity is sqrt(norm2), under adding or removing
 * one contribution (a record: unit patient; a site's update: unit site). */
struct release {
    uint64_t norm2; /* squared L2 bound of one contribution, grid units^2 */
    uint32_t sigma; /* parameter of one site's share, grid units; 0: no noise, epsilon infinite */
    uint32_t n_shares;  /* noise shares that the adversary does not know: honest survivors */
    uint64_t dim;       /* coordinates */
    double sampling;    /* Poisson rate of contributions at the site, coins kept there; 1: all */
    uint32_t removable; /* dropouts for which a site's noise has parts that are taken away when they
                         * do not happen (dp/xnoise.h): then n_shares is all there ever is, and what
                         * one site keeps may be less than a share */
};

struct account {
    double rdp[RDP_ORDERS]; /* may be infinite */
};

/* Add `times` equal releases, each with coins of its own. All that one sampled batch gives in a
 * round is one release, with the norm2 of everything together and the smallest n_shares: sampled
 * curves of shared coins must not be added (dp/SPEC.md).
 *
 * STATUS_RANGE  norm2, n_shares or dim 0, sampling outside (0, 1], or sigma neither 0 nor within
 *               NOISE_SIGMA_MIN..NOISE_SIGMA_MAX; account is untouched. */
MUST_USE enum status account_add(struct account *account, const struct release *release,
                                 uint32_t times);

/* Smallest epsilon over the orders at delta (Canonne, Kamath, Steinke 2020, proposition 12),
 * rounded up by 1e-9; infinity when nothing is bounded; 0 for an empty account. delta in (0, 1), or
 * it is a bug. */
double account_epsilon(const struct account *account, double delta);

/* The same at RDP_ORDER[order] alone: what a budget is checked with. order < RDP_ORDERS. */
double account_epsilon_at(const struct account *account, uint32_t order, double delta);

/* An epsilon for people: rounded up to four decimals, so that what is printed with %.4f is never
 * below what was computed. */
double account_rounded(double epsilon);

/* A noise multiplier for people: rounded down to four decimals, so that it is never above what
 * there is. */
double account_multiplier_rounded(double z);

/* What calibration needs to know of a study: `rounds` equal releases, one exploration,
 * `evaluations` equal ones that no sampling makes cheaper, and votes. */
struct account_goal {
    double epsilon; /* target; may be infinite */
    double delta;
    double sampling; /* Poisson rate, in rounds and in the exploration */
    uint32_t rounds;
    double exploration_ratio; /* noise multiplier of the exploration over a round's; 0: none */
    uint32_t evaluations;
    double evaluation_ratio; /* likewise; above 0 where there are evaluations */
    uint32_t votes;          /* equal ones that sample as a round does */
    double vote_ratio;       /* likewise; above 0 where there are votes */
};

/* The smallest noise multiplier z = sqrt(n_shares) sigma / sqrt(norm2) of a training round that
 * meets the goal (to a relative 1e-6, rounded up), and the order at which it does (may be NULL);
 * z is 0 when epsilon is infinite.
 * STATUS_RANGE  no z up to 1e6 meets it, or a value outside its range; outputs are untouched. */
MUST_USE enum status account_calibrate(double *z, uint32_t *order, const struct account_goal *goal);

/* The share that gives multiplier z with n_shares: ceil(z sqrt(norm2) / sqrt(n_shares)), at least
 * NOISE_SIGMA_MIN; 0 when z is 0.
 * STATUS_RANGE  above NOISE_SIGMA_MAX, or z negative, or norm2 or n_shares 0; sigma is untouched.
 */
MUST_USE enum status account_share(uint32_t *sigma, double z, uint64_t norm2, uint32_t n_shares);

#endif
