/* SPDX-License-Identifier: Apache-2.0 */
/* One kernel of ChaCha20, included for each width: LANES blocks side by side, word w of all of them
 * in x[w]. KERNEL names the function, TARGET the instructions it may use. Vectors are passed by
 * address, because how they are passed by value depends on TARGET. */
#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define OWN(name) PASTE(KERNEL, name)
#define HELPER static inline __attribute__((always_inline, target(TARGET)))

typedef uint32_t OWN(words) __attribute__((vector_size(4 * LANES)));
typedef uint8_t OWN(bytes) __attribute__((vector_size(4 * LANES)));
#define WORDS OWN(words)
#define BYTES OWN(bytes)

/* Index lists of shuffles: M(i) for the first word i of each 16 bytes of a vector. */
#if LANES == 8
#define EACH(M) M(0), M(4)
#else
#define EACH(M) M(0), M(4), M(8), M(12)
#endif
#define LOW_WORDS(i) (i), (i) + LANES, (i) + 1, (i) + LANES + 1
#define HIGH_WORDS(i) (i) + 2, (i) + LANES + 2, (i) + 3, (i) + LANES + 3
#define LOW_PAIRS(i) (i), (i) + 1, (i) + LANES, (i) + LANES + 1
#define HIGH_PAIRS(i) (i) + 2, (i) + 3, (i) + LANES + 2, (i) + LANES + 3
/* The bytes of word i, turned by 8 or 16 bits to the left. */
#define TURN_8(i) 4 * (i) + 3, 4 * (i), 4 * (i) + 1, 4 * (i) + 2
#define TURN_16(i) 4 * (i) + 2, 4 * (i) + 3, 4 * (i), 4 * (i) + 1
#define FOUR_8(i) TURN_8(i), TURN_8((i) + 1), TURN_8((i) + 2), TURN_8((i) + 3)
#define FOUR_16(i) TURN_16(i), TURN_16((i) + 1), TURN_16((i) + 2), TURN_16((i) + 3)

#define TURN_BYTES(x, M) ((WORDS)__builtin_shufflevector((BYTES)(x), (BYTES)(x), EACH(M)))
#define TURN_BITS(x, n) ((x) << (n) | (x) >> (32 - (n)))

HELPER void OWN(quarter)(WORDS *a, WORDS *b, WORDS *c, WORDS *d)
{
    *a += *b, *d ^= *a, *d = TURN_BYTES(*d, FOUR_16);
    *c += *d, *b ^= *c, *b = TURN_BITS(*b, 12);
    *a += *b, *d ^= *a, *d = TURN_BYTES(*d, FOUR_8);
    *c += *d, *b ^= *c, *b = TURN_BITS(*b, 7);
}

HELPER void OWN(rounds)(WORDS x[static 16])
{
    for (size_t i = 0; i < 10; i++) {
        OWN(quarter)(&x[0], &x[4], &x[8], &x[12]);
        OWN(quarter)(&x[1], &x[5], &x[9], &x[13]);
        OWN(quarter)(&x[2], &x[6], &x[10], &x[14]);
        OWN(quarter)(&x[3], &x[7], &x[11], &x[15]);
        OWN(quarter)(&x[0], &x[5], &x[10], &x[15]);
        OWN(quarter)(&x[1], &x[6], &x[11], &x[12]);
        OWN(quarter)(&x[2], &x[7], &x[8], &x[13]);
        OWN(quarter)(&x[3], &x[4], &x[9], &x[14]);
    }
}

/* Words w to w + 3 of block 4 q + r into the 16 bytes q of x[w + r]. */
HELPER void OWN(transpose)(WORDS x[static 4])
{
    const WORDS a = __builtin_shufflevector(x[0], x[1], EACH(LOW_WORDS));
    const WORDS b = __builtin_shufflevector(x[2], x[3], EACH(LOW_WORDS));
    const WORDS c = __builtin_shufflevector(x[0], x[1], EACH(HIGH_WORDS));
    const WORDS d = __builtin_shufflevector(x[2], x[3], EACH(HIGH_WORDS));
    x[0] = __builtin_shufflevector(a, b, EACH(LOW_PAIRS));
    x[1] = __builtin_shufflevector(a, b, EACH(HIGH_PAIRS));
    x[2] = __builtin_shufflevector(c, d, EACH(LOW_PAIRS));
    x[3] = __builtin_shufflevector(c, d, EACH(HIGH_PAIRS));
}

/* minus is 0 or all ones: -x is ~x + 1. */
HELPER void OWN(add)(uint32_t *sum, const WORDS *x, uint32_t minus)
{
    WORDS y;
    memcpy(&y, sum, sizeof y);
    y += (*x ^ minus) - minus;
    memcpy(sum, &y, sizeof y);
}

/* Block r and those 4, 8 and 12 after it: their four parts are 16 bytes each of a, b, c and d. */
HELPER void OWN(add_blocks)(uint32_t *sum, const WORDS *a, const WORDS *b, const WORDS *c,
                            const WORDS *d, uint32_t minus)
{
#if LANES == 8
    const WORDS part[4] = {
        __builtin_shufflevector(*a, *b, 0, 1, 2, 3, 8, 9, 10, 11),
        __builtin_shufflevector(*c, *d, 0, 1, 2, 3, 8, 9, 10, 11),
        __builtin_shufflevector(*a, *b, 4, 5, 6, 7, 12, 13, 14, 15),
        __builtin_shufflevector(*c, *d, 4, 5, 6, 7, 12, 13, 14, 15),
    };
    OWN(add)(sum, &part[0], minus);
    OWN(add)(sum + 8, &part[1], minus);
    OWN(add)(sum + 64, &part[2], minus);
    OWN(add)(sum + 72, &part[3], minus);
#else
#define EVEN 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define ODD 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define LOW_HALVES 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define HIGH_HALVES 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31
    const WORDS e = __builtin_shufflevector(*a, *b, EVEN);
    const WORDS f = __builtin_shufflevector(*c, *d, EVEN);
    const WORDS g = __builtin_shufflevector(*a, *b, ODD);
    const WORDS h = __builtin_shufflevector(*c, *d, ODD);
    const WORDS part[4] = {
        __builtin_shufflevector(e, f, LOW_HALVES),
        __builtin_shufflevector(g, h, LOW_HALVES),
        __builtin_shufflevector(e, f, HIGH_HALVES),
        __builtin_shufflevector(g, h, HIGH_HALVES),
    };
    for (size_t q = 0; q < 4; q++) OWN(add)(sum + 64 * q, &part[q], minus);
#undef EVEN
#undef ODD
#undef LOW_HALVES
#undef HIGH_HALVES
#endif
}

__attribute__((target(TARGET))) void KERNEL(uint32_t *sum, size_t chunks,
                                            const uint8_t key[static MASK_KEY_BYTES],
                                            uint64_t chunk, bool minus)
{
    uint32_t start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    memcpy(start + 4, key, MASK_KEY_BYTES);
    const uint32_t sign = minus ? UINT32_MAX : 0;
    /* Lane numbers; the counter's low word is a multiple of LANES, so adding them never carries. */
    WORDS lane;
    for (uint32_t i = 0; i < LANES; i++) lane[i] = i;

    uint64_t counter = chunk * (MASK_CHUNK_WORDS / 16);
    for (size_t i = chunks * (MASK_CHUNK_WORDS / 16 / LANES); i > 0; i--, counter += LANES) {
        WORDS x[16];
        start[12] = (uint32_t)counter;
        start[13] = (uint32_t)(counter >> 32);
        for (size_t w = 0; w < 16; w++) x[w] = start[w] - (WORDS){0};
        x[12] += lane;
        const WORDS first = x[12];
        OWN(rounds)(x);
        for (size_t w = 0; w < 16; w++) x[w] += w == 12 ? first : start[w] - (WORDS){0};
        for (size_t w = 0; w < 16; w += 4) OWN(transpose)(x + w);
        for (size_t r = 0; r < 4; r++)
            OWN(add_blocks)(sum + 16 * r, &x[r], &x[4 + r], &x[8 + r], &x[12 + r], sign);
        sum += 16 * LANES;
    }
    secret_wipe(start, sizeof start);
}

#undef PASTE_
#undef PASTE
#undef OWN
#undef HELPER
#undef WORDS
#undef BYTES
#undef EACH
#undef LOW_WORDS
#undef HIGH_WORDS
#undef LOW_PAIRS
#undef HIGH_PAIRS
#undef TURN_8
#undef TURN_16
#undef FOUR_8
#undef FOUR_16
#undef TURN_BYTES
#undef TURN_BITS
#undef KERNEL
#undef LANES
#undef TARGET
