/* SPDX-License-Identifier: Apache-2.0 */
/* The integer grid. dp/SPEC.md has the sensitivity argument and the proof that a sum cannot wrap.
 * Nothing here trusts a float: what counts is the exact integer norm of what is added. */
#include "dp/grid.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/secret.h"
#include "base/vector.h"

#define DIM_MAX (UINT64_C(1) << 28)
#define SITES_MAX 65536
#define CLIP_MIN 0x1p-64
#define CLIP_MAX 0x1p64
#define SCALE_MIN 0x1p-64
#define SCALE_MAX 0x1p96
/* Roots stay below 2^22, so that one above is still where adding 1.5 * 2^23 rounds a float to an
 * integer. grid_plan gives at most (200.5 sqrt(DIM_MAX))^2. A block's squares stay below 2^61. */
#define NORM2_MAX ((UINT64_C(1) << 44) - 1)
#define BLOCK ((size_t)1 << 16)
#define SHRINK 0.999F

_Static_assert(FLT_EVAL_METHOD == 0, "rounding by adding a constant needs plain floats");

/* floor(sqrt(x)), exact for x <= 2^52. */
static int32_t root_of(uint64_t x)
{
    return (int32_t)sqrt((double)x);
}

/* The largest cap with n_sites * cap + GRID_TAIL * sigma * sqrt(n_sites) < 2^(bits-1); not positive
 * when there is none or an argument is out of range. The tail is rounded up, all else is exact. */
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
    if (grid->cap <= 0 || grid->cap > cap_of(n_sites, grid->sigma, grid->bits)) return false;
    return (uint64_t)grid->cap * (uint64_t)grid->cap >= grid->norm2;
}

enum status grid_plan(struct grid *out, double clip, uint64_t dim, uint32_t n_sites, uint32_t sigma,
                      unsigned bits)
{
    if (!(clip >= CLIP_MIN && clip <= CLIP_MAX)) return STATUS_RANGE;
    if (dim == 0 || dim > DIM_MAX) return STATUS_RANGE;
    int64_t cap = cap_of(n_sites, sigma, bits);
    if (cap <= 0) return STATUS_RANGE;

    double root = sqrt((double)dim);
    int exponent;
    (void)frexp(GRID_FINENESS * root / clip, &exponent);
    double scale = ldexp(1.0, exponent - 1);
    if (scale * clip < GRID_FINENESS * root) scale *= 2.0;
    double bound = (scale * clip + root / 2.0) * (1.0 - 1e-12);
    struct grid grid = {.scale = scale,
                        .norm2 = (uint64_t)(bound * bound),
                        .cap = (int32_t)cap,
                        .sigma = sigma,
                        .bits = bits};
    if (!grid_fits(&grid, n_sites)) return STATUS_RANGE;
    *out = grid;
    return STATUS_OK;
}

enum status grid_plan_steps(struct grid *out, uint64_t step, uint32_t n_sites, uint32_t sigma,
                            unsigned bits)
{
    const int64_t cap = cap_of(n_sites, sigma, bits);
    if (step == 0 || step > NORM2_MAX / step || cap <= 0) return STATUS_RANGE;
    const struct grid grid = {.scale = (double)step,
                              .norm2 = step * step,
                              .cap = (int32_t)cap,
                              .sigma = sigma,
                              .bits = bits};
    if (!grid_fits(&grid, n_sites)) return STATUS_RANGE;
    *out = grid;
    return STATUS_OK;
}

static uint32_t part_limit_of(const struct grid *grid)
{
    return (uint32_t)(INT32_MAX / root_of(grid->norm2));
}

enum status grid_sum_new(struct grid_sum *out, size_t n, const struct grid *grid)
{
    REQUIRE(n > 0 && grid->norm2 > 0 && grid->norm2 <= NORM2_MAX);
    AUTO(grid_sum_free) struct grid_sum sum = {.n = n, .part_limit = part_limit_of(grid)};
    sum.value = calloc(n, sizeof *sum.value);
    sum.part = calloc(n, sizeof *sum.part);
    if (sum.value == NULL || sum.part == NULL) return STATUS_NOMEM;
    *out = sum;
    sum = (struct grid_sum){0};
    return STATUS_OK;
}

void grid_sum_free(struct grid_sum *sum)
{
    if (sum->value != NULL) secret_wipe(sum->value, sum->n * sizeof *sum->value);
    if (sum->part != NULL) secret_wipe(sum->part, sum->n * sizeof *sum->part);
    free(sum->value);
    free(sum->part);
    *sum = (struct grid_sum){0};
}

/* The integer next to the float value * step, ties to even, saturated at +-limit (where a NaN goes
 * too); limit <= 2^22. Both passes call this with the same arguments and so get the same integer.
 */
static inline int32_t grid_point(float value, float step, float limit)
{
    const float round = 0x1.8p23F;
    float x = value * step;
    x = x < limit ? x : limit;
    x = x > -limit ? x : -limit;
    return (int32_t)((x + round) - round);
}

/* n <= BLOCK, so that the sum cannot overflow. */
VECTOR_CLONES
static uint64_t block_norm2(const float *value, size_t n, float step, float limit)
{
    uint64_t norm2 = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t k = grid_point(value[i], step, limit);
        norm2 += (uint64_t)(k * k);
    }
    return norm2;
}

VECTOR_CLONES
static void add_points(int32_t *part, const float *value, size_t n, float step, float limit)
{
    for (size_t i = 0; i < n; i++) part[i] += grid_point(value[i], step, limit);
}

/* limit^2 > bound: a coordinate that had to be saturated fails by itself. */
static bool norm2_within(const struct clipped *in, float step, float limit, uint64_t bound)
{
    uint64_t norm2 = 0;
    for (size_t i = 0; i < in->n && norm2 <= bound; i += BLOCK) {
        size_t n = in->n - i < BLOCK ? in->n - i : BLOCK;
        norm2 += block_norm2(in->value + i, n, step, limit);
    }
    return norm2 <= bound;
}

VECTOR_CLONES
static void flush(struct grid_sum *sum)
{
    for (size_t i = 0; i < sum->n; i++) {
        sum->value[i] += sum->part[i];
        sum->part[i] = 0;
    }
    sum->part_count = 0;
}

enum status grid_add(struct grid_sum *sum, const struct clipped *in, const struct grid *grid)
{
    if (in->n != sum->n) return STATUS_RANGE;
    REQUIRE(sum->part_limit == part_limit_of(grid));
    float limit = (float)(root_of(grid->norm2) + 1);
    float step = (float)((double)in->factor * grid->scale);
    for (unsigned retry = 0; !norm2_within(in, step, limit, grid->norm2); retry++) {
        if (retry == 0) sum->shrunk++;
        if (retry == GRID_RETRIES) return STATUS_OK;
        step *= SHRINK;
    }
    if (sum->part_count == sum->part_limit) flush(sum);
    add_points(sum->part, in->value, in->n, step, limit);
    sum->part_count++;
    return STATUS_OK;
}

enum status grid_seal(struct encoded *out, struct grid_sum *sum, const struct grid *grid,
                      uint64_t *capped)
{
    AUTO(encoded_free) struct encoded encoded = {0};
    TRY(encoded_new(&encoded, sum->n));
    uint64_t count = 0;
    int64_t cap = grid->cap;
    for (size_t i = 0; i < sum->n; i++) {
        int64_t x = sum->value[i] + sum->part[i];
        int64_t y = x > cap ? cap : x < -cap ? -cap : x;
        count += x != y;
        encoded.value[i] = (int32_t)y;
    }
    if (capped != NULL) *capped = count;
    *out = encoded;
    encoded = (struct encoded){0};
    grid_sum_free(sum);
    return STATUS_OK;
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
