/* SPDX-License-Identifier: Apache-2.0 */
/* Weights from elsewhere into the flat block of a model, by the names of the layout's tensors. */
#ifndef CLIENT_MODEL_WEIGHTS_H
#define CLIENT_MODEL_WEIGHTS_H

#include <stdbool.h>

#include "base/bits.h"
#include "client/model/safetensors.h"

/* Copy the file's tensors to their places. A shape fits if its numbers, row after row, are the
 * tensor's rows and columns: some first dimensions make up the rows and the others the columns, so
 * that (8, 3, 5, 5) is 8 rows of 75.
 *
 * taken   layout->n_tensors bits, set for those that the file has; the others' weights stay. NULL:
 *         all are needed.
 * others  false: a tensor that the layout does not have is refused, not left out.
 *
 * STATUS_RANGE  a tensor is missing, unknown or of another shape, and why says which; weights are
 *               untouched then. */
MUST_USE enum status weights_take(float *weights, struct bits *taken, const struct layout *layout,
                                  const struct safetensors *file, bool others,
                                  struct data_error *why);

#endif
