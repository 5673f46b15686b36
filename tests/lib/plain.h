/* SPDX-License-Identifier: Apache-2.0 */
/* Learning without protocol, grid, clip or shrunk models: float loops over the full model, to hold
 * the shipping code against. Stops the program when memory ends. */
#ifndef TESTS_LIB_PLAIN_H
#define TESTS_LIB_PLAIN_H

#include "base/bits.h"
#include "client/data/data.h"
#include "client/model/model.h"
#include "protocol/study.h"

struct plain {
    const struct study *study;
    struct model model; /* unpruned */
    struct model_work *work;
    float *grad; /* model.layout.n */
    float *x;    /* one record */
};

void plain_open(struct plain *plain, const struct study *study);
void plain_close(struct plain *plain);

/* Gradient of one record into grad. */
void plain_gradient(struct plain *plain, const float *weight, const struct dataset *data,
                    size_t record);

/* Epochs of SGD on the kept weights, with FedProx's pull, momentum, decay, clip and rate of the
 * study; end minus start into grad. round: training rounds so far. rng shuffles as the site does.
 */
void plain_epochs(struct plain *plain, const float *weight, const struct bits *keep,
                  const struct dataset *data, uint32_t round, struct rng *rng);

#endif
