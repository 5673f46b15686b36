/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over a row are taken in lanes, a fixed number whatever the processor, so that they become
 * vectors and their order stays the same. */
#include <math.h>
#include <string.h>

#include "base/vector.h"
#include "client/model/part.h"

#define NORM_EPSILON 1e-6f
#define LANES 16

void norm_init(struct norm *norm, struct making *making, size_t span)
{
    const bool frozen = making->spec->rank > 0;
    const struct tensor **from = frozen ? &making->frozen : &making->trained;
    *norm = (struct norm){.span = span,
                          .dim = (*from)->rows,
                          .gain = (*from)[0].offset,
                          .bias = (*from)[1].offset,
                          .frozen = frozen,
                          .mean = arena_take(making->arena, making->room, span),
                          .inverse = arena_take(making->arena, making->room, span)};
    *from += 2;
}

static inline float lanes_sum(const float lane[static LANES])
{
    float half[LANES / 2];
    for (size_t l = 0; l < LANES / 2; l++) half[l] = lane[l] + lane[l + LANES / 2];
    for (size_t width = LANES / 4; width > 0; width /= 2)
        for (size_t l = 0; l < width; l++) half[l] += half[l + width];
    return half[0];
}

VECTOR_CLONES static void forward(float *restrict out, float *restrict means,
                                  float *restrict inverses, const float *restrict x,
                                  const float *restrict gain, const float *restrict bias,
                                  size_t dim, size_t rows)
{
    for (size_t i = 0; i < rows; i++, x += dim, out += dim) {
        float sum[LANES] = {0}, squares[LANES] = {0};
        size_t whole = dim - dim % LANES;
        for (size_t k = 0; k < whole; k += LANES)
            for (size_t l = 0; l < LANES; l++) sum[l] += x[k + l];
        for (size_t k = whole; k < dim; k++) sum[k - whole] += x[k];
        const float mean = lanes_sum(sum) / (float)dim;
        for (size_t k = 0; k < whole; k += LANES)
            for (size_t l = 0; l < LANES; l++) squares[l] += (x[k + l] - mean) * (x[k + l] - mean);
        for (size_t k = whole; k < dim; k++) squares[k - whole] += (x[k] - mean) * (x[k] - mean);
        const float inverse = 1 / sqrtf(lanes_sum(squares) / (float)dim + NORM_EPSILON);
        for (size_t k = 0; k < dim; k++) out[k] = (x[k] - mean) * inverse * gain[k] + bias[k];
        means[i] = mean;
        inverses[i] = inverse;
    }
}

void norm_forward(struct norm *norm, float *out, struct source weights, const float *x, size_t n)
{
    const float *from = norm->frozen ? weights.frozen : weights.trained;
    forward(out, norm->mean, norm->inverse, x, from + norm->gain, from + norm->bias, norm->dim,
            n * norm->span);
}

VECTOR_CLONES static void backward(float *dx, const float *restrict means,
                                   const float *restrict inverses, const float *restrict x,
                                   const float *restrict gain, const float *restrict delta,
                                   const float *residual, size_t dim, size_t rows)
{
    for (size_t i = 0; i < rows; i++, x += dim, delta += dim, dx += dim) {
        const float mean = means[i], inverse = inverses[i];
        float sum[LANES] = {0}, along[LANES] = {0};
        size_t whole = dim - dim % LANES;
        for (size_t k = 0; k < whole; k += LANES)
            for (size_t l = 0; l < LANES; l++) {
                const float g = delta[k + l] * gain[k + l];
                sum[l] += g;
                along[l] += g * (x[k + l] - mean);
            }
        for (size_t k = whole; k < dim; k++) {
            sum[k - whole] += delta[k] * gain[k];
            along[k - whole] += delta[k] * gain[k] * (x[k] - mean);
        }
        const float middle = lanes_sum(sum) / (float)dim;
        const float slope = lanes_sum(along) / (float)dim * inverse * inverse;
        for (size_t k = 0; k < dim; k++)
            dx[k] = (residual != NULL ? residual[k] : 0) +
                    (delta[k] * gain[k] - middle - (x[k] - mean) * slope) * inverse;
        if (residual != NULL) residual += dim;
    }
}

void norm_backward(const struct norm *norm, float *dx, struct source weights, const float *x,
                   const float *delta, const float *residual, size_t n)
{
    const float *from = norm->frozen ? weights.frozen : weights.trained;
    backward(dx, norm->mean, norm->inverse, x, from + norm->gain, delta, residual, norm->dim,
             n * norm->span);
}

VECTOR_CLONES static void gradient(float *restrict gain, float *restrict bias,
                                   const float *restrict means, const float *restrict inverses,
                                   const float *restrict x, const float *restrict delta, size_t dim,
                                   size_t rows)
{
    memset(gain, 0, dim * sizeof *gain);
    memset(bias, 0, dim * sizeof *bias);
    for (size_t i = 0; i < rows; i++, x += dim, delta += dim)
        for (size_t k = 0; k < dim; k++) {
            gain[k] += delta[k] * (x[k] - means[i]) * inverses[i];
            bias[k] += delta[k];
        }
}

void norm_gradient(const struct norm *norm, float *grad, const float *x, const float *delta,
                   size_t first, size_t n)
{
    if (norm->frozen) return;
    const size_t skip = first * norm->span;
    gradient(grad + norm->gain, grad + norm->bias, norm->mean + skip, norm->inverse + skip,
             x + skip * norm->dim, delta + skip * norm->dim, norm->dim, n * norm->span);
}
