/* SPDX-License-Identifier: Apache-2.0 */
/* Convolution as a product: the windows of a tile of records become columns (im2col), place after
 * place, and are made again for the gradient, which is cheaper than keeping them for a batch. In a
 * tile the record is the last index, so that rows are long to copy and loops have lanes. Pooling
 * comes before bias and relu, which do not change which place is largest. */
#include <stdlib.h>
#include <string.h>

#include "base/vector.h"
#include "client/model/layer.h"
#include "client/model/tensor.h"

#define KERNEL LAYOUT_KERNEL
#define TILE 8                 /* records, where their columns fit */
#define COLUMNS_FLOATS 1000000 /* of a tile, unless a single record has more */

/* Loops over the records of a tile: inlined where their number is a constant. */
#define LANES __attribute__((always_inline)) static inline

static size_t padded_height(const struct layout_maps *maps)
{
    return (size_t)maps->height + 2 * maps->padding;
}

static size_t padded_width(const struct layout_maps *maps)
{
    return (size_t)maps->width + 2 * maps->padding;
}

size_t layer_padded(const struct layer *layer)
{
    return layer->maps.channels * padded_height(&layer->maps) * padded_width(&layer->maps);
}

/* Where row y of channel c begins in a tile of n images. */
static float *image_row(const struct layer *layer, size_t c, size_t y, size_t n)
{
    const struct layout_maps *maps = &layer->maps;
    const size_t row = c * padded_height(maps) + y + maps->padding;
    return layer->image + (row * padded_width(maps) + maps->padding) * n;
}

VECTOR_CLONES static void turn_maps(float *restrict out, const float *restrict in, size_t rows,
                                    size_t stride, size_t cols)
{
    for (size_t c = 0; c < cols; c++)
        for (size_t r = 0; r < rows; r++) out[c * rows + r] = in[r * stride + c];
}

VECTOR_CLONES static void turn_back(float *restrict out, const float *restrict in, size_t rows,
                                    size_t stride, size_t cols)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c++) out[r * stride + c] = in[c * rows + r];
}

static void image_load(struct layer *layer, const float *x, size_t n)
{
    const struct layout_maps *maps = &layer->maps;
    if (maps->padding > 0) memset(layer->image, 0, n * layer_padded(layer) * sizeof *x);
    for (size_t c = 0; c < maps->channels; c++)
        for (size_t y = 0; y < maps->height; y++, x += maps->width)
            turn_maps(image_row(layer, c, y, n), x, n, layer->inputs, maps->width);
}

static void image_store(const struct layer *layer, float *dx, size_t n)
{
    const struct layout_maps *maps = &layer->maps;
    for (size_t c = 0; c < maps->channels; c++)
        for (size_t y = 0; y < maps->height; y++, dx += maps->width)
            turn_back(dx, image_row(layer, c, y, n), n, layer->inputs, maps->width);
}

/* Row (channel, ky, kx) of columns is the image moved by (ky, kx). */
static void gather_columns(struct layer *layer, size_t n)
{
    const struct layout_maps *maps = &layer->maps;
    const size_t length = maps->map_width * n, stride = padded_width(maps) * n;
    const float *image = layer->image;
    float *row = layer->columns;
    for (uint32_t c = 0; c < maps->channels; c++, image += padded_height(maps) * stride)
        for (size_t ky = 0; ky < KERNEL; ky++)
            for (size_t kx = 0; kx < KERNEL; kx++)
                for (size_t y = 0; y < maps->map_height; y++, row += length)
                    memcpy(row, image + (y + ky) * stride + kx * n, length * sizeof *row);
}

/* The transpose of gather_columns: add every window's derivative to the image's. */
VECTOR_CLONES static void scatter_columns(const struct layer *layer, size_t n)
{
    const struct layout_maps *maps = &layer->maps;
    const size_t length = maps->map_width * n, stride = padded_width(maps) * n;
    const float *row = layer->columns;
    float *image = layer->image;
    memset(image, 0, n * layer_padded(layer) * sizeof *image);
    for (uint32_t c = 0; c < maps->channels; c++, image += padded_height(maps) * stride)
        for (size_t ky = 0; ky < KERNEL; ky++)
            for (size_t kx = 0; kx < KERNEL; kx++)
                for (size_t y = 0; y < maps->map_height; y++, row += length) {
                    float *at = image + (y + ky) * stride + kx * n;
                    for (size_t i = 0; i < length; i++) at[i] += row[i];
                }
}

/* Windows reach into the padding, where there is nothing to choose. */
static struct pool_window window_at(const struct layout_maps *maps, size_t y, size_t x)
{
    struct pool_window window = {0};
    for (uint8_t k = 0; k < 4; k++) {
        const size_t row = 2 * y + k / 2 - maps->padding; /* wraps in the padding */
        const size_t col = 2 * x + k % 2 - maps->padding;
        if (row >= maps->map_height || col >= maps->map_width) continue;
        window.candidate[window.n] = k;
        window.place[window.n++] = (uint32_t)(row * maps->map_width + col);
    }
    return window;
}

/* One window of one map in n records: the largest, biased and cut. */
LANES void pool_one(float *restrict best, uint8_t *restrict won, const float *restrict map,
                    const struct pool_window *window, float bias, size_t n)
{
    const float *first = map + window->place[0] * n;
    for (size_t s = 0; s < n; s++) best[s] = first[s];
    for (size_t s = 0; s < n; s++) won[s] = window->candidate[0];
    for (unsigned k = 1; k < window->n; k++) {
        const float *other = map + window->place[k] * n;
        const uint8_t candidate = window->candidate[k];
        /* Without a branch, which nobody could predict. */
        for (size_t s = 0; s < n; s++)
            won[s] ^= (uint8_t)((candidate ^ won[s]) & -(other[s] > best[s]));
        for (size_t s = 0; s < n; s++) best[s] = other[s] > best[s] ? other[s] : best[s];
    }
    for (size_t s = 0; s < n; s++) best[s] = best[s] + bias > 0 ? best[s] + bias : 0;
}

LANES void pool_maps(struct layer *layer, const float *bias, size_t n)
{
    const size_t windows = layer->outputs / layer->rows;
    float *best = layer->turned;
    uint8_t *won = layer->won;
    const float *map = layer->map;
    for (size_t r = 0; r < layer->rows; r++, map += layer->places * n)
        for (size_t i = 0; i < windows; i++, best += n, won += n)
            pool_one(best, won, map, &layer->window[i], bias[r], n);
}

VECTOR_CLONES static void pool_tile(struct layer *layer, const float *bias, size_t n)
{
    if (n == 1)
        pool_maps(layer, bias, 1);
    else if (n == TILE)
        pool_maps(layer, bias, TILE);
    else
        pool_maps(layer, bias, n);
}

/* From the maps of a tile to the outputs of its records. */
static void pool(struct layer *layer, const float *bias, size_t first, size_t n)
{
    pool_tile(layer, bias, n);
    turn_back(layer->out + first * layer->outputs, layer->turned, n, layer->outputs,
              layer->outputs);
    uint8_t *choice = layer->choice + first * layer->outputs;
    for (size_t s = 0; s < n; s++)
        for (size_t o = 0; o < layer->outputs; o++) *choice++ = layer->won[o * n + s];
}

/* Each delta at the place that won. */
LANES void unpool_maps(struct layer *layer, size_t n)
{
    const size_t windows = layer->outputs / layer->rows;
    const float *delta = layer->turned;
    const uint8_t *won = layer->won;
    float *map = layer->map;
    for (size_t r = 0; r < layer->rows; r++, map += layer->places * n)
        for (size_t i = 0; i < windows; i++, delta += n, won += n) {
            const struct pool_window *window = &layer->window[i];
            for (unsigned k = 0; k < window->n; k++) {
                float *at = map + window->place[k] * n;
                for (size_t s = 0; s < n; s++)
                    at[s] = won[s] == window->candidate[k] ? delta[s] : 0;
            }
        }
}

VECTOR_CLONES static void unpool_tile(struct layer *layer, size_t n)
{
    if (n == 1)
        unpool_maps(layer, 1);
    else if (n == TILE)
        unpool_maps(layer, TILE);
    else
        unpool_maps(layer, n);
}

/* The derivatives before pooling of a tile. */
static void unpool(struct layer *layer, size_t first, size_t n)
{
    turn_maps(layer->turned, layer->delta + first * layer->outputs, n, layer->outputs,
              layer->outputs);
    const uint8_t *choice = layer->choice + first * layer->outputs;
    for (size_t o = 0; o < layer->outputs; o++)
        for (size_t s = 0; s < n; s++) layer->won[o * n + s] = choice[s * layer->outputs + o];
    const struct layout_maps *maps = &layer->maps;
    const bool whole = maps->padding > 0 || (maps->map_height % 2 == 0 && maps->map_width % 2 == 0);
    if (!whole) memset(layer->map, 0, layer->rows * layer->places * n * sizeof *layer->map);
    unpool_tile(layer, n);
}

static size_t tile_size(const struct layer *layer, size_t left)
{
    if (layer->apart) return 1;
    return left < layer->tile ? left : layer->tile;
}

static void conv_forward(struct layer *layer, const float *weights, const float *x, size_t n)
{
    const struct matrix w = tensor_view(weights + layer->weight, layer->rows, layer->cols);
    for (size_t i = 0, size = 0; i < n; i += size) {
        size = tile_size(layer, n - i);
        image_load(layer, x + i * layer->inputs, size);
        gather_columns(layer, size);
        tensor_product(layer->map, w,
                       tensor_view(layer->columns, layer->cols, layer->places * size), false);
        pool(layer, weights + layer->bias, i, size);
    }
}

static void conv_backward(struct layer *layer, const float *weights, float *dx, size_t n)
{
    layer_relu_back(layer, n);
    if (dx == NULL) return;
    const struct matrix w = tensor_view(weights + layer->weight, layer->rows, layer->cols);
    for (size_t i = 0, size = 0; i < n; i += size) {
        size = tile_size(layer, n - i);
        unpool(layer, i, size);
        tensor_product(layer->columns, tensor_turned(w),
                       tensor_view(layer->map, layer->rows, layer->places * size), false);
        scatter_columns(layer, size);
        image_store(layer, dx + i * layer->inputs, size);
    }
}

static void conv_gradient(struct layer *layer, const float *x, size_t first, size_t n, float *grad)
{
    for (size_t i = 0, size = 0; i < n; i += size) {
        size = tile_size(layer, n - i);
        image_load(layer, x + (first + i) * layer->inputs, size);
        gather_columns(layer, size);
        unpool(layer, first + i, size);
        tensor_product(
            grad + layer->weight, tensor_view(layer->map, layer->rows, layer->places * size),
            tensor_turned(tensor_view(layer->columns, layer->cols, layer->places * size)), i > 0);
    }
    layer_bias_gradient(grad + layer->bias, layer->delta + first * layer->outputs, layer->rows,
                        layer->outputs / layer->rows, n);
}

static const struct layer_kind conv_kind = {conv_forward, conv_backward, conv_gradient, NULL, NULL};

enum status conv_new(struct layer *out, const struct tensor *weight, const struct layout_maps *maps,
                     size_t room)
{
    AUTO(layer_free)
    struct layer layer = {.kind = &conv_kind,
                          .rows = weight->rows,
                          .cols = weight->cols,
                          .weight = weight->offset,
                          .bias = weight[1].offset,
                          .relu = true,
                          .inputs = (size_t)maps->channels * maps->height * maps->width,
                          .outputs = (size_t)weight->rows * maps->out_height * maps->out_width,
                          .maps = *maps,
                          .places = (size_t)maps->map_height * maps->map_width,
                          .room = room};
    const size_t columns = layer.cols * layer.places;
    layer.tile = COLUMNS_FLOATS / columns;
    if (layer.tile > TILE) layer.tile = TILE;
    if (layer.tile > room) layer.tile = room;
    if (layer.tile == 0) layer.tile = 1;
    layer.out = calloc(room, layer.outputs * sizeof *layer.out);
    layer.delta = calloc(room, layer.outputs * sizeof *layer.delta);
    layer.choice = calloc(room, layer.outputs);
    layer.window = calloc(layer.outputs / layer.rows, sizeof *layer.window);
    layer.won = calloc(layer.tile, layer.outputs);
    layer.turned = calloc(layer.tile, layer.outputs * sizeof *layer.turned);
    layer.image = calloc(layer.tile, layer_padded(&layer) * sizeof *layer.image);
    layer.columns = calloc(layer.tile, columns * sizeof *layer.columns);
    layer.map = calloc(layer.tile, layer.rows * layer.places * sizeof *layer.map);
    if (layer.out == NULL || layer.delta == NULL || layer.choice == NULL || layer.window == NULL ||
        layer.won == NULL || layer.turned == NULL || layer.image == NULL || layer.columns == NULL ||
        layer.map == NULL)
        return STATUS_NOMEM;
    for (size_t y = 0, i = 0; y < maps->out_height; y++)
        for (size_t x = 0; x < maps->out_width; x++) layer.window[i++] = window_at(maps, y, x);
    *out = layer;
    layer = (struct layer){0};
    return STATUS_OK;
}
