/* SPDX-License-Identifier: Apache-2.0 */
/* How many neighbours a site needs on the ring, and how many of their shares rebuild a secret, from
 * exact hypergeometric probabilities. Bell et al. 2020, section 3; the coordinator is malicious.
 * Sums and products in a fixed order and no libm: every machine finds the same numbers.
 *
 * Corrupt sites do not choose their places: they are random. */
#ifndef PROTOCOL_DEGREE_H
#define PROTOCOL_DEGREE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct degree_goal {
    uint32_t n;        /* sites, of which */
    uint32_t corrupt;  /* conspire, and */
    uint32_t lost;     /* may drop out */
    uint32_t least;    /* sites on the ring at least, for some of the lost may never come to it */
    uint32_t secrecy;  /* bits: insecure with probability below 2^-secrecy */
    uint32_t recovery; /* bits: when those who drop out are random, a round fails for want of
                        * shares with probability below 2^-recovery */
    bool honest_but_curious; /* a coordinator that follows the protocol: for comparison only */
};

struct degree {
    uint32_t k; /* neighbours of a site, even */
    uint32_t t; /* shares that rebuild a secret */
};

/* The smallest k with a fitting t, and the smallest such t.
 * STATUS_RANGE  none below `least` does: a complete graph is needed; out is untouched. */
MUST_USE enum status degree_find(struct degree *out, const struct degree_goal *goal);

/* Whether a given k and t meet the goal: the ring stays connected when corrupt and lost sites are
 * gone at random, too few holders conspire to rebuild what an honest coordinator would not get
 * (honest_but_curious) or to tell both kinds of shares of one dealer (otherwise), and enough of
 * them remain. */
bool degree_fits(const struct degree *degree, const struct degree_goal *goal);

/* The smallest even degree with which the honest sites that remain on a ring of n stay connected,
 * whichever `lost` sites the coordinator lets drop out once it knows the ring: for pads, so that
 * none but the whole sum opens. 0 when none below n does. least and recovery are not used. */
uint32_t degree_connected(const struct degree_goal *goal);

#endif
