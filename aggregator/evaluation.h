/* SPDX-License-Identifier: Apache-2.0 */
/* What an evaluation says of a model: shares of right answers out of noisy counts, each with the
 * standard error that the known noise gives it. That the held-out records are themselves a sample
 * is not in these errors. */
#ifndef AGGREGATOR_EVALUATION_H
#define AGGREGATOR_EVALUATION_H

#include "aggregator/round.h"

#define EVALUATION_CLASSES_MAX 256

struct evaluation {
    uint32_t classes;
    double noise; /* standard deviation of the noise of one count */
    /* By class. Unit patient: records. Unit site: sums of the sites' shares, so that every site
     * counts alike however many records it holds out. */
    double right[EVALUATION_CLASSES_MAX], wrong[EVALUATION_CLASSES_MAX];
};

/* A share of right answers, within [0, 1]; value and error are NaN where less was counted than
 * EVALUATION_CLEAR standard deviations of its noise. */
struct estimate {
    double value, error;
};
#define EVALUATION_CLEAR 8

/* From a round of STEP_EVALUATE in PHASE_DONE whose segment was opened.
 * STATUS_RANGE  more classes than fit, or no such round; out is untouched. */
MUST_USE enum status evaluation_of(struct evaluation *out, const struct round *round);

/* All that was counted, rights and wrongs. */
double evaluation_seen(const struct evaluation *e);
/* Right answers of all. */
struct estimate evaluation_accuracy(const struct evaluation *e);
/* Right answers of those of one class. */
struct estimate evaluation_recall(const struct evaluation *e, uint32_t class);
/* Mean of the classes' recalls. */
struct estimate evaluation_balanced(const struct evaluation *e);

#endif
