/* SPDX-License-Identifier: Apache-2.0 */
/* How far the gradient of pictures points away from a vector, and how to change the pictures so
 * that it does so less: what a search for the pictures behind an update goes down (Geiping et al.
 * 2020, "Inverting gradients"). */
#ifndef LAB_MATCH_H
#define LAB_MATCH_H

#include "client/local.h"

struct match {
    const struct local *local;
    const float *vector, *known; /* borrowed: of the model, as a site sends it; 1 where it is known,
                                  * else 0 */
    double length;               /* of the vector */
    double nudge;                /* MATCH_NUDGE at first; another may be set */
    size_t n, floats;            /* pictures; floats of one, as the model reads them */
    uint8_t *label;              /* n, owned: zeros at first; another may be set */
    struct model_work *work;     /* owned */
    float *grad;                 /* of the weights, owned */
    float *nudged;               /* the weights moved a little, owned */
    float *slope;                /* n * floats, owned: of the loss by the pictures, at these */
};

/* For n > 0 pictures, the model and its weights as local has loaded them. Of a model that begins
 * with a dense layer or a convolution (model_grad_input). STATUS_NOMEM; out is untouched. */
MUST_USE enum status match_new(struct match *out, const struct local *local, const float *vector,
                               const float *known, size_t n);
void match_free(struct match *match);

/* Leave the negative gradient of the pictures x, summed, in match->grad: where it is known, else 0;
 * returns 1 - cos(grad, vector), from 0 to 2, and 1 where one of both has no direction. */
double match_distance(struct match *match, const float *x);

/* The same, and its derivative by x into step (n * floats, overwritten). With u, the derivative of
 * the cosine by the gradient g, it is that of <g', u> for the loss's gradient g' = -g: the change
 * of the loss's slope by x as the weights w go along u,
 *   (slope(w + h u) - slope(w - h u)) / 2h,
 * |h u| = nudge |w|. So a second derivative costs three passes. Gradients jump where a relu or a
 * pooling turns over, which no derivative sees: a nudge as wide as MATCH_NUDGE averages over such
 * jumps, and leads a search further than the exact slope does. */
#define MATCH_NUDGE 1e-2
double match_descend(struct match *match, float *step, const float *x);

#endif
