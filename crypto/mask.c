/* SPDX-License-Identifier: Apache-2.0 */
/* ChaCha20 pads added to a vector. Each block of the vector meets all pads while it is in the
 * cache; the keystream never leaves a block on the stack. */
#include "crypto/mask.h"

#include <endian.h>
#include <sodium.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/setup.h"

#define CHACHA_WORDS 16 /* in one block of the cipher, addressed by its counter */
#define BLOCK_WORDS 1024

/* Grow words [0, n) of a pad, counted from cipher block number `counter`. */
static void grow(uint32_t *stream, size_t n, const uint8_t key[static MASK_KEY_BYTES],
                 uint64_t counter)
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES] = {0};
    uint8_t *bytes = (uint8_t *)stream;
    memset(bytes, 0, n * sizeof *stream);
    REQUIRE(crypto_stream_chacha20_xor_ic(bytes, bytes, n * sizeof *stream, nonce, counter, key) ==
            0);
}

static enum status mix(uint32_t *out, size_t n_out, const uint32_t *in, size_t n,
                       const struct pad *pad, size_t n_pads, unsigned bits, uint64_t at,
                       int direction)
{
    if (n_out != n || bits < 1 || bits > MASK_BITS_MAX || n > UINT64_MAX - at) return STATUS_RANGE;
    for (size_t k = 0; k < n_pads; k++)
        if (pad[k].sign != 1 && pad[k].sign != -1) return STATUS_RANGE;

    setup_sodium();
    const uint32_t ring = UINT32_MAX >> (32 - bits);
    uint32_t stream[BLOCK_WORDS];
    size_t length = 0;
    for (size_t i = 0; i < n; i += length) {
        /* The first block may start inside a cipher block; it is cut so that no other does. */
        const size_t skip = (size_t)((at + i) % CHACHA_WORDS);
        length = n - i < BLOCK_WORDS - skip ? n - i : BLOCK_WORDS - skip;
        for (size_t j = 0; j < length; j++) out[i + j] = in[i + j];
        for (size_t k = 0; k < n_pads; k++) {
            const uint32_t factor = pad[k].sign == direction ? 1 : UINT32_MAX;
            grow(stream, skip + length, pad[k].key, (at + i) / CHACHA_WORDS);
            for (size_t j = 0; j < length; j++) out[i + j] += factor * le32toh(stream[skip + j]);
        }
        for (size_t j = 0; j < length; j++) out[i + j] &= ring;
    }
    secret_wipe(stream, sizeof stream);
    return STATUS_OK;
}

enum status mask_add(struct masked *out, const struct noised *in, const struct pad *pad,
                     size_t n_pads, unsigned bits, uint64_t at)
{
    return mix(out->value, out->n, in->value, in->n, pad, n_pads, bits, at, 1);
}

enum status mask_take(struct opened *out, const struct total *in, const struct pad *pad,
                      size_t n_pads, unsigned bits, uint64_t at)
{
    return mix(out->value, out->n, in->value, in->n, pad, n_pads, bits, at, -1);
}
