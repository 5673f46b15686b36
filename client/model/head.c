/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/vector.h"
#include "client/model/part.h"

void head_init(struct head *head, struct making *making)
{
    const size_t span = layout_tokens(making->spec), dim = making->spec->dim;
    *head = (struct head){.mixer = making->spec->kind == MODEL_MIXER, .span = span, .dim = dim};
    norm_init(&head->norm, making, span);
    linear_init(&head->linear, making, LINEAR_TRAINED, 1);
    head->normed = arena_take(making->arena, making->room * span, dim);
    head->normed_delta = arena_take(making->arena, making->room * span, dim);
    head->pooled = arena_take(making->arena, making->room, dim);
    head->pooled_delta = arena_take(making->arena, making->room, dim);
    head->logits = arena_take(making->arena, making->room, making->spec->classes);
    head->delta = arena_take(making->arena, making->room, making->spec->classes);
}

VECTOR_CLONES static void average(float *restrict out, const float *restrict x, size_t dim,
                                  size_t span)
{
    memset(out, 0, dim * sizeof *out);
    for (size_t t = 0; t < span; t++)
        for (size_t k = 0; k < dim; k++) out[k] += x[t * dim + k];
    for (size_t k = 0; k < dim; k++) out[k] /= (float)span;
}

VECTOR_CLONES static void average_back(float *restrict dx, const float *restrict delta, size_t dim,
                                       size_t span)
{
    for (size_t t = 0; t < span; t++)
        for (size_t k = 0; k < dim; k++) dx[t * dim + k] = delta[k] / (float)span;
}

void head_forward(struct head *head, struct source weights, const float *x, size_t n)
{
    const size_t dim = head->dim, size = head->span * dim;
    head->x = x;
    norm_forward(&head->norm, head->normed, weights, x, n);
    for (size_t i = 0; i < n; i++)
        average(head->pooled + i * dim, head->normed + i * size, dim, head->mixer ? head->span : 1);
    linear_forward(&head->linear, head->logits, weights, head->pooled, NULL, n);
}

void head_backward(struct head *head, float *dx, struct source weights, const float *residual,
                   size_t n)
{
    const size_t dim = head->dim, size = head->span * dim;
    linear_backward(&head->linear, head->pooled_delta, weights, head->delta, n);
    memset(head->normed_delta, 0, n * size * sizeof *head->normed_delta);
    for (size_t i = 0; i < n; i++)
        average_back(head->normed_delta + i * size, head->pooled_delta + i * dim, dim,
                     head->mixer ? head->span : 1);
    norm_backward(&head->norm, dx, weights, head->x, head->normed_delta, residual, n);
}

void head_gradient(const struct head *head, float *grad, size_t first, size_t n)
{
    norm_gradient(&head->norm, grad, head->x, head->normed_delta, first, n);
    linear_gradient(&head->linear, grad, head->pooled, head->delta, first, n);
}
