/* SPDX-License-Identifier: Apache-2.0 */
/* One product of matrices for all tokens of all records. An adapter is kept apart from its weights:
 * rank is small, so two narrow products cost less than B A would. */
#include <math.h>
#include <string.h>

#include "base/vector.h"
#include "client/model/part.h"
#include "client/model/tensor.h"

void linear_draw(float *down, size_t rank, size_t cols, struct rng *rng)
{
    const double bound = 1 / sqrt((double)cols);
    for (size_t i = 0; i < rank * cols; i++) down[i] = (float)((2 * rng_unit(rng) - 1) * bound);
}

/* The adapter's tensors, and room for what it does. */
static void adapt(struct linear *linear, struct making *making)
{
    const struct model_spec *spec = making->spec;
    const size_t tokens = making->room * linear->span;
    linear->rank = spec->rank;
    linear->scale = (float)(spec->alpha / spec->rank);
    if (!spec->freeze_a) {
        linear->down = making->trained++->offset;
    } else {
        struct rng rng = {0};
        rng_numbered(&rng, making->fixed++);
        linear->fixed = arena_take(making->arena, spec->rank, linear->cols);
        if (linear->fixed != NULL) linear_draw(linear->fixed, spec->rank, linear->cols, &rng);
    }
    linear->up = making->trained++->offset;
    linear->low = arena_take(making->arena, tokens, spec->rank);
    linear->low_delta = arena_take(making->arena, tokens, spec->rank);
}

void linear_init(struct linear *linear, struct making *making, enum linear_form form, size_t span)
{
    const bool frozen = form != LINEAR_TRAINED && making->spec->rank > 0;
    const struct tensor **from = frozen ? &making->frozen : &making->trained;
    const struct tensor *weight = *from;
    *linear = (struct linear){.span = span,
                              .rows = weight->rows,
                              .cols = weight->cols,
                              .weight = weight[0].offset,
                              .bias = weight[1].offset,
                              .frozen = frozen};
    *from += 2;
    if (frozen && form == LINEAR_ADAPTED) adapt(linear, making);
}

static struct matrix weights_of(const struct linear *linear, struct source from)
{
    const float *at = (linear->frozen ? from.frozen : from.trained) + linear->weight;
    return tensor_view(at, linear->rows, linear->cols);
}

static struct matrix down_of(const struct linear *linear, struct source from)
{
    const float *at = linear->fixed != NULL ? linear->fixed : from.trained + linear->down;
    return tensor_view(at, linear->rank, linear->cols);
}

static struct matrix up_of(const struct linear *linear, struct source from)
{
    return tensor_view(from.trained + linear->up, linear->rows, linear->rank);
}

/* What the products are added to. */
VECTOR_CLONES static void start(float *restrict out, const float *restrict bias,
                                const float *restrict residual, size_t rows, size_t tokens)
{
    for (size_t i = 0; i < tokens; i++, out += rows) {
        if (residual == NULL) {
            memcpy(out, bias, rows * sizeof *out);
            continue;
        }
        for (size_t r = 0; r < rows; r++) out[r] = bias[r] + residual[r];
        residual += rows;
    }
}

VECTOR_CLONES static void scale_by(float *x, float factor, size_t n)
{
    for (size_t i = 0; i < n; i++) x[i] *= factor;
}

void linear_forward(struct linear *linear, float *out, struct source weights, const float *x,
                    const float *residual, size_t n)
{
    const size_t tokens = n * linear->span;
    const struct matrix in = tensor_view(x, tokens, linear->cols);
    start(out, (linear->frozen ? weights.frozen : weights.trained) + linear->bias, residual,
          linear->rows, tokens);
    tensor_product(out, in, tensor_turned(weights_of(linear, weights)), true);
    if (linear->rank == 0) return;
    const struct matrix low = tensor_view(linear->low, tokens, linear->rank);
    tensor_product(linear->low, in, tensor_turned(down_of(linear, weights)), false);
    scale_by(linear->low, linear->scale, tokens * linear->rank);
    tensor_product(out, low, tensor_turned(up_of(linear, weights)), true);
}

void linear_backward(struct linear *linear, float *dx, struct source weights, const float *delta,
                     size_t n)
{
    const size_t tokens = n * linear->span;
    const struct matrix back = tensor_view(delta, tokens, linear->rows);
    if (linear->rank > 0) {
        tensor_product(linear->low_delta, back, up_of(linear, weights), false);
        scale_by(linear->low_delta, linear->scale, tokens * linear->rank);
    }
    if (dx == NULL) return;
    tensor_product(dx, back, weights_of(linear, weights), false);
    if (linear->rank == 0) return;
    tensor_product(dx, tensor_view(linear->low_delta, tokens, linear->rank),
                   down_of(linear, weights), true);
}

VECTOR_CLONES static void add_rows(float *restrict sum, const float *restrict delta, size_t rows,
                                   size_t tokens)
{
    memset(sum, 0, rows * sizeof *sum);
    for (size_t i = 0; i < tokens; i++, delta += rows)
        for (size_t r = 0; r < rows; r++) sum[r] += delta[r];
}

void linear_gradient(const struct linear *linear, float *grad, const float *x, const float *delta,
                     size_t first, size_t n)
{
    const size_t skip = first * linear->span, tokens = n * linear->span;
    const struct matrix in = tensor_view(x + skip * linear->cols, tokens, linear->cols);
    delta += skip * linear->rows;
    const struct matrix back = tensor_turned(tensor_view(delta, tokens, linear->rows));
    if (!linear->frozen) {
        tensor_product(grad + linear->weight, back, in, false);
        add_rows(grad + linear->bias, delta, linear->rows, tokens);
    }
    if (linear->rank == 0) return;
    const size_t low = skip * linear->rank;
    tensor_product(grad + linear->up, back, tensor_view(linear->low + low, tokens, linear->rank),
                   false);
    if (linear->fixed != NULL) return;
    const struct matrix low_delta = tensor_view(linear->low_delta + low, tokens, linear->rank);
    tensor_product(grad + linear->down, tensor_turned(low_delta), in, false);
}
