/* SPDX-License-Identifier: Apache-2.0 */
/* A refinement's votes: which units a contribution holds for important, given all that is pruned
 * back. AutoFLIP's later versions (arXiv 2405.10271v5) let clients' agreement refine the pruning
 * and their formula could not be read: this is a reading of it that a secure sum can carry.
 *
 * A contribution (the site's displacement, or one record's gradient, as in an exploration) votes
 * +1 for each unit whose score is above the median of its layer, -1 for each below, else 0. So a
 * vote has an L2 norm of at most the square root of the number of units, whatever the data. */
#ifndef CLIENT_VOTE_H
#define CLIENT_VOTE_H

#include "base/stage.h"
#include "client/local.h"

/* Vote on the loaded state (everything kept) and hand over the site's integer sum.
 * STATUS_RANGE  the state is not the unpruned model. STATUS_NOMEM. */
MUST_USE enum status vote_run(struct encoded *out, struct local *local, const struct plan *plan,
                              struct rng *rng);

/* Turn the scores of all units into votes. sorted: scratch of layout_units, secret as scores are.
 */
void vote_of(float *score, float *sorted, const struct layout *layout);

#endif
