/* SPDX-License-Identifier: Apache-2.0 */
#include "client/model/part.h"

void block_init(struct block *block, struct making *making)
{
    const size_t span = layout_tokens(making->spec), tokens = making->room * span;
    *block = (struct block){.mixer = making->spec->kind == MODEL_MIXER};
    norm_init(&block->norm1, making, span);
    if (block->mixer)
        mixing_init(&block->mixing, making);
    else
        attention_init(&block->attention, making);
    norm_init(&block->norm2, making, span);
    mlp_init(&block->mlp, making, span);
    float **const buffer[] = {&block->normed1,       &block->mid,           &block->normed2,
                              &block->out,           &block->normed1_delta, &block->mid_delta,
                              &block->normed2_delta, &block->delta};
    for (size_t b = 0; b < sizeof buffer / sizeof *buffer; b++)
        *buffer[b] = arena_take(making->arena, tokens, making->spec->dim);
}

void block_forward(struct block *block, struct source weights, const float *x, size_t n)
{
    block->x = x;
    norm_forward(&block->norm1, block->normed1, weights, x, n);
    if (block->mixer)
        mixing_forward(&block->mixing, block->mid, weights, block->normed1, x, n);
    else
        attention_forward(&block->attention, block->mid, weights, block->normed1, x, n);
    norm_forward(&block->norm2, block->normed2, weights, block->mid, n);
    mlp_forward(&block->mlp, block->out, weights, block->normed2, block->mid, n);
}

void block_backward(struct block *block, float *dx, struct source weights, size_t n)
{
    mlp_backward(&block->mlp, block->normed2_delta, weights, block->delta, n);
    norm_backward(&block->norm2, block->mid_delta, weights, block->mid, block->normed2_delta,
                  block->delta, n);
    if (block->mixer)
        mixing_backward(&block->mixing, block->normed1_delta, weights, block->mid_delta, n);
    else
        attention_backward(&block->attention, block->normed1_delta, weights, block->mid_delta, n);
    norm_backward(&block->norm1, dx, weights, block->x, block->normed1_delta, block->mid_delta, n);
}

void block_gradient(const struct block *block, float *grad, size_t first, size_t n)
{
    norm_gradient(&block->norm1, grad, block->x, block->normed1_delta, first, n);
    if (block->mixer)
        mixing_gradient(&block->mixing, grad, first, n);
    else
        attention_gradient(&block->attention, grad, block->normed1, block->mid_delta, first, n);
    norm_gradient(&block->norm2, grad, block->mid, block->normed2_delta, first, n);
    mlp_gradient(&block->mlp, grad, block->normed2, block->delta, first, n);
}
