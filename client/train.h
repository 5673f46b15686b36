/* SPDX-License-Identifier: Apache-2.0 */
/* Local training under a keep set. Unit patient: one step of DP-SGD (Abadi et al. 2016) over a
 * Poisson sample, each record's negative gradient clipped and rounded by itself. Unit site: the
 * displacement of local epochs (FedAvg), clipped as a whole. Both point where the loss falls. */
#ifndef CLIENT_TRAIN_H
#define CLIENT_TRAIN_H

#include "base/stage.h"
#include "client/local.h"
#include "protocol/schedule.h"

/* Train on the loaded state, where blocks are allocated the sub-model of those that are this site's
 * (until a state is loaded again), and hand over the site's integer sum: of its own segments the
 * kept coordinates that the round is about (schedule_pick), turned one by one where the study says
 * so (schedule_rotate), and where the clip adapts, the sum of the bits that say which contributions
 * were within it. Neither the draw nor the loss nor any count leaves this function.
 *
 * roster  the round's R, or the hash of its positions.
 *
 * STATUS_RANGE  the plan's segments are not those of the loaded state, or none is this site's.
 * STATUS_NOMEM. */
MUST_USE enum status train_run(struct encoded *out, struct local *local, const struct plan *plan,
                               const struct hash *roster, struct rng *rng);

#endif
