/* SPDX-License-Identifier: Apache-2.0 */
/* A study without anything between the sites: one float loop over everybody's records, no protocol,
 * no grid, no clip. Starts from the weights of small_state. */
#ifndef TESTS_FLOW_REFERENCE_H
#define TESTS_FLOW_REFERENCE_H

#include "crypto/rng.h"
#include "protocol/state.h"
#include "tests/lib/plain.h"

#define REFERENCE_SITES 5
#define REFERENCE_MOST 2000 /* coordinates */

struct reference {
    struct plain plain;
    const struct dataset *data[REFERENCE_SITES]; /* borrowed */
    struct state state;
    double velocity[REFERENCE_MOST];
    uint32_t round, trained;
};

void reference_open(struct reference *r, const struct study *study,
                    const struct dataset *const data[static REFERENCE_SITES]);
void reference_close(struct reference *r);

void reference_explore(struct reference *r);
/* Without the sites of the bit mask `lost`, on these coordinates alone. Unit patient: every record
 * is drawn. */
void reference_train(struct reference *r, const struct bits *about, uint32_t lost);

/* What a site shuffles with in a round, counted from 1. */
struct rng reference_chance(uint32_t round, uint32_t site);

#endif
