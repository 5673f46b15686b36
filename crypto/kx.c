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

/* The canonical coordinates of low order, on the curve or on its twist (RFC 7748, section 6.1;
 * Bernstein, "Curve25519", 2006). The last is p - 1: a canonical key is not above it. */
#define LOW_ORDERS 5
static const uint8_t low_order[LOW_ORDERS][KX_PUBLIC_BYTES] = {
    {0},
    {1},
    {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
     0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
     0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
     0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
     0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
};

bool kx_acceptable(const uint8_t public_key[static KX_PUBLIC_BYTES])
{
    if (sodium_compare(public_key, low_order[LOW_ORDERS - 1], KX_PUBLIC_BYTES) > 0) return false;
    for (size_t i = 0; i < LOW_ORDERS; i++)
        if (sodium_memcmp(public_key, low_order[i], KX_PUBLIC_BYTES) == 0) return false;
    return true;
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
