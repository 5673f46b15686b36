/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/gdp.h"

#include <math.h>

#include "tests/lib/check.h"

/* Balle, Wang 2018, theorem 8, in 40 digits. */
static void published_epsilons_are_met_to_ten_digits(void)
{
    static const struct {
        double mu, delta, epsilon;
    } row[] = {{1.0, 1e-5, 4.377178095681},  {1.0, 1e-6, 4.886554117462},
               {2.0, 1e-5, 9.997256146434},  {1.0 / 1.1, 1e-3, 2.790623474409},
               {0.1, 0.00875176814581, 0.1}, {0.5, 0.004159742234000802, 1.0986122886681098}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        CHECK_CLOSE(row[i].epsilon, gdp_epsilon(row[i].mu, row[i].delta), 1e-10);
        CHECK_CLOSE(log(row[i].delta), gdp_log_delta(row[i].mu, row[i].epsilon), 1e-9);
    }
}

static void delta_falls_with_epsilon_into_the_far_tail(void)
{
    double last = 0.0;
    for (double epsilon = 0.0; epsilon < 2000.0; epsilon += 0.5) {
        double now = gdp_log_delta(1.0, epsilon);
        CHECK(now < last && isfinite(now));
        last = now;
    }
    /* nothing breaks where the error function ends and its series begins */
    CHECK_CLOSE(2.0 * gdp_log_delta(1.0, 29.5) - gdp_log_delta(1.0, 29.4), gdp_log_delta(1.0, 29.6),
                0.011);
}

static void edges_are_zero_and_infinity(void)
{
    CHECK(gdp_epsilon(0.0, 1e-5) == 0.0);
    CHECK(gdp_epsilon(0.001, 0.5) == 0.0);
    CHECK(isinf(gdp_epsilon((double)INFINITY, 1e-5)));
    CHECK_CLOSE(14124.26, gdp_epsilon(168.0, 0.5), 14124.26);
}

static void limit_theorem_is_the_published_number(void)
{
    CHECK_CLOSE(6.595, gdp_epsilon(gdp_sampled_mu(1.5, 0.04, 2249.0), 1e-5), 0.005);
}

int main(void)
{
    RUN(published_epsilons_are_met_to_ten_digits);
    RUN(delta_falls_with_epsilon_into_the_far_tail);
    RUN(edges_are_zero_and_infinity);
    RUN(limit_theorem_is_the_published_number);
    return check_done();
}
