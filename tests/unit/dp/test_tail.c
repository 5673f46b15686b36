/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/tail.h"

#include <math.h>

#include "tests/lib/check.h"

/* Against every term of a small law, added up without ratios. */
static void tails_are_sums_of_terms(void)
{
    const double logits[] = {-6.0, -0.7, 0.0, 0.3, 1.5, 9.0};
    for (size_t l = 0; l < 6; l++)
        for (uint32_t n = 1; n <= 40; n++) {
            double mass[41], p = tail_rate(logits[l]), q = tail_rate(-logits[l]);
            for (uint32_t j = 0; j <= n; j++)
                mass[j] = exp(lgamma(n + 1.0) - lgamma(j + 1.0) - lgamma(n - j + 1.0)) * pow(p, j) *
                          pow(q, n - j);
            double tail = 0.0;
            for (uint32_t k = n + 1; k-- > 0;) {
                tail += mass[k];
                CHECK_CLOSE(1.0, exp(tail_binomial(n, k, logits[l])) / tail, 1e-11);
                double run = 0.0, peak = 0.0;
                for (uint32_t i = 1; i <= k; i++) {
                    run += mass[k - i];
                    peak = fmax(peak, run / i);
                }
                if (k > 0) CHECK_CLOSE(1.0, exp(tail_binomial_peak(n, k, logits[l])) / peak, 1e-11);
            }
        }
}

/* Values of 20 digits by mpmath: log of betainc(k, n - k + 1, 0, p, regularized=True). */
static void large_laws_meet_known_values(void)
{
    CHECK_CLOSE(-693147.18055994530942, tail_binomial(1000000, 1000000, 0.0), 1e-9);
    CHECK_CLOSE(-7.1516744659308286985, tail_binomial(10000000, 5005000, 0.0), 1e-10);
    CHECK_CLOSE(-111.80399727745964372, tail_binomial(1000000, 1500, log(0.001 / 0.999)), 1e-10);
    CHECK_CLOSE(-0.00061937928588578717634, tail_binomial(1000000, 900, log(0.001 / 0.999)), 1e-13);
}

static void edges_are_exact(void)
{
    CHECK(tail_binomial(7, 0, 1.0) == 0.0 && tail_binomial(0, 0, 1.0) == 0.0);
    CHECK_CLOSE(-7000.0, tail_binomial(100, 100, -70.0), 1e-9);
    CHECK_CLOSE(0.0, tail_binomial(100, 100, 300.0), 1e-100);
    CHECK(isinf(tail_binomial_limit(9, 9, 0.025)));
}

/* None of n seen: (1 - p)^n is the chance; all but one seen: 1 - p^n is. */
static void limits_have_closed_forms_at_the_edges(void)
{
    CHECK_CLOSE(1.0, tail_rate(tail_binomial_limit(0, 500, 0.025)) / -expm1(log(0.025) / 500),
                1e-8);
    CHECK_CLOSE(1.0, tail_rate(-tail_binomial_limit(499, 500, 0.025)) / -expm1(log1p(-0.025) / 500),
                1e-8);
}

/* Published: 0.01831324306 and 0.3294616787. */
static void limits_hold_what_they_say_and_no_more(void)
{
    CHECK_CLOSE(0.01831324306, tail_rate(tail_binomial_limit(10, 1000, 0.025)), 1e-11);
    CHECK_CLOSE(0.3294616787, tail_rate(tail_binomial_limit(300, 1000, 0.025)), 1e-10);
    for (uint32_t hits = 0; hits < 50; hits++) {
        const double t = tail_binomial_limit(hits, 50, 0.025);
        CHECK(exp(tail_binomial(50, 50 - hits, -t)) <= 0.025);
        CHECK(exp(tail_binomial(50, 50 - hits, -t + 1e-7)) > 0.025);
    }
}

static void normal_law_meets_known_values(void)
{
    CHECK_CLOSE(0.025, tail_normal(-1.9599639845400542355), 1e-16);
    CHECK_CLOSE(-1.9599639845400542355, tail_normal_inverse(0.025), 1e-14);
    CHECK_CLOSE(1.6448536269514722, tail_normal_inverse(0.95), 1e-14);
    CHECK_CLOSE(-6.3613409024040562047, tail_normal_inverse(1e-10), 1e-13);
    CHECK_CLOSE(-37.047096299361199237, tail_normal_inverse(1e-300), 1e-11);
}

static void inverse_is_inverse(void)
{
    CHECK(tail_normal_inverse(0.5) < 1e-15 && tail_normal_inverse(0.5) > -1e-15);
    for (double p = 1e-300; p < 0.5; p *= 1.7)
        CHECK_CLOSE(1.0, tail_normal(tail_normal_inverse(p)) / p, 1e-12);
    for (double p = 0.5; p < 1.0; p += 0.001)
        CHECK_CLOSE(p, tail_normal(tail_normal_inverse(p)), 1e-15);
}

int main(void)
{
    RUN(tails_are_sums_of_terms);
    RUN(large_laws_meet_known_values);
    RUN(edges_are_exact);
    RUN(limits_have_closed_forms_at_the_edges);
    RUN(limits_hold_what_they_say_and_no_more);
    RUN(normal_law_meets_known_values);
    RUN(inverse_is_inverse);
    return check_done();
}
