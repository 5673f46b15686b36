/* SPDX-License-Identifier: Apache-2.0 */
/* X25519 (RFC 7748) between sites. The seed is a field element that can be shared, the scalar is
 * derived from it, so the clamping of scalars never meets the arithmetic of shares. */
#include "crypto/kx.h"

#include <sodium.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/setup.h"

void kx_pair_of(struct kx_pair *out, const uint8_t seed[static KX_SEED_BYTES], const char *purpose)
{
    const struct view context = {.at = (const uint8_t *)purpose, .n = strlen(purpose)};
    kdf_derive(out->secret, seed, "kx", context);
    kx_transport_public(out->public_key, out->secret);
    PUBLIC(out->public_key, sizeof out->public_key);
}

bool kx_acceptable(const uint8_t public_key[static KX_PUBLIC_BYTES])
{
    /* p - 1; a canonical key is not above it. */
    static const uint8_t largest[KX_PUBLIC_BYTES] = {
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    };
    static const uint8_t any_scalar[KX_SEED_BYTES] = {8};
    setup_sodium();
    if (sodium_compare(public_key, largest, KX_PUBLIC_BYTES) > 0) return false;
    /* Scalars are multiples of the cofactor, so that any of them sends a low order to zero. */
    uint8_t product[KX_SHARED_BYTES];
    return crypto_scalarmult_curve25519(product, any_scalar, public_key) == 0;
}

enum status kx_agree(uint8_t shared[static KX_SHARED_BYTES], const struct kx_pair *own,
                     const uint8_t peer[static KX_PUBLIC_BYTES])
{
    uint8_t product[KX_SHARED_BYTES];
    int failed = crypto_scalarmult_curve25519(product, own->secret, peer);
    PUBLIC(&failed, sizeof failed);
    if (failed != 0) {
        secret_wipe(product, sizeof product);
        secret_wipe(shared, KX_SHARED_BYTES);
        return STATUS_AUTH;
    }

    const bool first = memcmp(own->public_key, peer, KX_PUBLIC_BYTES) < 0;
    struct hash_state state;
    hash_start(&state, "kx-agree");
    hash_add(&state, product, sizeof product);
    hash_add(&state, first ? own->public_key : peer, KX_PUBLIC_BYTES);
    hash_add(&state, first ? peer : own->public_key, KX_PUBLIC_BYTES);
    struct hash hash = hash_end(&state);
    memcpy(shared, hash.bytes, KX_SHARED_BYTES);
    secret_wipe(&hash, sizeof hash);
    secret_wipe(product, sizeof product);
    return STATUS_OK;
}

void kx_transport_public(uint8_t public_key[static KX_PUBLIC_BYTES],
                         const uint8_t secret_key[static KX_SEED_BYTES])
{
    setup_sodium();
    REQUIRE(crypto_scalarmult_curve25519_base(public_key, secret_key) == 0);
}
