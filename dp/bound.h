/* SPDX-License-Identifier: Apache-2.0 */
/* Lower bounds on the epsilon of a mechanism, from how well an attack told its outputs apart: if
 * the mechanism had a smaller epsilon at delta, an attack would do so well with probability at most
 * 1 - confidence.
 *
 * A bound holds for one set of counts that was fixed before the outcomes were seen: guesses or
 * threshold chosen by what scores best break it. The two rules at the end make such counts from
 * scores. Use one bound of the four, declared beforehand; the largest of several is none. */
#ifndef DP_BOUND_H
#define DP_BOUND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "dp/tail.h"

/* Larger epsilons are not told apart: a bound that would be higher is this. */
#define BOUND_EPSILON_MAX 256.0
/* Decimals of every bound; they are rounded towards zero, so that "%.8f" never shows more than is
 * proved. */
#define BOUND_DECIMALS 8

struct bound_level {
    double delta;      /* of the claim that is tested; 0 <= delta < 1 */
    double confidence; /* 0 < confidence < 1 */
};

/* One run of the mechanism: each canary was put in or left out by a fair coin of its own; of
 * `guesses` canaries the attack said which, `correct` times rightly, and of the others nothing. */
struct bound_run {
    uint32_t canaries, guesses, correct; /* correct <= guesses <= canaries, canaries > 0 */
};

/* Many independent runs: the attack says "in" or "out". */
struct bound_trials {
    uint32_t false_positives, negatives; /* said "in" in so many of the runs without */
    uint32_t false_negatives, positives; /* said "out" in so many of the runs with; both > 0 */
};

/* All four: counts up to TAIL_COUNT_MAX.
 * STATUS_RANGE  a count or the level is outside its range; epsilon is untouched. */

/* For every mechanism. Steinke, Nasr, Jagielski 2023, theorem 5.2. */
MUST_USE enum status bound_one_run(double *epsilon, const struct bound_run *run,
                                   const struct bound_level *level);

/* For a mechanism that is known to be mu-GDP for some mu, such as Gaussian noise: bounds mu, then
 * takes the epsilon of mu at delta. Mahloujifar, Melis, Chaudhuri 2025, algorithm 2 in the form
 * with a fixed number of guesses. Time grows with `correct`. */
MUST_USE enum status bound_one_run_fdp(double *epsilon, const struct bound_run *run,
                                       const struct bound_level *level);

/* For every mechanism: upper limits of Clopper and Pearson for both error rates, each with half of
 * the false alarms, and epsilon = log((1 - delta - one) / other). Jagielski, Ullman, Oprea 2020. */
MUST_USE enum status bound_clopper_pearson(double *epsilon, const struct bound_trials *trials,
                                           const struct bound_level *level);

/* For a mechanism that is known to be mu-GDP for some mu: the same limits, put into its trade-off
 * curve. Nasr et al. 2023. */
MUST_USE enum status bound_gdp(double *epsilon, const struct bound_trials *trials,
                               const struct bound_level *level);

/* The epsilon of a mu-GDP mechanism at delta, rounded down like a bound; with delta 0 and mu above
 * 0 it is BOUND_EPSILON_MAX. mu >= 0, 0 <= delta < 1. */
double bound_gaussian(double mu, double delta);

/* The rule for one run. `guesses`, an even number, is declared beforehand: half of them say "in" of
 * the canaries with the highest scores, half say "out" of those with the lowest. Scores come from
 * the mechanism's output alone, so who was in cannot move a guess. Equal scores rank by their
 * place.
 *
 * included  n coins, the truth.
 *
 * STATUS_RANGE  guesses is odd or above n, n is 0 or above TAIL_COUNT_MAX, or a score is NaN.
 * STATUS_NOMEM  memory is out. out is untouched in both cases. */
MUST_USE enum status bound_guess(struct bound_run *out, const double *score, const bool *included,
                                 uint32_t n, uint32_t guesses);

/* One of the two bounds from many runs. */
typedef enum status bound_of_trials(double *epsilon, const struct bound_trials *trials,
                                    const struct bound_level *level);

/* The rule for many runs: the runs at even places choose a threshold, that which gives them the
 * highest bound among BOUND_SPLIT_CANDIDATES evenly spaced scores, and the runs at odd places,
 * which had no say in it, are counted. A score at or above the threshold says "in".
 *
 * negative, positive  scores of runs without and with, at least 2 each, independent of each other.
 *
 * STATUS_RANGE  fewer than 2 or more than TAIL_COUNT_MAX scores, a NaN, or the level.
 * STATUS_NOMEM  memory is out. out is untouched in both cases. */
#define BOUND_SPLIT_CANDIDATES 64
MUST_USE enum status bound_split(struct bound_trials *out, const double *negative,
                                 uint32_t n_negative, const double *positive, uint32_t n_positive,
                                 bound_of_trials *bound, const struct bound_level *level);

#endif
