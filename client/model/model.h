/* SPDX-License-Identifier: Apache-2.0 */
/* Models over one flat block of weights: a row of layers that is made from the layout. Forward and
 * backward are pure but for the workspace; per-record gradients come from the same backward pass.
 *
 * A workspace belongs to one thread at a time, and to the model that it was made for. */
#ifndef CLIENT_MODEL_MODEL_H
#define CLIENT_MODEL_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/bits.h"
#include "base/stage.h"
#include "crypto/rng.h"
#include "protocol/layout.h"

struct model_work; /* activations and deltas of up to `room` records */

struct model {
    struct model_spec spec;
    struct layout layout;
};

/* STATUS_RANGE from layout_of; out is untouched. */
MUST_USE enum status model_of(struct model *out, const struct model_spec *spec);

/* Draw initial weights (layout.n floats): normal of variance 2 / cols (He et al. 2015), of 1 / cols
 * in transformers, biases zero; gains 1, places normal of deviation MODEL_PLACE; A of an adapter
 * uniform within 1 / sqrt(cols), and B zero, so that it begins as its backbone. The last layer
 * starts smaller by MODEL_LAST_SCALE: first predictions are then nearly uniform and early
 * gradients, which clipping makes equally long, do not spend themselves on undoing chance. */
#define MODEL_LAST_SCALE 0.2
#define MODEL_PLACE 0.02
void model_init(float *weights, const struct model *model, struct rng *rng);

/* room > 0.
 * STATUS_RANGE  the buffers of a transformer would have more than 2^32 floats. STATUS_NOMEM. out is
 * untouched then. */
MUST_USE enum status model_work_new(struct model_work **out, const struct model *model,
                                    size_t room);
void model_work_free(struct model_work **work);

/* Have the records of a pass divided among `threads` threads, of which the caller's is one; 0
 * counts as 1. Which thread has which records, and the order in which their sums are added, follow
 * from the two numbers alone: nothing depends on how threads are scheduled, and what is asked of
 * one record not even on their number. Before the first pass; comes before freezing and choosing.
 * STATUS_RANGE  more than CREW_MAX (base/crew.h). STATUS_NOMEM. work may then only be freed. */
MUST_USE enum status model_work_divide(struct model_work *work, const struct model *model,
                                       unsigned threads);

/* Lend the frozen weights under a model's adapters, layout_backbone's n floats, until work is freed
 * or another is lent. Needed before the first pass of a transformer with a rank; a bug without one.
 */
void model_work_freeze(struct model_work *work, const float *backbone);

/* From the next forward pass on run only these blocks of a transformer, in their order; the others
 * pass on what they read, and their gradients are zeros. blocks has depth bits; NULL: all. */
void model_work_choose(struct model_work *work, const struct bits *blocks);

/* Forward pass of 1 <= n <= room records; x is n rows of channels*height*width floats, which must
 * stay as they are until the gradients are taken.
 * Returns the logits, n rows of classes, borrowed from work until its next use. */
const float *model_forward(const struct model *model, struct model_work *work, const float *weights,
                           const float *x, size_t n);

/* The same, by the calling thread, so that what it gives for a record, and what the backward pass
 * and model_grad_record and model_descent after it do, depends on the record and the weights alone,
 * bit for bit: not on n, nor on the other records. 1 <= n <= model_group(model) and room. */
#define MODEL_GROUP_MAX 8
size_t model_group(const struct model *model);
const float *model_forward_apart(const struct model *model, struct model_work *work,
                                 const float *weights, const float *x, size_t n);

/* Backward pass of softmax cross-entropy, once after model_forward of the same n records and
 * weights: fills the deltas. label[i] < classes. Returns the mean loss; with exits the sum of all
 * classifiers' cross-entropies, whose gradients are also of what they learn from each other
 * (client/model/transformer.h). */
double model_backward(const struct model *model, struct model_work *work, const float *weights,
                      const uint8_t *label, size_t n);

/* Gradient of the loss summed (not averaged) over the n records of the last backward pass,
 * layout.n floats, overwritten. */
void model_grad_sum(const struct model *model, struct model_work *work, float *grad);

/* Gradient of record i alone, layout.n floats, overwritten. */
void model_grad_record(const struct model *model, struct model_work *work, size_t i, float *grad);

/* Negative gradient of record i alone, layout.n coordinates, bit for bit that of model_grad_record;
 * the weights of dense layers are outer products. Borrowed from work and grad until either is used
 * again.
 * grad  layout.n floats, of which the other coordinates are written. */
struct update model_descent(const struct model *model, struct model_work *work, size_t i,
                            float *grad);

/* Derivatives of the loss summed over the records of the last backward pass by their inputs: as
 * many floats as x had, overwritten. Of models that begin with a dense layer or a convolution, on
 * one thread; anything else is a bug. */
void model_grad_input(const struct model *model, struct model_work *work, const float *weights,
                      float *grad);

/* Share of n records whose largest logit is the label; works in chunks of the workspace's room. */
double model_accuracy(const struct model *model, struct model_work *work, const float *weights,
                      const float *x, const uint8_t *label, size_t n);

#endif
