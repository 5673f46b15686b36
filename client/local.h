/* SPDX-License-Identifier: Apache-2.0 */
/* What a site trains with: its own records and the study's model, at the size that pruning left. */
#ifndef CLIENT_LOCAL_H
#define CLIENT_LOCAL_H

#include "client/data/data.h"
#include "client/model/model.h"
#include "crypto/rng.h"
#include "protocol/msg.h"
#include "protocol/state.h"
#include "protocol/study.h"

/* Records that go through the model together. */
#define LOCAL_CHUNK 128

struct local {
    const struct study *study;
    uint32_t self;      /* its number in the manifest: whose segments it trains */
    struct layout full; /* of the unpruned model */
    struct dataset data;
    double clip;          /* of training: the state's, or the study's */
    struct dataset held;  /* records that are held out for evaluations; none when empty */
    struct shrunk shrunk; /* the model as pruned */
    struct model model;   /* the same, to compute with */
    unsigned threads;     /* of local epochs, from the next load on, at most: a
                           * batch must be worth them; 0 counts as 1 */
    struct model_work *work;
    /* Frozen weights (client/backbone.h), lent before a state is loaded; NULL: there are none. */
    const float *backbone;
    float *weight;  /* model.layout.n; what the plan's state says */
    float *kept;    /* model.layout.n: 1 where kept, else 0 */
    float *grad;    /* model.layout.n, scratch; secret */
    float *x;       /* LOCAL_CHUNK records as floats, scratch; secret */
    uint32_t *pick; /* data.n record numbers: a sample, or an order; secret */
    uint8_t label[LOCAL_CHUNK];
};

/* Take over a data set. STATUS_RANGE: it does not fit the study's model. STATUS_NOMEM. */
MUST_USE enum status local_new(struct local *out, const struct study *study, struct dataset *data);
void local_free(struct local *local);

/* Take over the records that are held out. Failures as local_new. */
MUST_USE enum status local_hold_out(struct local *local, struct dataset *held);

/* Load the state of a plan: shrink the model to what is kept. Nothing is loaded on failure.
 * STATUS_RANGE  the state is not of this model, layout_shrink refuses it, or the study has a rank
 * and no backbone was lent. STATUS_NOMEM. */
MUST_USE enum status local_load(struct local *local, const struct state *state);

/* Forward pass of 1 <= n <= LOCAL_CHUNK records of a data set by number: n rows of outputs,
 * borrowed until the next pass; their labels are in local->label. */
const float *local_forward(struct local *local, const struct dataset *data, const uint32_t *record,
                           size_t n);

/* Put the negative gradient of one record by number into grad: where its loss falls, zero where
 * not kept. It depends on the record and the loaded state alone, bit for bit: the sensitivity bound
 * needs it (dp/SPEC.md). */
void local_gradient(struct local *local, uint32_t record);

/* The same of several records, as updates of all of the loaded model, nothing of which may be cut:
 * local_group goes through the first of n >= 1 records by number and returns how many those are,
 * local_descent gives that of the i-th of them, borrowed until it is asked again. */
size_t local_group(struct local *local, const uint32_t *record, size_t n);
struct update local_descent(struct local *local, size_t i);

/* Whether the largest output for a held-out record, the first if several are, is its label's. It
 * depends on the record and the loaded state alone. */
bool local_is_right(struct local *local, uint32_t record);

/* Draw each of the site's records independently with probability rate into pick: Poisson sampling.
 * The draw is secret and never leaves. Returns how many were drawn. */
size_t local_sample(struct local *local, double rate, struct rng *rng);

/* Epochs of the study's optimizer from the loaded weights, which are w_global where it is FedProx;
 * what was pruned has no gradient (unit site). Puts end minus start into grad; the loaded weights
 * stay. round: training rounds so far, from which the rate follows. STATUS_NOMEM. */
MUST_USE enum status local_epochs(struct local *local, uint32_t round, struct rng *rng);

#endif
