/* SPDX-License-Identifier: Apache-2.0 */
/* What trial_bound.c, trial_power.c and trial_rate.c share. Private to them. */
#ifndef LAB_TRIAL_STEP_H
#define LAB_TRIAL_STEP_H

#include "lab/trial.h"

/* Where records are sampled, an adversary looks at this part of the places. */
#define TRIAL_FAVOURITE_PART 8u

/* What ranks thresholds; NULL: the method has another rule. */
bound_of_trials *trial_bound_of(enum trial_method method);

/* The threshold of METHOD_RATE, in deviations of the noise: fixed by the claim and the number of
 * trials, as the one with which an honest mechanism shows most. */
MUST_USE enum status trial_threshold(double *threshold, const struct trial_claim *claim,
                                     uint32_t trials);

/* Scores of n canaries, as a normal law. */
struct trial_law {
    uint32_t n;
    double mean, deviation;
};

/* The threshold with which a method shows most of as many canaries with these laws, and how much:
 * no single score has a say in it, as it has where thresholds are tried on the scores themselves,
 * and the luckiest, far out, wins. STATUS_RANGE. */
MUST_USE enum status trial_fit(double *epsilon, double *threshold, enum trial_method method,
                               const struct trial_claim *claim, const struct trial_law *out,
                               const struct trial_law *in);

/* The least rate of drawing with which the counts agree, if the noise is as planned. */
double trial_rate(const struct bound_trials *counts, const struct trial_claim *claim);
/* And what noise as planned costs at that rate; rounded down. STATUS_NOMEM, STATUS_RANGE. */
MUST_USE enum status trial_rate_epsilon(double *epsilon, const struct trial_claim *claim,
                                        double rate);

#endif
