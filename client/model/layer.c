/* SPDX-License-Identifier: Apache-2.0 */
#include "client/model/layer.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "client/model/transformer.h"

static void release(void *at, size_t bytes)
{
    if (at != NULL) secret_wipe(at, bytes);
    free(at);
}

void layer_free(struct layer *layer)
{
    const size_t activations = layer->room * layer->outputs;
    release(layer->out, activations * sizeof *layer->out);
    release(layer->delta, activations * sizeof *layer->delta);
    release(layer->scratch, layer->n_scratch * sizeof *layer->scratch);
    release(layer->choice, activations);
    free(layer->window);
    release(layer->won, layer->tile * layer->outputs);
    release(layer->turned, layer->tile * layer->outputs * sizeof *layer->turned);
    release(layer->image, layer->tile * layer_padded(layer) * sizeof *layer->image);
    release(layer->columns, layer->tile * layer->cols * layer->places * sizeof *layer->columns);
    release(layer->map, layer->tile * layer->rows * layer->places * sizeof *layer->map);
    transformer_free(&layer->transformer);
    *layer = (struct layer){0};
}

void layer_relu_back(struct layer *layer, size_t n)
{
    for (size_t i = 0; i < n * layer->outputs; i++)
        layer->delta[i] = layer->out[i] > 0 ? layer->delta[i] : 0;
}

void layer_bias_gradient(float *bias, const float *delta, size_t rows, size_t span, size_t n)
{
    memset(bias, 0, rows * sizeof *bias);
    for (size_t i = 0; i < n; i++)
        for (size_t r = 0; r < rows; r++)
            for (size_t s = 0; s < span; s++) bias[r] += *delta++;
}
