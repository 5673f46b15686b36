/* SPDX-License-Identifier: Apache-2.0 */
/* Pads: keystreams that are added to a vector at the site and cancel, or are taken away, in the
 * sum. A pad is grown under a key that serves one (pair or site, session, segment) and no other,
 * with nonce zero; element j is the little-endian 32-bit word j of the stream, reduced to the ring.
 * Counter addressing: any range can be grown by itself. Bonawitz et al. 2017, section 4.
 *
 * Two ciphers: ChaCha20 (RFC 8439's block function, 64-bit counter), and AES-256 in counter mode
 * (128-bit big-endian counter from zero, as OpenSSL's aes-256-ctr with a zero vector) on machines
 * with AES instructions. Kernels are chosen at run time and give the same bits. */
#ifndef CRYPTO_MASK_H
#define CRYPTO_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/stage.h"
#include "base/status.h"

#define MASK_KEY_BYTES 32
#define MASK_BITS_MAX 32
#define MASK_THREADS_MAX 64

enum mask_cipher { MASK_CHACHA20, MASK_AES256_CTR, MASK_CIPHERS };

struct mask_how {
    enum mask_cipher cipher;
    unsigned bits;    /* ring width, 1 to MASK_BITS_MAX */
    unsigned threads; /* at most; 0 counts as 1 */
};

struct pad {
    uint8_t key[MASK_KEY_BYTES]; /* secret */
    int sign;                    /* +1 or -1; the two ends of a pair use opposite signs */
};

/* Whether this machine can grow pads of a cipher; ChaCha20 always. */
bool mask_available(enum mask_cipher cipher);

/* Put in + sum of the pads modulo 2^bits into out, from element `at` of the pads on: element i of
 * in meets word at + i of each pad. Blocks outside, pads inside; in place: the memory of in becomes
 * that of out, and in is empty.
 *
 * out   empty; gets n elements.
 * in    n elements, secret.
 * Time depends on n, at, n_pads and how alone.
 *
 * STATUS_RANGE  bits, a cipher or a sign out of range, a cipher that is not available, more than
 *               MASK_THREADS_MAX threads, or at + n above 2^64 - 1; out and in are untouched. */
MUST_USE enum status mask_add(struct masked *out, struct noised *in, const struct pad *pad,
                              size_t n_pads, const struct mask_how *how, uint64_t at);

/* Put total - sum of the pads modulo 2^bits into out: the aggregator's half, same rules. */
MUST_USE enum status mask_take(struct opened *out, struct total *in, const struct pad *pad,
                               size_t n_pads, const struct mask_how *how, uint64_t at);

#endif
