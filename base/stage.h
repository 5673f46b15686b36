/* SPDX-License-Identifier: Apache-2.0 */
/* The typed road of an update: each step has its own type, so that a step that is skipped or
 * repeated does not compile.
 *
 *   update -> clipped -> encoded -> noised -> masked      at the site
 *   masked -> total -> opened -> mean                     at the aggregator
 *
 * A contribution is one vector whose L2 norm is bounded: the gradient of one record (unit patient)
 * or the whole update of a site (unit site). `encoded` is an integer sum of contributions.
 * Arrays are owned by whoever made the struct; _free accepts an empty object. */
#ifndef BASE_STAGE_H
#define BASE_STAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Part of a vector that is not written out: coordinate at + r * cols + c is left[r] * right[c], as
 * a float product. Borrowed. Secret. */
struct outer_product {
    size_t at, rows, cols;
    const float *left, *right;
};

/* One contribution in model units; value is borrowed, and not read where an outer product is.
 * Secret. */
struct update {
    size_t n;
    const float *value;
    size_t n_outer;
    const struct outer_product
        *outer; /* in their order, apart from each other, within n; borrowed */
};

/* A contribution whose factor * value has L2 norm at most the clip; all else as in the update.
 * Secret. */
struct clipped {
    size_t n;
    const float *value;
    float factor; /* in [0, 1] */
    size_t n_outer;
    const struct outer_product *outer;
};

/* Sum of clipped contributions in grid units, each coordinate within +-cap. Secret. */
struct encoded {
    size_t n;
    int32_t *value;
};

/* encoded plus this site's noise share, modulo 2^32 (a ring of fewer bits is a quotient). Secret.
 */
struct noised {
    size_t n;
    uint32_t *value;
};

/* noised plus all pads, modulo 2^bits: what leaves the site. */
struct masked {
    size_t n;
    uint32_t *value;
};

/* Running sum of masked vectors at the aggregator, modulo 2^32. */
struct total {
    size_t n;
    uint32_t *value;
};

/* total without pads, modulo 2^bits: the private sum. */
struct opened {
    size_t n;
    uint32_t *value;
};

/* opened, centred, in model units and divided by the public divisor. */
struct mean {
    size_t n;
    float *value;
};

/* Allocate n zeros (n > 0). STATUS_NOMEM leaves out untouched. */
MUST_USE enum status encoded_new(struct encoded *out, size_t n);
MUST_USE enum status noised_new(struct noised *out, size_t n);
MUST_USE enum status masked_new(struct masked *out, size_t n);
MUST_USE enum status total_new(struct total *out, size_t n);
MUST_USE enum status opened_new(struct opened *out, size_t n);
MUST_USE enum status mean_new(struct mean *out, size_t n);

/* Release; the secret ones (encoded, noised) are wiped first. */
void encoded_free(struct encoded *x);
void noised_free(struct noised *x);
void masked_free(struct masked *x);
void total_free(struct total *x);
void opened_free(struct opened *x);
void mean_free(struct mean *x);

#endif
