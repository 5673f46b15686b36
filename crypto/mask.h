/* SPDX-License-Identifier: Apache-2.0 */
/* Pads: keystreams that are added to a vector at the site and cancel, or are taken away, in the
 * sum. A pad is ChaCha20 under a key that serves one (pair or site, session, segment) and no other,
 * with nonce zero; element j is the little-endian 32-bit word j of the stream, reduced to the ring.
 * Counter addressing: any range can be grown by itself. Bonawitz et al. 2017, section 4. */
#ifndef CRYPTO_MASK_H
#define CRYPTO_MASK_H

#include <stddef.h>
#include <stdint.h>

#include "base/stage.h"
#include "base/status.h"

#define MASK_KEY_BYTES 32
#define MASK_BITS_MAX 32

struct pad {
    uint8_t key[MASK_KEY_BYTES]; /* secret */
    int sign;                    /* +1 or -1; the two ends of a pair use opposite signs */
};

/* Put in + sum of the pads modulo 2^bits into out, from element `at` of the pads on: element i of
 * in meets word at + i of each pad. Blocks outside, pads inside.
 *
 * out   n elements, owned by the caller; may not overlap in.
 * in    n elements, secret.
 * Time depends on n, at and n_pads alone.
 *
 * STATUS_RANGE  out->n != in->n, bits not in 1..32, a sign not +-1 or at + n above 2^64 - 1; out is
 *               untouched. */
MUST_USE enum status mask_add(struct masked *out, const struct noised *in, const struct pad *pad,
                              size_t n_pads, unsigned bits, uint64_t at);

/* Put total - sum of the pads modulo 2^bits into out: the aggregator's half, same rules. */
MUST_USE enum status mask_take(struct opened *out, const struct total *in, const struct pad *pad,
                               size_t n_pads, unsigned bits, uint64_t at);

#endif
