/* SPDX-License-Identifier: Apache-2.0 */
/* Each record is turned, tokens into columns, so that its channels are rows of the same MLP that
 * elsewhere reads tokens. */
#include "base/vector.h"
#include "client/model/part.h"

void mixing_init(struct mixing *mixing, struct making *making)
{
    const size_t span = layout_tokens(making->spec), dim = making->spec->dim;
    *mixing = (struct mixing){.span = span, .dim = dim};
    mlp_init(&mixing->mlp, making, dim);
    mixing->turned = arena_take(making->arena, making->room * dim, span);
    mixing->turned_delta = arena_take(making->arena, making->room * dim, span);
    mixing->scratch = arena_take(making->arena, making->room * dim, span);
}

/* out = residual + the transpose of a matrix in; residual may be NULL. */
VECTOR_CLONES static void turn_tokens(float *restrict out, const float *restrict in,
                                      const float *restrict residual, size_t rows, size_t cols)
{
    for (size_t c = 0; c < cols; c++)
        for (size_t r = 0; r < rows; r++) out[c * rows + r] = in[r * cols + c];
    for (size_t k = 0; k < rows * cols && residual != NULL; k++) out[k] += residual[k];
}

/* Of n records, each a matrix of that shape. */
static void turn_all(float *out, const float *in, const float *residual, size_t rows, size_t cols,
                     size_t n)
{
    const size_t size = rows * cols;
    for (size_t i = 0; i < n * size; i += size)
        turn_tokens(out + i, in + i, residual == NULL ? NULL : residual + i, rows, cols);
}

void mixing_forward(struct mixing *mixing, float *out, struct source weights, const float *x,
                    const float *residual, size_t n)
{
    turn_all(mixing->turned, x, NULL, mixing->span, mixing->dim, n);
    mlp_forward(&mixing->mlp, mixing->scratch, weights, mixing->turned, NULL, n);
    turn_all(out, mixing->scratch, residual, mixing->dim, mixing->span, n);
}

void mixing_backward(struct mixing *mixing, float *dx, struct source weights, const float *delta,
                     size_t n)
{
    turn_all(mixing->turned_delta, delta, NULL, mixing->span, mixing->dim, n);
    mlp_backward(&mixing->mlp, mixing->scratch, weights, mixing->turned_delta, n);
    turn_all(dx, mixing->scratch, NULL, mixing->dim, mixing->span, n);
}

void mixing_gradient(const struct mixing *mixing, float *grad, size_t first, size_t n)
{
    mlp_gradient(&mixing->mlp, grad, mixing->turned, mixing->turned_delta, first, n);
}
