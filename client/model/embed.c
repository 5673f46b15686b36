/* SPDX-License-Identifier: Apache-2.0 */
/* A table of characters: a row of floats for each. Steps lie in reverse order, as in lstm.c. */
#include <stdlib.h>
#include <string.h>

#include "client/model/layer.h"

/* A character's number, from a byte as data_floats makes it of a study without pixel constants. */
static size_t character(const struct layer *layer, float x)
{
    REQUIRE(x >= 0 && x <= 1);
    const size_t number = (size_t)(x * 255 + 0.5f);
    REQUIRE(number < layer->rows);
    return number;
}

/* Row of a buffer that holds step `step` of record i, of a batch of n. */
static size_t row_of(const struct layer *layer, size_t step, size_t i, size_t n)
{
    return (layer->steps - 1 - step) * n + i;
}

static void embed_forward(struct layer *layer, const float *weights, const float *x, size_t n)
{
    const size_t cols = layer->cols;
    const float *table = weights + layer->weight;
    layer->batch = n;
    for (size_t i = 0; i < n; i++)
        for (size_t t = 0; t < layer->steps; t++)
            memcpy(layer->out + row_of(layer, t, i, n) * cols,
                   table + character(layer, x[i * layer->steps + t]) * cols, cols * sizeof *table);
}

static void embed_backward(struct layer *layer, const float *weights, float *dx, size_t n)
{
    /* A character has no derivative. */
    REQUIRE(weights != NULL && dx == NULL && n == layer->batch);
}

static void embed_gradient(struct layer *layer, const float *x, size_t first, size_t n, float *grad)
{
    const size_t cols = layer->cols;
    float *table = grad + layer->weight;
    memset(table, 0, layer->rows * cols * sizeof *table);
    for (size_t i = first; i < first + n; i++)
        for (size_t t = 0; t < layer->steps; t++) {
            float *row = table + character(layer, x[i * layer->steps + t]) * cols;
            const float *delta = layer->delta + row_of(layer, t, i, layer->batch) * cols;
            for (size_t c = 0; c < cols; c++) row[c] += delta[c];
        }
}

static const struct layer_kind embed_kind = {embed_forward, embed_backward, embed_gradient, NULL,
                                             NULL};

enum status embed_new(struct layer *out, const struct tensor *table, size_t steps, size_t room)
{
    AUTO(layer_free)
    struct layer layer = {.kind = &embed_kind,
                          .rows = table->rows,
                          .cols = table->cols,
                          .weight = table->offset,
                          .inputs = steps,
                          .outputs = steps * table->cols,
                          .steps = steps,
                          .room = room};
    layer.out = calloc(room, layer.outputs * sizeof *layer.out);
    layer.delta = calloc(room, layer.outputs * sizeof *layer.delta);
    if (layer.out == NULL || layer.delta == NULL) return STATUS_NOMEM;
    *out = layer;
    layer = (struct layer){0};
    return STATUS_OK;
}
