/* SPDX-License-Identifier: Apache-2.0 */
/* What a study remembers in order to choose anew what is pruned; nothing where it never does.
 *
 * mask prunefl (Jiang et al. 2019, arXiv 1909.12326): before every refine_every-th training round
 * all that is pruned comes back for that round, and behind it the units stay whose released mean
 * updates were largest, by the mean of their squares since the last time. Units of a layer all take
 * the same time, and the shares are of layers, so that the paper's division by time changes
 * nothing. All of it is post-processing of sums that were opened anyway.
 *
 * mask explored: before every vote all that is pruned comes back. The exploration's guidance G, as
 * the units' ranks in their layers from 0 to 1, becomes (1 - share) G + share rank(sum of votes),
 * with share = refine_share, and is what the study prunes by at unchanged shares. The votes are a
 * release of their own; the rest is post-processing.
 *
 * What comes back starts at its initial weight and at rest: a unit that comes in at zero with zero
 * behind it has no gradient and would stay there. */
#ifndef AGGREGATOR_REFINE_H
#define AGGREGATOR_REFINE_H

#include "protocol/schedule.h"

struct refine {
    uint32_t done; /* refinements so far */
    size_t n;
    bool sees;      /* prunefl: values are of coordinates, the mean square since the last
                     * refinement, below 0: not seen since; else guidance of units */
    float *value;   /* n; owned */
    float *initial; /* layout->n; owned */
};

/* weight  initial, layout->n; copied. STATUS_NOMEM. */
MUST_USE enum status refine_new(struct refine *out, const struct study *study,
                                const struct layout *layout, const float *weight);
void refine_free(struct refine *refine);

/* A refinement was made: what was seen before it does not count any more. Votes stay. */
void refine_forget(struct refine *refine);

/* Coordinate i was released in the round-th training round, from 1 on, since the last refinement.
 */
void refine_see(struct refine *refine, size_t i, float mean, uint32_t round);

#endif
