/* SPDX-License-Identifier: Apache-2.0 */
/* The models once more, in plain loops and double precision: slow, and easy to believe. */
#ifndef TESTS_UNIT_CLIENT_TWIN_H
#define TESTS_UNIT_CLIENT_TWIN_H

#include "client/model/model.h"

/* Most floats of any layer of a model that the twin may be asked for. */
#define TWIN_MAX 4096

void twin_logits(double *logits, const struct model *model, const double *weights, const double *x);
double twin_loss(const struct model *model, const double *weights, const double *x, uint8_t label);
/* Central differences, one coordinate after the other. */
void twin_gradient(double *grad, const struct model *model, const double *weights, const double *x,
                   uint8_t label);

/* Hold a model against its twin on n random records: logits, loss, every record's gradient, and
 * their sum. */
void twin_compare(const struct model_spec *spec, size_t n, uint64_t seed);

#endif
