/* SPDX-License-Identifier: Apache-2.0 */
/* A small transformer and all that a pass over three records needs. */
#ifndef TESTS_UNIT_CLIENT_RIG_H
#define TESTS_UNIT_CLIENT_RIG_H

#include "client/model/model.h"

enum { RIG_RECORDS = 3, RIG_CLASSES = 3, RIG_DEPTH = 3, RIG_PIXELS = 2 * 4 * 6 };

struct rig {
    struct model model;
    struct layout frozen;
    float *weights, *backbone, *grad, *grad2;
    float x[RIG_RECORDS * RIG_PIXELS];
    struct model_work *work;
};

struct model_spec rig_spec(enum model_kind kind, uint32_t rank);
/* Both kinds whole (0, 1), with adapters (2, 3), and with adapters whose A is fixed (4, 5). */
#define RIG_FORMS 6
struct model_spec rig_form(unsigned form);

/* With the weights and pixels of the vectors. */
void rig_open(struct rig *rig, const struct model_spec *spec);
void rig_free(struct rig *rig);

/* Pass through the blocks of this set of bits. */
void rig_choose(struct rig *rig, unsigned set);
/* Forward and back over n records; the loss. logits may be NULL. */
double rig_pass(struct rig *rig, float *logits, size_t first, size_t n);

/* n zeros, for free(). */
float *rig_floats(size_t n);
/* Make numbers that must all be overwritten. */
void rig_soil(float *at, size_t n);

#endif
