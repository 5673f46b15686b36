/* SPDX-License-Identifier: Apache-2.0 */
/* How a list of releases is to be composed: the weights under which rounding is small against
 * delta, and the window of losses that matters. Chosen on coarse grids; no bound rests on it. */
#ifndef DP_PLD_PLAN_H
#define DP_PLD_PLAN_H

#include "dp/pld_law.h"

struct pld_plan {
    size_t n;
    struct mechanism *list; /* equal releases are one, with their times added up */
    struct mechanism_walk *walk;
    struct pld_law *law; /* coarse */
    double times, cost;  /* releases in all; log(1 / delta) */
    double tilt, above;  /* exponents: of the weights, and of Chernoff's bound of what lies above */
    double best, epsilon; /* Chernoff's best exponent, and the epsilon that it gives */
    double low, high;     /* the window of composed losses */
    double widest;        /* the coarsest of the grids' steps */
    double span;          /* the largest loss of one release, either way */
};

/* Chance, relative to delta, that may be cut off in all. */
#define PLD_LOST 1e-10
#define PLD_CELLS_MAX (UINT32_C(1) << 20)

/* Equal statuses as pld_compose; plan is untouched. */
MUST_USE enum status pld_plan_new(struct pld_plan *plan, const struct mechanism *list, size_t n,
                                  enum mechanism_pair pair, double delta);
void pld_plan_free(struct pld_plan *plan);

/* Cells of the transform, a power of two, so that the grid adds the part `excess` to epsilon; and
 * the step that the window then has. */
size_t pld_plan_cells(const struct pld_plan *plan, double excess);
double pld_plan_step(const struct pld_plan *plan, size_t cells);

#endif
