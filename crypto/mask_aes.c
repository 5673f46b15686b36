/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels of AES-256 in counter mode: one text, three widths. FIPS 197; SP 800-38A. */
#include "crypto/mask_kernel.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "base/secret.h"

/* The key that follows from the one two before and from what aeskeygenassist made of the last. */
static inline __m128i next_key(__m128i before, __m128i assist)
{
    __m128i k = before;
    k = _mm_xor_si128(k, _mm_slli_si128(k, 4));
    k = _mm_xor_si128(k, _mm_slli_si128(k, 8));
    return _mm_xor_si128(k, assist);
}

/* The round constant is part of the instruction. */
#define EVEN(before, last, constant)                                                               \
    next_key(before, _mm_shuffle_epi32(_mm_aeskeygenassist_si128(last, constant), 0xff))
#define ODD(before, last)                                                                          \
    next_key(before, _mm_shuffle_epi32(_mm_aeskeygenassist_si128(last, 0), 0xaa))
#define BOTH(k, i, constant)                                                                       \
    (k)[i] = EVEN((k)[(i)-2], (k)[(i)-1], constant), (k)[(i) + 1] = ODD((k)[(i)-1], (k)[i])

__attribute__((target("aes"))) void mask_aes_expand(uint8_t out[static 16 * MASK_AES_ROUND_KEYS],
                                                    const uint8_t key[static MASK_KEY_BYTES])
{
    __m128i k[MASK_AES_ROUND_KEYS];
    memcpy(k, key, MASK_KEY_BYTES);
    BOTH(k, 2, 0x01);
    BOTH(k, 4, 0x02);
    BOTH(k, 6, 0x04);
    BOTH(k, 8, 0x08);
    BOTH(k, 10, 0x10);
    BOTH(k, 12, 0x20);
    k[14] = EVEN(k[12], k[13], 0x40);
    memcpy(out, k, sizeof k);
    secret_wipe(k, sizeof k);
}

#define KERNEL mask_aes_ni
#define TARGET "aes"
#define BLOCKS 1
#define VECTOR __m128i
#define SPREAD(k) (k)
#define ROUND _mm_aesenc_si128
#define LAST_ROUND _mm_aesenclast_si128
#include "crypto/mask_aes_blocks.c"

#define KERNEL mask_aes_vaes
#define TARGET "vaes,avx2"
#define BLOCKS 2
#define VECTOR __m256i
#define SPREAD _mm256_broadcastsi128_si256
#define ROUND _mm256_aesenc_epi128
#define LAST_ROUND _mm256_aesenclast_epi128
#include "crypto/mask_aes_blocks.c"

#define KERNEL mask_aes_avx512
#define TARGET "vaes,avx512f"
#define BLOCKS 4
#define VECTOR __m512i
#define SPREAD _mm512_broadcast_i32x4
#define ROUND _mm512_aesenc_epi128
#define LAST_ROUND _mm512_aesenclast_epi128
#include "crypto/mask_aes_blocks.c"

#endif
