/* SPDX-License-Identifier: Apache-2.0 */
#include "client/model/optim.h"

#include <math.h>
#include <stdlib.h>

#include "base/secret.h"

enum status optim_new(struct optim *out, size_t n, float rate, float momentum, float decay)
{
    if (n == 0 || !isfinite(rate) || !isfinite(decay)) return STATUS_RANGE;
    if (!(rate > 0) || !(momentum >= 0 && momentum < 1) || !(decay >= 0)) return STATUS_RANGE;
    float *velocity = calloc(n, sizeof *velocity);
    if (velocity == NULL) return STATUS_NOMEM;
    *out = (struct optim){rate, momentum, decay, n, velocity};
    return STATUS_OK;
}

void optim_free(struct optim *optim)
{
    if (optim->velocity != NULL) secret_wipe(optim->velocity, optim->n * sizeof *optim->velocity);
    free(optim->velocity);
    *optim = (struct optim){0};
}

void optim_step(struct optim *optim, float *weights, const float *grad)
{
    float *velocity = optim->velocity;
    for (size_t i = 0; i < optim->n; i++) {
        velocity[i] = optim->momentum * velocity[i] + grad[i] + optim->decay * weights[i];
        weights[i] -= optim->rate * velocity[i];
    }
}
