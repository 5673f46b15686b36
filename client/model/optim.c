/* SPDX-License-Identifier: Apache-2.0 */
#include "client/model/optim.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/secret.h"
#include "base/vector.h"

#define ADAM_MEAN 0.9
#define ADAM_SQUARE 0.999
#define ADAM_LEAST 1e-8f

static bool is_sound(const struct optim_how *how)
{
    return isfinite(how->rate) && isfinite(how->decay) && isfinite(how->clip) && how->rate > 0 &&
           how->momentum >= 0 && how->momentum < 1 && how->decay >= 0 && how->clip >= 0 &&
           (how->kind == OPTIM_SGD || (how->kind == OPTIM_ADAM && how->momentum == 0));
}

enum status optim_new(struct optim *out, size_t n, const struct optim_how *how)
{
    if (n == 0 || !is_sound(how)) return STATUS_RANGE;
    AUTO(optim_free) struct optim optim = {.how = *how, .n = n};
    optim.mean = calloc(n, sizeof *optim.mean);
    if (how->kind == OPTIM_ADAM) optim.square = calloc(n, sizeof *optim.square);
    if (optim.mean == NULL || (how->kind == OPTIM_ADAM && optim.square == NULL))
        return STATUS_NOMEM;
    *out = optim;
    optim = (struct optim){0};
    return STATUS_OK;
}

static void release(float *at, size_t n)
{
    if (at != NULL) secret_wipe(at, n * sizeof *at);
    free(at);
}

void optim_free(struct optim *optim)
{
    release(optim->mean, optim->n);
    release(optim->square, optim->n);
    *optim = (struct optim){0};
}

/* What a gradient is multiplied with to be no longer than the clip. */
static float shortening(const float *grad, size_t n, float clip)
{
    if (clip == 0) return 1;
    double squares = 0;
    for (size_t i = 0; i < n; i++) squares += (double)grad[i] * (double)grad[i];
    const double norm = sqrt(squares);
    return norm > (double)clip ? (float)((double)clip / norm) : 1;
}

VECTOR_CLONES static void step_sgd(float *restrict weights, float *restrict velocity,
                                   const float *restrict grad, float factor,
                                   const struct optim_how *how, size_t n)
{
    const float rate = how->rate, momentum = how->momentum, decay = how->decay;
    for (size_t i = 0; i < n; i++) {
        velocity[i] = momentum * velocity[i] + factor * grad[i] + decay * weights[i];
        weights[i] -= rate * velocity[i];
    }
}

VECTOR_CLONES static void step_adam(float *restrict weights, float *restrict mean,
                                    float *restrict square, const float *restrict grad,
                                    float factor, const struct optim_how *how, uint64_t steps,
                                    size_t n)
{
    const float keep_mean = (float)ADAM_MEAN, keep_square = (float)ADAM_SQUARE;
    const float add_mean = (float)(1 - ADAM_MEAN), add_square = (float)(1 - ADAM_SQUARE);
    /* Both began at zero, and are too small by these. */
    const float rate = (float)((double)how->rate / (1 - pow(ADAM_MEAN, (double)steps)));
    const float lift = (float)(1 / sqrt(1 - pow(ADAM_SQUARE, (double)steps)));
    const float decay = how->decay;
    for (size_t i = 0; i < n; i++) {
        const float g = factor * grad[i] + decay * weights[i];
        mean[i] = keep_mean * mean[i] + add_mean * g;
        square[i] = keep_square * square[i] + add_square * g * g;
        weights[i] -= rate * mean[i] / (lift * sqrtf(square[i]) + ADAM_LEAST);
    }
}

void optim_step(struct optim *optim, float *weights, const float *grad)
{
    const struct optim_how *how = &optim->how;
    const float factor = shortening(grad, optim->n, how->clip);
    optim->steps++;
    if (how->kind == OPTIM_SGD)
        step_sgd(weights, optim->mean, grad, factor, how, optim->n);
    else
        step_adam(weights, optim->mean, optim->square, grad, factor, how, optim->steps, optim->n);
}
