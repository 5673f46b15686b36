/* SPDX-License-Identifier: Apache-2.0 */
/* Convolution as a product: the windows of one record become columns (im2col), place after place,
 * and are made again for the gradient, which is cheaper than keeping them for a batch. Pooling
 * comes before bias and relu, which do not change which place is largest. */
#include <stdlib.h>
#include <string.h>

#include "client/model/layer.h"
#include "client/model/tensor.h"

#define KERNEL LAYOUT_CNN_KERNEL

/* Height or width of the map before pooling. */
static size_t map_size(uint32_t size)
{
    return size - KERNEL + 1;
}

uint32_t conv_pooled(uint32_t size)
{
    return (uint32_t)(map_size(size) / 2);
}

/* Row (channel, ky, kx) of columns is the image moved by (ky, kx). */
static void gather_columns(struct layer *layer, const float *x)
{
    const size_t height = map_size(layer->height);
    const size_t width = map_size(layer->width);
    float *row = layer->columns;
    for (uint32_t c = 0; c < layer->channels; c++, x += (size_t)layer->height * layer->width)
        for (size_t ky = 0; ky < KERNEL; ky++)
            for (size_t kx = 0; kx < KERNEL; kx++)
                for (size_t y = 0; y < height; y++, row += width)
                    memcpy(row, x + (y + ky) * layer->width + kx, width * sizeof *row);
}

/* The transpose of gather_columns: add every window's derivative to the image's. */
static void scatter_columns(const struct layer *layer, float *dx)
{
    const size_t height = map_size(layer->height);
    const size_t width = map_size(layer->width);
    const float *row = layer->columns;
    memset(dx, 0, layer->inputs * sizeof *dx);
    for (uint32_t c = 0; c < layer->channels; c++, dx += (size_t)layer->height * layer->width)
        for (size_t ky = 0; ky < KERNEL; ky++)
            for (size_t kx = 0; kx < KERNEL; kx++)
                for (size_t y = 0; y < height; y++, row += width) {
                    float *at = dx + (y + ky) * layer->width + kx;
                    for (size_t i = 0; i < width; i++) at[i] += row[i];
                }
}

/* Place of candidate k = 0..3 of a pooling window in a map of that width. */
static size_t candidate(size_t y, size_t x, unsigned k, size_t width)
{
    return (2 * y + k / 2) * width + 2 * x + k % 2;
}

static void pool(const struct layer *layer, const float *bias, float *out, uint8_t *choice)
{
    const size_t height = conv_pooled(layer->height);
    const size_t width = conv_pooled(layer->width);
    const size_t map_width = map_size(layer->width);
    for (size_t r = 0; r < layer->rows; r++) {
        const float *map = layer->map + r * layer->places;
        for (size_t y = 0; y < height; y++)
            for (size_t x = 0; x < width; x++) {
                uint8_t best = 0;
                float value = map[candidate(y, x, 0, map_width)];
                for (uint8_t k = 1; k < 4; k++) {
                    float other = map[candidate(y, x, k, map_width)];
                    best = other > value ? k : best;
                    value = other > value ? other : value;
                }
                value += bias[r];
                *out++ = value > 0 ? value : 0;
                *choice++ = best;
            }
    }
}

/* The derivative before pooling of record i: each delta at the place that won. */
static void unpool(struct layer *layer, size_t i)
{
    const float *delta = layer->delta + i * layer->outputs;
    const uint8_t *choice = layer->choice + i * layer->outputs;
    const size_t height = conv_pooled(layer->height);
    const size_t width = conv_pooled(layer->width);
    memset(layer->map, 0, layer->rows * layer->places * sizeof *layer->map);
    for (size_t r = 0; r < layer->rows; r++) {
        float *map = layer->map + r * layer->places;
        for (size_t y = 0; y < height; y++)
            for (size_t x = 0; x < width; x++)
                map[candidate(y, x, *choice++, map_size(layer->width))] = *delta++;
    }
}

static void conv_forward(struct layer *layer, const float *weights, const float *x, size_t n)
{
    struct matrix w = tensor_view(weights + layer->weight, layer->rows, layer->cols);
    struct matrix columns = tensor_view(layer->columns, layer->cols, layer->places);
    for (size_t i = 0; i < n; i++) {
        gather_columns(layer, x + i * layer->inputs);
        tensor_product(layer->map, w, columns, false);
        pool(layer, weights + layer->bias, layer->out + i * layer->outputs,
             layer->choice + i * layer->outputs);
    }
}

static void conv_backward(struct layer *layer, const float *weights, float *dx, size_t n)
{
    layer_relu_back(layer, n);
    if (dx == NULL) return;
    struct matrix w = tensor_view(weights + layer->weight, layer->rows, layer->cols);
    struct matrix map = tensor_view(layer->map, layer->rows, layer->places);
    for (size_t i = 0; i < n; i++) {
        unpool(layer, i);
        tensor_product(layer->columns, tensor_turned(w), map, false);
        scatter_columns(layer, dx + i * layer->inputs);
    }
}

static void conv_gradient(struct layer *layer, const float *x, size_t first, size_t n, float *grad)
{
    struct matrix map = tensor_view(layer->map, layer->rows, layer->places);
    struct matrix columns = tensor_view(layer->columns, layer->cols, layer->places);
    for (size_t i = first; i < first + n; i++) {
        gather_columns(layer, x + i * layer->inputs);
        unpool(layer, i);
        tensor_product(grad + layer->weight, map, tensor_turned(columns), i > first);
    }
    layer_bias_gradient(grad + layer->bias, layer->delta + first * layer->outputs, layer->rows,
                        layer->outputs / layer->rows, n);
}

static const struct layer_kind conv_kind = {conv_forward, conv_backward, conv_gradient};

enum status conv_new(struct layer *out, const struct tensor *weight, uint32_t channels,
                     uint32_t height, uint32_t width, size_t room)
{
    AUTO(layer_free)
    struct layer layer = {.kind = &conv_kind,
                          .rows = weight->rows,
                          .cols = weight->cols,
                          .weight = weight->offset,
                          .bias = weight[1].offset,
                          .relu = true,
                          .inputs = (size_t)channels * height * width,
                          .channels = channels,
                          .height = height,
                          .width = width,
                          .room = room};
    layer.places = map_size(height) * map_size(width);
    layer.outputs = layer.rows * conv_pooled(height) * conv_pooled(width);
    layer.out = calloc(room, layer.outputs * sizeof *layer.out);
    layer.delta = calloc(room, layer.outputs * sizeof *layer.delta);
    layer.choice = calloc(room, layer.outputs);
    layer.columns = calloc(layer.cols, layer.places * sizeof *layer.columns);
    layer.map = calloc(layer.rows, layer.places * sizeof *layer.map);
    if (layer.out == NULL || layer.delta == NULL || layer.choice == NULL || layer.columns == NULL ||
        layer.map == NULL)
        return STATUS_NOMEM;
    *out = layer;
    layer = (struct layer){0};
    return STATUS_OK;
}
