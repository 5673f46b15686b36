/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/grid.h"

#include <math.h>

#include "dp/account.h"

#define DIM_MAX (UINT64_C(1) << 28)
#define SITES_MAX 65536
#define CLIP_MIN 0x1p-64
#define CLIP_MAX 0x1p64
#define SCALE_MIN 0x1p-64
#define SCALE_MAX 0x1p96
/* Roots stay below 2^22, so that one above is still where adding 1.5 * 2^23 rounds a float to an
 * integer (dp/grid_sum.c). grid_plan gives at most (200.5 sqrt(DIM_MAX))^2. */
#define NORM2_MAX ((UINT64_C(1) << 44) - 1)

/* The largest cap beside noise of sigma; not positive when there is none or an argument is out of
 * range. The tail is rounded up, all else is exact. */
static int64_t cap_of(uint32_t n_sites, uint32_t sigma, unsigned bits)
{
    if (bits < GRID_BITS_MIN || bits > GRID_BITS_MAX) return 0;
    if (n_sites == 0 || n_sites > SITES_MAX) return 0;
    double tail = GRID_TAIL * (double)sigma * sqrt((double)n_sites);
    int64_t room = (INT64_C(1) << (bits - 1)) - 1 - (int64_t)ceil(tail * (1.0 + 1e-12));
    return room / (int64_t)n_sites;
}

bool grid_fits(const struct grid *grid, uint32_t n_sites)
{
    int exponent;
    if (!(grid->scale >= SCALE_MIN && grid->scale <= SCALE_MAX)) return false;
    if (frexp(grid->scale, &exponent) != 0.5) return false;
    if (grid->norm2 == 0 || grid->norm2 > NORM2_MAX) return false;
    return grid->cap > 0 && grid->cap <= cap_of(n_sites, grid->sigma, grid->bits);
}

enum status grid_noise(struct grid *grid, uint32_t n_sites, uint32_t sigma)
{
    const int64_t cap = cap_of(n_sites, sigma, grid->bits);
    if (cap <= 0) return STATUS_RANGE;
    grid->sigma = sigma;
    grid->cap = (int32_t)cap;
    return STATUS_OK;
}

/* The smallest power of two that is fine enough, or the largest that is allowed. */
static double finest(const struct grid_goal *goal)
{
    const double want = GRID_FINENESS * sqrt((double)goal->dim);
    int exponent;
    (void)frexp(want / goal->clip, &exponent);
    const double scale = ldexp(1.0, exponent - 1);
    const double fine = scale * goal->clip < want ? 2.0 * scale : scale;
    return goal->scale_max > 0.0 ? fmin(fine, goal->scale_max) : fine;
}

enum status grid_plan_steps(struct grid *out, uint64_t step, uint32_t n_sites, uint32_t sigma,
                            unsigned bits)
{
    if (step == 0 || step > NORM2_MAX / step) return STATUS_RANGE;
    struct grid grid = {.scale = (double)step, .norm2 = step * step, .bits = bits};
    TRY(grid_noise(&grid, n_sites, sigma));
    if (!grid_fits(&grid, n_sites) || (uint64_t)grid.cap < step) return STATUS_RANGE;
    *out = grid;
    return STATUS_OK;
}

/* Before the floor, rounded down. */
static double bound2_of(const struct grid_goal *goal, double r)
{
    const double q = sqrt((double)goal->dim);
    double bound2 = (r + q / 2.0) * (r + q / 2.0);
    if (goal->rounding == GRID_STOCHASTIC)
        bound2 = fmin((r + q) * (r + q), r * r + q * q / 4.0 + r + q / 2.0);
    return bound2 * (1.0 - 1e-12);
}

/* Whether a site's expected sum is within the cap. */
static bool roomy(const struct grid *grid, const struct grid_goal *goal)
{
    const double crowd = goal->crowd > 1 ? (double)goal->crowd : 1.0;
    const double spread = goal->spread > 1 ? (double)goal->spread : 1.0;
    const double reach = sqrt(crowd * (double)grid->norm2);
    return (double)grid->cap >= reach * fmin(1.0, GRID_FLAT / sqrt(spread));
}

enum status grid_plan(struct grid *out, const struct grid_goal *goal)
{
    if (!(goal->clip >= CLIP_MIN && goal->clip <= CLIP_MAX)) return STATUS_RANGE;
    if (goal->dim == 0 || goal->dim > DIM_MAX) return STATUS_RANGE;
    if ((unsigned)goal->rounding >= GRID_ROUNDINGS) return STATUS_RANGE;
    for (double scale = finest(goal);; scale /= 2.0) {
        const double r = scale * goal->clip, bound2 = bound2_of(goal, r);
        if (!(bound2 <= GRID_COST_MAX * GRID_COST_MAX * r * r)) return STATUS_RANGE;
        struct grid grid = {.scale = scale, .norm2 = (uint64_t)bound2, .bits = goal->bits};
        uint32_t sigma = 0;
        if (goal->z != 0.0 &&
            account_share(&sigma, goal->z, grid.norm2, goal->n_shares) != STATUS_OK)
            continue;
        if (grid_noise(&grid, goal->n_sites, sigma) != STATUS_OK || !roomy(&grid, goal)) continue;
        *out = grid;
        return STATUS_OK;
    }
}

double grid_wrap(const struct grid *grid, uint64_t dim, uint32_t n_sites)
{
    REQUIRE(grid_fits(grid, n_sites));
    if (grid->sigma == 0) return 0.0;
    const int64_t half = INT64_C(1) << (grid->bits - 1);
    const double left = (double)(half - (int64_t)n_sites * grid->cap);
    const double t = left / ((double)grid->sigma * sqrt((double)n_sites)) * (1.0 - 1e-12);
    const double bound = 2.0 * (double)dim * exp(-t * t / 2.0) * (1.0 + 1e-9);
    return fmin(1.0, fmax(bound, 1e-300)); /* exp may have come down to nothing */
}

double grid_cost(const struct grid *grid, double clip)
{
    return sqrt((double)grid->norm2) / (grid->scale * clip);
}

enum status grid_decode(struct mean *out, const struct opened *in, const struct grid *grid,
                        double divisor)
{
    if (out->n != in->n || !(divisor > 0.0)) return STATUS_RANGE;
    int64_t half = INT64_C(1) << (grid->bits - 1);
    uint32_t ring = (uint32_t)(2 * half - 1);
    double unit = grid->scale * divisor;
    for (size_t i = 0; i < in->n; i++) {
        int64_t x = in->value[i] & ring;
        if (x >= half) x -= 2 * half;
        out->value[i] = (float)((double)x / unit);
    }
    return STATUS_OK;
}
