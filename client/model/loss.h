/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLIENT_MODEL_LOSS_H
#define CLIENT_MODEL_LOSS_H

#include <stddef.h>
#include <stdint.h>

/* Softmax cross-entropy of n rows of `classes` logits: returns the sum of the losses and fills
 * delta with each loss's derivative by its own logits, softmax - one_hot(label).
 * label[i] < classes, else it is a bug. delta may be logits. */
double loss_softmax(float *delta, const float *logits, const uint8_t *label, size_t n,
                    size_t classes);

/* Rows whose largest logit, the first one if several are, is the label's. */
size_t loss_hits(const float *logits, const uint8_t *label, size_t n, size_t classes);

#endif
