/* SPDX-License-Identifier: Apache-2.0 */
/* One release's privacy loss on a grid. */
#ifndef DP_PLD_LAW_H
#define DP_PLD_LAW_H

#include <stddef.h>
#include <stdint.h>

#include "dp/mechanism.h"

struct pld_law {
    size_t n;
    double *chance; /* of the loss (first + i) * step; owned, not 0 at either end */
    int64_t first;
    double step;
    double infinite; /* chance of what was cut off */
};

/* Put a release's losses on the grid, so that the pair only becomes easier to tell apart. tilt: the
 * result is to be sharp under the weights exp(tilt * loss).
 * STATUS_RANGE  the losses reach over more than 2^23 steps. STATUS_NOMEM. law is untouched. */
MUST_USE enum status pld_law_new(struct pld_law *law, const struct mechanism_walk *walk,
                                 double step, double tilt);
void pld_law_free(struct pld_law *law);

/* log E exp(power * loss) of the finite losses. */
double pld_law_moment(const struct pld_law *law, double power);

/* Add chance * exp(tilt * loss - scale) to to[(i mod n) * stride]; n is a power of two. */
void pld_law_tilt(double *to, size_t n, size_t stride, const struct pld_law *law, double tilt,
                  double scale);

#endif
