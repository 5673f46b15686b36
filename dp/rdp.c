/* SPDX-License-Identifier: Apache-2.0 */
/* Renyi curves. Every sum here has positive terms only, and is taken in log space, so that nothing
 * cancels or overflows and 1e-9 is far above all rounding. The arguments are in dp/SPEC.md. */
#include "dp/rdp.h"

#include <float.h>
#include <math.h>

#include "base/status.h"
#include "dp/noise.h"

// clang-format off
const uint32_t RDP_ORDER[RDP_ORDERS] = {
    2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
    28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75,
    76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99,
    100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118,
    119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 160, 192, 224, 256, 320, 384, 512, 1024,
};
// clang-format on

/* Above x whatever the rounding was; the addend covers underflow. */
static double round_up(double x)
{
    return x * (1.0 + 1e-9) + DBL_MIN;
}

double rdp_gaussian(uint32_t order, double z2)
{
    REQUIRE(order >= 2 && z2 > 0.0);
    return round_up((double)order / 2.0 / z2);
}

/* log(exp(x) - 1) for x > 0. */
static double log_expm1(double x)
{
    return x > 1.0 ? x + log1p(-exp(-x)) : log(expm1(x));
}

/* log(exp(x) + exp(y)); one of them may be -infinity, for log(0). */
static double log_add(double x, double y)
{
    double high = fmax(x, y), low = fmin(x, y);
    return high + log1p(exp(low - high));
}

/* The moment is sum_j C(a,j) (1-q)^(a-j) q^j e^(j(j-1)/(2 z2)). Its exponents vanish for j < 2 and
 * the binomial weights add up to 1, so it is 1 + sum_{j>=2} of the same with e^x - 1 for e^x. */
double rdp_sampled_gaussian(uint32_t order, double z2, double q)
{
    REQUIRE(order >= 2 && z2 > 0.0 && q >= 0.0 && q <= 1.0);
    double whole = rdp_gaussian(order, z2), a = (double)order;
    if (q == 0.0 || isinf(z2)) return 0.0;
    if (q == 1.0) return whole;
    double log_excess = -(double)INFINITY, log_choose = log(a);
    for (uint32_t i = 2; i <= order; i++) {
        double j = (double)i;
        log_choose += log((a - j + 1.0) / j);
        double weight = log_choose + j * log(q) + (a - j) * log1p(-q);
        log_excess = log_add(log_excess, weight + log_expm1(j * (j - 1.0) / 2.0 / z2));
    }
    /* Sampling never costs more; and when an exponent overflowed (to a NaN here), that is all. */
    return fmin(whole, round_up(log_add(0.0, log_excess) / (a - 1.0)));
}

double rdp_sum_gap(uint32_t order, uint32_t sigma, uint32_t n, uint64_t dim)
{
    REQUIRE(order >= 2 && sigma >= NOISE_SIGMA_MIN && n >= 1);
    if (n == 1) return 0.0;
    double a = (double)order, s = (double)sigma;
    double tau = 10.0 * (double)(n - 1) * exp(-M_PI * M_PI * s * s);
    return round_up((double)dim * tau * (2.0 * a - 1.0) / (a - 1.0));
}
