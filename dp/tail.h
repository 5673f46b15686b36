/* SPDX-License-Identifier: Apache-2.0 */
/* Tails of the binomial and the normal law, for tests of hypotheses. Chances are logs where they
 * can be too small for a double. Rates are given by their logit log(p / (1 - p)), which keeps both
 * p and 1 - p exact. Relative errors are below 1e-10 for counts up to TAIL_COUNT_MAX. */
#ifndef DP_TAIL_H
#define DP_TAIL_H

#include <stdint.h>

#define TAIL_COUNT_MAX UINT32_C(10000000)

/* p of a logit. */
double tail_rate(double logit);

/* log P[X >= k] for X ~ Bin(n, p); k <= n <= TAIL_COUNT_MAX, |logit| <= 300. */
double tail_binomial(uint32_t n, uint32_t k, double logit);

/* log of the largest mean of P[X = j] over a run of values j that ends at k - 1, that is of
 * max over i in 1..k of P[k - i <= X < k] / i; 1 <= k <= n, the rest as above. */
double tail_binomial_peak(uint32_t n, uint32_t k, double logit);

/* The one-sided upper confidence limit of Clopper and Pearson for a rate of which `hits` of n were
 * seen: the logit at which hits or fewer have probability `chance`, rounded up by a relative 1e-9
 * of chance; infinity when hits == n. 0 < chance < 1. */
double tail_binomial_limit(uint32_t hits, uint32_t n, double chance);

/* P[Z <= x] of the standard normal law. */
double tail_normal(double x);

/* The x of which P[Z <= x] = p; 1e-300 <= p < 1. */
double tail_normal_inverse(double p);

#endif
