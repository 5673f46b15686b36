/* SPDX-License-Identifier: Apache-2.0 */
/* Labelled subkeys: keyed BLAKE2b-256. */
#ifndef CRYPTO_KDF_H
#define CRYPTO_KDF_H

#include <stdint.h>

#include "base/bytes.h"

#define KDF_KEY_BYTES 32
#define KDF_LABEL_MAX 16

/* Derive out from a secret key, a label of at most KDF_LABEL_MAX characters and a context of any
 * length: BLAKE2b-256 keyed by key over "SA1" || u8 label length || label || context.
 * out and key are secret; out may be key. Time depends on the lengths alone. */
void kdf_derive(uint8_t out[static KDF_KEY_BYTES], const uint8_t key[static KDF_KEY_BYTES],
                const char *label, struct view context);

#endif
