/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGGREGATOR_UNMASK_H
#define AGGREGATOR_UNMASK_H

#include "aggregator/round.h"

/* Rebuild the seeds that t holders of each dealer revealed shares of, take their pads away from the
 * totals of the opened segments (which become round->opened) and check each sum against its
 * checksum element; then take the noise away that is too much for these survivors (surplus.h).
 * Bonawitz et al. 2017, figure 4, round 4; seeds are checked against what their owners committed
 * to.
 *
 * *why  REASON_NONE, or REASON_QUORUM (a dealer has fewer than t rows of shares), REASON_SHARE (a
 *       dealer's shares do not make the seed it committed to; round->about names it),
 *       REASON_CHECKSUM.
 * STATUS_NOMEM */
MUST_USE enum status unmask_total(struct round *round, enum reason *why);

#endif
