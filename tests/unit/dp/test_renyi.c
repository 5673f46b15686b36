/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/renyi.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dp/account.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/vectors.h"

static const char *lattice_vectors, *published_vectors;

static double at(struct mechanism m, double a)
{
    AUTO(renyi_free) struct renyi curve = {0};
    CHECK_OK(renyi_new(&curve, &m));
    return renyi_at(&curve, a);
}

/* The rows of tests/vectors/dp-lattice.csv that are sampled Gaussians: z, releases, rate, order,
 * RDP, relative tolerance. Orders between the whole ones too. */
static void sampled_gaussians_meet_the_vectors(void)
{
    struct vectors v;
    vectors_open(&v, lattice_vectors);
    int rows = 0;
    while (vectors_next(&v)) {
        double z = 0, times = 0, q = 0, order = 0, want = 0, tolerance = 0;
        if (strncmp(v.line, "sampled", 7) != 0) continue;
        CHECK(sscanf(v.line, "sampled,%lf,%lf,%lf,%lf,%lf,%lf", &z, &times, &q, &order, &want,
                     &tolerance) == 6);
        const struct mechanism m = {MECHANISM_GAUSSIAN, z, 1, 1, q, false, 1};
        CHECK_CLOSE(1.0, times * at(m, order) / want, tolerance);
        rows++;
    }
    CHECK_NUMBER(15, rows);
}

static void curves_rise_and_pass_through_whole_orders(void)
{
    static const struct mechanism list[] = {
        {MECHANISM_GAUSSIAN, 1.0, 1, 1, 0.05, false, 1},
        {MECHANISM_GAUSSIAN, 1.0, 1, 1, 0.05, true, 1},
        {MECHANISM_LAPLACE, 0.5, 1, 1, 1.0, false, 1},
        {MECHANISM_LAPLACE, 0.5, 1, 1, 0.05, false, 1},
        {MECHANISM_SKELLAM, 2.0, 1, 1, 0.05, false, 1},
        {MECHANISM_DISCRETE_GAUSSIAN, 2.0, 3, 1, 1.0, false, 1},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        double last = 0.0;
        for (double a = 1.3; a < 40.0; a += 0.7) {
            double now = at(list[i], a);
            CHECK(now >= last * (1.0 - 1e-9) && isfinite(now));
            last = now;
        }
    }
    for (double a = 2.0; a < 30.0; a += 1.0) {
        double below = at(list[0], a - 1e-7), whole = at(list[0], a), above = at(list[0], a + 1e-7);
        CHECK(below <= whole * (1.0 + 1e-6) && above >= whole * (1.0 - 1e-6) &&
              above <= whole * (1.0 + 1e-4));
    }
}

/* Exactly the Gaussian: the discrete one at integer shifts, whole or sampled. */
static void discrete_gaussian_is_the_gaussian(void)
{
    const struct mechanism discrete = {MECHANISM_DISCRETE_GAUSSIAN, 4.0, 2, 1, 0.1, false, 1};
    const struct mechanism gaussian = {MECHANISM_GAUSSIAN, 2.0, 1, 1, 0.1, false, 1};
    for (double a = 2.0; a < 100.0; a *= 1.7)
        CHECK_CLOSE(1.0, at(discrete, floor(a)) / at(gaussian, floor(a)), 1e-7);
}

/* Mironov 2017, table II; at order infinity it is the scale. */
static void laplace_is_mironovs_formula(void)
{
    const struct mechanism m = {MECHANISM_LAPLACE, 1.0, 1, 1, 1.0, false, 1};
    CHECK_CLOSE(log(2.0 / 3.0 * exp(1.0) + exp(-2.0) / 3.0), at(m, 2.0), 1e-8);
    CHECK(at(m, 1e8) <= 1.0 + 1e-8 && at(m, 1e8) > 0.999);
    struct mechanism sampled = m;
    sampled.sampling = 1.0 - 1e-12;
    CHECK_CLOSE(at(m, 3.0), at(sampled, 3.0), 1e-8);
}

static void conversion_is_the_published_one(void)
{
    struct account constant;
    for (size_t i = 0; i < RDP_ORDERS; i++)
        constant.rdp[i] = RDP_ORDER[i] <= 32 ? 1.1 : (double)INFINITY;
    /* dp_accounting, rdp_privacy_accountant_test.py */
    CHECK_CLOSE(1.32783806176, account_epsilon(&constant, 1e-5), 1e-7);
    CHECK_CLOSE(1.32783806176, renyi_convert(32.0, 1.1, 1e-5), 1e-9);
    CHECK(renyi_convert(2.0, 1e-12, 0.5) == 0.0);
    CHECK(isinf(renyi_convert(2.0, (double)INFINITY, 0.5)));
}

/* tests/vectors/dp-published.csv: what others' accountants say with their own bounds, at orders 2
 * to 128 and 256. Our orders are more: never above. */
static void published_bounds_are_what_was_published(void)
{
    struct vectors v;
    vectors_open(&v, published_vectors);
    char name[16];
    int rows = 0;
    while (vectors_next(&v)) {
        double spread = 0, n = 0, norm = 0, dim = 0, beta = 0, times = 0, delta = 0, want = 0,
               tolerance = 0;
        int rounded = 0;
        CHECK(sscanf(v.line, "%15[^,],%lf,%lf,%lf,%lf,%lf,%d,%lf,%lf,%lf,%lf", name, &spread, &n,
                     &norm, &dim, &beta, &rounded, &times, &delta, &want, &tolerance) == 11);
        const double l2 = rounded ? renyi_published_rounding(norm, dim, beta) : norm;
        const double l1 = rounded ? renyi_published_l1(l2, dim) : l2 * sqrt(dim);
        double least = (double)INFINITY;
        for (size_t i = 0; i < RDP_ORDERS; i++) {
            const double a = (double)RDP_ORDER[i];
            const double rdp = name[0] == 's' ? renyi_published_skellam(a, spread, l2, l1)
                                              : renyi_published_gaussian(a, spread, n, l2, l1, dim);
            least = fmin(least, renyi_convert(a, times * rdp, delta));
        }
        CHECK_CLOSE(want, least, 2e-6);
        rows++;
    }
    CHECK_NUMBER(12, rows);
}

/* n, dim, clip, beta, scale; the rounded norms: TensorFlow Federated's parameters. */
static void rounding_bounds_are_the_published_ones(void)
{
    CHECK_CLOSE(135143.89, renyi_published_rounding(134119.89, 1048576.0, 0.0), 0.01);
    CHECK_CLOSE(134121.37, renyi_published_rounding(134119.89, 1048576.0, 0.606531), 0.01);
    CHECK_CLOSE(138387340.0, renyi_published_l1(135143.89, 1048576.0), 10.0);
    CHECK_CLOSE(9406.4914, renyi_published_rounding(8382.4914, 1048576.0, 0.0), 1e-3);
    CHECK_CLOSE(8398.6428, renyi_published_rounding(8382.4914, 1048576.0, 0.606531), 1e-3);
    CHECK_CLOSE(1547.8822, renyi_published_rounding(523.88217, 1048576.0, 0.0), 1e-3);
    CHECK_CLOSE(16842.516, renyi_published_rounding(16841.526, 65536.0, 0.606531), 2e-3);
    CHECK_CLOSE(16820.832, renyi_published_rounding(16804.7184, 2097152.0, 0.606531), 1e-2);
    CHECK_CLOSE(30291.179, renyi_published_rounding(30273.3495, 4194304.0, 0.606531), 1e-2);
    CHECK_CLOSE(75291343.0, renyi_published_rounding(75291343.0, 1048576.0, 0.606531), 2.0);
    CHECK_CLOSE(0.33845094, 523.88217 / renyi_published_rounding(523.88217, 1048576.0, 0.0), 1e-6);
}

static void bad_mechanism_is_refused(void)
{
    struct renyi curve = {0};
    struct mechanism wide = {MECHANISM_SKELLAM, 1e6, 1, 1, 1.0, false, 1}, bad = wide;
    bad.times = 0;
    double epsilon = 7.0;
    CHECK_STATUS(STATUS_RANGE, renyi_new(&curve, &wide));
    CHECK_STATUS(STATUS_RANGE, renyi_new(&curve, &bad));
    wide.kind = MECHANISM_DISCRETE_GAUSSIAN;
    CHECK_STATUS(STATUS_RANGE, renyi_epsilon(&epsilon, &wide, 1, 1e-5));
    CHECK(curve.m == NULL && epsilon == 7.0);
}

static void memory_is_refused_cleanly(void)
{
    const struct mechanism list[] = {{MECHANISM_SKELLAM, 1.0, 1, 1, 1.0, false, 1},
                                     {MECHANISM_DISCRETE_GAUSSIAN, 1.0, 1, 1, 1.0, false, 1}};
    double epsilon = 7.0;
    OOM_EACH {
        enum status status = renyi_epsilon(&epsilon, list, 2, 1e-5);
        oom_stop();
        if (status != STATUS_OK) {
            CHECK_STATUS(STATUS_NOMEM, status);
            CHECK(epsilon == 7.0);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    lattice_vectors = argv[1];
    published_vectors = argv[2];
    RUN(sampled_gaussians_meet_the_vectors);
    RUN(curves_rise_and_pass_through_whole_orders);
    RUN(discrete_gaussian_is_the_gaussian);
    RUN(laplace_is_mironovs_formula);
    RUN(conversion_is_the_published_one);
    RUN(published_bounds_are_what_was_published);
    RUN(rounding_bounds_are_the_published_ones);
    RUN(bad_mechanism_is_refused);
    RUN(memory_is_refused_cleanly);
    return check_done();
}
