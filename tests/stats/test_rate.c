/* SPDX-License-Identifier: Apache-2.0 */
/* Null hypothesis: a lower bound on the rate at which records are drawn is above that rate in at
 * most 5 % of all audits of an honest draw, though the places that are looked at were chosen by
 * what half of the rounds scored. Scores are Gaussian; seeds are fixed, so a pass repeats. The same
 * without confidence, and looked at where it was chosen, must fail. */
#include "lab/trial.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/rng.h"
#include "tests/lib/check.h"

#define RUNS 200
/* Reached with probability below 1e-6 when the rate of false alarms is 5 %. */
#define ALARMS 29
#define CANARIES 1200
#define ROUNDS 8
#define MU 2.0
#define RATE 0.1

static struct trials trials_new(void)
{
    struct trials t = {.n = CANARIES * ROUNDS, .n_canaries = CANARIES};
    t.included = calloc(t.n, sizeof *t.included);
    for (int s = 0; s < SCORE_COUNT; s++) {
        t.score[s] = calloc(t.n, sizeof *t.score[s]);
        REQUIRE(t.score[s] != NULL);
    }
    REQUIRE(t.included != NULL);
    return t;
}

/* twice: the rounds that are counted are those that chose. */
static void play(struct trials *t, bool twice, struct rng *rng)
{
    for (uint32_t i = 0; i < t->n; i++) {
        const bool again = twice && i / CANARIES % 2 == 1;
        const bool drawn = rng_unit(rng) < RATE;
        t->included[i] = again ? t->included[i - CANARIES] : rng_below(rng, 2) == 1;
        t->score[SCORE_SUM][i] = again ? t->score[SCORE_SUM][i - CANARIES]
                                       : rng_normal(rng) + (t->included[i] && drawn ? MU : 0.0);
    }
}

static int alarms_at(double confidence, bool twice)
{
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    const struct trial_claim claim = {
        .noise = 1, .mu = MU, .sampling = RATE, .level = {1e-5, confidence}};
    struct trials t = trials_new();
    int alarms = 0;
    for (int i = 0; i < RUNS; i++) {
        struct trial_bound bound = {0};
        play(&t, twice, &rng);
        CHECK_OK(trial_measure(&bound, METHOD_RATE, &t, &claim));
        alarms += bound.rate > RATE;
    }
    printf("  %d false alarms\n", alarms);
    trials_free(&t);
    return alarms;
}

static void the_rate_keeps_its_confidence(void)
{
    CHECK(alarms_at(0.95, false) < ALARMS);
}

static void an_estimate_is_caught(void)
{
    CHECK(alarms_at(1e-9, false) >= ALARMS);
}

static void looking_where_it_was_chosen_is_caught(void)
{
    CHECK(alarms_at(0.95, true) >= ALARMS);
}

int main(void)
{
    RUN(the_rate_keeps_its_confidence);
    RUN(an_estimate_is_caught);
    RUN(looking_where_it_was_chosen_is_caught);
    return check_done();
}
