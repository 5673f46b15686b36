/* SPDX-License-Identifier: Apache-2.0 */
/* A ViT (arXiv 2010.11929) with a class token, or an MLP-Mixer (arXiv 2105.01601), whole or with
 * adapters over a frozen backbone (LoRA, arXiv 2106.09685), as one layer of a model: patches, then
 * blocks, or some of them (FedRA, arXiv 2311.11227: what a block adds is left out), then the head;
 * or with exits, a head behind each block, each learning from the labels and from the others
 * (DepthFL, Kim et al., ICLR 2023, with a weight of 1 for what they learn from each other).
 * Norms have an epsilon of 1e-6; gelu is by erf. */
#ifndef CLIENT_MODEL_TRANSFORMER_H
#define CLIENT_MODEL_TRANSFORMER_H

#include "base/bits.h"
#include "client/model/layer.h"

struct transformer;

/* For `room` records.
 * STATUS_RANGE  the buffers would have more than 2^32 floats.
 * STATUS_NOMEM  out is untouched on failure. */
MUST_USE enum status transformer_new(struct layer *out, const struct model_spec *spec,
                                     const struct layout *layout, size_t room);
/* Wipes what records left. */
void transformer_free(struct transformer **transformer);

/* See model_work_freeze and model_work_choose. */
void transformer_freeze(struct transformer *transformer, const float *backbone);
void transformer_choose(struct transformer *transformer, const struct bits *blocks);

#endif
