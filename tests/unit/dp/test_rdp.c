/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/rdp.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "tests/lib/check.h"
#include "tests/lib/vectors.h"

static const char *vectors;

static void orders_rise_from_2_to_1024(void)
{
    CHECK(RDP_ORDER[0] == 2 && RDP_ORDER[126] == 128 && RDP_ORDER[RDP_ORDERS - 1] == 1024);
    for (size_t i = 1; i < RDP_ORDERS; i++) CHECK(RDP_ORDER[i] > RDP_ORDER[i - 1]);
}

static void gaussian_is_a_over_two_z2_rounded_up(void)
{
    CHECK(rdp_gaussian(2, 1.0) > 1.0 && rdp_gaussian(2, 1.0) < 1.0 + 2e-9);
    CHECK(rdp_gaussian(64, 16.0) > 2.0 && rdp_gaussian(64, 16.0) < 2.0 + 4e-9);
    CHECK(isinf(rdp_gaussian(2, 1e-310)));
}

/* tests/vectors/dp-rdp.csv: order, sigma, shift, rate, releases, RDP, relative tolerance, source.
 * Only rows of 20 digits must be bounded from below to the last bit. */
static void vectors_are_bounded_and_met(void)
{
    struct vectors v;
    vectors_open(&v, vectors);
    int rows = 0;
    while (vectors_next(&v)) {
        uint32_t order = 0;
        double sigma = 0, shift = 0, q = 0, times = 0, want = 0, tolerance = 0;
        CHECK(sscanf(v.line, "%" SCNu32 ",%lf,%lf,%lf,%lf,%lf,%lf", &order, &sigma, &shift, &q,
                     &times, &want, &tolerance) == 7);
        double got = times * rdp_sampled_gaussian(order, sigma * sigma / (shift * shift), q);
        double short_by = tolerance == 2e-9 || isinf(tolerance) ? 0.0 : tolerance;
        CHECK(got >= want * (1.0 - short_by));
        CHECK(got <= want * (1.0 + tolerance));
        rows++;
    }
    CHECK_NUMBER(28, rows);
}

static void edges_of_sampling_are_exact(void)
{
    const double z2s[] = {1e-300, 1e-6, 0.3, 1.0, 100.0, 1e300};
    for (size_t i = 0; i < RDP_ORDERS; i++) {
        CHECK(rdp_sampled_gaussian(RDP_ORDER[i], (double)INFINITY, 0.5) == 0.0);
        for (size_t k = 0; k < 6; k++) {
            double whole = rdp_gaussian(RDP_ORDER[i], z2s[k]);
            CHECK(rdp_sampled_gaussian(RDP_ORDER[i], z2s[k], 0.0) == 0.0);
            CHECK(rdp_sampled_gaussian(RDP_ORDER[i], z2s[k], 1.0) == whole);
            double last = 0.0;
            for (double q = 1e-300; q < 1.0; q *= 1e20) {
                double rdp = rdp_sampled_gaussian(RDP_ORDER[i], z2s[k], q);
                CHECK(rdp > 0.0 && rdp <= whole && rdp >= last);
                last = rdp;
            }
            CHECK_CLOSE(1.0, rdp_sampled_gaussian(RDP_ORDER[i], z2s[k], 1.0 - 1e-15) / whole, 1e-8);
        }
    }
}

static void curves_rise_with_the_order(void)
{
    for (double z2 = 0.01; z2 < 1e4; z2 *= 7.0)
        for (double q = 0.001; q < 1.0; q *= 5.0)
            for (size_t i = 1; i < RDP_ORDERS; i++)
                CHECK(rdp_sampled_gaussian(RDP_ORDER[i], z2, q) >=
                      rdp_sampled_gaussian(RDP_ORDER[i - 1], z2, q));
}

static void gap_covers_the_published_series_and_is_nothing(void)
{
    for (uint32_t sigma = 4; sigma < 8; sigma++)
        for (uint32_t n = 2; n < 3000; n = 3 * n + 1) {
            double tau = 0.0, s2 = (double)sigma * (double)sigma;
            for (uint32_t k = 1; k < n; k++)
                tau += 10.0 * exp(-2.0 * M_PI * M_PI * s2 * (double)k / ((double)k + 1.0));
            CHECK(rdp_sum_gap(2, sigma, n, 1000) >= 3000.0 * tau);
            CHECK(rdp_sum_gap(1024, sigma, n, 1000) >= 2000.0 * tau);
        }
    CHECK(rdp_sum_gap(2, 4, 65536, UINT64_C(1) << 28) < 1e-50);
    CHECK(rdp_sum_gap(2, 4, 1, 1000) == 0.0);
    CHECK(rdp_sum_gap(2, 500000000, 1000, 1000) < 1e-300);
}

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    vectors = argv[1];
    RUN(orders_rise_from_2_to_1024);
    RUN(gaussian_is_a_over_two_z2_rounded_up);
    RUN(vectors_are_bounded_and_met);
    RUN(edges_of_sampling_are_exact);
    RUN(curves_rise_with_the_order);
    RUN(gap_covers_the_published_series_and_is_nothing);
    return check_done();
}
