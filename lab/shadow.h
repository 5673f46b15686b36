/* SPDX-License-Identifier: Apache-2.0 */
/* Models trained as a study trains, on records that somebody chose: the one that is attacked, and
 * references on random halves of the records, to compare it with. */
#ifndef LAB_SHADOW_H
#define LAB_SHADOW_H

#include "client/data/split.h"
#include "client/local.h"
#include "lab/membership.h"

/* How to train. Pointers are borrowed. */
struct shadow {
    const char *path; /* of the study's file */
    const struct study *study;
    const float *initial;  /* weights */
    const float *backbone; /* frozen ones; NULL: none */
    bool federated;        /* the whole study over its sites (lab/fleet.h), with its noise and
                            * pruning; or by one party, without both (lab/solo.h) */
    struct split split;    /* federated: whose records are which, */
    bool real;             /* and whether messages go over sockets */
    unsigned threads;      /* models that are trained at the same time */
};

/* What is to be said of a federated training. */
struct shadow_told {
    double epsilon; /* what it would cost against whoever reads the model, had its noise come from
                     * the system; at the study's delta; infinite without noise */
    uint32_t rounds;
    char why[512]; /* what stood against it, for people; empty: only the status is known */
};

/* Train on data, which is taken over, also on failure; seed is of all that is drawn.
 * told  of a federated training, also on failure; may be NULL.
 * STATUS_RANGE  the data do not fit the study, or the training diverged. STATUS_BUDGET, QUORUM, IO,
 * NOMEM as fleet_play. STATUS_STATE  a signal came. */
MUST_USE enum status shadow_train(struct state *out, struct shadow_told *told,
                                  const struct shadow *how, struct dataset *data, uint64_t seed);

/* Margins of all records of data, which fit the study, under a model of it. STATUS_RANGE  the state
 * is not of this model. STATUS_NOMEM. */
MUST_USE enum status shadow_margins(double *margin, const struct shadow *how,
                                    const struct state *state, const struct dataset *data);

/* Called when one more reference is done; one call at a time. */
typedef void shadow_tell(void *context, uint32_t done, uint32_t all);

/* Train the references of m, n_references of them, an even number: each two on the halves of a
 * shuffle of the records of data, so that each record is unseen by exactly half of them. Fills in
 * reference and seen. Statuses of shadow_train. */
MUST_USE enum status shadow_references(struct membership *m, const struct shadow *how,
                                       const struct dataset *data, uint64_t seed, shadow_tell *tell,
                                       void *context);

#endif
