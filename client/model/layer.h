/* SPDX-License-Identifier: Apache-2.0 */
/* One layer of a model on the buffers of a workspace. A kind of layer is three functions; weights,
 * inputs and gradients belong to the caller. */
#ifndef CLIENT_MODEL_LAYER_H
#define CLIENT_MODEL_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/stage.h"
#include "protocol/layout.h"

struct layer;

struct layer_kind {
    /* out = layer(x), n records. */
    void (*forward)(struct layer *layer, const float *weights, const float *x, size_t n);
    /* delta comes in as the loss's derivative by out and leaves as that before the relu; dx gets
     * the derivative by the inputs, and may be NULL. */
    void (*backward)(struct layer *layer, const float *weights, float *dx, size_t n);
    /* Write the gradient of this layer's tensors, summed over n records from `first` on; x are the
     * inputs of the whole batch. NULL: a layer without weights. */
    void (*gradient)(struct layer *layer, const float *x, size_t first, size_t n, float *grad);
    /* The same of record i alone, where that by the weights is an outer product: all but that is
     * written, and its sides are borrowed from the batch. NULL: it is none. */
    struct outer_product (*outer)(struct layer *layer, const float *x, size_t i, float *grad);
    /* As a last layer: the loss of n records, summed, and what backward needs of it. NULL:
     * loss_softmax of out, into delta. */
    double (*loss)(struct layer *layer, const uint8_t *label, size_t n);
};

/* A window of the 2x2 max pooling: which of its four places, in rows of two, are in the map, and
 * where. */
struct pool_window {
    uint32_t place[4];
    uint8_t candidate[4];
    uint8_t n;
};

struct layer {
    const struct layer_kind *kind;
    size_t rows, cols;      /* of the weights: units, and weights per unit */
    size_t weight, bias;    /* their places in the flat block */
    bool relu;              /* false in the last layer, and where nothing is weighed */
    size_t inputs, outputs; /* floats per record */
    size_t room;            /* records that the buffers are for */
    bool apart;             /* no record of a pass may depend on the others, not in one bit */
    float *out, *delta;     /* room * outputs, owned; secret */

    /* Recurrent layers only: characters that a record is long; each step has outputs of its own. */
    size_t steps;
    size_t batch;     /* records of the last forward pass */
    size_t recurrent; /* place of the weights that read the step before */
    bool last;        /* only the last step is read */
    size_t n_scratch;
    float *scratch; /* n_scratch, owned */

    /* Convolutions, and the average of their maps. */
    struct layout_maps maps;
    /* Convolutions only. Scratch is for a tile of records, with the record as the last index. */
    struct pool_window *window; /* outputs / rows, owned */
    size_t tile;                /* records */
    size_t places;              /* of the kernel in one input */
    uint8_t *choice; /* room * outputs, owned: which of the four places won the pooling */
    uint8_t *won;    /* tile * outputs, owned: the same in a tile */
    float *turned;   /* tile * outputs, owned: outputs or deltas */
    float *image;    /* tile * layer_padded, owned: inputs, with their padding */
    float *columns;  /* tile * cols * places, owned: the window under each place of the kernel */
    float *map;      /* tile * rows * places, owned: before pooling */

    struct transformer *transformer; /* owned: client/model/transformer.h */
};

/* Buffers for `room` records. weight is followed by its bias in the layout.
 * STATUS_NOMEM leaves out untouched. */
MUST_USE enum status dense_new(struct layer *out, const struct tensor *weight, bool relu,
                               size_t room);
/* 5x5 convolution, relu, 2x2 max pooling (where nothing is padded, an odd last row or column is
 * left out). */
MUST_USE enum status conv_new(struct layer *out, const struct tensor *weight,
                              const struct layout_maps *maps, size_t room);
/* The average over 7x7 parts of each of `channels` maps, as equal as they can be: they overlap, or
 * repeat, where 7 does not divide the size. No weights. */
MUST_USE enum status average_new(struct layer *out, uint32_t channels, uint32_t height,
                                 uint32_t width, size_t room);
/* A row of the table for each of `steps` characters. */
MUST_USE enum status embed_new(struct layer *out, const struct tensor *table, size_t steps,
                               size_t room);
/* weight is followed by the recurrent weights and one bias. Gradients are of the whole batch or of
 * one record; the backward pass goes once after each forward pass. */
MUST_USE enum status lstm_new(struct layer *out, const struct tensor *weight, bool last,
                              size_t steps, size_t room);

/* Floats of one convolution's input with its padding. */
size_t layer_padded(const struct layer *layer);

/* Wipe what records left in the buffers, and release. */
void layer_free(struct layer *layer);

/* Zero the deltas of outputs that the relu cut. */
void layer_relu_back(struct layer *layer, size_t n);

/* Sums over records of each unit's delta: bias[u], overwritten, from n rows of rows * span. */
void layer_bias_gradient(float *bias, const float *delta, size_t rows, size_t span, size_t n);

#endif
