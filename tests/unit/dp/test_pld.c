/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/pld.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dp/gdp.h"
#include "dp/renyi.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/vectors.h"

/* Enough where nothing sharper is asked for. */
#define ROUGH 1e-5

static const char *vectors;

static const struct mechanism GAUSSIAN = {MECHANISM_GAUSSIAN, 5.0, 1, 1, 1.0, false, 100};

/* "gaussian 8 1 1 + laplace 2 1 3": mechanism, noise, sampling, times, shift, shares. */
static size_t releases_read(struct mechanism list[static 10], char *text)
{
    static const char *const name[] = {"gaussian", "laplace", "discrete-gaussian", "skellam"};
    size_t n = 0;
    char *rest = NULL;
    for (char *one = strtok_r(text, "+", &rest); one != NULL && n < 10;
         one = strtok_r(NULL, "+", &rest)) {
        char kind[32];
        struct mechanism m = {.shift = 1, .shares = 1};
        CHECK(sscanf(one, " %31s %lf %lf %u %u %u", kind, &m.noise, &m.sampling, &m.times, &m.shift,
                     &m.shares) >= 4);
        for (int k = 0; k < 4; k++)
            if (strcmp(kind, name[k]) == 0) m.kind = (enum mechanism_kind)k;
        list[n++] = m;
    }
    return n;
}

static bool all_gaussian(const struct mechanism *list, size_t n, double *mu)
{
    double mu2 = 0.0;
    bool all = true;
    for (size_t i = 0; i < n; i++) {
        all = all && list[i].kind == MECHANISM_GAUSSIAN && list[i].sampling == 1.0;
        mu2 += (double)list[i].times / (list[i].noise * list[i].noise);
    }
    *mu = sqrt(mu2);
    return all;
}

static void meets(const char *rule, const struct mechanism *list, size_t n, double delta,
                  double want, double tolerance)
{
    double pld = 0.0, mu = 0.0, rdp = 0.0;
    if (strcmp(rule, "zcdp") == 0) {
        CHECK_CLOSE(want, renyi_zcdp_epsilon(list[0].noise, delta), tolerance);
        return;
    }
    if (strcmp(rule, "gdp") == 0) {
        mu = gdp_sampled_mu(list[0].noise, list[0].sampling, (double)list[0].times);
        CHECK_CLOSE(want, gdp_epsilon(mu, delta), tolerance);
        return;
    }
    if (strcmp(rule, "rdp") == 0) {
        CHECK_OK(renyi_epsilon(&rdp, list, n, delta));
        CHECK(rdp <= want + tolerance);
        return;
    }
    const bool exact = all_gaussian(list, n, &mu);
    const double excess = exact ? ROUGH : fmax(fmin(tolerance / want / 2.0, ROUGH), 2e-8);
    if (strcmp(rule, "delta") == 0) {
        double most = 0.0;
        for (int pair = 0; pair <= 1; pair++) {
            AUTO(pld_free) struct pld made = {0};
            CHECK_OK(pld_compose(&made, list, n, (enum mechanism_pair)pair, delta, 1e-4));
            most = fmax(most, pld_delta_of(&made, want));
        }
        CHECK(most >= delta - 5e-5 && most <= delta + tolerance);
        return;
    }
    CHECK_OK(pld_epsilon(&pld, list, n, delta, excess));
    if (exact) {
        double truth = gdp_epsilon(mu, delta);
        CHECK(pld >= truth - 1e-9 && pld <= truth * (1.0 + ROUGH));
        pld = truth;
    }
    if (strcmp(rule, "exact") == 0) {
        CHECK_CLOSE(want, pld, tolerance);
        CHECK(tolerance > 1e-7 || pld >= want - 1e-9);
    } else {
        CHECK(pld <= want + tolerance && pld >= want * 0.995 - tolerance);
    }
}

static void vectors_are_met(void)
{
    struct vectors v;
    vectors_open(&v, vectors);
    char rule[16], releases[1024];
    int rows = 0;
    while (vectors_next(&v)) {
        struct mechanism list[10];
        double delta = 0, want = 0, tolerance = 0;
        if (v.line[0] == '#' || strncmp(v.line, "rule", 4) == 0) continue;
        CHECK(sscanf(v.line, "%15[^,],%lf,%lf,%lf,%1023[^,]", rule, &delta, &want, &tolerance,
                     releases) == 5);
        const size_t failures = check_failures();
        const size_t n = releases_read(list, releases);
        meets(rule, list, n, delta, want, tolerance);
        if (check_failures() != failures) printf("row: %s", v.line);
        rows++;
    }
    CHECK_NUMBER(76, rows);
}

static void bounds_are_ordered(void)
{
    static const struct mechanism list[] = {
        {MECHANISM_GAUSSIAN, 1.0, 1, 1, 0.02, false, 100},
        {MECHANISM_LAPLACE, 20.0, 1, 1, 0.5, false, 10},
        {MECHANISM_SKELLAM, 9.0, 2, 1, 1.0, false, 3},
        {MECHANISM_DISCRETE_GAUSSIAN, 4.0, 1, 4, 0.1, false, 7},
    };
    for (double delta = 1e-3; delta > 1e-30; delta *= 1e-9) {
        double pld = 0.0, rdp = 0.0;
        CHECK_OK(pld_epsilon(&pld, list, 4, delta, ROUGH));
        CHECK_OK(renyi_epsilon(&rdp, list, 4, delta));
        CHECK(pld < rdp && pld > 0.8 * rdp);
    }
}

static void tiny_deltas_stay_sharp(void)
{
    for (double delta = 1e-2; delta > 1e-200; delta *= 1e-33) {
        double pld = 0.0, truth = gdp_epsilon(2.0, delta);
        CHECK_OK(pld_epsilon(&pld, &GAUSSIAN, 1, delta, ROUGH));
        CHECK(pld >= truth - 1e-9 && pld <= truth * (1.0 + 1e-5));
    }
}

static void a_list_is_its_parts(void)
{
    struct mechanism parts[10];
    for (size_t i = 0; i < 10; i++) {
        parts[i] = GAUSSIAN;
        parts[i].times = 10;
    }
    double whole = 0.0, split = 0.0;
    CHECK_OK(pld_epsilon(&whole, &GAUSSIAN, 1, 1e-5, ROUGH));
    CHECK_OK(pld_epsilon(&split, parts, 10, 1e-5, ROUGH));
    CHECK_CLOSE(whole, split, 1e-6);
}

static struct mechanism many[1000];

static void different_releases_are_bounded(size_t n)
{
    double mu2 = 0.0, epsilon = 0.0;
    for (size_t i = 0; i < n; i++) {
        many[i] = GAUSSIAN;
        many[i].times = 1;
        many[i].noise = 20.0 + (double)i / 100.0;
        mu2 += 1.0 / many[i].noise / many[i].noise;
    }
    CHECK_OK(pld_epsilon(&epsilon, many, n, 1e-5, 1e-3));
    const double truth = gdp_epsilon(sqrt(mu2), 1e-5);
    CHECK(epsilon >= truth - 1e-9 && epsilon <= truth * 1.005);
}

/* Noise that grows and rates that fall: the list costs less when every tenth of it is like its
 * last, more when it is like its first. Those lists are short, and so composed on finer grids. */
static void different_sampled_releases_lie_between_equal_ones(size_t n)
{
    double epsilon[3] = {0.0};
    for (size_t i = 0; i < n; i++)
        many[i] = (struct mechanism){.noise = 1.0 + (double)i / (double)n / 100.0,
                                     .shift = 1,
                                     .shares = 1,
                                     .sampling = 0.01 - (double)i / (double)n / 10000.0,
                                     .times = 1};
    CHECK_OK(pld_epsilon(&epsilon[1], many, n, 1e-5, 1e-3));
    for (size_t side = 0; side <= 1; side++) {
        struct mechanism equal[10];
        for (size_t i = 0; i < 10; i++) {
            equal[i] = many[side == 0 ? (i + 1) * n / 10 - 1 : i * n / 10];
            equal[i].times = (uint32_t)(n / 10);
        }
        CHECK_OK(pld_epsilon(&epsilon[2 * side], equal, 10, 1e-5, 1e-3));
    }
    CHECK(epsilon[0] < epsilon[1] && epsilon[1] < epsilon[2]);
    CHECK(epsilon[2] < epsilon[0] * 1.005);
}

static void a_hundred_different_releases_are_bounded(void)
{
    different_releases_are_bounded(100);
    different_sampled_releases_lie_between_equal_ones(100);
}

static void a_thousand_different_releases_are_bounded(void)
{
    different_releases_are_bounded(1000);
    different_sampled_releases_lie_between_equal_ones(1000);
}

/* In any order, told apart by what is different. */
static void equal_releases_are_counted_together(void)
{
    struct mechanism a = GAUSSIAN, b = GAUSSIAN;
    a.times = b.times = 3;
    b.sampling = 0.5;
    const struct mechanism
        mixed[] = {a, b, a, b, b},
        whole[] = {{.noise = 5.0, .shift = 1, .shares = 1, .sampling = 1.0, .times = 6},
                   {.noise = 5.0, .shift = 1, .shares = 1, .sampling = 0.5, .times = 9}};
    double one = 0.0, other = 0.0;
    CHECK_OK(pld_epsilon(&one, mixed, 5, 1e-5, ROUGH));
    CHECK_OK(pld_epsilon(&other, whole, 2, 1e-5, ROUGH));
    CHECK(one == other);
}

static double above(double x)
{
    return erfc(x / M_SQRT2) / 2.0;
}

/* delta at epsilon of one release of noise z at rate q, by its normal tails. Adding: the loss is
 * above epsilon from the output on at which P / Q = (e^epsilon - 1 + q) / q; removing: below the
 * output at which it is (e^-epsilon - 1 + q) / q, if there is one. */
static double exact_delta(double z, double q, double epsilon, int pair)
{
    const double e = exp(pair == MECHANISM_ADD ? epsilon : -epsilon), ratio = (e - 1.0 + q) / q;
    if (ratio <= 0.0) return 0.0;
    const double x = z * log(ratio) + 0.5 / z;
    if (pair == MECHANISM_ADD) return (1.0 - q - e) * above(x) + q * above(x - 1.0 / z);
    return (1.0 - (1.0 - q) / e) * above(-x) - q / e * above(1.0 / z - x);
}

static void one_sampled_release_is_never_below_its_exact_curve(void)
{
    static const double z[] = {0.3, 0.7, 1.0, 4.0, 50.0}, q[] = {0.001, 0.02, 0.3, 0.9};
    for (size_t i = 0; i < sizeof z / sizeof *z; i++)
        for (size_t k = 0; k < sizeof q / sizeof *q; k++)
            for (int pair = 0; pair <= 1; pair++) {
                const struct mechanism m = {MECHANISM_GAUSSIAN, z[i], 1, 1, q[k], false, 1};
                AUTO(pld_free) struct pld pld = {0};
                CHECK_OK(pld_compose(&pld, &m, 1, (enum mechanism_pair)pair, 1e-6, ROUGH));
                const double width = (double)pld.n * pld.step, first = (double)pld.first * pld.step;
                for (double part = 0.05; part < 1.0; part += 0.1) {
                    const double epsilon = first + part * width;
                    const double truth = exact_delta(z[i], q[k], epsilon, pair);
                    if (epsilon < 0.0) continue;
                    const double delta = pld_delta_of(&pld, epsilon);
                    CHECK(delta >= truth * (1.0 - 1e-12) - 1e-16);
                    /* sharp about the delta that was asked for */
                    CHECK(truth < 5e-7 || truth > 1e-5 || delta <= truth * 1.0001);
                }
            }
}

static void replacing_costs_more_than_adding(void)
{
    const struct mechanism add = {MECHANISM_GAUSSIAN, 2.0, 1, 1, 0.01, false, 1000};
    struct mechanism replace = add;
    replace.replace = true;
    double a = 0.0, r = 0.0, bound = 0.0;
    CHECK_OK(pld_epsilon(&a, &add, 1, 1e-5, ROUGH));
    CHECK_OK(pld_epsilon(&r, &replace, 1, 1e-5, ROUGH));
    CHECK_OK(renyi_epsilon(&bound, &replace, 1, 1e-5));
    CHECK(a < r && r < bound);
    /* all of them drawn: no sampling, twice the sensitivity */
    replace.sampling = 1.0;
    replace.times = 3;
    CHECK_OK(pld_epsilon(&r, &replace, 1, 1e-5, ROUGH));
    CHECK_CLOSE(gdp_epsilon(sqrt(3.0), 1e-5), r, 1e-4);
}

static void delta_zero_is_the_sum_of_the_largest_losses(void)
{
    const struct mechanism laplace = {MECHANISM_LAPLACE, 2.0, 1, 1, 1.0, false, 4};
    double epsilon = 0.0;
    CHECK_OK(pld_epsilon(&epsilon, &laplace, 1, 0.0, ROUGH));
    CHECK_CLOSE(2.0, epsilon, 1e-9);
    CHECK_OK(pld_epsilon(&epsilon, &GAUSSIAN, 1, 0.0, ROUGH));
    CHECK(isinf(epsilon));
}

static void delta_and_epsilon_are_inverse(void)
{
    AUTO(pld_free) struct pld pld = {0};
    CHECK_OK(pld_compose(&pld, &GAUSSIAN, 1, MECHANISM_ADD, 1e-5, ROUGH));
    for (double delta = 1e-3; delta > 1e-7; delta /= 3.0)
        CHECK_CLOSE(1.0, pld_delta_of(&pld, pld_epsilon_of(&pld, delta)) / delta, 1e-9);
    CHECK(pld_epsilon_of(&pld, 0.999) == 0.0);
    CHECK(isinf(pld_epsilon_of(&pld, 0.0)) && isinf(pld_epsilon_of(&pld, 1e-30)));
}

static void bad_lists_are_refused(void)
{
    double epsilon = 7.0;
    struct mechanism bad = GAUSSIAN, lots[2] = {GAUSSIAN, GAUSSIAN};
    bad.noise = 0.0;
    lots[0].times = lots[1].times = 6000000;
    struct pld pld = {0};
    CHECK_STATUS(STATUS_RANGE, pld_epsilon(&epsilon, &bad, 1, 1e-5, ROUGH));
    CHECK_STATUS(STATUS_RANGE, pld_epsilon(&epsilon, lots, 2, 1e-5, ROUGH));
    CHECK_STATUS(STATUS_RANGE, pld_epsilon(&epsilon, lots, 0, 1e-5, ROUGH));
    CHECK_STATUS(STATUS_RANGE, pld_compose(&pld, &bad, 1, MECHANISM_ADD, 1e-5, ROUGH));
    CHECK(epsilon == 7.0 && pld.chance == NULL);
}

static void memory_is_refused_cleanly(void)
{
    double epsilon = 7.0;
    const struct mechanism m = {MECHANISM_SKELLAM, 2.0, 1, 1, 0.5, false, 2};
    OOM_EACH {
        enum status status = pld_epsilon(&epsilon, &m, 1, 1e-5, 1e-2);
        oom_stop();
        if (status != STATUS_OK) {
            CHECK_STATUS(STATUS_NOMEM, status);
            CHECK(epsilon == 7.0);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "thousand") == 0) {
        RUN(a_thousand_different_releases_are_bounded);
        return check_done();
    }
    if (argc != 2) return 2;
    vectors = argv[1];
    RUN(vectors_are_met);
    RUN(bounds_are_ordered);
    RUN(tiny_deltas_stay_sharp);
    RUN(a_list_is_its_parts);
    RUN(a_hundred_different_releases_are_bounded);
    RUN(equal_releases_are_counted_together);
    RUN(one_sampled_release_is_never_below_its_exact_curve);
    RUN(replacing_costs_more_than_adding);
    RUN(delta_zero_is_the_sum_of_the_largest_losses);
    RUN(delta_and_epsilon_are_inverse);
    RUN(bad_lists_are_refused);
    RUN(memory_is_refused_cleanly);
    return check_done();
}
