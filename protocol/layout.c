/* SPDX-License-Identifier: Apache-2.0 */
/* Layers become pairs of tensors, weight then bias, one pair per segment. Which coordinates a set
 * of units keeps is one question (layout_coordinate_alive), asked by layout_keep_units and
 * layout_shrink alike. */
#include "protocol/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/layout_alive.h"
#include "protocol/layout_parts.h"

/* One layer of a model, before it has a place. */
struct shape {
    const char *name;
    uint32_t number; /* after the name; 0: none */
    uint64_t rows, cols, block;
};

bool layout_grow(uint64_t *size, uint64_t factor)
{
    if (factor == 0 || factor > LAYOUT_COORDINATES_MAX || *size > LAYOUT_COORDINATES_MAX / factor)
        return false;
    *size *= factor;
    return true;
}

/* Append a layer; it is fed by the units of the layer before it. */
static bool add_layer(struct layout *layout, const struct shape *shape, bool last)
{
    uint64_t size = 1;
    if (!layout_grow(&size, shape->rows) || !layout_grow(&size, shape->cols)) return false;
    if (size + shape->rows > LAYOUT_COORDINATES_MAX - layout->n) return false;

    uint32_t s = layout->n_segments;
    char *segment = layout->segment[s];
    int bytes = shape->number == 0 ? snprintf(segment, sizeof layout->segment[s], "%s", shape->name)
                                   : snprintf(segment, sizeof layout->segment[s], "%s%u",
                                              shape->name, (unsigned)shape->number);
    REQUIRE(bytes > 0 && bytes < (int)sizeof layout->segment[s] - (int)sizeof ".weight");

    struct tensor *weight = &layout->tensor[layout->n_tensors];
    *weight = (struct tensor){.rows = (uint32_t)shape->rows,
                              .cols = (uint32_t)shape->cols,
                              .segment = s,
                              .group = last ? LAYOUT_NONE : s,
                              .feed = s == 0 ? LAYOUT_NONE : s - 1,
                              .block = (uint32_t)shape->block,
                              .offset = layout->n};
    struct tensor *bias = weight + 1;
    *bias = (struct tensor){.rows = weight->rows,
                            .cols = 1,
                            .segment = s,
                            .group = weight->group,
                            .feed = LAYOUT_NONE,
                            .block = 1,
                            .role = TENSOR_BIAS,
                            .offset = layout->n + size};
    memcpy(stpcpy(weight->name, segment), ".weight", sizeof ".weight");
    memcpy(stpcpy(bias->name, segment), ".bias", sizeof ".bias");

    if (!last) {
        layout->group_units[layout->n_groups] = weight->rows;
        layout->group_segment[layout->n_groups] = s;
        layout->n_groups++;
    }
    layout->n_tensors += 2;
    layout->n_segments++;
    layout->n += size + shape->rows;
    return true;
}

static bool add_mlp(struct layout *layout, const struct model_spec *spec)
{
    uint64_t inputs = 1;
    if (spec->n_hidden < 1 || spec->n_hidden > LAYOUT_HIDDEN_MAX ||
        !layout_grow(&inputs, spec->channels) || !layout_grow(&inputs, spec->height) ||
        !layout_grow(&inputs, spec->width))
        return false;
    for (uint32_t l = 0; l <= spec->n_hidden; l++) {
        bool last = l == spec->n_hidden;
        struct shape shape = {.name = "fc",
                              .number = l + 1,
                              .rows = last ? spec->classes : spec->hidden[l],
                              .cols = inputs,
                              .block = 1};
        if (!add_layer(layout, &shape, last)) return false;
        inputs = shape.rows;
    }
    return true;
}

/* What a convolution leaves of a height or width; 0 when too small. */
static uint32_t convolved(uint32_t size, uint32_t padding)
{
    return size + 2 * padding < LAYOUT_KERNEL ? 0 : size + 2 * padding - LAYOUT_KERNEL + 1;
}

static uint32_t pooled(uint32_t size, uint32_t padding)
{
    return size == 0 ? 0 : size / 2 + padding;
}

bool layout_maps_of(struct layout_maps out[static LAYOUT_CONVS], const struct model_spec *spec)
{
    const bool twocnn = spec->kind == MODEL_TWOCNN;
    const uint32_t padding = twocnn ? 1 : 0;
    uint64_t image = 1;
    if (spec->n_hidden != (twocnn ? LAYOUT_CONVS + 1 : LAYOUT_CONVS) ||
        !layout_grow(&image, spec->channels) || !layout_grow(&image, spec->height) ||
        !layout_grow(&image, spec->width))
        return false;
    uint32_t channels = spec->channels, height = spec->height, width = spec->width;
    for (uint32_t l = 0; l < LAYOUT_CONVS; l++) {
        const uint32_t map_height = convolved(height, padding);
        const uint32_t map_width = convolved(width, padding);
        out[l] = (struct layout_maps){.channels = channels,
                                      .height = height,
                                      .width = width,
                                      .padding = padding,
                                      .map_height = map_height,
                                      .map_width = map_width,
                                      .out_height = pooled(map_height, padding),
                                      .out_width = pooled(map_width, padding)};
        channels = spec->hidden[l];
        height = out[l].out_height;
        width = out[l].out_width;
    }
    return height > 0 && width > 0;
}

static bool add_convolutions(struct layout *layout, const struct model_spec *spec)
{
    const uint64_t window = (uint64_t)LAYOUT_KERNEL * LAYOUT_KERNEL;
    struct layout_maps maps[LAYOUT_CONVS];
    if (!layout_maps_of(maps, spec)) return false;
    const uint64_t c1 = spec->hidden[0];
    const uint64_t c2 = spec->hidden[1];
    return add_layer(layout, &(struct shape){"conv", 1, c1, spec->channels * window, 1}, false) &&
           add_layer(layout, &(struct shape){"conv", 2, c2, c1 * window, window}, false);
}

static bool add_cnn(struct layout *layout, const struct model_spec *spec)
{
    struct layout_maps maps[LAYOUT_CONVS];
    if (!layout_maps_of(maps, spec)) return false;
    const uint64_t block = (uint64_t)maps[1].out_height * maps[1].out_width;
    const struct shape fc = {"fc", 0, spec->classes, spec->hidden[1] * block, block};
    return add_convolutions(layout, spec) && add_layer(layout, &fc, true);
}

static bool add_twocnn(struct layout *layout, const struct model_spec *spec)
{
    const uint64_t block = (uint64_t)LAYOUT_AVERAGE * LAYOUT_AVERAGE;
    const struct shape fc1 = {"fc", 1, spec->hidden[2], spec->hidden[1] * block, block};
    const struct shape fc2 = {"fc", 2, spec->classes, spec->hidden[2], 1};
    return add_convolutions(layout, spec) && add_layer(layout, &fc1, false) &&
           add_layer(layout, &fc2, true);
}

static bool (*const add_kind[])(struct layout *, const struct model_spec *) = {
    [MODEL_MLP] = add_mlp,
    [MODEL_CNN] = add_cnn,
    [MODEL_TWOCNN] = add_twocnn,
    [MODEL_VIT] = layout_transformer,
    [MODEL_MIXER] = layout_transformer,
    [MODEL_LSTM] = layout_lstm,
};

enum status layout_of(struct layout *out, const struct model_spec *spec)
{
    if (spec->classes < 2 || (unsigned)spec->kind >= MODEL_KIND_COUNT) return STATUS_RANGE;
    struct layout layout = {0};
    if (!add_kind[spec->kind](&layout, spec)) return STATUS_RANGE;
    *out = layout;
    return STATUS_OK;
}

enum status layout_backbone(struct layout *out, const struct model_spec *spec)
{
    struct model_spec whole = *spec;
    whole.rank = 0;
    whole.exits = false; /* whatever a study adds, it is the same file */
    return spec->rank == 0 ? STATUS_RANGE : layout_of(out, &whole);
}

uint32_t layout_unit_first(const struct layout *layout, uint32_t group)
{
    REQUIRE(group <= layout->n_groups);
    uint32_t first = 0;
    for (uint32_t g = 0; g < group; g++) first += layout->group_units[g];
    return first;
}

uint32_t layout_units(const struct layout *layout)
{
    return layout_unit_first(layout, layout->n_groups);
}

bool layout_unit_alive(const struct layout *layout, const struct bits *units, uint32_t group,
                       uint32_t unit)
{
    return group == LAYOUT_NONE || bits_has(units, layout_unit_first(layout, group) + unit);
}

bool layout_coordinate_alive(const struct layout *layout, const struct bits *units,
                             const struct tensor *tensor, uint32_t row, uint32_t col)
{
    return layout_unit_alive(layout, units, tensor->group, row) &&
           layout_unit_alive(layout, units, tensor->feed, col / tensor->block);
}

enum status layout_keep_units(struct bits *keep, const struct layout *layout,
                              const struct bits *units)
{
    if (units->n != layout_units(layout)) return STATUS_RANGE;
    struct bits kept = {0};
    TRY(bits_new(&kept, layout->n));
    size_t at = 0;
    for (uint32_t t = 0; t < layout->n_tensors; t++) {
        const struct tensor *tensor = &layout->tensor[t];
        for (uint32_t r = 0; r < tensor->rows; r++)
            for (uint32_t c = 0; c < tensor->cols; c++, at++)
                if (layout_coordinate_alive(layout, units, tensor, r, c)) bits_set(&kept, at);
    }
    *keep = kept;
    return STATUS_OK;
}

uint64_t layout_segment_size(const struct layout *layout, uint32_t segment, const struct bits *keep)
{
    REQUIRE(segment < layout->n_segments && (keep == NULL || keep->n == layout->n));
    uint64_t size = 0;
    for (uint32_t t = 0; t < layout->n_tensors; t++) {
        const struct tensor *tensor = &layout->tensor[t];
        if (tensor->segment != segment) continue;
        uint64_t n = (uint64_t)tensor->rows * tensor->cols;
        for (uint64_t i = 0; i < n; i++) size += keep == NULL || bits_has(keep, tensor->offset + i);
    }
    return size;
}

uint64_t layout_segment_first(const struct layout *layout, uint32_t segment)
{
    REQUIRE(segment < layout->n_segments);
    uint32_t t = 0;
    while (layout->tensor[t].segment != segment) t++;
    return layout->tensor[t].offset;
}
