/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/vector.h"
#include "client/model/exponential.h"
#include "client/model/part.h"

void mlp_init(struct mlp *mlp, struct making *making, size_t span)
{
    *mlp = (struct mlp){0};
    linear_init(&mlp->fc1, making, LINEAR_FROZEN, span);
    linear_init(&mlp->fc2, making, LINEAR_ADAPTED, span);
    const size_t tokens = making->room * span;
    mlp->slope = arena_take(making->arena, tokens, mlp->fc1.rows);
    mlp->hidden = arena_take(making->arena, tokens, mlp->fc1.rows);
    mlp->delta = arena_take(making->arena, tokens, mlp->fc1.rows);
}

/* out = x Phi(x), and its derivative in the place of x. The error function by Abramowitz and Stegun
 * 7.1.26, off by 1.5e-7 at most; its exponential is also that of the derivative. */
VECTOR_CLONES static void gelu(float *restrict out, float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = exponential(-0.5f * x[i] * x[i]);
    for (size_t i = 0; i < n; i++) {
        const float at = x[i], bell = out[i];
        const float t = 1 / (1 + 0.3275911f * 0.70710678f * fabsf(at));
        const float tail =
            0.5f * bell * t *
            (0.254829592f +
             t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
        const float phi = 0.5f + copysignf(0.5f - tail, at);
        out[i] = at * phi;
        x[i] = phi + at * bell * 0.39894228f;
    }
}

VECTOR_CLONES static void multiply_slope(float *restrict x, const float *restrict by, size_t n)
{
    for (size_t i = 0; i < n; i++) x[i] *= by[i];
}

void mlp_forward(struct mlp *mlp, float *out, struct source weights, const float *x,
                 const float *residual, size_t n)
{
    linear_forward(&mlp->fc1, mlp->slope, weights, x, NULL, n);
    gelu(mlp->hidden, mlp->slope, n * mlp->fc1.span * mlp->fc1.rows);
    linear_forward(&mlp->fc2, out, weights, mlp->hidden, residual, n);
}

void mlp_backward(struct mlp *mlp, float *dx, struct source weights, const float *delta, size_t n)
{
    linear_backward(&mlp->fc2, mlp->delta, weights, delta, n);
    multiply_slope(mlp->delta, mlp->slope, n * mlp->fc1.span * mlp->fc1.rows);
    linear_backward(&mlp->fc1, dx, weights, mlp->delta, n);
}

void mlp_gradient(const struct mlp *mlp, float *grad, const float *x, const float *delta,
                  size_t first, size_t n)
{
    linear_gradient(&mlp->fc1, grad, x, mlp->delta, first, n);
    linear_gradient(&mlp->fc2, grad, mlp->hidden, delta, first, n);
}
