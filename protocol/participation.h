/* SPDX-License-Identifier: Apache-2.0 */
/* Refuse the round that would lay a site bare by differencing: sums of many rounds without noise
 * are linear equations in what the sites put in, and when a combination of the survivor sets is one
 * site alone, an input that hardly changes can be solved for. So et al. 2023, section 4.
 *
 * Keeps a basis modulo 2^61 - 1, in echelon form, of the survivor sets of past rounds. It
 * judges what the coordinator learns by itself: colluding sites can take their own inputs out of a
 * sum, which no site can judge. Modulo a prime an answer can differ from that over the rationals
 * only when the prime divides a common denominator, which takes dozens of sets made for it. */
#ifndef PROTOCOL_PARTICIPATION_H
#define PROTOCOL_PARTICIPATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bits.h"
#include "base/status.h"

struct participation {
    uint32_t n;       /* sites */
    uint32_t rank;    /* rows of the basis, at most n */
    uint32_t *pivot;  /* n: column in which row i has its 1, and no later row anything; owned */
    uint64_t *row;    /* n x n, of which `rank` rows are in use; owned */
    uint64_t *vector; /* 2 n, working space; owned */
};

/* No rounds of n sites yet: 8 n^2 bytes and a little.
 * STATUS_RANGE  n is 0 or above PARAMS_SITES_MAX. STATUS_NOMEM. out is untouched on failure. */
MUST_USE enum status participation_new(struct participation *out, uint32_t n);
void participation_free(struct participation *basis);

/* Whether the sums of the past rounds and of one more with these survivors (n bits) would give the
 * input of site `self` alone. Changes working space only. */
bool participation_isolates(struct participation *basis, const struct bits *survivors,
                            uint32_t self);

/* Remember the survivors of a round that was opened. */
void participation_add(struct participation *basis, const struct bits *survivors);

#endif
