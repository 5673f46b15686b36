/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/account.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dp/noise.h"
#include "tests/lib/check.h"
#include "tests/lib/vectors.h"

static const char *vectors;

static const struct release PLAIN = {
    .norm2 = 10000, .sigma = 100, .n_shares = 1, .dim = 1000, .sampling = 1.0};

/* tests/vectors/dp-epsilon.csv: sigma, norm2, rate, releases, delta, epsilon, its tolerance, and by
 * how much (relative) integer orders and the RDP conversion may exceed it; the rest is the source.
 * Tight references are exceeded by some 8 % at epsilons of use, RDP references by under 0.5 %
 * except where their best order is not an integer. */
static void vectors_are_bounded_and_nearly_met(void)
{
    struct vectors v;
    vectors_open(&v, vectors);
    int rows = 0;
    while (vectors_next(&v)) {
        struct release release = {.n_shares = 1, .dim = 1};
        struct account account = {0};
        uint32_t times = 0;
        double delta = 0, epsilon = 0, tolerance = 0, above = 0;
        CHECK(sscanf(v.line, "%" SCNu32 ",%" SCNu64 ",%lf,%" SCNu32 ",%lf,%lf,%lf,%lf",
                     &release.sigma, &release.norm2, &release.sampling, &times, &delta, &epsilon,
                     &tolerance, &above) == 8);
        CHECK_OK(account_add(&account, &release, times));
        double got = account_epsilon(&account, delta);
        CHECK(got >= epsilon - tolerance);
        CHECK(got <= epsilon * (1.0 + above));
        rows++;
    }
    CHECK_NUMBER(40, rows);
}

/* Exploration at z = 8 and thirty rounds at z = 4; exact epsilon 6.356941717318 from the sum of
 * the mu^2 (Balle, Wang 2018, theorem 8). */
static void different_releases_add_up(void)
{
    struct account account = {0};
    struct release explore = PLAIN, train = PLAIN;
    explore.sigma = 800;
    train.sigma = 400;
    CHECK_OK(account_add(&account, &explore, 1));
    for (int i = 0; i < 30; i++) CHECK_OK(account_add(&account, &train, 1));
    double epsilon = account_epsilon(&account, 1e-5);
    CHECK(epsilon >= 6.356941717318 && epsilon <= 6.9);
    struct account at_once = {0};
    CHECK_OK(account_add(&at_once, &train, 30));
    CHECK_OK(account_add(&at_once, &explore, 1));
    CHECK_CLOSE(account_epsilon(&at_once, 1e-5), epsilon, 1e-9);
}

static void shares_count_as_one_noise(void)
{
    struct account one = {0}, many = {0};
    struct release a = PLAIN, b = PLAIN;
    a.sigma = 300;
    b.n_shares = 9;
    CHECK_OK(account_add(&one, &a, 5));
    CHECK_OK(account_add(&many, &b, 5));
    CHECK_CLOSE(account_epsilon(&one, 1e-5), account_epsilon(&many, 1e-5), 1e-9);
}

static void empty_account_costs_nothing(void)
{
    struct account account = {0};
    CHECK(account_epsilon(&account, 1e-5) == 0.0);
    CHECK(account_epsilon(&account, 1e-300) == 0.0);
    CHECK_OK(account_add(&account, &PLAIN, 0));
    struct release open = PLAIN;
    open.sigma = 0;
    CHECK_OK(account_add(&account, &open, 0));
    CHECK_BYTES(&(struct account){0}, &account, sizeof account);
}

static void release_without_noise_is_infinite(void)
{
    struct account account = {0};
    struct release open = PLAIN;
    open.sigma = 0;
    CHECK_OK(account_add(&account, &open, 1));
    CHECK(isinf(account_epsilon(&account, 0.5)));
    CHECK_OK(account_add(&account, &PLAIN, 1));
    CHECK(isinf(account_epsilon(&account, 1e-5)));
}

static void epsilon_falls_with_delta_and_rises_with_releases(void)
{
    struct account account = {0};
    double last = 0.0;
    struct release release = PLAIN;
    release.sampling = 0.02;
    for (int i = 0; i < 50; i++) {
        CHECK_OK(account_add(&account, &release, 10));
        double epsilon = account_epsilon(&account, 1e-6);
        CHECK(epsilon > last);
        CHECK(account_epsilon(&account, 1e-5) < epsilon);
        last = epsilon;
    }
}

static void epsilon_is_never_negative(void)
{
    struct account account = {0};
    struct release release = PLAIN;
    release.sigma = 141; /* RDP 0.503 at order 2, where the conversion at 0.5 gives -0.19 */
    CHECK_OK(account_add(&account, &release, 1));
    CHECK(account_epsilon(&account, 0.5) == 0.0);
    CHECK(account_epsilon(&account, 0.999) == 0.0);
    struct account broken;
    for (size_t i = 0; i < RDP_ORDERS; i++) broken.rdp[i] = (double)NAN;
    CHECK(isinf(account_epsilon(&broken, 0.5)));
}

static void bad_release_is_refused(void)
{
    struct account account = {.rdp = {1.0}};
    const struct account before = account;
    struct release bad[8];
    for (size_t i = 0; i < 8; i++) bad[i] = PLAIN;
    bad[0].norm2 = 0;
    bad[1].n_shares = 0;
    bad[2].dim = 0;
    bad[3].sampling = 0.0;
    bad[4].sampling = 1.01;
    bad[5].sampling = (double)NAN;
    bad[6].sigma = NOISE_SIGMA_MIN - 1;
    bad[7].sigma = NOISE_SIGMA_MAX + 1;
    for (size_t i = 0; i < 8; i++) CHECK_STATUS(STATUS_RANGE, account_add(&account, &bad[i], 1));
    CHECK_BYTES(&before, &account, sizeof account);
}

/* The whole way back: calibrate, make a share, charge what was released. */
static void calibrated_shares_meet_the_goal(void)
{
    const struct account_goal goals[] = {
        {.epsilon = 8.0, .delta = 1e-5, .sampling = 1.0, .rounds = 20, .exploration_ratio = 2.0},
        {.epsilon = 1.0, .delta = 1e-6, .sampling = 0.01, .rounds = 100, .exploration_ratio = 0.0},
        {.epsilon = 0.1, .delta = 1e-5, .sampling = 0.2, .rounds = 3, .exploration_ratio = 0.5},
        {.epsilon = 100.0, .delta = 1e-9, .sampling = 1.0, .rounds = 1, .exploration_ratio = 1.0},
        {.epsilon = 3.0,
         .delta = 1e-5,
         .sampling = 0.02,
         .rounds = 60,
         .exploration_ratio = 2.0,
         .evaluations = 3,
         .evaluation_ratio = 10.0},
        {.epsilon = 3.0,
         .delta = 1e-5,
         .sampling = 0.02,
         .rounds = 60,
         .exploration_ratio = 2.0,
         .votes = 5,
         .vote_ratio = 0.7},
    };
    const uint64_t norm2 = 1083030014;
    for (size_t i = 0; i < sizeof goals / sizeof *goals; i++) {
        double z = 0.0, ratio = goals[i].exploration_ratio;
        CHECK_OK(account_calibrate(&z, NULL, &goals[i]));
        for (uint32_t n = 1; n <= 100; n = 9 * n + 2) {
            uint32_t sigma = 0, explore = 0;
            CHECK_OK(account_share(&sigma, z, norm2, n));
            struct release release = {norm2, sigma, n, 1000, goals[i].sampling, 0};
            struct account account = {0};
            for (uint32_t r = 0; r < goals[i].rounds; r++)
                CHECK_OK(account_add(&account, &release, 1));
            if (ratio > 0.0) {
                CHECK_OK(account_share(&explore, z * ratio, norm2, n));
                struct release first = {norm2, explore, n, 1000, goals[i].sampling, 0};
                CHECK_OK(account_add(&account, &first, 1));
            }
            if (goals[i].evaluations > 0) {
                uint32_t count = 0;
                CHECK_OK(account_share(&count, z * goals[i].evaluation_ratio, 16384, n));
                const struct release whole = {16384, count, n, 20, 1.0, 0};
                CHECK_OK(account_add(&account, &whole, goals[i].evaluations));
            }
            if (goals[i].votes > 0) {
                uint32_t vote = 0;
                CHECK_OK(account_share(&vote, z * goals[i].vote_ratio, norm2, n));
                const struct release some = {norm2, vote, n, 20, goals[i].sampling, 0};
                CHECK_OK(account_add(&account, &some, goals[i].votes));
            }
            double epsilon = account_epsilon(&account, goals[i].delta);
            CHECK(epsilon <= goals[i].epsilon);
            CHECK(epsilon >= goals[i].epsilon * 0.998);
        }
    }
}

static void calibration_tells_the_best_order(void)
{
    const double epsilons[] = {0.1, 1.0, 8.0, 100.0};
    for (size_t i = 0; i < 4; i++) {
        const struct account_goal goal = {.epsilon = epsilons[i],
                                          .delta = 1e-5,
                                          .sampling = 0.02,
                                          .rounds = 15,
                                          .exploration_ratio = 4.0};
        const uint64_t norm2 = 1083030014;
        struct release release = {norm2, 0, 1, 1000, goal.sampling, 0}, first = release;
        struct account account = {0};
        double z = 0.0;
        uint32_t order = RDP_ORDERS;
        CHECK_OK(account_calibrate(&z, &order, &goal));
        CHECK_OK(account_share(&release.sigma, z, norm2, 1));
        CHECK_OK(account_share(&first.sigma, z * goal.exploration_ratio, norm2, 1));
        CHECK_OK(account_add(&account, &release, goal.rounds));
        CHECK_OK(account_add(&account, &first, 1));
        CHECK(account_epsilon_at(&account, order, goal.delta) <=
              account_epsilon(&account, goal.delta) * (1.0 + 1e-4));
    }
}

static void calibration_has_edges(void)
{
    const struct account_goal good = {
        .epsilon = 1.0, .delta = 1e-5, .sampling = 1.0, .rounds = 1, .exploration_ratio = 0.0};
    double z = 7.0;
    struct account_goal bad[18];
    const size_t n = sizeof bad / sizeof *bad;
    for (size_t i = 0; i < n; i++) bad[i] = good;
    bad[0].epsilon = 0.0;
    bad[1].epsilon = (double)NAN;
    bad[2].delta = 0.0;
    bad[3].delta = 1.0;
    bad[4].sampling = 0.0;
    bad[5].sampling = 1.5;
    bad[6].rounds = 0;
    bad[7].exploration_ratio = -1.0;
    bad[8].exploration_ratio = (double)INFINITY;
    bad[9].exploration_ratio = (double)NAN;
    bad[10].epsilon = bad[10].delta = 1e-9; /* not even at z = 1e6 */
    bad[11].sampling = (double)NAN;
    bad[12].evaluations = bad[13].evaluations = bad[14].evaluations = 1;
    bad[13].evaluation_ratio = (double)INFINITY;
    bad[14].evaluation_ratio = (double)NAN;
    bad[15].votes = bad[16].votes = bad[17].votes = 1;
    bad[16].vote_ratio = (double)INFINITY;
    bad[17].vote_ratio = (double)NAN;
    for (size_t i = 0; i < n; i++) CHECK_STATUS(STATUS_RANGE, account_calibrate(&z, NULL, &bad[i]));
    CHECK(z == 7.0);
    struct account_goal open = good;
    open.epsilon = (double)INFINITY;
    CHECK_OK(account_calibrate(&z, NULL, &open));
    CHECK(z == 0.0);
}

static void shares_have_edges(void)
{
    uint32_t sigma = 77;
    CHECK_STATUS(STATUS_RANGE, account_share(&sigma, 1e9, 1, 1));
    CHECK_STATUS(STATUS_RANGE, account_share(&sigma, (double)INFINITY, 1, 1));
    CHECK_STATUS(STATUS_RANGE, account_share(&sigma, (double)NAN, 1, 1));
    CHECK_STATUS(STATUS_RANGE, account_share(&sigma, -1.0, 1, 1));
    CHECK_STATUS(STATUS_RANGE, account_share(&sigma, 1.0, 0, 1));
    CHECK_STATUS(STATUS_RANGE, account_share(&sigma, 1.0, 1, 0));
    CHECK_NUMBER(77, sigma);
    CHECK_OK(account_share(&sigma, 0.0, 100, 1));
    CHECK_NUMBER(0, sigma);
    CHECK_OK(account_share(&sigma, 0.1, 100, 1));
    CHECK_NUMBER(NOISE_SIGMA_MIN, sigma);
    CHECK_OK(account_share(&sigma, 1.05, 1000000, 1));
    CHECK_NUMBER(1051, sigma);
    CHECK_OK(account_share(&sigma, 2.0, 1000000, 16));
    CHECK_NUMBER(501, sigma);
}

static void what_people_read_is_on_the_safe_side(void)
{
    CHECK_CLOSE(1.2346, account_rounded(1.23451), 1e-12);
    CHECK_CLOSE(1.2345, account_multiplier_rounded(1.23459), 1e-12);
    CHECK(isinf(account_rounded((double)INFINITY)));
    CHECK_CLOSE(0, account_multiplier_rounded(0), 0);
}

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    vectors = argv[1];
    RUN(what_people_read_is_on_the_safe_side);
    RUN(vectors_are_bounded_and_nearly_met);
    RUN(different_releases_add_up);
    RUN(shares_count_as_one_noise);
    RUN(empty_account_costs_nothing);
    RUN(release_without_noise_is_infinite);
    RUN(epsilon_falls_with_delta_and_rises_with_releases);
    RUN(epsilon_is_never_negative);
    RUN(bad_release_is_refused);
    RUN(calibrated_shares_meet_the_goal);
    RUN(calibration_tells_the_best_order);
    RUN(calibration_has_edges);
    RUN(shares_have_edges);
    return check_done();
}
