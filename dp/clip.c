/* SPDX-License-Identifier: Apache-2.0 */
/* L2 clipping of one contribution: only the factor is computed, the product is left to the grid.
 * And the clip's own way towards a quantile of the norms. */
#include "dp/clip.h"

#include <math.h>

#include "base/vector.h"

#define LANES 8
#define BIT_MAX 0x1p22 /* a grid holds squared norms below 2^44 */

/* Independent sums, because without -ffast-math one running sum may not be vectorised. Squares of
 * floats are exact in double and cannot overflow there. */
VECTOR_CLONES
static double norm2_of(const float *value, size_t n)
{
    double lane[LANES] = {0};
    size_t whole = n - n % LANES;
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t k = 0; k < LANES; k++) lane[k] += (double)value[i + k] * (double)value[i + k];
    for (size_t i = whole; i < n; i++) lane[i - whole] += (double)value[i] * (double)value[i];
    double sum = 0.0;
    for (size_t k = 0; k < LANES; k++) sum += lane[k];
    return sum;
}

/* The squared norm of an outer product is the product of those of its sides. */
static double norm2_all(const struct update *in)
{
    double sum = 0.0;
    size_t at = 0;
    for (size_t k = 0; k < in->n_outer; k++) {
        const struct outer_product *outer = &in->outer[k];
        sum += norm2_of(in->value + at, outer->at - at);
        sum += norm2_of(outer->left, outer->rows) * norm2_of(outer->right, outer->cols);
        at = outer->at + outer->rows * outer->cols;
    }
    return sum + norm2_of(in->value + at, in->n - at);
}

static float round_down(double x)
{
    float y = (float)x;
    return (double)y > x ? nextafterf(y, 0.0F) : y;
}

enum status clip_l2(struct clipped *out, const struct update *in, double bound)
{
    if (!(bound > 0.0)) return STATUS_RANGE;
    double norm = sqrt(norm2_all(in));
    float factor = 0.0F;
    if (isfinite(norm)) factor = norm <= bound ? 1.0F : round_down(bound / norm);
    *out = (struct clipped){.n = in->n,
                            .value = in->value,
                            .factor = factor,
                            .n_outer = in->n_outer,
                            .outer = in->outer};
    return STATUS_OK;
}

enum status clip_bit(uint32_t *bit, uint64_t norm2, double z, const struct clip_goal *goal)
{
    const double ratio = z / (2 * goal->noise);
    const double rho = ratio * ratio;
    const double x = ceil(sqrt((double)norm2 * rho / (1 - rho)));
    if (!(x <= BIT_MAX)) return STATUS_RANGE; /* also for rho >= 1, where it is no number */
    *bit = x < 1 ? 1 : (uint32_t)x;
    return STATUS_OK;
}

double clip_next(double clip, double share, const struct clip_goal *goal)
{
    const double within = fmin(fmax(share, 0), 1);
    const double next = clip * exp(-goal->rate * (within - goal->quantile));
    return fmin(fmax(next, goal->first / CLIP_DRIFT), goal->first * CLIP_DRIFT);
}

bool clip_near(double clip, const struct clip_goal *goal)
{
    return clip >= goal->first / CLIP_DRIFT && clip <= goal->first * CLIP_DRIFT;
}
