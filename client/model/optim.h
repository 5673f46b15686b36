/* SPDX-License-Identifier: Apache-2.0 */
/* Descent along gradients for local training: plain, with momentum, or Adam. */
#ifndef CLIENT_MODEL_OPTIM_H
#define CLIENT_MODEL_OPTIM_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum optim_kind { OPTIM_SGD, OPTIM_ADAM };

struct optim_how {
    enum optim_kind kind;
    float rate;     /* > 0 */
    float momentum; /* 0 <= momentum < 1; SGD only, Adam has its own */
    float decay;    /* >= 0: decay * weight is added to the gradient */
    float clip;     /* >= 0: a longer gradient is shortened to this L2 norm; 0: none is */
};

struct optim {
    struct optim_how how; /* the rate may be changed between steps */
    size_t n;
    uint64_t steps; /* taken */
    float *mean;    /* n, owned: velocity, or Adam's mean of gradients */
    float *square;  /* n, owned, Adam only: mean of their squares */
};

/* For n weights (n > 0). STATUS_RANGE, STATUS_NOMEM leave out untouched. */
MUST_USE enum status optim_new(struct optim *out, size_t n, const struct optim_how *how);
void optim_free(struct optim *optim);

/* One step; grad is a mean over records. It is shortened first, then g = grad + decay weights.
 *   SGD   velocity = momentum velocity + g; weights -= rate velocity
 *   Adam  (Kingma and Ba 2015, algorithm 1, with its constants) mean and square decay towards g and
 *         g^2 by 0.9 and 0.999, and are divided by what they lack of having begun at zero;
 *         weights -= rate mean / (sqrt(square) + 1e-8)
 * A weight that is zero and whose gradients are stays zero. */
void optim_step(struct optim *optim, float *weights, const float *grad);

#endif
