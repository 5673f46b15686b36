/* SPDX-License-Identifier: Apache-2.0 */
/* One site's training update at four places of its way, for audits: as it is, as it leaves under
 * its masks, with its noise and without masks, and as a part of the sum that is opened. All are
 * what the programs' own code made (lab/fleet.h). */
#ifndef LAB_CAPTURE_H
#define LAB_CAPTURE_H

#include "lab/fleet.h"

enum capture_stage {
    CAPTURE_PLAIN,  /* the site's integer sum, which never leaves it */
    CAPTURE_MASKED, /* the masked input, which does */
    CAPTURE_NOISED, /* what is left of it when all others conspire: the sum with one noise share */
    CAPTURE_SUM,    /* what the coordinator opens: all sites' sums with all noise */
    CAPTURE_STAGES
};

struct capture {
    uint32_t site;       /* whose */
    bool taken;          /* the last round was a training step, and the site put something in */
    struct local *local; /* its model, as loaded for that round, and its records; borrowed */
    size_t n_records;    /* of which the update is made */
    uint32_t *record;    /* their numbers; owned; secret */
    size_t n;            /* coordinates of the site's layers, one after the other */
    uint32_t *place;     /* n: which of the model's; owned */
    float *known; /* of each of the model's coordinates: 1 where it is one of them, else 0; owned */
    struct noised value[CAPTURE_STAGES]; /* n each; the sum: empty when a layer stayed sealed */
};

void capture_free(struct capture *capture);

/* A fleet_watch; context is a struct capture, of which only the site is said. */
enum status capture_watch(void *context, uint32_t site, const struct fleet_input *input);

/* After the round: take the opened sum. A round that was not opened has none. STATUS_NOMEM. */
MUST_USE enum status capture_sum(struct capture *capture, const struct fleet *fleet);

/* Forget the last round, before the next. */
void capture_clear(struct capture *capture);

/* Any vector of n elements modulo the ring as the model's gradient: centred, in model units, turned
 * back where the study turns. out has local->model.layout.n places; those that are no part of it
 * become 0. STATUS_NOMEM. */
MUST_USE enum status capture_decode(float *out, const struct capture *capture,
                                    const struct noised *value, const struct round *round);

#endif
