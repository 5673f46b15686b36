/* SPDX-License-Identifier: Apache-2.0 */
/* What a model's training begins with. */
#include <math.h>
#include <string.h>

#include "client/model/layer.h"
#include "client/model/model.h"
#include "client/model/part.h"
#include "crypto/rng.h"

/* Deviation of a tensor's initial weights. */
static double spread(const struct model *model, const struct tensor *tensor)
{
    if (tensor->role == TENSOR_PLACE) return MODEL_PLACE;
    const bool last = model->spec.exits ? strstr(tensor->name, ".exit.") != NULL
                                        : tensor->segment + 1 == model->layout.n_segments;
    return sqrt((layout_has_blocks(&model->spec) ? 1.0 : 2.0) / tensor->cols) *
           (last ? MODEL_LAST_SCALE : 1);
}

void model_init(float *weights, const struct model *model, struct rng *rng)
{
    for (uint32_t t = 0; t < model->layout.n_tensors; t++) {
        const struct tensor *tensor = &model->layout.tensor[t];
        float *at = weights + tensor->offset;
        const size_t n = (size_t)tensor->rows * tensor->cols;
        const bool drawn = tensor->role == TENSOR_WEIGHT || tensor->role == TENSOR_PLACE;
        if (tensor->role == TENSOR_DOWN) {
            linear_draw(at, tensor->rows, tensor->cols, rng);
            continue;
        }
        const double deviation = spread(model, tensor);
        for (size_t i = 0; i < n; i++)
            at[i] = drawn ? (float)(deviation * rng_normal(rng)) : tensor->role == TENSOR_GAIN;
    }
}
