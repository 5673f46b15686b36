/* SPDX-License-Identifier: Apache-2.0 */
/* Part i of m of a side of n places goes from floor(i n / m) to ceil((i + 1) n / m), as PyTorch's
 * adaptive average pool has it. */
#include <stdlib.h>
#include <string.h>

#include "client/model/layer.h"

#define SIDE LAYOUT_AVERAGE

/* The parts of one side, and what a place weighs in each. */
struct parts {
    size_t from[SIDE], to[SIDE];
    float share[SIDE];
};

static struct parts parts_of(size_t size)
{
    struct parts parts;
    for (size_t i = 0; i < SIDE; i++) {
        parts.from[i] = i * size / SIDE;
        parts.to[i] = ((i + 1) * size + SIDE - 1) / SIDE;
        parts.share[i] = 1 / (float)(parts.to[i] - parts.from[i]);
    }
    return parts;
}

static void average_forward(struct layer *layer, const float *weights, const float *x, size_t n)
{
    (void)weights;
    const size_t height = layer->maps.height, width = layer->maps.width;
    const struct parts rows = parts_of(height), cols = parts_of(width);
    float *out = layer->out;
    for (size_t m = 0; m < n * layer->maps.channels; m++, x += height * width)
        for (size_t i = 0; i < SIDE; i++)
            for (size_t j = 0; j < SIDE; j++) {
                float sum = 0;
                for (size_t y = rows.from[i]; y < rows.to[i]; y++)
                    for (size_t k = cols.from[j]; k < cols.to[j]; k++) sum += x[y * width + k];
                *out++ = sum * rows.share[i] * cols.share[j];
            }
}

static void average_backward(struct layer *layer, const float *weights, float *dx, size_t n)
{
    (void)weights;
    const size_t height = layer->maps.height, width = layer->maps.width;
    const struct parts rows = parts_of(height), cols = parts_of(width);
    const float *delta = layer->delta;
    memset(dx, 0, n * layer->inputs * sizeof *dx);
    for (size_t m = 0; m < n * layer->maps.channels; m++, dx += height * width)
        for (size_t i = 0; i < SIDE; i++)
            for (size_t j = 0; j < SIDE; j++, delta++) {
                const float each = *delta * rows.share[i] * cols.share[j];
                for (size_t y = rows.from[i]; y < rows.to[i]; y++)
                    for (size_t k = cols.from[j]; k < cols.to[j]; k++) dx[y * width + k] += each;
            }
}

static const struct layer_kind average_kind = {average_forward, average_backward, NULL, NULL, NULL};

enum status average_new(struct layer *out, uint32_t channels, uint32_t height, uint32_t width,
                        size_t room)
{
    AUTO(layer_free)
    struct layer layer = {.kind = &average_kind,
                          .inputs = (size_t)channels * height * width,
                          .outputs = (size_t)channels * SIDE * SIDE,
                          .maps = {.channels = channels, .height = height, .width = width},
                          .room = room};
    layer.out = calloc(room, layer.outputs * sizeof *layer.out);
    layer.delta = calloc(room, layer.outputs * sizeof *layer.delta);
    if (layer.out == NULL || layer.delta == NULL) return STATUS_NOMEM;
    *out = layer;
    layer = (struct layer){0};
    return STATUS_OK;
}
