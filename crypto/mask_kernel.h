/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels that grow pads, for mask.c, its test and its benchmark. All of one cipher give the
 * same bits; programs use crypto/mask.h, which picks the fastest. */
#ifndef CRYPTO_MASK_KERNEL_H
#define CRYPTO_MASK_KERNEL_H

#include "crypto/mask.h"

/* The unit of growth: 16 blocks of ChaCha20, 64 of AES. Wide enough for every kernel, so that none
 * has ragged ends of its own. */
#define MASK_CHUNK_WORDS 256

/* Add words [chunk * MASK_CHUNK_WORDS, ...) of the key's stream to `chunks` chunks of sum, or take
 * them away. Time depends on chunks alone. */
typedef void mask_grow(uint32_t *sum, size_t chunks, const uint8_t key[static MASK_KEY_BYTES],
                       uint64_t chunk, bool minus);

struct mask_kernel {
    const char *name;
    enum mask_cipher cipher;
    bool (*available)(void); /* on this processor */
    mask_grow *grow;
};

/* Fastest first within a cipher. */
extern const struct mask_kernel mask_kernel[];
extern const size_t mask_kernels;

/* The fastest available kernel of a cipher; NULL when there is none. */
const struct mask_kernel *mask_kernel_of(enum mask_cipher cipher);

/* What mask_add (direction 1) and mask_take (-1) do once the arguments were checked, in place. */
void mask_mix(const struct mask_kernel *kernel, uint32_t *sum, size_t n, const struct pad *pad,
              size_t n_pads, const struct mask_how *how, uint64_t at, int direction);

/* mask_kernel.c, mask_chacha.c, mask_aes.c */
mask_grow mask_chacha_portable;
#if defined(__x86_64__)
mask_grow mask_chacha_avx2, mask_chacha_avx512;
mask_grow mask_aes_ni, mask_aes_vaes, mask_aes_avx512;

/* The round keys of AES-256, 16 bytes each; secret. */
#define MASK_AES_ROUND_KEYS 15
void mask_aes_expand(uint8_t out[static 16 * MASK_AES_ROUND_KEYS],
                     const uint8_t key[static MASK_KEY_BYTES]);
#endif

#endif
