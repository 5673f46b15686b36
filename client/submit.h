/* SPDX-License-Identifier: Apache-2.0 */
/* The site's half of the road. update -> clipped -> encoded -> noised -> masked. */
#ifndef CLIENT_SUBMIT_H
#define CLIENT_SUBMIT_H

#include "client/session.h"
#include "dp/grid.h"

/* Clip one contribution, round it to the grid, check its norm in integers, add it to the site's
 * sum. clip > 0, model units. STATUS_RANGE  sizes differ or clip is not > 0. */
MUST_USE enum status submit_contribution(struct grid_sum *sum, const struct update *update,
                                         double clip, const struct grid *grid);

/* Add this site's noise share to its sum, mask every segment and hand the session what leaves.
 *
 * encoded  the coordinates of this site's segments, one after the other; secret.
 * put_in   if not NULL, gets a copy of what was masked (rehearsals only); secret.
 * rng      from the system.
 *
 * STATUS_RANGE  encoded does not have the plan's size. STATUS_NOMEM. */
MUST_USE enum status submit_sum(struct session *session, const struct encoded *encoded,
                                struct noised *put_in, struct rng *rng, uint64_t now_ms,
                                struct outbox *out);

#endif
