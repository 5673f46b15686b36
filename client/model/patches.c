/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/vector.h"
#include "client/model/part.h"

void patches_init(struct patches *patches, struct making *making)
{
    const struct model_spec *spec = making->spec;
    const bool vit = spec->kind == MODEL_VIT;
    *patches = (struct patches){.spec = *spec,
                                .span = layout_tokens(spec),
                                .cols = (size_t)spec->channels * spec->patch * spec->patch,
                                .frozen = spec->rank > 0};
    linear_init(&patches->linear, making, vit ? LINEAR_ADAPTED : LINEAR_FROZEN, patches->span);
    if (vit) {
        const struct tensor **from = patches->frozen ? &making->frozen : &making->trained;
        patches->class = (*from)++->offset;
        patches->position = (*from)++->offset;
    }
    const size_t tokens = making->room * patches->span;
    patches->cut = arena_take(making->arena, tokens, patches->cols);
    patches->out = arena_take(making->arena, tokens, spec->dim);
    patches->delta = arena_take(making->arena, tokens, spec->dim);
}

/* The patches of one image, each channel after channel and row after row. */
static void cut_image(const struct model_spec *spec, float *cut, const float *x)
{
    const size_t side = spec->patch, width = spec->width, pixels = width * spec->height;
    for (size_t top = 0; top < spec->height; top += side)
        for (size_t left = 0; left < width; left += side)
            for (size_t c = 0; c < spec->channels; c++)
                for (size_t y = 0; y < side; y++, cut += side)
                    memcpy(cut, x + c * pixels + (top + y) * width + left, side * sizeof *cut);
}

/* Of one record: positions on top of what the dense layer said, which of the class token is
 * nothing. */
VECTOR_CLONES static void place(float *restrict out, const float *restrict class,
                                const float *restrict position, size_t dim, size_t span)
{
    for (size_t k = 0; k < dim; k++) out[k] = class[k] + position[k];
    for (size_t k = dim; k < span * dim; k++) out[k] += position[k];
}

void patches_forward(struct patches *patches, struct source weights, const float *x, size_t n)
{
    const struct model_spec *spec = &patches->spec;
    const bool vit = spec->kind == MODEL_VIT;
    const size_t pixels = (size_t)spec->channels * spec->height * spec->width;
    const size_t skip = vit ? patches->cols : 0, size = patches->span * patches->cols;
    for (size_t i = 0; i < n; i++) {
        memset(patches->cut + i * size, 0, skip * sizeof *patches->cut);
        cut_image(spec, patches->cut + i * size + skip, x + i * pixels);
    }
    linear_forward(&patches->linear, patches->out, weights, patches->cut, NULL, n);
    if (!vit) return;
    const float *from = patches->frozen ? weights.frozen : weights.trained;
    for (size_t i = 0; i < n; i++)
        place(patches->out + i * patches->span * spec->dim, from + patches->class,
              from + patches->position, spec->dim, patches->span);
}

void patches_backward(struct patches *patches, struct source weights, size_t n)
{
    linear_backward(&patches->linear, NULL, weights, patches->delta, n);
}

VECTOR_CLONES static void add_places(float *restrict sum, const float *restrict x, size_t n)
{
    for (size_t k = 0; k < n; k++) sum[k] += x[k];
}

void patches_gradient(const struct patches *patches, float *grad, size_t first, size_t n)
{
    linear_gradient(&patches->linear, grad, patches->cut, patches->delta, first, n);
    if (patches->spec.kind != MODEL_VIT || patches->frozen) return;
    const size_t dim = patches->spec.dim, size = patches->span * dim;
    float *position = grad + patches->position, *bias = grad + patches->linear.bias;
    memset(position, 0, size * sizeof *position);
    for (size_t i = first; i < first + n; i++)
        add_places(position, patches->delta + i * size, size);
    memcpy(grad + patches->class, position, dim * sizeof *position);
    /* The class token is no patch, and has no bias. */
    memset(bias, 0, dim * sizeof *bias);
    for (size_t k = dim; k < size; k += dim) add_places(bias, position + k, dim);
}
