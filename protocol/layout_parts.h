/* SPDX-License-Identifier: Apache-2.0 */
/* How families of models append their tensors: for layout*.c alone. */
#ifndef PROTOCOL_LAYOUT_PARTS_H
#define PROTOCOL_LAYOUT_PARTS_H

#include "protocol/layout.h"

#define LAYOUT_COORDINATES_MAX (UINT64_C(1) << 28)

/* Multiply *size; false, and *size untouched, when the result is zero or too large. */
bool layout_grow(uint64_t *size, uint64_t factor);

/* Begin a segment of this name, with a number behind it unless that is 0. */
void layout_open(struct layout *layout, const char *name, uint32_t number);

/* Append a tensor, of no group, to the open segment: "segment.name". False, and nothing is
 * appended, when a size is zero or the layout gets too large. */
bool layout_append(struct layout *layout, const char *name, uint64_t rows, uint64_t cols,
                   enum tensor_role role);

/* Fill an empty layout with an embedding, LSTM layers and a head. */
bool layout_lstm(struct layout *layout, const struct model_spec *spec);

/* Fill an empty layout with a ViT or an MLP-Mixer. */
bool layout_transformer(struct layout *layout, const struct model_spec *spec);

#endif
