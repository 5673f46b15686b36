/* SPDX-License-Identifier: Apache-2.0 */
/* What fleet.c, fleet_enrol.c and fleet_play.c share. Private to them. */
#ifndef LAB_FLEET_STEP_H
#define LAB_FLEET_STEP_H

#include "lab/fleet.h"

struct fleet_site {
    struct site site;     /* not moved once it is open */
    struct keyfile key;   /* as it was made; secret */
    enum phase lost;      /* silent from this phase of the round on; PHASE_COUNT: not at all */
    struct buffer letter; /* to it, in the present phase */
    struct outbox answer; /* its letters to the coordinator */
    struct noised put_in; /* its noisy sum, until the survivors are known; secret */
    struct noise noise;   /* that is in it, where it is watched; secret */
    struct rng then;      /* its generator after that; secret */
    bool gone;            /* its policy ended the study for it */
    bool measured;        /* its noise is to be timed in this round */
    bool watched;         /* by the settings' watch */
    enum status status;   /* of its step in this phase */
    uint64_t up, down;    /* bytes of this round */
    struct fleet_times times;
};

/* Processor seconds of the calling thread; and those since a moment, which becomes now. */
double fleet_seconds(void);
double fleet_lap(double *since);

/* A site takes its letter, works when it is its turn to, and has its answer ready. What a site
 * refuses is in the answer; a status is a failure of the lab's own. */
MUST_USE enum status fleet_take_letter(struct fleet_site *own, uint64_t now_ms);

/* Make keys, the manifest, the sites' folders and all ledgers, and open the sites. Statuses as
 * fleet_open. */
MUST_USE enum status fleet_enrol(struct fleet *fleet, struct dataset *share,
                                 struct site_error *why);

/* Whether each sum of the round that is done is that of what its survivors put in: sets compared,
 * and then exact. */
MUST_USE enum status fleet_compare(struct fleet_round *out, const struct fleet *fleet);

#endif
