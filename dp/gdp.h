/* SPDX-License-Identifier: Apache-2.0 */
/* Gaussian differential privacy: mu = sensitivity / sigma, and mu^2 adds up over releases. Exact
 * for continuous Gaussian noise without sampling (Dong, Roth, Su 2022; Balle, Wang 2018). */
#ifndef DP_GDP_H
#define DP_GDP_H

/* log delta at epsilon >= 0 for mu > 0: theorem 8 of Balle and Wang, in log space. */
double gdp_log_delta(double mu, double epsilon);

/* The smallest epsilon at delta in (0, 1), rounded up by a relative 1e-12; 0 for mu = 0. */
double gdp_epsilon(double mu, double delta);

/* The mu that many Poisson-sampled Gaussians tend to (central limit theorem; Bu, Dong, Long, Su
 * 2020): an approximation, which can lie below the truth. Never a guarantee. */
double gdp_sampled_mu(double z, double sampling, double times);

#endif
