/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/layout_cost.h"

#include <string.h>

static uint64_t places_of_convolution(const struct model_spec *spec, uint32_t segment)
{
    struct layout_maps maps[LAYOUT_CONVS];
    REQUIRE(layout_maps_of(maps, spec));
    return segment < LAYOUT_CONVS ? (uint64_t)maps[segment].map_height * maps[segment].map_width
                                  : 1;
}

/* A Mixer's MLP over tokens is applied to each of a token's floats. With a rank it has no "embed".
 */
static uint64_t places_of_linear(const struct model_spec *spec, const struct layout *layout,
                                 const struct tensor *tensor)
{
    const uint32_t tokens = layout_tokens(spec);
    const uint32_t head = spec->exits ? 0 : 1;
    const bool embeds = layout->n_segments == spec->depth + 1 + head;
    if (tensor->segment >= layout->n_segments - head || strstr(tensor->name, ".exit.") != NULL)
        return 1;
    if (embeds && tensor->segment == 0) return tokens - (spec->kind == MODEL_VIT);
    return strstr(tensor->name, ".tokens_") != NULL ? spec->dim : tokens;
}

/* Where one tensor of weights is applied. */
static uint64_t places(const struct model_spec *spec, const struct layout *layout,
                       const struct tensor *tensor)
{
    const bool last = tensor->segment == layout->n_segments - 1;
    switch (spec->kind) {
    case MODEL_CNN:
    case MODEL_TWOCNN:
        return places_of_convolution(spec, tensor->segment);
    case MODEL_LSTM:
        return last ? 1 : tensor->segment == 0 ? 0 : spec->width;
    case MODEL_VIT:
    case MODEL_MIXER:
        return places_of_linear(spec, layout, tensor);
    default:
        return 1;
    }
}

static uint64_t macs_of(const struct model_spec *spec, const struct layout *layout,
                        uint32_t n_segments)
{
    uint64_t macs = 0;
    for (uint32_t t = 0; t < layout->n_tensors; t++) {
        const struct tensor *tensor = &layout->tensor[t];
        const bool multiplies = tensor->role == TENSOR_WEIGHT || tensor->role == TENSOR_DOWN ||
                                tensor->role == TENSOR_UP;
        if (multiplies && tensor->segment < n_segments)
            macs += (uint64_t)tensor->rows * tensor->cols * places(spec, layout, tensor);
    }
    return macs;
}

uint64_t layout_macs(const struct model_spec *spec)
{
    struct model_spec trained = *spec;
    trained.freeze_a = false; /* what is not trained is multiplied all the same */
    struct layout layout;
    REQUIRE(layout_of(&layout, &trained) == STATUS_OK);
    uint64_t macs = macs_of(spec, &layout, layout.n_segments);
    if (!layout_has_blocks(spec)) return macs;
    if (spec->rank > 0) {
        struct model_spec frozen = *spec;
        frozen.exits = false;
        REQUIRE(layout_backbone(&layout, spec) == STATUS_OK);
        macs += macs_of(&frozen, &layout, layout.n_segments - 1); /* its head is not read */
    }
    const uint64_t tokens = layout_tokens(spec);
    if (spec->kind == MODEL_VIT) macs += 2 * spec->depth * tokens * tokens * spec->dim;
    return macs;
}

enum status layout_macs_kept(uint64_t *out, const struct model_spec *spec,
                             const struct layout *full, const struct bits *keep)
{
    AUTO(shrunk_free) struct shrunk small = {0};
    TRY(layout_shrink(&small, spec, full, keep));
    *out = layout_macs(&small.spec);
    return STATUS_OK;
}
