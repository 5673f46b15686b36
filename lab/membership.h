/* SPDX-License-Identifier: Apache-2.0 */
/* Membership inference: by how sure models are of a record's label, was it among those that one of
 * them was trained on? Scores are made without the truth; larger means "it was". */
#ifndef LAB_MEMBERSHIP_H
#define LAB_MEMBERSHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* A record's margin: log(p / (1 - p)) of its label's probability p, which keeps its digits where p
 * is almost 0 or 1. label < classes, classes >= 2. */
double membership_margin(const float *logit, uint8_t label, size_t classes);

/* Margins of n records under the model that is attacked, and under references, some of which were
 * not trained on a record: those are what the attacks look at. */
struct membership {
    size_t n;
    uint32_t n_references;
    double *target;    /* n; owned, as the others */
    double *reference; /* n_references rows of n */
    bool *seen;        /* n_references rows of n: whether it was trained on the record */
};
/* n and n_references above 0. STATUS_NOMEM. */
MUST_USE enum status membership_new(struct membership *out, size_t n, uint32_t n_references);
void membership_free(struct membership *m);

/* LiRA, offline (Carlini et al. 2022, section VI): how many deviations the margin is above the mean
 * of the references that have not seen the record. The deviation is the record's own where each
 * record has MEMBERSHIP_OWN_DEVIATION such references, else one for all records.
 *
 * STATUS_RANGE  a record has no such reference, or all have one and no deviation is known.
 * score, n, is untouched then. */
#define MEMBERSHIP_OWN_DEVIATION 32
MUST_USE enum status membership_lira(double *score, const struct membership *m);

/* RMIA, offline (Zarifzadeh, Liu, Shokri 2024), gamma 1: the share of records z whose
 * p(z) / pbar(z) is below p(x) / pbar(x), with pbar = ((1 + a) mean + 1 - a) / 2 of the references
 * that have not seen the record. The z are the n records themselves, members or not.
 *
 * a  in [0, 1], fixed before the outcome is known.
 * STATUS_RANGE  a record has no such reference. STATUS_NOMEM. score, n, is untouched then. */
#define MEMBERSHIP_RMIA_A 0.3
MUST_USE enum status membership_rmia(double *score, const struct membership *m, double a);

/* --- how well scores tell ----------------------------------------------------------------------
 */

/* From left to right; the first has no false positive, the last is (1, 1). Evenly spaced by the
 * logarithm of the false positives where there are more. */
#define MEMBERSHIP_ROC_MAX 400
struct membership_roc {
    size_t n;
    double fpr[MEMBERSHIP_ROC_MAX], tpr[MEMBERSHIP_ROC_MAX];
};

/* member  n, not 0 where it was one. STATUS_RANGE  no member, no other, or a score is NaN.
 * STATUS_NOMEM. out is untouched then. */
MUST_USE enum status membership_roc(struct membership_roc *out, const double *score,
                                    const uint8_t *member, size_t n);

/* What a threshold does that was chosen without those whom it is tried on. */
struct membership_point {
    double target;    /* share of the nonmembers that may be called members */
    bool measured;    /* enough nonmembers to choose by; else nothing below is known */
    uint32_t needed;  /* nonmembers in all, for it to be measured */
    double threshold; /* a score above it says "member" */
    uint32_t true_positives, members;
    uint32_t false_positives, nonmembers; /* the counted half of them */
    double tpr, tpr_low, tpr_high;        /* limits of Clopper and Pearson, two-sided */
    double fpr;                           /* as it came out */
};

/* Every second nonmember, in their order, which is to be by chance, chooses the smallest threshold
 * that calls no more than the target of them members; all members and the other nonmembers are
 * counted. 0 < target < 1, 0 < confidence < 1.
 * STATUS_RANGE  no member, fewer than two others, a NaN, or more than TAIL_COUNT_MAX of either.
 * STATUS_NOMEM. out is untouched then. */
MUST_USE enum status membership_point(struct membership_point *out, const double *score,
                                      const uint8_t *member, size_t n, double target,
                                      double confidence);

#endif
