/* SPDX-License-Identifier: Apache-2.0 */
/* Privacy loss distributions: what a list of releases, fixed in advance, costs all together.
 *
 * Upper bounds throughout: losses are put on a grid by splitting their chance between the two
 * neighbours so that the bounded pair of laws only becomes easier to tell apart, what is cut off
 * counts as infinite loss, and the rounding of the transform is bounded and added (dp/SPEC.md).
 * For reports. A budget is guarded by account_epsilon_at: stopping when a composed curve is
 * reached is no valid guarantee when releases depend on earlier ones. */
#ifndef DP_PLD_H
#define DP_PLD_H

#include <stddef.h>
#include <stdint.h>

#include "dp/mechanism.h"

struct pld {
    size_t n;
    double *chance; /* of the loss (first + i) * step; owned */
    int64_t first;
    double step;
    double infinite; /* chance of what was cut off */
};

/* Compose n releases under one pair of laws.
 *
 * delta   in (0, 1): where the result is to be sharp; it is an upper bound everywhere.
 * excess  in (0, 1): what the grid may add to epsilon, relatively. It is an aim: a transform has at
 *         most 2^20 cells, fewer for long lists, so that a thousand releases take a second or so.
 *
 * STATUS_RANGE  a mechanism is refused, n is 0, or more than PLD_TIMES_MAX releases in all.
 * STATUS_NOMEM. pld is untouched. */
MUST_USE enum status pld_compose(struct pld *pld, const struct mechanism *list, size_t n,
                                 enum mechanism_pair pair, double delta, double excess);
#define PLD_TIMES_MAX 10000000.0
void pld_free(struct pld *pld);

/* The smallest epsilon at delta in [0, 1), infinite when less than delta is bounded; and delta at
 * epsilon >= 0. */
double pld_epsilon_of(const struct pld *pld, double delta);
double pld_delta_of(const struct pld *pld, double epsilon);

/* The smallest epsilon at delta in [0, 1) for adding and for removing, and never above the sum of
 * the largest losses. The same statuses; epsilon is untouched. */
MUST_USE enum status pld_epsilon(double *epsilon, const struct mechanism *list, size_t n,
                                 double delta, double excess);

#endif
