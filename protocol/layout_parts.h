/* SPDX-License-Identifier: Apache-2.0 */
/* How families of models append their tensors: for layout*.c alone. */
#ifndef PROTOCOL_LAYOUT_PARTS_H
#define PROTOCOL_LAYOUT_PARTS_H

#include "protocol/layout.h"

#define LAYOUT_COORDINATES_MAX (UINT64_C(1) << 28)

/* Multiply *size; false, and *size untouched, when the result is zero or too large. */
bool layout_grow(uint64_t *size, uint64_t factor);

/* Fill an empty layout with a ViT or an MLP-Mixer. */
bool layout_transformer(struct layout *layout, const struct model_spec *spec);

#endif
