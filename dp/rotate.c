/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/rotate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/vector.h"

/* What is transformed within the first-level cache: 16 KB. */
#define BLOCK ((size_t)1 << 12)

size_t rotate_spread(size_t n)
{
    REQUIRE(n > 0);
    return (size_t)1 << (63 - __builtin_clzll(n));
}

enum status rotate_new(struct rotate *out, size_t n, const uint8_t seed[static RNG_SEED_BYTES])
{
    AUTO(rotate_free) struct rotate rotate = {.n = n, .p = rotate_spread(n)};
    const float unit = (float)(1.0 / sqrt((double)rotate.p));
    const size_t signs = n > rotate.p ? 2 * rotate.p : rotate.p;
    rotate.sign = calloc(signs, sizeof *rotate.sign);
    if (rotate.sign == NULL) return STATUS_NOMEM;
    struct rng rng = {0};
    rng_seeded(&rng, seed);
    for (size_t i = 0; i < signs; i += 64) {
        uint64_t coins = rng_u64(&rng);
        for (size_t k = i; k < i + 64 && k < signs; k++, coins >>= 1)
            rotate.sign[k] = (coins & 1) != 0 ? -unit : unit;
    }
    *out = rotate;
    rotate = (struct rotate){0};
    return STATUS_OK;
}

void rotate_free(struct rotate *rotate)
{
    free(rotate->sign);
    *rotate = (struct rotate){0};
}

/* Two levels at once, of strides n / 2 and n / 4; n >= 4. */
VECTOR_CLONES
static void level_two(float *value, size_t n)
{
    const size_t h = n / 4;
    float *restrict a = value, *restrict b = a + h, *restrict c = b + h, *restrict d = c + h;
    for (size_t i = 0; i < h; i++) {
        const float s = a[i] + c[i], t = a[i] - c[i], u = b[i] + d[i], v = b[i] - d[i];
        a[i] = s + u;
        b[i] = s - u;
        c[i] = t + v;
        d[i] = t - v;
    }
}

VECTOR_CLONES
static void level_one(float *value, size_t n)
{
    const size_t h = n / 2;
    float *restrict a = value, *restrict b = a + h;
    for (size_t i = 0; i < h; i++) {
        const float s = a[i], t = b[i];
        a[i] = s + t;
        b[i] = s - t;
    }
}

/* The last three levels, of strides 4, 2, 1, for all of a block. */
VECTOR_CLONES
static void last_levels(float *value, size_t n)
{
    for (size_t i = 0; i < n; i += 8) {
        float *x = value + i;
        const float a0 = x[0] + x[4], a1 = x[1] + x[5], a2 = x[2] + x[6], a3 = x[3] + x[7];
        const float a4 = x[0] - x[4], a5 = x[1] - x[5], a6 = x[2] - x[6], a7 = x[3] - x[7];
        const float b0 = a0 + a2, b1 = a1 + a3, b2 = a0 - a2, b3 = a1 - a3;
        const float b4 = a4 + a6, b5 = a5 + a7, b6 = a4 - a6, b7 = a5 - a7;
        x[0] = b0 + b1;
        x[1] = b0 - b1;
        x[2] = b2 + b3;
        x[3] = b2 - b3;
        x[4] = b4 + b5;
        x[5] = b4 - b5;
        x[6] = b6 + b7;
        x[7] = b6 - b7;
    }
}

/* The whole of a block or a vector that is no longer, n a power of two. */
static void transform_block(float *value, size_t n)
{
    size_t left = n;
    for (; left >= 32; left /= 4)
        for (size_t i = 0; i < n; i += left) level_two(value + i, left);
    for (; left > (n < 8 ? 1 : 8); left /= 2)
        for (size_t i = 0; i < n; i += left) level_one(value + i, left);
    if (n >= 8) last_levels(value, n);
}

/* Depth first, so that what is larger than a cache goes through it once for two levels. */
static void transform(float *value, size_t n)
{
    if (n <= BLOCK) {
        transform_block(value, n);
        return;
    }
    level_two(value, n);
    for (size_t i = 0; i < 4; i++) transform(value + i * (n / 4), n / 4);
}

VECTOR_CLONES
static void multiply(float *value, const float *by, size_t n)
{
    for (size_t i = 0; i < n; i++) value[i] *= by[i];
}

void rotate_forth(const struct rotate *rotate, float *value)
{
    const size_t p = rotate->p, rest = rotate->n - p;
    multiply(value, rotate->sign, p);
    transform(value, p);
    if (rest == 0) return;
    multiply(value + rest, rotate->sign + p, p);
    transform(value + rest, p);
}

void rotate_back(const struct rotate *rotate, float *value)
{
    const size_t p = rotate->p, rest = rotate->n - p;
    if (rest > 0) {
        transform(value + rest, p);
        multiply(value + rest, rotate->sign + p, p);
    }
    transform(value, p);
    multiply(value, rotate->sign, p);
}
