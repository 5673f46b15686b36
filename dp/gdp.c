/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/gdp.h"

#include <math.h>

#include "base/status.h"

/* log of the chance that a standard normal is below x. */
static double log_normal(double x)
{
    if (x > 0.0) return log1p(-erfc(x / M_SQRT2) / 2.0);
    if (x > -30.0) return log(erfc(-x / M_SQRT2) / 2.0);
    /* erfc would underflow: its asymptotic series, cut after a term that falls short */
    double y = 1.0 / (x * x);
    double series = y * (-1.0 + y * (3.0 + y * (-15.0 + y * (105.0 - 945.0 * y))));
    return -x * x / 2.0 - log(-x) - log(2.0 * M_PI) / 2.0 + log1p(series);
}

double gdp_log_delta(double mu, double epsilon)
{
    REQUIRE(mu > 0.0 && epsilon >= 0.0);
    double whole = log_normal(mu / 2.0 - epsilon / mu);
    double less = epsilon + log_normal(-mu / 2.0 - epsilon / mu);
    return whole + log(-expm1(fmin(less - whole, -1e-300)));
}

double gdp_epsilon(double mu, double delta)
{
    REQUIRE(mu >= 0.0 && delta > 0.0 && delta < 1.0);
    if (isinf(mu)) return (double)INFINITY;
    double target = log(delta), low = 0.0, high = 1.0;
    if (mu == 0.0 || gdp_log_delta(mu, 0.0) <= target) return 0.0;
    while (gdp_log_delta(mu, high) > target) high *= 2.0;
    while (high - low > 1e-13 * high) {
        double middle = (low + high) / 2.0;
        if (middle <= low || middle >= high) break;
        if (gdp_log_delta(mu, middle) > target)
            low = middle;
        else
            high = middle;
    }
    return high * (1.0 + 1e-12);
}

double gdp_sampled_mu(double z, double sampling, double times)
{
    return sampling * sqrt(times * expm1(1.0 / (z * z)));
}
