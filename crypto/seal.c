/* SPDX-License-Identifier: Apache-2.0 */
/* XChaCha20-Poly1305 in its IETF form, in place at the end of the buffer. A nonce of 24 random
 * bytes never repeats in practice, so that a restart needs no counter. */
#include "crypto/seal.h"

#include <sodium.h>

#include "base/secret.h"
#include "crypto/setup.h"

#define NONCE_BYTES 24
#define TAG_BYTES 16
_Static_assert(NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(TAG_BYTES == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag");
_Static_assert(NONCE_BYTES + TAG_BYTES == SEAL_EXTRA_BYTES, "header");

/* Forget what was appended since the buffer had n bytes. */
static void cut(struct buffer *b, size_t n)
{
    if (b->n > n) secret_wipe(b->at + n, b->n - n);
    b->n = n;
}

enum status seal_write(struct buffer *out, struct view plain, struct view bound,
                       const uint8_t key[static SEAL_KEY_BYTES], struct rng *rng)
{
    const size_t start = out->n;
    uint8_t nonce[NONCE_BYTES];
    rng_bytes(rng, nonce, sizeof nonce);
    setup_sodium();
    write_bytes(out, nonce, sizeof nonce);
    write_bytes(out, plain.at, plain.n);
    write_bytes(out, (uint8_t[TAG_BYTES]){0}, TAG_BYTES);
    if (out->status != STATUS_OK) {
        cut(out, start);
        return out->status;
    }
    uint8_t *text = out->at + start + NONCE_BYTES;
    REQUIRE(crypto_aead_xchacha20poly1305_ietf_encrypt(text, NULL, text, plain.n, bound.at, bound.n,
                                                       NULL, nonce, key) == 0);
    return STATUS_OK;
}

enum status seal_read(struct buffer *out, struct view sealed, struct view bound,
                      const uint8_t key[static SEAL_KEY_BYTES])
{
    if (sealed.n < SEAL_EXTRA_BYTES) return STATUS_FORMAT;
    const size_t start = out->n, n = sealed.n - SEAL_EXTRA_BYTES;
    const uint8_t *text = sealed.at + NONCE_BYTES;
    setup_sodium();
    write_bytes(out, text, n);
    if (out->status != STATUS_OK) return out->status;
    uint8_t nothing, *plain = n > 0 ? out->at + start : &nothing;
    int forged = crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
        plain, NULL, plain, n, text + n, bound.at, bound.n, sealed.at, key);
    PUBLIC(&forged, sizeof forged);
    if (forged != 0) {
        cut(out, start);
        return STATUS_AUTH;
    }
    return STATUS_OK;
}
