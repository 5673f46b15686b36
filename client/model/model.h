/* SPDX-License-Identifier: Apache-2.0 */
/* A table of models over one flat block of weights. A model is a pair of pure functions, forward
 * and backward, on a workspace; per-record gradients come from the same backward pass. */
#ifndef CLIENT_MODEL_MODEL_H
#define CLIENT_MODEL_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "crypto/rng.h"
#include "protocol/layout.h"

struct model_work; /* activations and deltas of up to `room` records, made by a model's kind */

struct model {
    struct model_spec spec;
    struct layout layout;
};

/* STATUS_RANGE from layout_of. */
MUST_USE enum status model_of(struct model *out, const struct model_spec *spec);

/* Draw initial weights (layout.n floats): He for hidden layers, biases zero. */
void model_init(float *weights, const struct model *model, struct rng *rng);

MUST_USE enum status model_work_new(struct model_work **out, const struct model *model,
                                    size_t room);
void model_work_free(struct model_work **work);

/* Forward pass of n <= room records; x is n rows of channels*height*width floats.
 * Returns the logits, n rows of classes, borrowed from work until its next use. */
const float *model_forward(const struct model *model, struct model_work *work, const float *weights,
                           const float *x, size_t n);

/* Backward pass of softmax cross-entropy after model_forward of the same n records: fills the
 * deltas. label[i] < classes. Returns the mean loss. */
double model_backward(const struct model *model, struct model_work *work, const float *weights,
                      const uint8_t *label, size_t n);

/* Gradient summed over the n records of the last backward pass, layout.n floats, overwritten. */
void model_grad_sum(const struct model *model, struct model_work *work, float *grad);

/* Gradient of record i alone, layout.n floats, overwritten. */
void model_grad_record(const struct model *model, struct model_work *work, size_t i, float *grad);

/* Share of n records whose largest logit is the label; works in chunks of the workspace's room. */
double model_accuracy(const struct model *model, struct model_work *work, const float *weights,
                      const float *x, const uint8_t *label, size_t n);

#endif
