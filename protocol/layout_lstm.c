/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/layout_parts.h"

static bool add_layer(struct layout *layout, uint64_t units, uint64_t inputs)
{
    return layout_append(layout, "weight_ih", 4 * units, inputs, TENSOR_WEIGHT) &&
           layout_append(layout, "weight_hh", 4 * units, units, TENSOR_WEIGHT) &&
           layout_append(layout, "bias", 4 * units, 1, TENSOR_BIAS);
}

bool layout_lstm(struct layout *layout, const struct model_spec *spec)
{
    if (spec->channels != 1 || spec->height != 1 || spec->width == 0 || spec->n_hidden < 2 ||
        spec->n_hidden > LAYOUT_HIDDEN_MAX)
        return false;
    uint64_t inputs = spec->hidden[0];
    layout_open(layout, "embed", 0);
    if (!layout_append(layout, "weight", spec->classes, inputs, TENSOR_WEIGHT)) return false;
    for (uint32_t l = 1; l < spec->n_hidden; l++) {
        const uint64_t units = spec->hidden[l];
        layout_open(layout, "lstm", l);
        if ((uint64_t)spec->width * units > LAYOUT_LSTM_MEMORY_MAX ||
            !add_layer(layout, units, inputs))
            return false;
        inputs = units;
    }
    layout_open(layout, "head", 0);
    return layout_append(layout, "weight", spec->classes, inputs, TENSOR_WEIGHT) &&
           layout_append(layout, "bias", spec->classes, 1, TENSOR_BIAS);
}
