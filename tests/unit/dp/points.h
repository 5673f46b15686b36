/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of sums share: a grid to count by hand, single contributions, hostile floats. */
#ifndef TESTS_UNIT_DP_POINTS_H
#define TESTS_UNIT_DP_POINTS_H

#include "dp/grid_sum.h"

#define POINTS_NORM2_MAX ((UINT64_C(1) << 44) - 1)
#define POINTS_KINDS 12

/* A grid of scale 1 with room for anything. */
struct grid points_grid(uint64_t norm2);

/* What one contribution puts into an empty sum; out has n elements. coins NULL: to the nearest. */
void points_of(int32_t *out, const struct clipped *in, const struct grid *grid, struct rng *coins);

uint64_t points_norm2(const int32_t *x, size_t n);

/* Fill with one of POINTS_KINDS kinds of nastiness; kind 0 is normal. */
void points_nasty(float *value, size_t n, uint64_t kind, struct rng *rng);

#endif
