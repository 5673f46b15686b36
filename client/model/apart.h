/* SPDX-License-Identifier: Apache-2.0 */
/* Products of a few records with a matrix of weights in which what a record gets depends, bit for
 * bit, on it and the weights alone: not on how many records there are, nor on which of them it is.
 * OpenBLAS does not promise that, and the sensitivity of a sum of gradients needs it (dp/SPEC.md,
 * section 1). Forward, weights are read once for several records; backward, a record reads the rows
 * that it has a delta for, most of them still in the cache from the record before. */
#ifndef CLIENT_MODEL_APART_H
#define CLIENT_MODEL_APART_H

#include <stddef.h>

/* out = x w' + bias: n rows of rows; x is n rows of cols, w rows x cols. */
void apart_product(float *out, const float *x, const float *w, const float *bias, size_t n,
                   size_t rows, size_t cols);

/* dx = delta w: n rows of cols; delta is n rows of rows. Rows of w that a record has no delta for
 * are not read for it. */
void apart_back(float *dx, const float *delta, const float *w, size_t n, size_t rows, size_t cols);

#endif
