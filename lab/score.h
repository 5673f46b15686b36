/* SPDX-License-Identifier: Apache-2.0 */
/* How good a model is on records that it did not see. */
#ifndef LAB_SCORE_H
#define LAB_SCORE_H

#include "client/local.h"

struct score {
    size_t n;        /* records */
    double accuracy; /* share whose largest output is the label's */
    double balanced; /* mean of the classes' recalls, over classes that have records */
    double auc;      /* two classes: of the difference of the outputs, ties counting half; else NaN,
                      * as where one of them has no records */
    double loss;     /* mean cross-entropy, nats */
};

/* Score a state of the study's model on the records of `test`, which is loaded with it.
 * STATUS_RANGE  the state is not of this model. STATUS_NOMEM. out is untouched then. */
MUST_USE enum status score_state(struct score *out, struct local *test, const struct state *state);

/* Area under the receiver operating characteristic: the share of pairs of one positive and one
 * negative in which the positive's value is larger, ties counting half (Mann and Whitney 1947).
 * Exact but for one division; NaN when there is no such pair.
 *
 * value  n finite numbers. positive  n, not 0 where it is.
 * STATUS_NOMEM  out is untouched. */
MUST_USE enum status score_auc(double *out, const double *value, const uint8_t *positive, size_t n);

#endif
