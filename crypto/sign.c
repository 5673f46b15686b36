/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 (RFC 8032) over a labelled hash of the message. libsodium refuses small-order keys and
 * signatures that are not canonical. */
#include "crypto/sign.h"

#include <sodium.h>
#include <string.h>

#include "base/secret.h"
#include "base/status.h"
#include "crypto/hash.h"
#include "crypto/setup.h"

/* libsodium's secret key is the seed followed by the public key. */
struct pair {
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    uint8_t public[SIGN_PUBLIC_BYTES];
};

static void pair_wipe(struct pair *pair)
{
    secret_wipe(pair, sizeof *pair);
}

static struct pair pair_of(const uint8_t seed[static SIGN_SEED_BYTES])
{
    struct pair pair;
    setup_sodium();
    REQUIRE(crypto_sign_seed_keypair(pair.public, pair.secret, seed) == 0);
    return pair;
}

void sign_public(uint8_t public_key[static SIGN_PUBLIC_BYTES],
                 const uint8_t seed[static SIGN_SEED_BYTES])
{
    AUTO(pair_wipe) struct pair pair = pair_of(seed);
    memcpy(public_key, pair.public, SIGN_PUBLIC_BYTES);
}

void sign_make(uint8_t signature[static SIGN_BYTES], const uint8_t seed[static SIGN_SEED_BYTES],
               const char *label, struct view message)
{
    AUTO(pair_wipe) struct pair pair = pair_of(seed);
    const struct hash hash = hash_of(label, message);
    REQUIRE(crypto_sign_detached(signature, NULL, hash.bytes, sizeof hash.bytes, pair.secret) == 0);
}

bool sign_check(const uint8_t signature[static SIGN_BYTES],
                const uint8_t public_key[static SIGN_PUBLIC_BYTES], const char *label,
                struct view message)
{
    const struct hash hash = hash_of(label, message);
    return crypto_sign_verify_detached(signature, hash.bytes, sizeof hash.bytes, public_key) == 0;
}
