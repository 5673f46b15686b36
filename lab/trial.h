/* SPDX-License-Identifier: Apache-2.0 */
/* Trials of a release: canaries that are in or out by fair coins, what the adversary scores them,
 * and the lower bounds on epsilon that follow. */
#ifndef LAB_TRIAL_H
#define LAB_TRIAL_H

#include "dp/bound.h"
#include "lab/booth.h"

enum trial_method {
    METHOD_GDP,
    METHOD_CLOPPER_PEARSON,
    METHOD_RATE,
    METHOD_ONE_RUN,
    METHOD_ONE_RUN_FDP,
    METHOD_COUNT
};

/* METHOD_RATE is for sampled records: it bounds how often they are drawn, given the noise. */
/* By which score a canary is told to be in: by the sum alone; or less that of a round without
 * canaries, in case that both have the same noise; or less the noise that all sites have in case
 * that it is that of a colluding one. */
enum trial_score { SCORE_SUM, SCORE_DIFFERENCE, SCORE_ALIKE, SCORE_COUNT };

/* What is claimed of one release, and what the audit can show of it. */
struct trial_claim {
    double epsilon;           /* by the distribution of the loss: the tightest that is claimed */
    double epsilon_account;   /* by the curve that ledgers add up */
    struct bound_level level; /* of every bound */
    double noise;             /* deviation of what the adversary does not know, grid units */
    double mu;                /* of a canary that is drawn: its reach over the noise */
    double sampling;
    double idle; /* directions that nobody uses for each canary */
    struct release release;
};

/* Whether each canary was in, and how it scored; canary i % n_canaries of round i / n_canaries. And
 * what the directions scored that nobody used, n_idle in each round: what a canary scores that is
 * out, for chance makes its direction one of them all. */
struct trials {
    uint32_t n, n_canaries, n_idle;
    bool *included;
    double *score[SCORE_COUNT], *idle[SCORE_COUNT];
};

/* What one method made of the trials. */
struct trial_bound {
    enum trial_method method;
    double epsilon;
    enum trial_score score;
    struct bound_run run;       /* of a method that takes one run */
    struct bound_trials trials; /* of the others */
    double rate;                /* METHOD_RATE: of drawing, at least */
};

const char *trial_method_name(enum trial_method method);
const char *trial_method_holds(enum trial_method method);

/* Whether a method says anything of the claim: a sampled release is not mu-GDP. */
bool trial_holds(enum trial_method method, const struct trial_claim *claim);

/* STATUS_RANGE  nothing is bounded. STATUS_NOMEM. */
MUST_USE enum status trial_claim_of(struct trial_claim *out, const struct booth *booth,
                                    double confidence);

/* Play until there are at least `trials` of them, whole rounds. Statuses as booth_play. */
MUST_USE enum status trial_play(struct trials *out, struct booth *booth, uint32_t trials);
void trials_free(struct trials *trials);

/* STATUS_RANGE  too few trials. STATUS_NOMEM. out is untouched. */
MUST_USE enum status trial_measure(struct trial_bound *out, enum trial_method method,
                                   const struct trials *trials, const struct trial_claim *claim);

/* What a method that takes many runs gives of so many trials of a mechanism with noise of
 * multiplier 1 / mu and that sampling, when chance is `deviations` standard deviations against
 * them. */
MUST_USE enum status trial_expect(double *epsilon, enum trial_method method,
                                  const struct trial_claim *claim, double mu, double sampling,
                                  uint32_t trials, double deviations);

/* The least violation that is caught with a chance of 90 % or so: the factor by which noise is too
 * small, or where records are sampled the rate at which they are drawn. Infinite when neither a
 * factor of TRIAL_FACTOR_MAX is, nor a rate of 1. */
#define TRIAL_FACTOR_MAX 64.0
MUST_USE enum status trial_power(double *violation, enum trial_method method,
                                 const struct trial_claim *claim, uint32_t trials);

/* Trials with which an honest mechanism shows nine tenths of what is claimed, even with bad luck;
 * within reason. */
MUST_USE enum status trial_count_for(uint32_t *trials, enum trial_method method,
                                     const struct trial_claim *claim, uint32_t n_canaries);

#endif
