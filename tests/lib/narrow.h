/* SPDX-License-Identifier: Apache-2.0 */
/* How far the sum of spiky vectors is from the truth on a ring of so many bits, at one epsilon. */
#ifndef TESTS_LIB_NARROW_H
#define TESTS_LIB_NARROW_H

#include "dp/grid.h"

#define NARROW_DIM 20000
#define NARROW_SITES 40

/* NARROW_SITES sites of one vector each, of norm just below the clip: one large coordinate, the
 * same at all, and a little in each of the others. Noise multiplier 1 of all shares together. */
struct narrow {
    unsigned bits;
    enum grid_rounding rounding;
    bool turned;
    double cost;  /* filled in: grid_cost */
    double error; /* filled in: root mean squared error of a coordinate of the sum, in clips */
};

/* False where no grid fits. */
bool narrow_run(struct narrow *narrow);

#endif
