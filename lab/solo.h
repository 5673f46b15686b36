/* SPDX-License-Identifier: Apache-2.0 */
/* A study's training by one party alone, as a yardstick: without noise, pads, grid and pruning, and
 * otherwise with the study's settings.
 *
 * Unit site: every round is the site's local epochs, one after the other. Unit patient: every round
 * is the coordinator's step on a Poisson sample of the records, each gradient clipped as in the
 * study, divided by the sample's expected size. With one site's records that is the same local
 * budget as in the federation; with those of all sites each record is used as often as there. */
#ifndef LAB_SOLO_H
#define LAB_SOLO_H

#include "client/local.h"

struct solo {
    const struct study *study;
    struct local local;
    struct state state;
    float *velocity, *sum; /* local.full.n: heavy-ball momentum, and scratch */
    struct rng rng;
    uint32_t trained;
};

/* Take over a data set; initial are weights of the study's model, copied; backbone, the frozen ones
 * if it adapts any, stay the caller's.
 * STATUS_RANGE  the data does not fit the model. STATUS_NOMEM. solo_free is needed then, too. */
MUST_USE enum status solo_new(struct solo *out, const struct study *study, struct dataset *data,
                              const float *initial, const float *backbone, uint64_t seed);
void solo_free(struct solo *solo);

/* What a site adds in one round with its loaded state, of which everything is kept: the
 * displacement of its local epochs, or the sum of its sample's clipped gradients, downhill. sum has
 * full.n places. trained: rounds before. STATUS_NOMEM. */
MUST_USE enum status solo_contribution(float *sum, struct local *local, uint32_t trained,
                                       struct rng *rng);

/* STATUS_NOMEM; STATUS_RANGE the training diverged. */
MUST_USE enum status solo_round(struct solo *solo);

#endif
