/* SPDX-License-Identifier: Apache-2.0 */
/* The public state of a study between rounds: which coordinates are kept, the global weights, and
 * the clip where it adapts. Coordinates that are not kept are zero and are not sent. */
#ifndef PROTOCOL_STATE_H
#define PROTOCOL_STATE_H

#include <stdint.h>

#include "base/bits.h"
#include "base/bytes.h"

struct state {
    double clip;      /* of the next training round; 0: the study's privacy.clip */
    struct bits keep; /* layout.n bits; owned */
    float *weight;    /* layout.n, zero where not kept; owned */
};

/* Everything kept, all weights zero, the study's clip. STATUS_NOMEM. */
MUST_USE enum status state_new(struct state *out, size_t n);
void state_free(struct state *state);

/* Set weights that are not kept to zero. */
void state_prune(struct state *state);

void state_write(struct buffer *out, const struct state *state);
/* n is the layout's. STATUS_FORMAT also for weights that are not finite, and a
 * clip that is not, or is negative. */
MUST_USE enum status state_read(struct state *out, struct view in, size_t n);

#endif
