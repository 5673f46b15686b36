/* SPDX-License-Identifier: Apache-2.0 */
/* A randomised Walsh-Hadamard rotation of a vector of any length n, without padding: with p the
 * largest power of two <= n, public random signs and the transform of the first p coordinates, then
 * fresh signs and the transform of the last p (n > p only). Each is orthonormal, so norms stay, and
 * what sat in a few coordinates is spread over all: |y_i| > t |x| / sqrt(p) has a chance of at most
 * 2 exp(-t^2 / 2) over the signs. It serves the use that is made of a narrow ring; privacy does not
 * rest on it. */
#ifndef DP_ROTATE_H
#define DP_ROTATE_H

#include "base/status.h"
#include "crypto/rng.h"

struct rotate {
    size_t n, p;
    float *sign; /* 2 p: +-1 / sqrt(p); owned, public */
};

/* The signs of a public seed; n > 0. STATUS_NOMEM leaves out untouched. */
MUST_USE enum status rotate_new(struct rotate *out, size_t n,
                                const uint8_t seed[static RNG_SEED_BYTES]);
void rotate_free(struct rotate *rotate);

/* The p of a vector of n > 0 coordinates. */
size_t rotate_spread(size_t n);

/* Turn value (n floats) in place, or turn it back: the inverse up to rounding of floats. Time
 * depends on n alone. */
void rotate_forth(const struct rotate *rotate, float *value);
void rotate_back(const struct rotate *rotate, float *value);

#endif
