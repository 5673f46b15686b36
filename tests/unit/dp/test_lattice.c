/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/lattice.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dp/gdp.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/vectors.h"

static const char *vectors;

static double total(const struct lattice *law)
{
    double sum = 0.0;
    for (int64_t k = -(int64_t)law->reach; k <= (int64_t)law->reach; k++)
        sum += exp(lattice_log(law, k));
    return sum;
}

static double variance(const struct lattice *law)
{
    double sum = 0.0;
    for (int64_t k = -(int64_t)law->reach; k <= (int64_t)law->reach; k++)
        sum += (double)(k * k) * exp(lattice_log(law, k));
    return sum;
}

static void laws_add_up_to_one_and_have_their_variance(void)
{
    AUTO(lattice_free) struct lattice gaussian = {0};
    AUTO(lattice_free) struct lattice skellam = {0};
    AUTO(lattice_free) struct lattice sum = {0};
    CHECK_OK(lattice_gaussian(&gaussian, 3.0, 1, 60));
    CHECK_OK(lattice_skellam(&skellam, 2.5, 60));
    CHECK_OK(lattice_gaussian(&sum, 1.0, 7, 60));
    CHECK_CLOSE(1.0, total(&gaussian), 1e-13);
    CHECK_CLOSE(1.0, total(&skellam), 1e-13);
    CHECK_CLOSE(1.0, total(&sum), 1e-13);
    CHECK_CLOSE(9.0, variance(&gaussian), 1e-10);
    CHECK_CLOSE(2.5, variance(&skellam), 1e-10);
    CHECK_CLOSE(7.0, variance(&sum), 1e-5);
    CHECK(isinf(lattice_log(&gaussian, 61)) && isinf(lattice_log(&gaussian, -61)));
    CHECK(lattice_log(&skellam, -4) == lattice_log(&skellam, 4));
}

/* exp(-2.5) I_0(2.5) and exp(-100) I_30(100): Abramowitz, Stegun. */
static void skellam_is_the_bessel_function(void)
{
    AUTO(lattice_free) struct lattice small = {0};
    CHECK_OK(lattice_skellam(&small, 2.5, 80));
    CHECK_CLOSE(0.2700464416, exp(lattice_log(&small, 0)), 1e-9);
    /* I_(k-1) - I_(k+1) = (2k / x) I_k */
    for (int64_t k = 1; k < 40; k++)
        CHECK_CLOSE(1.0,
                    (exp(lattice_log(&small, k - 1)) - exp(lattice_log(&small, k + 1))) /
                        (2.0 * (double)k / 2.5 * exp(lattice_log(&small, k))),
                    1e-10);
}

static void tails_are_bounded(void)
{
    AUTO(lattice_free) struct lattice law = {0};
    CHECK_OK(lattice_skellam(&law, 4.0, 100));
    double reach = lattice_skellam_tail(4.0, 1e-9), beyond = 0.0;
    for (int64_t k = (int64_t)reach + 1; k <= 100; k++) beyond += exp(lattice_log(&law, k));
    CHECK(beyond <= 1e-9 && beyond > 1e-13);
    lattice_free(&law);
    CHECK_OK(lattice_gaussian(&law, 2.0, 3, 100));
    reach = lattice_gaussian_tail(2.0, 3, 1e-9), beyond = 0.0;
    for (int64_t k = (int64_t)reach + 1; k <= 100; k++) beyond += exp(lattice_log(&law, k));
    CHECK(beyond <= 1e-9 && beyond > 1e-13);
}

/* tests/vectors/dp-lattice.csv: law, variance or sigma, shares, shift, order, Renyi divergence, the
 * published bound, in 13 digits. */
static void divergences_meet_the_vectors_and_stay_below_the_published(void)
{
    struct vectors v;
    vectors_open(&v, vectors);
    char name[32];
    int rows = 0;
    while (vectors_next(&v)) {
        double spread = 0, order = 0, want = 0, published = 0;
        uint32_t shares = 0, shift = 0;
        if (strncmp(v.line, "sampled", 7) == 0) continue;
        CHECK(sscanf(v.line, "%31[^,],%lf,%" SCNu32 ",%" SCNu32 ",%lf,%lf,%lf", name, &spread,
                     &shares, &shift, &order, &want, &published) == 7);
        AUTO(lattice_free) struct lattice law = {0};
        uint32_t room = (uint32_t)ceil(order * shift) + 20;
        if (name[0] == 's')
            CHECK_OK(lattice_skellam(&law, spread,
                                     room + (uint32_t)lattice_skellam_tail(spread, 1e-40)));
        else
            CHECK_OK(
                lattice_gaussian(&law, spread, shares,
                                 room + (uint32_t)lattice_gaussian_tail(spread, shares, 1e-40)));
        double got = lattice_rdp(&law, order, shift, 1.0);
        CHECK(got >= want * (1.0 - 1e-9) && got <= want * (1.0 + 3e-9) + 1e-12);
        CHECK(got <= published);
        rows++;
    }
    CHECK_NUMBER(179, rows);
}

/* Kairouz, Liu, Steinke and Agarwal, Kairouz, Liu bound the same with an L1 norm and a term for
 * each coordinate; the constant needs neither. */
static void constant_covers_every_shift(void)
{
    AUTO(lattice_free) struct lattice law = {0};
    CHECK_OK(lattice_skellam(&law, 16.0, 400));
    double constant = lattice_constant(&law, 4.0, 8);
    CHECK(constant == lattice_rdp(&law, 4.0, 1, 1.0));
    CHECK(constant < 4.0 / 2.0 / 16.0);
    for (uint32_t s = 1; s <= 8; s++)
        CHECK(lattice_rdp(&law, 4.0, s, 1.0) <= constant * (double)(s * s));
    lattice_free(&law);
    CHECK_OK(lattice_gaussian(&law, 0.5, 10, 300));
    constant = lattice_constant(&law, 2.0, 4);
    CHECK(constant == lattice_rdp(&law, 2.0, 1, 1.0) && constant > 0.45 && constant < 0.451);
}

/* For every shift, of sums that are added up; and close where their terms are wide. */
static void constant_of_a_sum_covers_the_sum(void)
{
    static const double sigma[] = {0.5, 0.8, 1.5, 3.0}, order[] = {1.5, 2.0, 8.0, 30.0};
    for (size_t i = 0; i < 4; i++)
        for (uint32_t n = 1; n <= 9; n += 4) {
            AUTO(lattice_free) struct lattice law = {0};
            CHECK_OK(lattice_gaussian(&law, sigma[i], n, 700));
            for (size_t k = 0; k < 4; k++) {
                const double bound = lattice_sum_constant(order[k], sigma[i], n);
                const double numeric = lattice_constant(&law, order[k], 16);
                CHECK(numeric <= bound * (1.0 + 1e-9));
                CHECK(sigma[i] < 1.5 || bound < numeric * (1.0 + 1e-6));
            }
        }
}

/* delta at epsilon of the law shifted against itself, without any grid. */
static double delta_of(const struct lattice *law, int64_t shift, double epsilon)
{
    double sum = 0.0;
    for (int64_t k = shift - (int64_t)law->reach; k <= (int64_t)law->reach; k++)
        sum += fmax(0.0, exp(lattice_log(law, k - shift)) - exp(epsilon + lattice_log(law, k)));
    return sum;
}

/* The discrete law itself can cost more than the continuous one of its own variance. */
static void continuous_noise_of_less_variance_bounds_a_sum(void)
{
    uint32_t above = 0;
    AUTO(lattice_free) struct lattice law = {0};
    CHECK_OK(lattice_gaussian(&law, 4.0, 4, 200));
    const double variance = lattice_sum_continuous(4.0, 4);
    for (int64_t shift = 1; shift <= 40; shift++)
        for (double epsilon = 0.0; epsilon < 12.0; epsilon += 0.0625) {
            const double delta = delta_of(&law, shift, epsilon), s = (double)shift;
            if (delta < 1e-12) continue;
            CHECK(log(delta) <= gdp_log_delta(s / sqrt(variance), epsilon) + 1e-9);
            above += log(delta) > gdp_log_delta(s / 8.0, epsilon) + 1e-9;
        }
    CHECK(above > 0);
}

static void sampling_costs_less_and_both_directions_count(void)
{
    AUTO(lattice_free) struct lattice law = {0};
    CHECK_OK(lattice_gaussian(&law, 4.0, 1, 300));
    double whole = lattice_rdp(&law, 3.0, 1, 1.0), tenth = lattice_rdp(&law, 3.0, 1, 0.1);
    CHECK(tenth < whole / 10.0 && tenth > 0.0);
    /* tests/vectors/dp-rdp.csv, the row of order 3, sigma 4, shift 5, rate 0.01 in 60 digits */
    CHECK_CLOSE(6.13368196459818689e-4, lattice_rdp(&law, 3.0, 5, 0.01), 1e-11);
}

static void short_tables_give_infinity(void)
{
    AUTO(lattice_free) struct lattice law = {0};
    CHECK_OK(lattice_gaussian(&law, 4.0, 1, 30));
    CHECK(isinf(lattice_rdp(&law, 2.0, 1, 1.0)) && isinf(lattice_rdp(&law, 2.0, 31, 1.0)));
}

static void too_wide_is_refused(void)
{
    struct lattice law = {0};
    CHECK_STATUS(STATUS_RANGE, lattice_gaussian(&law, 1e6, 1, LATTICE_REACH_MAX + 1));
    CHECK_STATUS(STATUS_RANGE, lattice_skellam(&law, 1e12, LATTICE_REACH_MAX + 1));
    CHECK_STATUS(STATUS_RANGE, lattice_gaussian(&law, 1.0, 2, 4097));
    CHECK(law.log_p == NULL);
}

static void memory_is_refused_cleanly(void)
{
    struct lattice law = {0};
    OOM_EACH {
        enum status status = lattice_gaussian(&law, 0.5, 6, 40);
        oom_stop();
        if (status == STATUS_OK)
            lattice_free(&law);
        else
            CHECK_STATUS(STATUS_NOMEM, status);
        CHECK(law.log_p == NULL);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    vectors = argv[1];
    RUN(laws_add_up_to_one_and_have_their_variance);
    RUN(skellam_is_the_bessel_function);
    RUN(tails_are_bounded);
    RUN(divergences_meet_the_vectors_and_stay_below_the_published);
    RUN(constant_covers_every_shift);
    RUN(constant_of_a_sum_covers_the_sum);
    RUN(continuous_noise_of_less_variance_bounds_a_sum);
    RUN(sampling_costs_less_and_both_directions_count);
    RUN(short_tables_give_infinity);
    RUN(too_wide_is_refused);
    RUN(memory_is_refused_cleanly);
    return check_done();
}
