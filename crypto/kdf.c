/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/kdf.h"

#include <sodium.h>
#include <string.h>

#include "base/secret.h"
#include "base/status.h"
#include "crypto/setup.h"

void kdf_derive(uint8_t out[static KDF_KEY_BYTES], const uint8_t key[static KDF_KEY_BYTES],
                const char *label, struct view context)
{
    const size_t n = strlen(label);
    REQUIRE(n <= KDF_LABEL_MAX);
    setup_sodium();
    crypto_generichash_state state;
    crypto_generichash_init(&state, key, KDF_KEY_BYTES, KDF_KEY_BYTES);
    crypto_generichash_update(&state, (const uint8_t *)"SA1", 3);
    crypto_generichash_update(&state, &(uint8_t){(uint8_t)n}, 1);
    crypto_generichash_update(&state, (const uint8_t *)label, n);
    if (context.n > 0) crypto_generichash_update(&state, context.at, context.n);
    crypto_generichash_final(&state, out, KDF_KEY_BYTES);
    secret_wipe(&state, sizeof state);
}
