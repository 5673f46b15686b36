/* SPDX-License-Identifier: Apache-2.0 */
#include "client/model/weights.h"

#include <string.h>

#include "client/data/source.h"

/* Products do not wrap: the reader has bounded the whole. */
static bool fits(const struct safetensors_tensor *in, const struct tensor *tensor)
{
    if (safetensors_count(in) != (uint64_t)tensor->rows * tensor->cols) return false;
    uint64_t rows = 1;
    for (size_t d = 0; d < in->n_dims && rows < tensor->rows; d++) rows *= in->dim[d];
    return rows == tensor->rows;
}

static bool has(const struct layout *layout, const char *name)
{
    for (uint32_t t = 0; t < layout->n_tensors; t++)
        if (strcmp(layout->tensor[t].name, name) == 0) return true;
    return false;
}

static enum status check(const struct layout *layout, const struct safetensors *file, bool partial,
                         bool others, struct data_error *why)
{
    for (size_t i = 0; i < file->n && !others; i++)
        if (!has(layout, file->tensor[i].name))
            return source_refuse(why, STATUS_RANGE, "the model has no tensor %.60s",
                                 file->tensor[i].name);
    for (uint32_t t = 0; t < layout->n_tensors; t++) {
        const struct tensor *tensor = &layout->tensor[t];
        const struct safetensors_tensor *in = safetensors_find(file, tensor->name);
        if (in == NULL && !partial)
            return source_refuse(why, STATUS_RANGE, "tensor %s of the model is missing",
                                 tensor->name);
        if (in != NULL && !fits(in, tensor))
            return source_refuse(why, STATUS_RANGE, "tensor %s has not the model's %u x %u numbers",
                                 tensor->name, tensor->rows, tensor->cols);
    }
    return STATUS_OK;
}

enum status weights_take(float *weights, struct bits *taken, const struct layout *layout,
                         const struct safetensors *file, bool others, struct data_error *why)
{
    TRY(check(layout, file, taken != NULL, others, why));
    for (uint32_t t = 0; t < layout->n_tensors; t++) {
        const struct tensor *tensor = &layout->tensor[t];
        const struct safetensors_tensor *in = safetensors_find(file, tensor->name);
        if (in == NULL) continue;
        safetensors_floats(weights + tensor->offset, in);
        if (taken != NULL) bits_set(taken, t);
    }
    return STATUS_OK;
}
