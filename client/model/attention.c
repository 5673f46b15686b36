/* SPDX-License-Identifier: Apache-2.0 */
/* The shares of one record are a matrix with a row for each key and a column for each head and
 * query: a softmax then goes down the columns, and all columns at once become vectors. */
#include <math.h>

#include "base/vector.h"
#include "client/model/exponential.h"
#include "client/model/part.h"
#include "client/model/tensor.h"

void attention_init(struct attention *attention, struct making *making)
{
    const size_t span = layout_tokens(making->spec), dim = making->spec->dim;
    *attention = (struct attention){.span = span, .dim = dim, .heads = making->spec->heads};
    linear_init(&attention->qkv, making, LINEAR_FROZEN, span);
    linear_init(&attention->proj, making, LINEAR_ADAPTED, span);
    const size_t tokens = making->room * span, cols = attention->heads * span;
    attention->said = arena_take(making->arena, tokens, 3 * dim);
    attention->said_delta = arena_take(making->arena, tokens, 3 * dim);
    attention->heard = arena_take(making->arena, tokens, dim);
    attention->heard_delta = arena_take(making->arena, tokens, dim);
    attention->share = arena_take(making->arena, tokens, cols);
    attention->share_delta = arena_take(making->arena, span + 1, cols);
}

/* Shares from scaled products, which are moved so that the largest of a query is 0. `column` is
 * scratch of cols floats. */
VECTOR_CLONES static void softmax(float *restrict share, float *restrict column, float scale,
                                  size_t keys, size_t cols)
{
    for (size_t c = 0; c < cols; c++) column[c] = share[c];
    for (size_t k = 1; k < keys; k++)
        for (size_t c = 0; c < cols; c++) {
            const float other = share[k * cols + c];
            column[c] = other > column[c] ? other : column[c];
        }
    for (size_t k = 0; k < keys; k++)
        for (size_t c = 0; c < cols; c++)
            share[k * cols + c] = exponential((share[k * cols + c] - column[c]) * scale);
    for (size_t c = 0; c < cols; c++) column[c] = share[c];
    for (size_t k = 1; k < keys; k++)
        for (size_t c = 0; c < cols; c++) column[c] += share[k * cols + c];
    for (size_t c = 0; c < cols; c++) column[c] = 1 / column[c];
    for (size_t k = 0; k < keys; k++)
        for (size_t c = 0; c < cols; c++) share[k * cols + c] *= column[c];
}

/* delta comes in as the derivative by the shares, and leaves as that by the products. */
VECTOR_CLONES static void softmax_back(float *restrict delta, const float *restrict share,
                                       float *restrict column, float scale, size_t keys,
                                       size_t cols)
{
    for (size_t c = 0; c < cols; c++) column[c] = 0;
    for (size_t k = 0; k < keys; k++)
        for (size_t c = 0; c < cols; c++) column[c] += delta[k * cols + c] * share[k * cols + c];
    for (size_t k = 0; k < keys; k++)
        for (size_t c = 0; c < cols; c++)
            delta[k * cols + c] = (delta[k * cols + c] - column[c]) * share[k * cols + c] * scale;
}

/* A head's columns of a buffer. */
static struct matrix said_part(const struct attention *a, const float *at)
{
    return tensor_part(at, a->span, a->dim / a->heads, 3 * a->dim);
}

static struct matrix heard_part(const struct attention *a, const float *at)
{
    return tensor_part(at, a->span, a->dim / a->heads, a->dim);
}

static struct matrix share_part(const struct attention *a, const float *at)
{
    return tensor_part(at, a->span, a->span, a->heads * a->span);
}

static float scale_of(const struct attention *a)
{
    return 1 / sqrtf((float)(a->dim / a->heads));
}

/* What each token of record i hears. */
static void listen(struct attention *a, size_t i)
{
    const size_t width = a->dim / a->heads, cols = a->heads * a->span;
    const float *said = a->said + i * a->span * 3 * a->dim;
    float *share = a->share + i * a->span * cols;
    float *heard = a->heard + i * a->span * a->dim;
    for (size_t h = 0; h < a->heads; h++) {
        const float *query = said + h * width, *key = query + a->dim;
        tensor_product_into(share + h * a->span, cols, said_part(a, key),
                            tensor_turned(said_part(a, query)), false);
    }
    softmax(share, a->share_delta, scale_of(a), a->span, cols);
    for (size_t h = 0; h < a->heads; h++) {
        const float *value = said + h * width + 2 * a->dim;
        tensor_product_into(heard + h * width, a->dim,
                            tensor_turned(share_part(a, share + h * a->span)), said_part(a, value),
                            false);
    }
}

static void listen_back(struct attention *a, size_t i)
{
    const size_t width = a->dim / a->heads, cols = a->heads * a->span;
    const float *said = a->said + i * a->span * 3 * a->dim;
    const float *share = a->share + i * a->span * cols;
    const float *delta = a->heard_delta + i * a->span * a->dim;
    float *said_delta = a->said_delta + i * a->span * 3 * a->dim;
    for (size_t h = 0; h < a->heads; h++) {
        const struct matrix back = heard_part(a, delta + h * width);
        const float *value = said + h * width + 2 * a->dim;
        tensor_product_into(a->share_delta + h * a->span, cols, said_part(a, value),
                            tensor_turned(back), false);
        tensor_product_into(said_delta + h * width + 2 * a->dim, 3 * a->dim,
                            share_part(a, share + h * a->span), back, false);
    }
    softmax_back(a->share_delta, share, a->share_delta + a->span * cols, scale_of(a), a->span,
                 cols);
    for (size_t h = 0; h < a->heads; h++) {
        const struct matrix back = share_part(a, a->share_delta + h * a->span);
        const float *query = said + h * width, *key = query + a->dim;
        tensor_product_into(said_delta + h * width, 3 * a->dim, tensor_turned(back),
                            said_part(a, key), false);
        tensor_product_into(said_delta + h * width + a->dim, 3 * a->dim, back, said_part(a, query),
                            false);
    }
}

void attention_forward(struct attention *attention, float *out, struct source weights,
                       const float *x, const float *residual, size_t n)
{
    linear_forward(&attention->qkv, attention->said, weights, x, NULL, n);
    for (size_t i = 0; i < n; i++) listen(attention, i);
    linear_forward(&attention->proj, out, weights, attention->heard, residual, n);
}

void attention_backward(struct attention *attention, float *dx, struct source weights,
                        const float *delta, size_t n)
{
    linear_backward(&attention->proj, attention->heard_delta, weights, delta, n);
    for (size_t i = 0; i < n; i++) listen_back(attention, i);
    linear_backward(&attention->qkv, dx, weights, attention->said_delta, n);
}

void attention_gradient(const struct attention *attention, float *grad, const float *x,
                        const float *delta, size_t first, size_t n)
{
    linear_gradient(&attention->qkv, grad, x, attention->said_delta, first, n);
    linear_gradient(&attention->proj, grad, attention->heard, delta, first, n);
}
