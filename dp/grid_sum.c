/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing here trusts a float: what counts is the exact integer norm of what is added. */
#include "dp/grid_sum.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/secret.h"
#include "base/vector.h"

/* Coordinates that are rounded together; their squares stay below 2^57. */
#define BLOCK ((size_t)1 << 12)
#define SHRINK 0.999F

_Static_assert(FLT_EVAL_METHOD == 0, "rounding by adding a constant needs plain floats");

/* floor(sqrt(x)), exact for x <= 2^52. */
static int32_t root_of(uint64_t x)
{
    return (int32_t)sqrt((double)x);
}

static uint32_t part_limit_of(const struct grid *grid)
{
    return (uint32_t)(INT32_MAX / root_of(grid->norm2));
}

enum status grid_sum_new(struct grid_sum *out, size_t n, const struct grid *grid,
                         enum grid_rounding rounding)
{
    REQUIRE(n > 0 && grid_fits(grid, 1));
    AUTO(grid_sum_free)
    struct grid_sum sum = {.n = n, .rounding = rounding, .part_limit = part_limit_of(grid)};
    sum.value = calloc(n, sizeof *sum.value);
    sum.part = calloc(n, sizeof *sum.part);
    if (rounding == GRID_STOCHASTIC) sum.point = calloc(n, sizeof *sum.point);
    const bool kept = sum.point != NULL || rounding != GRID_STOCHASTIC;
    if (sum.value == NULL || sum.part == NULL || !kept) return STATUS_NOMEM;
    *out = sum;
    sum = (struct grid_sum){0};
    return STATUS_OK;
}

void grid_sum_free(struct grid_sum *sum)
{
    if (sum->value != NULL) secret_wipe(sum->value, sum->n * sizeof *sum->value);
    if (sum->part != NULL) secret_wipe(sum->part, sum->n * sizeof *sum->part);
    if (sum->point != NULL) secret_wipe(sum->point, sum->n * sizeof *sum->point);
    free(sum->value);
    free(sum->part);
    free(sum->point);
    *sum = (struct grid_sum){0};
}

/* How a contribution is rounded; a coordinate is saturated at +-limit <= 2^22, where a NaN goes
 * too. limit^2 > norm2, so that a coordinate that had to be saturated fails by itself. */
struct how {
    float step, limit;
    uint64_t norm2;
    struct rng *coins; /* NULL: to the nearest */
};

static inline float saturated(float x, float limit)
{
    x = x < limit ? x : limit;
    return x > -limit ? x : -limit;
}

/* The integer next to x, ties to even. */
static inline float nearest(float x)
{
    const float round = 0x1.8p23F;
    return (x + round) - round;
}

/* Coordinates from `at` on: times * value. A row of an outer product, or what lies between two of
 * them, times 1. */
struct stretch {
    size_t at, n, outer, row; /* where in the outer products it is */
    float times;
    const float *value;
};

/* The next stretch of a contribution, the first after zeros; false behind the last. */
static bool stretch_next(struct stretch *stretch, const struct clipped *in)
{
    const size_t at = stretch->at + stretch->n;
    if (at == in->n) return false;
    if (stretch->outer == in->n_outer || at < in->outer[stretch->outer].at) {
        const size_t end = stretch->outer == in->n_outer ? in->n : in->outer[stretch->outer].at;
        *stretch = (struct stretch){at, end - at, stretch->outer, 0, 1.0F, in->value + at};
        return true;
    }
    const struct outer_product *outer = &in->outer[stretch->outer];
    *stretch = (struct stretch){
        at, outer->cols, stretch->outer, stretch->row + 1, outer->left[stretch->row], outer->right};
    if (stretch->row < outer->rows) return true;
    stretch->row = 0;
    stretch->outer++;
    return true;
}

static inline int32_t nearest_point(float value, float times, float step, float limit)
{
    return (int32_t)nearest(saturated(times * value * step, limit));
}

/* Add rounded values, or take them away again; returns their squared norm. In between a sum may be
 * out of range: it wraps, and comes back. */
#define ADD UINT32_C(0)
#define TAKE UINT32_MAX
VECTOR_CLONES
static uint64_t add_nearest(uint32_t *restrict part, const float *restrict value, size_t n,
                            float times, float step, float limit, uint32_t sign)
{
    uint64_t norm2 = 0;
    for (size_t i = 0; i < n; i++) {
        const int32_t point = nearest_point(value[i], times, step, limit);
        part[i] += ((uint32_t)point ^ sign) - sign;
        norm2 += (uint64_t)((int64_t)point * point);
    }
    return norm2;
}

/* x lies between its nearest integer and the one on its other side, and x - nearest is exact. That
 * distance, cut to a multiple of 2^-24, is the chance with which 24 bits of a coin lead over. In
 * integers, without a branch. */
VECTOR_CLONES
static uint64_t round_by_chance(int32_t *out, const float *value, size_t n, float times, float step,
                                float limit, const uint32_t *coin)
{
    uint64_t norm2 = 0;
    for (size_t i = 0; i < n; i++) {
        const float x = saturated(times * value[i] * step, limit), near = nearest(x),
                    off = x - near;
        const int32_t chance = (int32_t)(off * 0x1p24F), u = (int32_t)(coin[i] >> 8);
        out[i] = (int32_t)near + (u < chance) - (u < -chance);
        norm2 += (uint64_t)((int64_t)out[i] * out[i]);
    }
    return norm2;
}

/* Round by chance into point; false as soon as the norm is too large. */
static bool round_within(int32_t *point, const struct clipped *in, const struct how *how)
{
    uint32_t coin[BLOCK];
    uint64_t norm2 = 0;
    struct stretch stretch = {0};
    while (norm2 <= how->norm2 && stretch_next(&stretch, in)) {
        for (size_t i = 0; i < stretch.n && norm2 <= how->norm2; i += BLOCK) {
            const size_t n = stretch.n - i < BLOCK ? stretch.n - i : BLOCK;
            rng_bytes(how->coins, coin, n * sizeof *coin);
            norm2 += round_by_chance(point + stretch.at + i, stretch.value + i, n, stretch.times,
                                     how->step, how->limit, coin);
        }
    }
    secret_wipe(coin, sizeof coin);
    return norm2 <= how->norm2;
}

/* Add what is rounded to the nearest, or take the same away; false, having come as far in both, as
 * soon as the norm is too large. */
static bool add_within(uint32_t *part, const struct clipped *in, const struct how *how,
                       uint32_t sign)
{
    uint64_t norm2 = 0;
    struct stretch stretch = {0};
    while (norm2 <= how->norm2 && stretch_next(&stretch, in)) {
        if (stretch.times == 0) continue;
        for (size_t i = 0; i < stretch.n && norm2 <= how->norm2; i += BLOCK) {
            const size_t n = stretch.n - i < BLOCK ? stretch.n - i : BLOCK;
            norm2 += add_nearest(part + stretch.at + i, stretch.value + i, n, stretch.times,
                                 how->step, how->limit, sign);
        }
    }
    return norm2 <= how->norm2;
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

VECTOR_CLONES
static void add_points(int32_t *part, const int32_t *point, size_t n)
{
    for (size_t i = 0; i < n; i++) part[i] += point[i];
}

/* False, and sum as it was, when the norm is too large. */
static bool try_add(struct grid_sum *sum, const struct clipped *in, const struct how *how)
{
    if (how->coins != NULL) {
        if (!round_within(sum->point, in, how)) return false;
        add_points(sum->part, sum->point, sum->n);
        return true;
    }
    uint32_t *part = (uint32_t *)sum->part;
    if (add_within(part, in, how, ADD)) return true;
    (void)add_within(part, in, how, TAKE);
    return false;
}

enum status grid_add(struct grid_sum *sum, const struct clipped *in, const struct grid *grid,
                     struct rng *rng)
{
    if (in->n != sum->n) return STATUS_RANGE;
    REQUIRE(sum->part_limit == part_limit_of(grid));
    struct how how = {.step = (float)((double)in->factor * grid->scale),
                      .limit = (float)(root_of(grid->norm2) + 1),
                      .norm2 = grid->norm2,
                      .coins = sum->rounding == GRID_STOCHASTIC ? rng : NULL};
    const unsigned fresh = how.coins != NULL ? GRID_RETRIES : 0;
    if (sum->part_count == sum->part_limit) flush(sum);
    for (unsigned retry = 0; !try_add(sum, in, &how); retry++) {
        if (retry == 0) sum->shrunk++;
        if (retry == fresh + GRID_RETRIES) return STATUS_OK;
        if (retry >= fresh) how.step *= SHRINK;
    }
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
