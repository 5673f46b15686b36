/* SPDX-License-Identifier: Apache-2.0 */
/* Loss exploration (AutoFLIP, arXiv 2405.10271v2): which parameters the site's data would move.
 * The paper squares the displacement of local epochs from the initial model (unit site). Here, for
 * the unit patient, the squared gradient of each record at the initial model takes its place,
 * because a displacement has no bounded sensitivity per record. In mode private squares are summed
 * per unit (hidden neuron, channel) before clipping; in mode paper every parameter counts. */
#ifndef CLIENT_EXPLORE_H
#define CLIENT_EXPLORE_H

#include "base/stage.h"
#include "client/local.h"

/* Explore the loaded state (everything kept) and hand over the site's integer sum.
 * STATUS_RANGE  the state is not the unpruned model. STATUS_NOMEM. */
MUST_USE enum status explore_run(struct encoded *out, struct local *local, const struct plan *plan,
                                 struct rng *rng);

/* Sums of squares per unit over its incoming weights and bias: out has layout_units places. */
void explore_units(float *out, const struct layout *layout, const float *value);

#endif
