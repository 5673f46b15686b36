/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dp/points.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "tests/lib/check.h"

struct grid points_grid(uint64_t norm2)
{
    return (struct grid){.scale = 1.0, .norm2 = norm2, .cap = 1 << 22, .sigma = 4, .bits = 32};
}

void points_of(int32_t *out, const struct clipped *in, const struct grid *grid, struct rng *coins)
{
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    AUTO(encoded_free) struct encoded encoded = {0};
    CHECK_OK(grid_sum_new(&sum, in->n, grid, coins == NULL ? GRID_NEAREST : GRID_STOCHASTIC));
    CHECK_OK(grid_add(&sum, in, grid, coins));
    CHECK_OK(grid_seal(&encoded, &sum, grid, NULL));
    memcpy(out, encoded.value, in->n * sizeof *out);
}

uint64_t points_norm2(const int32_t *x, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += (uint64_t)((int64_t)x[i] * x[i]);
    return sum;
}

void points_nasty(float *value, size_t n, uint64_t kind, struct rng *rng)
{
    for (size_t i = 0; i < n; i++) {
        float x = (float)rng_normal(rng);
        if (kind == 1) x = rng_below(rng, 2) == 0 ? 0.5F : -0.5F; /* all on the edge, going down */
        if (kind == 2) x = rng_below(rng, 2) == 0 ? 1.5F : -1.5F; /* all on the edge, going up */
        if (kind == 3) x = i == 0 ? 1e38F : 0.0F;
        if (kind == 4) x *= FLT_MAX / 100.0F;
        if (kind == 5) x *= 1e-40F;
        if (kind == 6) x = i % 7 == 0 ? (i % 2 == 0 ? NAN : INFINITY) : x;
        if (kind == 7) x = i < 4 ? -FLT_MAX : 0.0F; /* squares of INT_MIN would add up to 2^64 */
        if (kind == 8) x = i < 4 ? FLT_MAX : 0.0F;
        if (kind == 9) x = 0.3F; /* all equal */
        if (kind == 10) x = i % 2 == 0 ? FLT_TRUE_MIN : -FLT_TRUE_MIN;
        if (kind == 11) x = -0.0F;
        value[i] = x;
    }
}
