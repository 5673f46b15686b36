/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 identity signatures over labelled strings. */
#ifndef CRYPTO_SIGN_H
#define CRYPTO_SIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define SIGN_SEED_BYTES 32
#define SIGN_PUBLIC_BYTES 32
#define SIGN_BYTES 64

/* The public key of an identity seed. */
void sign_public(uint8_t public_key[static SIGN_PUBLIC_BYTES],
                 const uint8_t seed[static SIGN_SEED_BYTES]);

/* Sign hash_of(label, message) under the identity seed. Deterministic (RFC 8032). */
void sign_make(uint8_t signature[static SIGN_BYTES], const uint8_t seed[static SIGN_SEED_BYTES],
               const char *label, struct view message);

MUST_USE bool sign_check(const uint8_t signature[static SIGN_BYTES],
                         const uint8_t public_key[static SIGN_PUBLIC_BYTES], const char *label,
                         struct view message);

#endif
