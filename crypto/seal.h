/* SPDX-License-Identifier: Apache-2.0 */
/* Authenticated encryption of shares from site to site: XChaCha20-Poly1305, random nonce. */
#ifndef CRYPTO_SEAL_H
#define CRYPTO_SEAL_H

#include <stdint.h>

#include "base/bytes.h"
#include "crypto/rng.h"

#define SEAL_KEY_BYTES 32
/* nonce (24) in front, tag (16) behind */
#define SEAL_EXTRA_BYTES 40

/* Append nonce || ciphertext || tag of plain to out. plain and key secret.
 * STATUS_NOMEM  the bytes of out are as before; its status is set. */
MUST_USE enum status seal_write(struct buffer *out, struct view plain, struct view bound,
                                const uint8_t key[static SEAL_KEY_BYTES], struct rng *rng);

/* Append the plain text of sealed to out (wipe it with buffer_wipe).
 * STATUS_AUTH   wrong key, wrong bound data or altered bytes; out is as before.
 * STATUS_FORMAT shorter than SEAL_EXTRA_BYTES; out is as before.
 * STATUS_NOMEM  the bytes of out are as before; its status is set. */
MUST_USE enum status seal_read(struct buffer *out, struct view sealed, struct view bound,
                               const uint8_t key[static SEAL_KEY_BYTES]);

#endif
