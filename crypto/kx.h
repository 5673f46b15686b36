/* SPDX-License-Identifier: Apache-2.0 */
/* X25519 keys of one session. The secret scalar is derived from a seed that can be shared among
 * the sites (a field element, crypto/share.h): KDF(seed, label), never the seed itself. */
#ifndef CRYPTO_KX_H
#define CRYPTO_KX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

#define KX_SEED_BYTES 32
#define KX_PUBLIC_BYTES 32
#define KX_SHARED_BYTES 32

struct kx_pair {
    uint8_t secret[KX_SEED_BYTES]; /* the scalar; secret */
    uint8_t public_key[KX_PUBLIC_BYTES];
};

/* The key pair that belongs to seed, which is secret, under the purpose "mask" or "enc". Wipe the
 * pair with secret_wipe. Constant time. */
void kx_pair_of(struct kx_pair *out, const uint8_t seed[static KX_SEED_BYTES], const char *purpose);

/* Whether a peer's key is canonical and not of low order (RFC 7748 section 6.1; libsodium's list).
 */
bool kx_acceptable(const uint8_t public_key[static KX_PUBLIC_BYTES]);

/* Agree on a pair secret: BLAKE2b over X25519(own secret, peer) and both public keys in sorted
 * order, so that both ends get the same. Constant time in the secret.
 *
 * STATUS_AUTH  the peer's key is of low order (the product is zero); shared is wiped. */
MUST_USE enum status kx_agree(uint8_t shared[static KX_SHARED_BYTES], const struct kx_pair *own,
                              const uint8_t peer[static KX_PUBLIC_BYTES]);

/* A raw X25519 pair for the transport (CURVE). */
void kx_transport_public(uint8_t public_key[static KX_PUBLIC_BYTES],
                         const uint8_t secret_key[static KX_SEED_BYTES]);

#endif
