/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/bound.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/vectors.h"

static const char *vectors;

static double of_vector(const char *method, const double *c, const struct bound_level *level)
{
    const uint32_t a = (uint32_t)c[0], b = (uint32_t)c[1];
    const struct bound_run run = {a, b, (uint32_t)c[2]};
    const struct bound_trials trials = {a, b, (uint32_t)c[2], (uint32_t)c[3]};
    double epsilon = -1.0;
    if (strcmp(method, "gaussian") == 0) epsilon = bound_gaussian(c[0], level->delta);
    if (strcmp(method, "one-run") == 0) CHECK_OK(bound_one_run(&epsilon, &run, level));
    if (strcmp(method, "one-run-fdp") == 0) CHECK_OK(bound_one_run_fdp(&epsilon, &run, level));
    if (strcmp(method, "gdp") == 0) CHECK_OK(bound_gdp(&epsilon, &trials, level));
    if (strcmp(method, "clopper-pearson") == 0)
        CHECK_OK(bound_clopper_pearson(&epsilon, &trials, level));
    return epsilon;
}

/* tests/vectors/dp-bound.csv: method, counts, delta, confidence, bound, bound of other software. */
static void vectors_are_met_from_below(void)
{
    struct vectors v;
    vectors_open(&v, vectors);
    char method[32];
    int rows = 0;
    while (vectors_next(&v)) {
        double c[4] = {0}, exact = 0, elsewhere = 0;
        struct bound_level level = {0};
        CHECK(sscanf(v.line, "%31[^,],%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf", method, &c[0], &c[1], &c[2],
                     &c[3], &level.delta, &level.confidence, &exact, &elsewhere) == 9);
        const double got = of_vector(method, c, &level);
        CHECK(got <= exact);
        CHECK_CLOSE(exact, got, 3e-8 + 3e-9 * exact);
        if (!isnan(elsewhere)) CHECK_CLOSE(elsewhere, got, 2e-6);
        rows++;
    }
    CHECK_NUMBER(43, rows);
}

static const struct bound_level usual = {1e-5, 0.95};

static void bounds_have_eight_decimals(void)
{
    double epsilon = 0;
    CHECK_OK(bound_one_run(&epsilon, &(struct bound_run){100, 100, 80}, &usual));
    char text[32];
    (void)snprintf(text, sizeof text, "%.8f", epsilon);
    double shown = 0;
    CHECK(sscanf(text, "%lf", &shown) == 1 && shown == epsilon);
}

static void bounds_rise_with_success(void)
{
    double last[2] = {0}, now[2];
    for (uint32_t v = 0; v <= 200; v += 5) {
        CHECK_OK(bound_one_run(&now[0], &(struct bound_run){400, 200, v}, &usual));
        CHECK_OK(bound_one_run_fdp(&now[1], &(struct bound_run){400, 200, v}, &usual));
        for (int i = 0; i < 2; i++) CHECK(now[i] >= last[i]);
        memcpy(last, now, sizeof last);
        if (v <= 100) CHECK(now[0] == 0.0 && now[1] == 0.0);
    }
    last[0] = last[1] = 1000.0;
    for (uint32_t k = 0; k <= 200; k += 5) {
        const struct bound_trials trials = {k, 400, k, 200};
        CHECK_OK(bound_clopper_pearson(&now[0], &trials, &usual));
        CHECK_OK(bound_gdp(&now[1], &trials, &usual));
        for (int i = 0; i < 2; i++) CHECK(now[i] <= last[i] && (k < 150 || now[i] == 0.0));
        memcpy(last, now, sizeof last);
    }
}

static void the_two_kinds_of_error_are_alike(void)
{
    double a = 0, b = 0;
    CHECK_OK(bound_clopper_pearson(&a, &(struct bound_trials){3, 100, 40, 300}, &usual));
    CHECK_OK(bound_clopper_pearson(&b, &(struct bound_trials){40, 300, 3, 100}, &usual));
    CHECK(a == b && a > 0);
    CHECK_OK(bound_gdp(&a, &(struct bound_trials){3, 100, 40, 300}, &usual));
    CHECK_OK(bound_gdp(&b, &(struct bound_trials){40, 300, 3, 100}, &usual));
    CHECK(a == b && a > 0);
}

static void nothing_guessed_proves_nothing(void)
{
    double epsilon = 9;
    CHECK_OK(bound_one_run(&epsilon, &(struct bound_run){10, 0, 0}, &usual));
    CHECK(epsilon == 0.0);
    epsilon = 9;
    CHECK_OK(bound_one_run_fdp(&epsilon, &(struct bound_run){10, 0, 0}, &usual));
    CHECK(epsilon == 0.0);
}

static void bounds_stay_within_their_end(void)
{
    double epsilon = 0;
    const struct bound_level pure = {0.0, 0.95};
    CHECK(bound_gaussian(1e300, 1e-5) == BOUND_EPSILON_MAX);
    CHECK(bound_gaussian(40.0, 0.999) == BOUND_EPSILON_MAX);
    CHECK(bound_gaussian(0.0, 0.0) == 0.0 && bound_gaussian(1e-9, 0.0) == BOUND_EPSILON_MAX);
    CHECK(bound_gaussian(1e-6, 1e-5) == 0.0);
    CHECK(bound_gaussian(1.0, 1e-300) > bound_gaussian(1.0, 1e-90));
    CHECK_OK(bound_one_run_fdp(&epsilon, &(struct bound_run){100, 100, 90}, &pure));
    CHECK(epsilon == BOUND_EPSILON_MAX);
    CHECK_OK(bound_one_run(
        &epsilon, &(struct bound_run){TAIL_COUNT_MAX, TAIL_COUNT_MAX, TAIL_COUNT_MAX}, &pure));
    CHECK_CLOSE(-log(expm1(-log(0.05) / TAIL_COUNT_MAX)), epsilon, 1e-6);
}

static void limits_beside_one_are_borne(void)
{
    const struct bound_trials trials = {TAIL_COUNT_MAX - 1, TAIL_COUNT_MAX, 0, TAIL_COUNT_MAX};
    double epsilon = 7;
    CHECK_OK(bound_gdp(&epsilon, &trials, &(struct bound_level){1e-5, 1.0 - 1e-15}));
    CHECK(epsilon == 0.0);
}

static void counts_that_cannot_be_are_refused(void)
{
    const struct bound_run runs[] = {
        {0, 0, 0}, {10, 11, 5}, {10, 5, 6}, {TAIL_COUNT_MAX + 1, 5, 5}};
    const struct bound_trials trials[] = {{0, 0, 0, 9},
                                          {0, 9, 0, 0},
                                          {10, 9, 0, 9},
                                          {0, 9, 10, 9},
                                          {0, TAIL_COUNT_MAX + 1, 0, 9},
                                          {0, 9, 0, TAIL_COUNT_MAX + 1}};
    double epsilon = 7;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        CHECK_STATUS(STATUS_RANGE, bound_one_run(&epsilon, &runs[i], &usual));
        CHECK_STATUS(STATUS_RANGE, bound_one_run_fdp(&epsilon, &runs[i], &usual));
    }
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        CHECK_STATUS(STATUS_RANGE, bound_clopper_pearson(&epsilon, &trials[i], &usual));
        CHECK_STATUS(STATUS_RANGE, bound_gdp(&epsilon, &trials[i], &usual));
    }
    CHECK(epsilon == 7);
}

static void levels_that_cannot_be_are_refused(void)
{
    const double nan = (double)NAN;
    const struct bound_level levels[] = {{-1e-9, 0.95}, {1.0, 0.95}, {nan, 0.95},
                                         {1e-5, 0.0},   {1e-5, 1.0}, {1e-5, nan}};
    double epsilon = 7;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        const struct bound_run run = {100, 100, 90};
        const struct bound_trials trials = {1, 9, 1, 9};
        CHECK_STATUS(STATUS_RANGE, bound_one_run(&epsilon, &run, &levels[i]));
        CHECK_STATUS(STATUS_RANGE, bound_one_run_fdp(&epsilon, &run, &levels[i]));
        CHECK_STATUS(STATUS_RANGE, bound_clopper_pearson(&epsilon, &trials, &levels[i]));
        CHECK_STATUS(STATUS_RANGE, bound_gdp(&epsilon, &trials, &levels[i]));
    }
    CHECK(epsilon == 7);
}

static const double score[] = {0.3, -1.0, 2.0, 0.1, 5.0, 0.2, 1.0, -3.0};
static const bool in[] = {true, false, true, false, false, true, true, false};

static void both_ends_of_the_ranking_are_guessed(void)
{
    struct bound_run run = {0};
    CHECK_OK(bound_guess(&run, score, in, 8, 4)); /* in: 5, 2; out: -3, -1; 5 was not in */
    CHECK(run.canaries == 8 && run.guesses == 4 && run.correct == 3);
    CHECK_OK(bound_guess(&run, score, in, 8, 8));
    CHECK(run.guesses == 8 && run.correct == 6);
    CHECK_OK(bound_guess(&run, score, in, 8, 0));
    CHECK(run.guesses == 0 && run.correct == 0);
}

/* Whoever was in, the same canaries are guessed: with the coins turned round, the rest is right. */
static void guesses_do_not_look_at_the_truth(void)
{
    const double equal[6] = {0};
    for (unsigned coins = 0; coins < 64; coins++) {
        bool yes[6], no[6];
        for (unsigned i = 0; i < 6; i++) no[i] = !(yes[i] = (coins >> i & 1) != 0);
        struct bound_run a = {0}, b = {0};
        CHECK_OK(bound_guess(&a, equal, yes, 6, 4));
        CHECK_OK(bound_guess(&b, equal, no, 6, 4));
        CHECK_NUMBER(4, a.correct + b.correct);
    }
}

static void guesses_that_cannot_be_are_refused(void)
{
    const double bad[] = {1.0, (double)NAN};
    struct bound_run run = {7, 7, 7};
    CHECK_STATUS(STATUS_RANGE, bound_guess(&run, score, in, 8, 3));
    CHECK_STATUS(STATUS_RANGE, bound_guess(&run, score, in, 8, 10));
    CHECK_STATUS(STATUS_RANGE, bound_guess(&run, score, in, 0, 0));
    CHECK_STATUS(STATUS_RANGE, bound_guess(&run, score, in, TAIL_COUNT_MAX + 1, 2));
    CHECK_STATUS(STATUS_RANGE, bound_guess(&run, bad, in, 2, 2));
    CHECK(run.canaries == 7 && run.guesses == 7 && run.correct == 7);
}

/* Even places: without 0 and 1, with 5 and 6; odd places say otherwise and have no vote. */
static void the_threshold_is_chosen_by_the_even_places(void)
{
    double negative[40], positive[60];
    for (int i = 0; i < 40; i++) negative[i] = i % 2 == 0 ? i % 4 / 2 : 5.5;
    for (int i = 0; i < 60; i++) positive[i] = i % 2 == 0 ? 5 + i % 4 / 2 : i < 30 ? 3.0 : 9.0;
    struct bound_trials got = {0};
    CHECK_OK(bound_split(&got, negative, 40, positive, 60, bound_clopper_pearson, &usual));
    CHECK(got.negatives == 20 && got.positives == 30);
    CHECK(got.false_positives == 20 && got.false_negatives == 15);
    CHECK_OK(bound_split(&got, negative, 39, positive, 59, bound_gdp, &usual));
    CHECK(got.negatives == 19 && got.positives == 29);
}

static void splits_that_cannot_be_are_refused(void)
{
    const double fine[] = {1.0, 2.0}, bad[] = {1.0, (double)NAN};
    const struct bound_level no = {1e-5, 1.0};
    struct bound_trials t = {7, 7, 7, 7};
    CHECK_STATUS(STATUS_RANGE, bound_split(&t, fine, 1, fine, 2, bound_gdp, &usual));
    CHECK_STATUS(STATUS_RANGE, bound_split(&t, fine, 2, fine, 1, bound_gdp, &usual));
    CHECK_STATUS(STATUS_RANGE, bound_split(&t, bad, 2, fine, 2, bound_gdp, &usual));
    CHECK_STATUS(STATUS_RANGE, bound_split(&t, fine, 2, bad, 2, bound_gdp, &usual));
    CHECK_STATUS(STATUS_RANGE, bound_split(&t, fine, 2, fine, 2, bound_gdp, &no));
    CHECK_STATUS(STATUS_RANGE,
                 bound_split(&t, fine, TAIL_COUNT_MAX + 1, fine, 2, bound_gdp, &usual));
    CHECK_STATUS(STATUS_RANGE,
                 bound_split(&t, fine, 2, fine, TAIL_COUNT_MAX + 1, bound_gdp, &usual));
    CHECK(t.false_positives == 7 && t.negatives == 7 && t.false_negatives == 7 && t.positives == 7);
}

static void rules_survive_out_of_memory(void)
{
    struct bound_run run = {7, 7, 7};
    struct bound_trials trials = {7, 7, 7, 7};
    OOM_EACH {
        enum status status = bound_guess(&run, score, in, 8, 4);
        if (status == STATUS_OK)
            status = bound_split(&trials, score, 8, score, 8, bound_gdp, &usual);
        oom_stop();
        if (status == STATUS_OK) continue;
        CHECK_STATUS(STATUS_NOMEM, status);
        CHECK(trials.negatives == 7);
    }
    CHECK(run.guesses == 4 && trials.negatives == 4);
}

int main(int argc, char **argv)
{
    if (argc > 1) vectors = argv[1];
    RUN(vectors_are_met_from_below);
    RUN(bounds_have_eight_decimals);
    RUN(bounds_rise_with_success);
    RUN(the_two_kinds_of_error_are_alike);
    RUN(nothing_guessed_proves_nothing);
    RUN(bounds_stay_within_their_end);
    RUN(limits_beside_one_are_borne);
    RUN(counts_that_cannot_be_are_refused);
    RUN(levels_that_cannot_be_are_refused);
    RUN(both_ends_of_the_ranking_are_guessed);
    RUN(guesses_do_not_look_at_the_truth);
    RUN(guesses_that_cannot_be_are_refused);
    RUN(the_threshold_is_chosen_by_the_even_places);
    RUN(splits_that_cannot_be_are_refused);
    RUN(rules_survive_out_of_memory);
    return check_done();
}
