/* SPDX-License-Identifier: Apache-2.0 */
/* One kernel of AES-256 in counter mode, included for each width by crypto/mask_aes.c, which says
 * how many BLOCKS a VECTOR has and by which instructions a round is done. */
#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define WORDS PASTE(KERNEL, words)
#define LONGS PASTE(KERNEL, longs)

typedef uint32_t WORDS __attribute__((vector_size(16 * BLOCKS)));
typedef uint64_t LONGS __attribute__((vector_size(16 * BLOCKS)));

/* Vectors at a time: two rounds a cycle start, and one takes four. */
#define STEP 8

__attribute__((target(TARGET))) void KERNEL(uint32_t *sum, size_t chunks,
                                            const uint8_t key[static MASK_KEY_BYTES],
                                            uint64_t chunk, bool minus)
{
    __m128i round[MASK_AES_ROUND_KEYS];
    mask_aes_expand((uint8_t *)round, key);
    const uint32_t sign = minus ? UINT32_MAX : 0;
    /* The counter is big endian and its upper half zero. Steps are aligned, so that the number of a
     * block within its step is added to the last byte without a carry. */
    LONGS place = {0}, next = {0};
    for (uint64_t i = 0; i < BLOCKS; i++) {
        place[2 * i + 1] = i << 56;
        next[2 * i + 1] = (uint64_t)BLOCKS << 56;
    }

    uint64_t counter = chunk * (MASK_CHUNK_WORDS / 4);
    for (size_t i = chunks * (MASK_CHUNK_WORDS / 4 / BLOCKS / STEP); i > 0; i--) {
        VECTOR x[STEP];
        VECTOR k = SPREAD(round[0]);
        LONGS block = place;
        const __m128i start = {0, (long long)__builtin_bswap64(counter)};
        block += (LONGS)SPREAD(start);
#pragma GCC unroll 8
        for (size_t j = 0; j < STEP; j++, block += next) x[j] = (VECTOR)block ^ k;
#pragma GCC unroll 13
        for (size_t r = 1; r < MASK_AES_ROUND_KEYS - 1; r++) {
            k = SPREAD(round[r]);
#pragma GCC unroll 8
            for (size_t j = 0; j < STEP; j++) x[j] = ROUND(x[j], k);
        }
        k = SPREAD(round[MASK_AES_ROUND_KEYS - 1]);
#pragma GCC unroll 8
        for (size_t j = 0; j < STEP; j++, sum += 4 * BLOCKS) {
            WORDS y;
            memcpy(&y, sum, sizeof y);
            /* -x is ~x + 1 */
            y += ((WORDS)LAST_ROUND(x[j], k) ^ sign) - sign;
            memcpy(sum, &y, sizeof y);
        }
        counter += STEP * BLOCKS;
    }
    secret_wipe(round, sizeof round);
}

#undef PASTE_
#undef PASTE
#undef WORDS
#undef LONGS
#undef STEP
#undef KERNEL
#undef TARGET
#undef BLOCKS
#undef VECTOR
#undef SPREAD
#undef ROUND
#undef LAST_ROUND
