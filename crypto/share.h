/* SPDX-License-Identifier: Apache-2.0 */
/* Shamir's t-of-n secret sharing over a prime field, constant time in the secrets (GMP mpn_sec_*).
 * Shamir 1979. The field is an argument so that a world of 13 elements runs the shipping code. */
#ifndef CRYPTO_SHARE_H
#define CRYPTO_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "crypto/rng.h"

#define SHARE_BYTES 32
#define SHARE_SITES_MAX 1024

/* An odd prime of at most 256 bits, little endian 64-bit words. */
struct share_field {
    uint64_t prime[4];
};

/* p = 2^255 - 19 */
extern const struct share_field SHARE_FIELD;

/* Draw a uniform field element, 32 bytes little endian, by rejection. Secret; time depends on the
 * rejected candidates, which have no part in the result. */
void share_random(uint8_t secret[static SHARE_BYTES], const struct share_field *field,
                  struct rng *rng);

/* Whether 32 bytes are a field element in canonical form. Constant time; the answer is public. */
bool share_canonical(const uint8_t element[static SHARE_BYTES], const struct share_field *field);

/* Split a canonical secret into n shares, share i (0-based) being the polynomial of degree t - 1 at
 * the point i + 1. shares is n * SHARE_BYTES bytes, owned by the caller; may not overlap secret.
 * Coefficients are wiped. Time depends on n, t, the field and the rejections of share_random.
 *
 * STATUS_RANGE  t == 0, t > n, n > SHARE_SITES_MAX, n >= prime, or the secret is not canonical;
 *               shares are untouched. */
MUST_USE enum status share_split(uint8_t *shares, const uint8_t secret[static SHARE_BYTES],
                                 size_t n, size_t t, const struct share_field *field,
                                 struct rng *rng);

/* Lagrange weights at zero for a set of t responders: computed once, used for many secrets. */
struct share_weights {
    size_t t;
    uint8_t *weight; /* t * SHARE_BYTES, owned */
};

/* index: t distinct 0-based site numbers. Public.
 * STATUS_RANGE  t == 0, t > SHARE_SITES_MAX, a number >= SHARE_SITES_MAX or not below prime - 1, or
 *               twice; out is untouched.
 * STATUS_NOMEM  out is untouched. */
MUST_USE enum status share_weights_new(struct share_weights *out, const uint32_t *index, size_t t,
                                       const struct share_field *field);
void share_weights_free(struct share_weights *weights);

/* Join t shares (in the order of the weights, t * SHARE_BYTES bytes) into the secret. Constant
 * time.
 *
 * STATUS_RANGE  a share is not canonical; secret is wiped. */
MUST_USE enum status share_join(uint8_t secret[static SHARE_BYTES], const uint8_t *shares,
                                const struct share_weights *weights,
                                const struct share_field *field);

#endif
