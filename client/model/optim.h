/* SPDX-License-Identifier: Apache-2.0 */
/* Stochastic gradient descent for local training. */
#ifndef CLIENT_MODEL_OPTIM_H
#define CLIENT_MODEL_OPTIM_H

#include <stddef.h>

#include "base/status.h"

struct optim {
    float rate, momentum, decay;
    size_t n;
    float *velocity; /* n, owned */
};

/* rate > 0, 0 <= momentum < 1, decay >= 0, n weights (n > 0).
 * STATUS_RANGE, STATUS_NOMEM leave out untouched. */
MUST_USE enum status optim_new(struct optim *out, size_t n, float rate, float momentum,
                               float decay);
void optim_free(struct optim *optim);

/* velocity = momentum velocity + grad + decay weights; weights -= rate velocity.
 * A weight that is zero and whose gradients are stays zero. grad is a mean over records. */
void optim_step(struct optim *optim, float *weights, const float *grad);

#endif
