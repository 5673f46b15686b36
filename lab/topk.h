/* SPDX-License-Identifier: Apache-2.0 */
/* Top-k with error feedback (Stich, Cordonnier and Jaggi 2018, arXiv 1809.07599), as a yardstick
 * in the clear: of each layer a site sends the coordinates of its own choice where its contribution
 * is largest, as many as random-k would (rounds.coordinates), and adds what it did not send to its
 * next contribution.
 *
 * No study can ask for it. Which coordinates a site chooses says something of its data, which no
 * noise covers, and sums under masks need the same coordinates of everybody. So there is no noise
 * here, no pad, no grid, no pruning and no dropout; otherwise it is the study's: contributions as
 * those of lab/solo.h, and the coordinator's step. */
#ifndef LAB_TOPK_H
#define LAB_TOPK_H

#include "lab/solo.h"

struct topk_site;

struct topk {
    const struct study *study;
    struct state state;
    float *velocity, *sum; /* state.keep.n */
    uint32_t n, trained;
    uint64_t sent;          /* coordinates of a site in a round */
    struct topk_site *site; /* n */
};

/* Take over the data sets of n sites; the rest as solo_new. It must not be moved. topk_free is
 * needed on failure as well.
 * STATUS_RANGE  the data does not fit the model. STATUS_NOMEM. */
MUST_USE enum status topk_new(struct topk *out, const struct study *study, uint32_t n,
                              struct dataset *share, const float *initial, const float *backbone,
                              uint64_t seed);
void topk_free(struct topk *topk);

/* threads: sites that work at the same time. STATUS_NOMEM; STATUS_RANGE the training diverged. */
MUST_USE enum status topk_round(struct topk *topk, unsigned threads);

/* Leave the 0 < k <= n largest absolute values, of equal ones the first, and zeros elsewhere.
 * scratch has n places. Which stay is anybody's guess when a value is not a number. */
void topk_keep(float *value, size_t n, size_t k, float *scratch);

#endif
