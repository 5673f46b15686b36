/* SPDX-License-Identifier: Apache-2.0 */
/* Null hypothesis: a bound is above the true epsilon in at most 5 % of all runs. Three worlds of
 * which the truth is known, each 2000 times, with counts made by the rules of dp/bound.h. Seeds are
 * fixed, so a pass repeats. Without them, a bound whose rate of false alarms were 5 % exactly would
 * fail every second time; ours is below because counts are whole numbers. What is no bound, planted
 * as test doubles, must fail. */
#include "dp/bound.h"

#include <math.h>
#include <stdio.h>

#include "crypto/rng.h"
#include "tests/lib/check.h"

#define RUNS 2000
#define ALARMS_NOMINAL 100
/* Reached with probability below 1e-6 when the rate is 5 %. */
#define ALARMS_PLANTED 150
#define CANARIES 200
#define GUESSES 100
#define TRIALS 100

static const struct bound_level level = {1e-5, 0.95};

/* The output for one canary is a score that tells more or less whether it was in. */
enum world { WORLD_NULL, WORLD_RESPONSE, WORLD_GAUSSIAN };
#define TRUE_RATE 0.8 /* randomised response: how often the answer is right */
#define TRUE_MU 1.0   /* Gaussian: shift over deviation */

static double draw_score(enum world world, bool in, struct rng *rng)
{
    if (world == WORLD_NULL) return rng_normal(rng);
    if (world == WORLD_GAUSSIAN) return rng_normal(rng) + (in ? TRUE_MU : 0.0);
    const bool right = rng_unit(rng) < TRUE_RATE;
    return right == in ? 1.0 : 0.0;
}

/* Randomised response has epsilon log(p / (1 - p)); it is also mu-GDP with the mu whose trade-off
 * curve goes through its only corner (1 - p, 1 - p), and that is what the bounds for GDP bound. */
static double truth(enum world world, bool gaussian)
{
    if (world == WORLD_NULL) return 0.0;
    if (world == WORLD_GAUSSIAN) return bound_gaussian(TRUE_MU, level.delta);
    if (gaussian) return bound_gaussian(2.0 * tail_normal_inverse(TRUE_RATE), level.delta);
    return log(TRUE_RATE / (1.0 - TRUE_RATE));
}

typedef enum status bound_of_run(double *epsilon, const struct bound_run *run,
                                 const struct bound_level *level);

struct game {
    double score[CANARIES];
    bool in[CANARIES];
};

static void play(struct game *game, enum world world, struct rng *rng)
{
    for (uint32_t i = 0; i < CANARIES; i++) {
        game->in[i] = rng_below(rng, 2) == 1;
        game->score[i] = draw_score(world, game->in[i], rng);
    }
}

static int alarms_of_one_run(bound_of_run *bound, enum world world, double true_epsilon)
{
    struct rng rng = {0};
    rng_numbered(&rng, 1 + (uint64_t)world);
    double known[GUESSES + 1];
    for (uint32_t v = 0; v <= GUESSES; v++)
        CHECK_OK(bound(&known[v], &(struct bound_run){CANARIES, GUESSES, v}, &level));
    int alarms = 0;
    for (int i = 0; i < RUNS; i++) {
        struct game game;
        play(&game, world, &rng);
        struct bound_run run = {0};
        CHECK_OK(bound_guess(&run, game.score, game.in, CANARIES, GUESSES));
        alarms += known[run.correct] > true_epsilon;
    }
    return alarms;
}

static void one_run_keeps_its_confidence(void)
{
    for (enum world w = WORLD_NULL; w <= WORLD_GAUSSIAN; w++) {
        const int alarms = alarms_of_one_run(bound_one_run, w, truth(w, false));
        printf("  world %d: %d false alarms\n", (int)w, alarms);
        CHECK(alarms <= ALARMS_NOMINAL);
    }
}

static void one_run_fdp_keeps_its_confidence(void)
{
    for (enum world w = WORLD_NULL; w <= WORLD_GAUSSIAN; w++) {
        const int alarms = alarms_of_one_run(bound_one_run_fdp, w, truth(w, true));
        printf("  world %d: %d false alarms\n", (int)w, alarms);
        CHECK(alarms <= ALARMS_NOMINAL);
    }
}

/* What a bound gives for all counts of half the trials, so that it is computed once. */
static double known[TRIALS / 2 + 1][TRIALS / 2 + 1];

static enum status bound_known(double *epsilon, const struct bound_trials *t,
                               const struct bound_level *unused)
{
    (void)unused;
    *epsilon = known[t->false_positives][t->false_negatives];
    return STATUS_OK;
}

static void know(bound_of_trials *bound, const struct bound_level *at)
{
    const uint32_t half = TRIALS / 2;
    for (uint32_t a = 0; a <= half; a++)
        for (uint32_t b = 0; b <= half; b++)
            CHECK_OK(bound(&known[a][b], &(struct bound_trials){a, half, b, half}, at));
}

static int alarms_of_trials(enum world world, double true_epsilon)
{
    struct rng rng = {0};
    rng_numbered(&rng, 11 + (uint64_t)world);
    int alarms = 0;
    for (int i = 0; i < RUNS; i++) {
        double negative[TRIALS], positive[TRIALS];
        for (uint32_t k = 0; k < TRIALS; k++) {
            negative[k] = draw_score(world, false, &rng);
            positive[k] = draw_score(world, true, &rng);
        }
        struct bound_trials got = {0};
        CHECK_OK(bound_split(&got, negative, TRIALS, positive, TRIALS, bound_known, &level));
        alarms += known[got.false_positives][got.false_negatives] > true_epsilon;
    }
    return alarms;
}

static void clopper_pearson_keeps_its_confidence(void)
{
    know(bound_clopper_pearson, &level);
    for (enum world w = WORLD_NULL; w <= WORLD_GAUSSIAN; w++) {
        const int alarms = alarms_of_trials(w, truth(w, false));
        printf("  world %d: %d false alarms\n", (int)w, alarms);
        CHECK(alarms <= ALARMS_NOMINAL);
    }
}

static void gdp_keeps_its_confidence(void)
{
    know(bound_gdp, &level);
    for (enum world w = WORLD_NULL; w <= WORLD_GAUSSIAN; w++) {
        const int alarms = alarms_of_trials(w, truth(w, true));
        printf("  world %d: %d false alarms\n", (int)w, alarms);
        CHECK(alarms <= ALARMS_NOMINAL);
    }
}

/* Ten numbers of guesses, and the one that did best is reported. */
static void the_best_number_of_guesses_is_caught(void)
{
    struct rng rng = {0};
    rng_numbered(&rng, 21);
    int alarms = 0;
    for (int i = 0; i < RUNS; i++) {
        struct game game;
        play(&game, WORLD_NULL, &rng);
        bool above = false;
        for (uint32_t guesses = 20; guesses <= CANARIES && !above; guesses += 20) {
            struct bound_run run = {0};
            double epsilon = 0;
            CHECK_OK(bound_guess(&run, game.score, game.in, CANARIES, guesses));
            CHECK_OK(bound_one_run(&epsilon, &run, &level));
            above = epsilon > 0.0;
        }
        alarms += above;
    }
    printf("  %d false alarms\n", alarms);
    CHECK(alarms > ALARMS_PLANTED);
}

/* Half of all "bounds" of no confidence are too high, but for what the split gives away. */
static void an_estimate_is_caught(void)
{
    know(bound_gdp, &(struct bound_level){1e-5, 1e-9});
    const int alarms = alarms_of_trials(WORLD_GAUSSIAN, truth(WORLD_GAUSSIAN, true));
    printf("  %d false alarms\n", alarms);
    CHECK(alarms > ALARMS_PLANTED);
}

/* Where each guess is right by itself with the same chance, the probability of a false alarm is a
 * tail of the binomial law: no simulation. That
 * of one-run must also not be far below 5 %. */
static void alarms_of_single_answers_are_exactly_rare(void)
{
    const double rates[] = {0.5, 0.6, 0.8, 0.95};
    const uint32_t sizes[] = {20, 100, 300};
    for (size_t i = 0; i < 12; i++) {
        const double p = rates[i % 4];
        const uint32_t n = sizes[i / 4];
        const double mu = 2.0 * fmax(0.0, -tail_normal_inverse(1.0 - p));
        double alarm[2] = {0};
        for (uint32_t v = n + 1; v-- > 0;) {
            double pure = 0, gaussian = 0;
            const struct bound_run run = {n, n, v};
            CHECK_OK(bound_one_run(&pure, &run, &(struct bound_level){0.0, 0.95}));
            CHECK_OK(bound_one_run_fdp(&gaussian, &run, &level));
            const double chance = exp(tail_binomial(n, v, log(p / (1.0 - p))));
            if (pure > log(p / (1.0 - p))) alarm[0] = chance;
            if (gaussian > bound_gaussian(mu, level.delta)) alarm[1] = chance;
        }
        printf("  %3u guesses, right %g: %.4f and %.4f\n", n, p, alarm[0], alarm[1]);
        CHECK(alarm[0] <= 0.05 && alarm[1] <= 0.05);
        CHECK(n == 20 || alarm[0] > 0.02);
    }
}

int main(void)
{
    RUN(one_run_keeps_its_confidence);
    RUN(one_run_fdp_keeps_its_confidence);
    RUN(clopper_pearson_keeps_its_confidence);
    RUN(gdp_keeps_its_confidence);
    RUN(the_best_number_of_guesses_is_caught);
    RUN(an_estimate_is_caught);
    RUN(alarms_of_single_answers_are_exactly_rare);
    return check_done();
}
