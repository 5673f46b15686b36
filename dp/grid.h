/* SPDX-License-Identifier: Apache-2.0 */
/* The integer grid: floats to ring integers and back, the integer norm check on which sensitivity
 * rests, and the proof that a sum cannot wrap. dp/SPEC.md has the arithmetic. */
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

/* Public; the same at all parties. Derived by grid_plan, never configured by hand. */
struct grid {
    double scale;   /* grid units per model unit, a power of two */
    uint64_t norm2; /* bound of the squared L2 norm of one rounded contribution, below 2^44 */
    int32_t cap;    /* bound of |coordinate| of a site's sum before noise */
    uint32_t sigma; /* discrete Gaussian parameter of one site's noise share, grid units; 0: none */
    unsigned bits;  /* the ring is 2^bits */
};

/* Choose scale and norm2 for a clip and a dimension: the smallest power of two with
 * scale * clip >= GRID_FINENESS * sqrt(dim), so that rounding (each coordinate off by at most 1/2,
 * the vector by at most sqrt(dim) / 2) adds at most 1 / (2 GRID_FINENESS) = 0.5 % to the norm;
 * norm2 = floor((scale * clip + sqrt(dim) / 2)^2), computed rounding down. */
#define GRID_FINENESS 100.0

/* Fill a grid for contributions of L2 norm <= clip over dim coordinates, n_sites addends, noise
 * shares of sigma, ring 2^bits; cap is the largest that the ring allows:
 *   n_sites * cap + GRID_TAIL * sigma * sqrt(n_sites) < 2^(bits-1).
 *
 * STATUS_RANGE  bits or clip out of range, dim or n_sites 0 or too large (dim > 2^28, n_sites >
 *               65536), sigma > NOISE_SIGMA_MAX, or a single contribution would not fit (cap^2 <
 *               norm2): raise bits. out is untouched. */
MUST_USE enum status grid_plan(struct grid *out, double clip, uint64_t dim, uint32_t n_sites,
                               uint32_t sigma, unsigned bits);

/* The same for contributions that are whole numbers of steps, of L2 norm one step at most: scale is
 * step, norm2 its square.
 * STATUS_RANGE  step is no power of two, and as above; out is untouched. */
MUST_USE enum status grid_plan_steps(struct grid *out, uint64_t step, uint32_t n_sites,
                                     uint32_t sigma, unsigned bits);

/* The same proof for a grid that came from elsewhere: true when it is sound for n_sites. */
MUST_USE bool grid_fits(const struct grid *grid, uint32_t n_sites);

/* Wide accumulator for a site's sum of many contributions. */
struct grid_sum {
    size_t n;
    int64_t *value;      /* owned */
    int32_t *part;       /* owned; flushed into value before it could overflow */
    uint32_t part_count; /* contributions in part */
    uint32_t part_limit; /* how many fit: floor((2^31 - 1) / sqrt(norm2)) */
    uint64_t shrunk;     /* contributions that failed the first norm check: local diagnostics */
};
/* n > 0. STATUS_NOMEM leaves out untouched. */
MUST_USE enum status grid_sum_new(struct grid_sum *out, size_t n, const struct grid *grid);
/* Wipe and release. */
void grid_sum_free(struct grid_sum *sum);

/* Round one clipped contribution, the float product of value and factor * scale, to the nearest
 * integers (ties to even), check in exact integers that its squared norm is at most norm2, and
 * add it to sum. When the check fails the contribution is shrunk by 0.1 % and rounded again, at
 * most GRID_RETRIES times, then dropped. Saturation at +-cap happens once, on the whole sum, in
 * grid_seal: a coordinate-wise projection of the sum cannot raise its sensitivity. sum holds fewer
 * than 2^41 contributions, whatever they are.
 *
 * in    n == sum->n; secret.
 * grid  the one that sum was made for.
 *
 * STATUS_RANGE  sizes differ; sum is untouched. */
#define GRID_RETRIES 16
MUST_USE enum status grid_add(struct grid_sum *sum, const struct clipped *in,
                              const struct grid *grid);

/* Saturate every coordinate at +-cap and hand the site's integer sum over; sum is emptied.
 * *capped (may be NULL) counts saturated coordinates: secret, local diagnostics only.
 * STATUS_NOMEM  out and sum are untouched. */
MUST_USE enum status grid_seal(struct encoded *out, struct grid_sum *sum, const struct grid *grid,
                               uint64_t *capped);

/* Centre opened to [-2^(bits-1), 2^(bits-1)), divide by scale and by the public divisor.
 * out  n elements, owned by the caller.
 * STATUS_RANGE  sizes differ or divisor is not > 0. */
MUST_USE enum status grid_decode(struct mean *out, const struct opened *in, const struct grid *grid,
                                 double divisor);

#endif
