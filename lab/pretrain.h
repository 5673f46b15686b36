/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab pretrain: a whole model, trained in one place on public data. Private to pretrain*.c.
 */
#ifndef LAB_PRETRAIN_H
#define LAB_PRETRAIN_H

#include "client/model/model.h"
#include "client/model/optim.h"
#include "lab/corpus.h"

struct pretrain_options {
    struct records corpus;
    const char *model, *sizes; /* kind, and the other keys of a study's model section or NULL */
    const char *out, *rest;    /* rest NULL: the records that are not used are not written */
    uint32_t records;          /* to train with, drawn by the seed; 0: all */
    uint32_t epochs, batch;
    uint32_t least_blocks; /* of a step's sub-model; 0: a quarter of the blocks, rounded up */
    struct optim_how how;
    uint64_t seed;
};

struct pretrain {
    struct pretrain_options options;
    char command[2048];
    char section[512]; /* the keys of a study's model section, for the data's images */
    struct model model;
    float pixel_mean, pixel_deviation;
    struct dataset train, test;
    uint64_t steps;
    struct rng rng;

    struct model_work *work; /* of options.batch records */
    struct optim optim;
    float *weight, *grad, *x;
    uint8_t *label;
    uint32_t *order; /* train.n, and room for a batch of the test records */
    struct bits blocks;
};

/* Everything for a run over train and test. STATUS_RANGE the optimizer's settings; STATUS_NOMEM.
 * pretrain_free is needed either way. */
MUST_USE enum status pretrain_new(struct pretrain *p);
void pretrain_free(struct pretrain *p);

/* All epochs. The rate rises over the first twentieth of the steps and then falls to zero. Each
 * step of a transformer trains a sub-model: a number of blocks from least_blocks to all, any of
 * them (LayerDrop, arXiv 1909.11556, with the number drawn first), so that sub-models are of use.
 * Progress goes to standard error.
 * STATUS_STATE  a signal came. STATUS_RANGE  the training diverged. */
MUST_USE enum status pretrain_run(struct pretrain *p);

/* Whether it is a transformer. */
bool pretrain_has_blocks(const struct pretrain *p);

/* Share of right answers on the test records, each batch with so many blocks drawn anew; 0: all. */
double pretrain_accuracy(struct pretrain *p, uint32_t blocks);

/* Write the weights and how they came about, once the run is over; prints the accuracies on the
 * test records and the file's hash. STATUS_IO, STATUS_NOMEM; STATUS_RANGE a note is not UTF-8. */
MUST_USE enum status pretrain_write(struct pretrain *p);

#endif
