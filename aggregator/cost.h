/* SPDX-License-Identifier: Apache-2.0 */
/* What a training round costs a site, and what of that pruning saves. */
#ifndef AGGREGATOR_COST_H
#define AGGREGATOR_COST_H

#include "protocol/schedule.h"

struct cost {
    uint64_t macs;  /* multiply-accumulates of a record's forward pass (protocol/layout_cost.h) */
    uint64_t bytes; /* of a masked input's vectors, of the site that has the largest */
};

/* When these coordinates are kept, and all sites take part. clip is the state's.
 * As layout_macs_kept and schedule_plan. */
MUST_USE enum status cost_of(struct cost *out, const struct schedule *schedule,
                             const struct bits *keep, double clip);

/* What the study's shares will leave, whatever is found to stay. Not exact in mode paper with a
 * share of single weights: units then go that have lost all of them, so that it is at most this;
 * the single weights are not taken off.
 * As cost_of, with the first round's clip. */
MUST_USE enum status cost_planned(struct cost *out, bool *exact, const struct schedule *schedule);

/* a in percent of b, rounded up to a tenth: no saving is overstated. */
double cost_percent(uint64_t a, uint64_t b);

#endif
