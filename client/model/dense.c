/* SPDX-License-Identifier: Apache-2.0 */
/* out = relu(x W' + b). The gradient of one record is the outer product of its delta and its
 * inputs. */
#include <stdlib.h>
#include <string.h>

#include "client/model/apart.h"
#include "client/model/layer.h"
#include "client/model/tensor.h"

static void dense_forward(struct layer *layer, const float *weights, const float *x, size_t n)
{
    const float *bias = weights + layer->bias;
    const struct matrix w = tensor_view(weights + layer->weight, layer->rows, layer->cols);
    if (layer->apart) {
        apart_product(layer->out, x, w.at, bias, n, layer->rows, layer->cols);
    } else {
        for (size_t i = 0; i < n; i++)
            memcpy(layer->out + i * layer->rows, bias, layer->rows * sizeof *bias);
        tensor_product(layer->out, tensor_view(x, n, layer->cols), tensor_turned(w), true);
    }
    if (!layer->relu) return;
    for (size_t i = 0; i < n * layer->rows; i++)
        layer->out[i] = layer->out[i] > 0 ? layer->out[i] : 0;
}

static void dense_backward(struct layer *layer, const float *weights, float *dx, size_t n)
{
    if (layer->relu) layer_relu_back(layer, n);
    if (dx == NULL) return;
    if (layer->apart)
        apart_back(dx, layer->delta, weights + layer->weight, n, layer->rows, layer->cols);
    else
        tensor_product(dx, tensor_view(layer->delta, n, layer->rows),
                       tensor_view(weights + layer->weight, layer->rows, layer->cols), false);
}

static void scale(float *restrict out, const float *restrict x, float factor, size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = factor * x[i];
}

static void outer_product(float *out, const float *delta, size_t rows, const float *x, size_t cols)
{
    for (size_t r = 0; r < rows; r++, out += cols) {
        /* The relu cuts about half of the units: writing zeros needs no look at x. */
        if (delta[r] == 0)
            memset(out, 0, cols * sizeof *out);
        else
            scale(out, x, delta[r], cols);
    }
}

static void dense_gradient(struct layer *layer, const float *x, size_t first, size_t n, float *grad)
{
    const float *delta = layer->delta + first * layer->rows;
    const float *input = x + first * layer->cols;
    if (n == 1)
        outer_product(grad + layer->weight, delta, layer->rows, input, layer->cols);
    else
        tensor_product(grad + layer->weight, tensor_turned(tensor_view(delta, n, layer->rows)),
                       tensor_view(input, n, layer->cols), false);
    layer_bias_gradient(grad + layer->bias, delta, layer->rows, 1, n);
}

static struct outer_product dense_outer(struct layer *layer, const float *x, size_t i, float *grad)
{
    const float *delta = layer->delta + i * layer->rows;
    memcpy(grad + layer->bias, delta, layer->rows * sizeof *delta);
    return (struct outer_product){.at = layer->weight,
                                  .rows = layer->rows,
                                  .cols = layer->cols,
                                  .left = delta,
                                  .right = x + i * layer->cols};
}

static const struct layer_kind dense_kind = {dense_forward, dense_backward, dense_gradient,
                                             dense_outer, NULL};

enum status dense_new(struct layer *out, const struct tensor *weight, bool relu, size_t room)
{
    AUTO(layer_free)
    struct layer layer = {.kind = &dense_kind,
                          .rows = weight->rows,
                          .cols = weight->cols,
                          .weight = weight->offset,
                          .bias = weight[1].offset,
                          .relu = relu,
                          .inputs = weight->cols,
                          .outputs = weight->rows,
                          .room = room};
    layer.out = calloc(room, layer.outputs * sizeof *layer.out);
    layer.delta = calloc(room, layer.outputs * sizeof *layer.delta);
    if (layer.out == NULL || layer.delta == NULL) return STATUS_NOMEM;
    *out = layer;
    layer = (struct layer){0};
    return STATUS_OK;
}
