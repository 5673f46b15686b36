/* SPDX-License-Identifier: Apache-2.0 */
/* A table of characters, and long short-term memory (Hochreiter and Schmidhuber 1997; with forget
 * gates and the gates' order of PyTorch, but one bias where PyTorch adds two). In every buffer
 * steps lie in reverse order, a row for each record: so the last step, which is all that the head
 * reads, comes first, and what the steps before it said lies in one piece behind. */
#include <stdlib.h>
#include <string.h>

#include "base/vector.h"
#include "client/model/exponential.h"
#include "client/model/layer.h"
#include "client/model/tensor.h"

enum { GATES = 4 }; /* in, forget, candidate, out */

static inline float sigmoid(float x)
{
    return 1 / (1 + exponential(-x));
}

static inline float tangent(float x)
{
    return 1 - 2 / (1 + exponential(2 * x));
}

/* One record's step: gates from sums to values, the cell, and what it says. */
VECTOR_CLONES static void say(float *restrict gate, float *restrict cell, float *restrict out,
                              const float *restrict before, size_t units)
{
    for (size_t u = 0; u < units; u++) {
        const float in = sigmoid(gate[u]), forget = sigmoid(gate[units + u]);
        const float candidate = tangent(gate[2 * units + u]), say = sigmoid(gate[3 * units + u]);
        gate[u] = in;
        gate[units + u] = forget;
        gate[2 * units + u] = candidate;
        gate[3 * units + u] = say;
        cell[u] = forget * before[u] + in * candidate;
        out[u] = say * tangent(cell[u]);
    }
}

/* Its derivative: gates from values to the derivatives by their sums. carry is that by the cell,
 * from the step after to the step before. */
VECTOR_CLONES static void unsay(float *restrict gate, float *restrict carry,
                                const float *restrict delta, const float *restrict cell,
                                const float *restrict before, size_t units)
{
    for (size_t u = 0; u < units; u++) {
        const float in = gate[u], forget = gate[units + u];
        const float candidate = gate[2 * units + u], say = gate[3 * units + u];
        const float said = tangent(cell[u]);
        const float by_cell = delta[u] * say * (1 - said * said) + carry[u];
        gate[u] = by_cell * candidate * in * (1 - in);
        gate[units + u] = by_cell * before[u] * forget * (1 - forget);
        gate[2 * units + u] = by_cell * in * (1 - candidate * candidate);
        gate[3 * units + u] = delta[u] * said * say * (1 - say);
        carry[u] = by_cell * forget;
    }
}

/* Buffers within a layer's scratch, by what a row is for: one step of one record. */
struct memory {
    float *gate;  /* steps * room rows: values, after the backward pass derivatives */
    float *cell;  /* steps * room rows */
    float *carry; /* room rows */
    float *zeros; /* one row: the cell before the first step */
    float *alone; /* steps rows of each: gates, inputs and outputs of one record */
};

static size_t scratch_floats(const struct layer *layer)
{
    const size_t units = layer->rows / GATES;
    return layer->steps * layer->room * (layer->rows + units) + layer->room * units + units +
           layer->steps * (layer->rows + layer->cols + units);
}

static struct memory memory_of(const struct layer *layer)
{
    const size_t units = layer->rows / GATES, rows = layer->steps * layer->room;
    struct memory m = {.gate = layer->scratch};
    m.cell = m.gate + rows * layer->rows;
    m.carry = m.cell + rows * units;
    m.zeros = m.carry + layer->room * units;
    m.alone = m.zeros + units;
    return m;
}

static void lstm_forward(struct layer *layer, const float *weights, const float *x, size_t n)
{
    const struct memory m = memory_of(layer);
    const size_t gates = layer->rows, units = gates / GATES, rows = layer->steps * n;
    const struct matrix own = tensor_view(weights + layer->weight, gates, layer->cols);
    const struct matrix recurrent = tensor_view(weights + layer->recurrent, gates, units);
    layer->batch = n;
    for (size_t i = 0; i < rows; i++)
        memcpy(m.gate + i * gates, weights + layer->bias, gates * sizeof *m.gate);
    tensor_product(m.gate, tensor_view(x, rows, layer->cols), tensor_turned(own), true);
    for (size_t at = rows; at > 0;) {
        at -= n;
        const bool first = at + n == rows;
        const float *said = layer->out + (at + n) * units;
        if (!first)
            tensor_product(m.gate + at * gates, tensor_view(said, n, units),
                           tensor_turned(recurrent), true);
        for (size_t i = at; i < at + n; i++)
            say(m.gate + i * gates, m.cell + i * units, layer->out + i * units,
                first ? m.zeros : m.cell + (i + n) * units, units);
    }
}

static void lstm_backward(struct layer *layer, const float *weights, float *dx, size_t n)
{
    const struct memory m = memory_of(layer);
    const size_t gates = layer->rows, units = gates / GATES, rows = layer->steps * n;
    const struct matrix recurrent = tensor_view(weights + layer->recurrent, gates, units);
    /* The head reads the last step alone. */
    if (layer->last) memset(layer->delta + n * units, 0, (rows - n) * units * sizeof *layer->delta);
    memset(m.carry, 0, n * units * sizeof *m.carry);
    for (size_t at = 0; at < rows; at += n) {
        const bool first = at + n == rows;
        for (size_t i = at; i < at + n; i++)
            unsay(m.gate + i * gates, m.carry + (i - at) * units, layer->delta + i * units,
                  m.cell + i * units, first ? m.zeros : m.cell + (i + n) * units, units);
        if (!first)
            tensor_product(layer->delta + (at + n) * units,
                           tensor_view(m.gate + at * gates, n, gates), recurrent, true);
    }
    tensor_product(dx, tensor_view(m.gate, rows, gates),
                   tensor_view(weights + layer->weight, gates, layer->cols), false);
}

/* Sums over steps and n records, from derivatives by gates, inputs and outputs. */
static void add_up(const struct layer *layer, float *grad, const float *gate, const float *x,
                   const float *out, size_t n)
{
    const size_t gates = layer->rows, units = gates / GATES, rows = layer->steps * n;
    tensor_product(grad + layer->weight, tensor_turned(tensor_view(gate, rows, gates)),
                   tensor_view(x, rows, layer->cols), false);
    if (rows > n) /* a step reads what the one before it said */
        tensor_product(grad + layer->recurrent, tensor_turned(tensor_view(gate, rows - n, gates)),
                       tensor_view(out + n * units, rows - n, units), false);
    else
        memset(grad + layer->recurrent, 0, gates * units * sizeof *grad);
    layer_bias_gradient(grad + layer->bias, gate, gates, 1, rows);
}

/* One record's rows of a buffer, step after step. */
static float *pick(float *to, const struct layer *layer, const float *from, size_t record,
                   size_t width)
{
    for (size_t t = 0; t < layer->steps; t++, to += width)
        memcpy(to, from + (t * layer->batch + record) * width, width * sizeof *to);
    return to;
}

static void lstm_gradient(struct layer *layer, const float *x, size_t first, size_t n, float *grad)
{
    const struct memory m = memory_of(layer);
    if (n == layer->batch) {
        add_up(layer, grad, m.gate, x, layer->out, n);
        return;
    }
    REQUIRE(n == 1);
    float *own_x = pick(m.alone, layer, m.gate, first, layer->rows);
    float *own_out = pick(own_x, layer, x, first, layer->cols);
    (void)pick(own_out, layer, layer->out, first, layer->rows / GATES);
    add_up(layer, grad, m.alone, own_x, own_out, 1);
}

static const struct layer_kind lstm_kind = {lstm_forward, lstm_backward, lstm_gradient, NULL, NULL};

enum status lstm_new(struct layer *out, const struct tensor *weight, bool last, size_t steps,
                     size_t room)
{
    AUTO(layer_free)
    struct layer layer = {.kind = &lstm_kind,
                          .rows = weight->rows,
                          .cols = weight->cols,
                          .weight = weight[0].offset,
                          .recurrent = weight[1].offset,
                          .bias = weight[2].offset,
                          .last = last,
                          .inputs = steps * weight->cols,
                          .outputs = steps * weight->rows / GATES,
                          .steps = steps,
                          .room = room};
    layer.n_scratch = scratch_floats(&layer);
    layer.scratch = calloc(layer.n_scratch, sizeof *layer.scratch);
    layer.out = calloc(room, layer.outputs * sizeof *layer.out);
    layer.delta = calloc(room, layer.outputs * sizeof *layer.delta);
    if (layer.out == NULL || layer.delta == NULL || layer.scratch == NULL) return STATUS_NOMEM;
    *out = layer;
    layer = (struct layer){0};
    return STATUS_OK;
}
