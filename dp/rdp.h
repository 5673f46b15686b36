/* SPDX-License-Identifier: Apache-2.0 */
/* Renyi differential privacy at integer orders of the mechanisms in use. All results are upper
 * bounds: rounded up by a relative 1e-9. */
#ifndef DP_RDP_H
#define DP_RDP_H

#include <stddef.h>
#include <stdint.h>

/* 2 to 128 one by one, then 160, 192, 224, 256, 320, 384, 512 and 1024. */
#define RDP_ORDERS 135
extern const uint32_t RDP_ORDER[RDP_ORDERS];

/* Orders are integers >= 2 in all of this file.
 *
 * Order a of a discrete (or continuous) Gaussian release with squared noise multiplier z2 =
 * sigma^2 / sensitivity^2 > 0: a / (2 z2). */
double rdp_gaussian(uint32_t order, double z2);

/* The same under Poisson sampling at rate q in [0, 1]: Mironov, Talwar, Zhang 2019, equation 3, for
 * integer orders. Exact for the discrete Gaussian with integer shift (dp/SPEC.md). */
double rdp_sampled_gaussian(uint32_t order, double z2, double q);

/* At least the discrete Gaussians that the noise of a sum is made of: shares times their parts. */
#define RDP_ADDENDS_MAX 65536u

/* Upper bound of the RDP of order a that is to be added because the sum of n discrete Gaussians of
 * parameters sigma >= NOISE_SIGMA_MIN or more each, in dim coordinates, is not exactly one of their
 * variances' sum: dim tau (2a-1) / (a-1), sampled or not (dp/SPEC.md), with tau from Kairouz, Liu,
 * Steinke 2021. Below 1e-50 for any sum that a ring can hold. */
double rdp_sum_gap(uint32_t order, uint32_t sigma, uint32_t n, uint64_t dim);

#endif
