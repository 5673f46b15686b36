/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/vector.h"
#include "protocol/layout.h"

/* Lanes that add up apart, so that the additions need not wait for each other. */
#define LANES 16

VECTOR_CLONES static float sum_row(const float *value, size_t n)
{
    float lane[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++) lane[k] += value[i + k];
    for (; i < n; i++) sum += value[i];
    for (size_t k = 0; k < LANES; k++) sum += lane[k];
    return sum;
}

void layout_sum_units(float *out, const struct layout *layout, const float *value)
{
    memset(out, 0, layout_units(layout) * sizeof *out);
    for (uint32_t t = 0; t < layout->n_tensors; t++) {
        const struct tensor *tensor = &layout->tensor[t];
        if (tensor->group == LAYOUT_NONE) continue;
        float *unit = out + layout_unit_first(layout, tensor->group);
        const float *row = value + tensor->offset;
        for (uint32_t r = 0; r < tensor->rows; r++, row += tensor->cols)
            unit[r] += sum_row(row, tensor->cols);
    }
}
