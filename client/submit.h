/* SPDX-License-Identifier: Apache-2.0 */
/* The site's half of the road. update -> clipped -> encoded -> noised -> masked. */
#ifndef CLIENT_SUBMIT_H
#define CLIENT_SUBMIT_H

#include "client/session.h"
#include "dp/grid_sum.h"
#include "dp/noise.h"

/* Clip one contribution, round it to the grid, check its norm in integers, add it to the site's
 * sum. clip > 0, model units. rng as in grid_add.
 *
 * *within  one more where the clip left it whole, one less where not; secret; may be NULL.
 *
 * STATUS_RANGE  sizes differ or clip is not > 0; nothing changed. */
MUST_USE enum status submit_contribution(struct grid_sum *sum, int64_t *within,
                                         const struct update *update, double clip,
                                         const struct grid *grid, struct rng *rng);

/* Draw this site's noise share for all of its segments, before its data is touched: by the plan's
 * sigma and sampler, with those parts that may be taken away again.
 * rng  from the system; what stays in every sum comes from it.
 * STATUS_RANGE  the plan has no segment of this site, no such sampler, or noise that cannot be
 *               taken away (removal_parts). STATUS_NOMEM. */
MUST_USE enum status submit_noise(struct noise *out, const struct session *session,
                                  struct rng *rng);

/* Mask every segment and hand the session what leaves.
 *
 * noised  the coordinates of this site's segments, one after the other; secret.
 *
 * STATUS_RANGE  noised does not have the plan's size. STATUS_NOMEM. */
MUST_USE enum status submit_sum(struct session *session, const struct noised *noised,
                                uint64_t now_ms, struct outbox *out);

#endif
