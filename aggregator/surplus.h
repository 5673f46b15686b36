/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGGREGATOR_SURPLUS_H
#define AGGREGATOR_SURPLUS_H

#include "aggregator/round.h"

/* The noise that is too much because more sites survived than the fewest: of each survivor the seed
 * of the first such part (protocol/removal.h). Zero bytes: none. */
struct surplus {
    uint32_t first;               /* part; 0: nothing is too much */
    size_t n;                     /* survivors whose seed is known */
    uint8_t (*seed)[SHARE_BYTES]; /* room for all survivors; owned, secret, wiped */
};

/* Empty, for the survivors of the round. STATUS_NOMEM. */
MUST_USE enum status surplus_new(struct surplus *out, const struct round *round);
void surplus_free(struct surplus *surplus);

/* Draw that noise once more and take it away from round->opened, all of whose segments are open
 * (a plan of removable noise has no other), modulo 2^bits. In round->threads threads, each of which
 * needs room for one vector. The seeds are used up.
 * STATUS_NOMEM; what is opened is then worthless. */
MUST_USE enum status surplus_take(struct round *round, struct surplus *surplus);

#endif
