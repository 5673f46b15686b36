/* SPDX-License-Identifier: Apache-2.0 */
/* Laws of whole-number noise: tables of log P(k), symmetric around 0. */
#ifndef DP_LATTICE_H
#define DP_LATTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define LATTICE_REACH_MAX (UINT32_C(1) << 22)

struct lattice {
    uint32_t reach;
    double *log_p; /* log P(k) = log P(-k) for k = 0..reach; owned */
};

/* Where at most a chance of `tail` in (0, 1) is left on each side: Chernoff. Can exceed
 * LATTICE_REACH_MAX. */
double lattice_gaussian_tail(double sigma, uint32_t n, double tail);
double lattice_skellam_tail(double variance, double tail);

/* The sum of n discrete Gaussians of parameter sigma > 0. From sigma = 4 on it is taken for one of
 * parameter sqrt(n) sigma, to which its log is as close as rdp_sum_gap says; below, it is summed.
 * STATUS_RANGE  reach is too large (for a sum that is added up: above 4096). STATUS_NOMEM. */
MUST_USE enum status lattice_gaussian(struct lattice *law, double sigma, uint32_t n,
                                      uint32_t reach);

/* The difference of two Poisson variables, each of mean variance / 2 > 0. The same statuses. */
MUST_USE enum status lattice_skellam(struct lattice *law, double variance, uint32_t reach);
void lattice_free(struct lattice *law);

/* log P(k); -infinity beyond the reach. */
double lattice_log(const struct lattice *law, int64_t k);

/* Upper bound of the Renyi divergence of real order a > 1 between the law shifted by `shift` and
 * the law, mixed in at rate q: the larger of both directions, rounded up by 1e-9. The reach must
 * leave room: a * shift and a dozen deviations. Infinite when the sum has not died out at the
 * reach. */
double lattice_rdp(const struct lattice *law, double a, uint32_t shift, double q);

/* max over s = 1..most of rdp(a, s) / s^2: an integer vector x with |x_j| <= most costs at most
 * this times |x|^2, because noise of different coordinates is independent. */
double lattice_constant(const struct lattice *law, double a, uint32_t most);

/* The same for the sum of n discrete Gaussians of parameter sigma >= 1/2 and shifts of any size:
 * a / (2 n sigma^2) + tau (2a-1) / (a-1), rounded up by 1e-9; nothing for each coordinate
 * (dp/SPEC.md, section 7). */
double lattice_sum_constant(double a, double sigma, uint32_t n);

/* Continuous Gaussian noise of this variance, rounded by chance, is that sum for n sigma^2 > 9, up
 * to a factor of exp(1e-65) in 2^28 coordinates: what bounds the one bounds the other. */
double lattice_sum_continuous(double sigma, uint32_t n);

#endif
