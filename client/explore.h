/* SPDX-License-Identifier: Apache-2.0 */
/* Loss exploration (AutoFLIP, arXiv 2405.10271v2): which parameters the site's data would move.
 *
 * A contribution is one vector of scores, clipped as a whole by exploration_clip. x is the
 * displacement of local epochs from the initial weights w (unit site), or the negative gradient of
 * one record at w (unit patient: a displacement has no bounded sensitivity per record). In mode
 * private a score is of a unit (hidden neuron, channel), over its incoming weights and bias; in
 * mode paper of each parameter, without the sums.
 *
 *   squared    sum x^2           the paper's squared displacement
 *   snip       sum |w x|         connection sensitivity (Lee, Ajanthan, Torr 2019, arXiv
 * 1810.02340) taylor     (sum w x)^2       what the loss changes by without the unit, to first
 * order (Molchanov et al. 2019, arXiv 1906.10771) gradient   sum x^2           x the gradient of
 * the site's mean loss at w, of plain descent in the place of a displacement; unit patient: as
 * squared agreement  sum x, signed     contributions that disagree cancel; the coordinator goes by
 * the size of the total */
#ifndef CLIENT_EXPLORE_H
#define CLIENT_EXPLORE_H

#include "base/stage.h"
#include "client/local.h"

/* Explore the loaded state (everything kept) and hand over the site's integer sum.
 * STATUS_RANGE  the state is not the unpruned model. STATUS_NOMEM. */
MUST_USE enum status explore_run(struct encoded *out, struct local *local, const struct plan *plan,
                                 struct rng *rng);

/* The study's scores of one x at these weights: out has layout_units places in mode private and
 * layout->n in mode paper. term is scratch of layout->n; secret as x is. */
void explore_score(float *out, float *term, const struct layout *layout, const struct study *study,
                   const float *weight, const float *x);

/* Put a site's own x into local->grad (unit site), after so many training rounds. term as above.
 * STATUS_NOMEM. */
MUST_USE enum status explore_move(struct local *local, float *term, uint32_t trained,
                                  struct rng *rng);

#endif
