/* SPDX-License-Identifier: Apache-2.0 */
/* The integer grid: how fine it is, what norm a rounded contribution may have, how much of the ring
 * is for sums and how much for noise, and the way back to floats. dp/SPEC.md has the arithmetic. */
#ifndef DP_GRID_H
#define DP_GRID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/stage.h"

#define GRID_BITS_MIN 8
#define GRID_BITS_MAX 32
/* The wrap guard counts this many standard deviations of the total noise; per coordinate the chance
 * to exceed it is below 2 exp(-GRID_TAIL^2 / 2) < 1.1e-31. */
#define GRID_TAIL 12.0
/* As fine as a grid gets: one clip is this many sqrt(dim), so that rounding to the nearest point
 * (each coordinate off by at most 1/2) adds at most 0.5 % to the norm. */
#define GRID_FINENESS 100.0
/* As coarse as a grid gets: sqrt(norm2) is at most this many clips, and so is the noise against
 * that of a grid without rounding. */
#define GRID_COST_MAX 1.5
/* A rotation leaves a coordinate above GRID_FLAT norms / sqrt(spread) with a chance below 3.1e-8.
 */
#define GRID_FLAT 6.0

enum grid_rounding {
    GRID_NEAREST,    /* ties to even */
    GRID_STOCHASTIC, /* up or down by chance, so that the mean stays */
    GRID_ROUNDINGS
};

/* Public; the same at all parties. Derived by grid_plan, never configured by hand. */
struct grid {
    double scale;   /* grid units per model unit, a power of two */
    uint64_t norm2; /* bound of the squared L2 norm of one rounded contribution, below 2^44 */
    int32_t cap;    /* bound of |coordinate| of a site's sum before noise */
    uint32_t sigma; /* discrete Gaussian parameter of one site's noise share, grid units; 0: none */
    unsigned bits;  /* the ring is 2^bits */
};

/* What a grid has to serve. */
struct grid_goal {
    double clip;       /* L2 bound of one contribution, model units */
    uint64_t dim;      /* coordinates, at most 2^28 */
    uint32_t n_sites;  /* addends of a sum, at most 65536 */
    unsigned bits;     /* of the ring */
    double z;          /* noise multiplier; 0: none */
    uint32_t n_shares; /* noise shares that make it; read when z > 0 */
    enum grid_rounding rounding;
    uint32_t crowd;   /* contributions that a site's sum is expected to hold; 0 counts as 1 */
    uint64_t spread;  /* coordinates that a rotation spreads any one over; 0 or 1: no rotation */
    double scale_max; /* no finer than this; 0: as fine as useful */
};

/* The finest grid whose ring has room for it. From the smallest power of two with
 * scale * clip >= GRID_FINENESS * sqrt(dim), or from scale_max, a power of two, downwards, the
 * first scale whose norm2, with the share of noise that z asks for it (account_share) and the
 * largest cap that the ring allows beside that noise (grid_noise), leaves cap >= sqrt(crowd *
 * norm2) * min(1, GRID_FLAT / sqrt(spread)). With r = scale * clip and q = sqrt(dim), norm2 is the
 * floor of nearest     (r + q/2)^2 stochastic  min((r + q)^2, r^2 + q^2/4 + r + q/2)     (Kairouz,
 * Liu, Steinke 2021, theorem 1, beta = exp(-1/2))
 *
 * STATUS_RANGE  a value outside its range; or no grid with sqrt(norm2) <= GRID_COST_MAX r fits:
 *               more bits, fewer coordinates, less noise, or stochastic rounding. out is untouched.
 */
MUST_USE enum status grid_plan(struct grid *out, const struct grid_goal *goal);

/* A grid for contributions that are whole numbers of steps, of L2 norm one step at most, beside
 * noise shares of sigma: scale is step, norm2 its square.
 * STATUS_RANGE  step is no power of two, a value outside its range, or no room for one step; out is
 *               untouched. */
MUST_USE enum status grid_plan_steps(struct grid *out, uint64_t step, uint32_t n_sites,
                                     uint32_t sigma, unsigned bits);

/* Give a grid noise shares of sigma and the largest cap beside them:
 *   n_sites * cap + GRID_TAIL * sigma * sqrt(n_sites) < 2^(bits-1).
 * STATUS_RANGE  n_sites or bits out of range, or no room for a cap; grid is untouched. */
MUST_USE enum status grid_noise(struct grid *grid, uint32_t n_sites, uint32_t sigma);

/* Whether a grid that came from elsewhere keeps to the bounds above: no wrap among n_sites. */
MUST_USE bool grid_fits(const struct grid *grid, uint32_t n_sites);

/* Upper bound of the chance that any of dim coordinates of a sum of n_sites wraps; 0 without noise.
 * grid_fits(grid, n_sites), or it is a bug. */
double grid_wrap(const struct grid *grid, uint64_t dim, uint32_t n_sites);

/* What rounding costs: the noise over that of a grid without rounding, at least 1 but for the last
 * bits. */
double grid_cost(const struct grid *grid, double clip);

/* Centre opened to [-2^(bits-1), 2^(bits-1)), divide by scale and by the public divisor.
 * out  n elements, owned by the caller.
 * STATUS_RANGE  sizes differ or divisor is not > 0. */
MUST_USE enum status grid_decode(struct mean *out, const struct opened *in, const struct grid *grid,
                                 double divisor);

#endif
