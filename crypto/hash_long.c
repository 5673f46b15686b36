/* SPDX-License-Identifier: Apache-2.0 */
/* BLAKE2b-256 (RFC 7693) four times side by side, a 64-bit word of each in one vector; libsodium
 * hashes one string after the other. The order of lanes is that of the words in memory, so that
 * nothing has to be moved to its place. */
#include <endian.h>
#include <string.h>

#include "base/vector.h"
#include "crypto/hash.h"

#define LANES 4
#define WORDS 16 /* of a block */
#define ROUNDS 12
#define STRIPE_BYTES (LANES * WORDS * sizeof(uint64_t))

typedef uint64_t lanes __attribute__((vector_size(LANES * sizeof(uint64_t))));
typedef uint8_t lane_bytes __attribute__((vector_size(LANES * sizeof(uint64_t))));

struct state {
    lanes h[8];
    uint64_t n; /* bytes of a lane so far */
};

// clang-format off
static const uint64_t start[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

static const uint8_t order[10][WORDS] = {
    { 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15},
    {14, 10,  4,  8,  9, 15, 13,  6,  1, 12,  0,  2, 11,  7,  5,  3},
    {11,  8, 12,  0,  5,  2, 15, 13, 10, 14,  3,  6,  7,  1,  9,  4},
    { 7,  9,  3,  1, 13, 12, 11, 14,  2,  6,  5, 10,  4,  0, 15,  8},
    { 9,  0,  5,  7,  2,  4, 10, 15, 14,  1, 11, 12,  6,  8,  3, 13},
    { 2, 12,  6, 10,  0, 11,  8,  3,  4, 13,  7,  5, 15, 14,  1,  9},
    {12,  5,  1, 15, 14, 13,  4, 10,  0,  7,  6,  3,  9,  2,  8, 11},
    {13, 11,  7, 14, 12,  1,  3,  9,  5,  0, 15,  4,  8,  6,  2, 10},
    { 6, 15, 14,  9, 11,  3,  0,  8, 12,  2, 13,  7,  1,  4, 10,  5},
    {10,  2,  8,  4,  7,  6,  1,  5, 15, 11,  9, 14,  3, 12, 13,  0},
};

/* Turning every word by whole bytes is one instruction, which compilers find in this form only. */
#define TURN(x, a, b, c, d, e, f, g, h)                                                            \
    ((lanes)__builtin_shufflevector((lane_bytes)(x), (lane_bytes)(x),                              \
        a, b, c, d, e, f, g, h, 8+a, 8+b, 8+c, 8+d, 8+e, 8+f, 8+g, 8+h,                            \
        16+a, 16+b, 16+c, 16+d, 16+e, 16+f, 16+g, 16+h,                                            \
        24+a, 24+b, 24+c, 24+d, 24+e, 24+f, 24+g, 24+h))
#define TURN32(x) TURN(x, 4, 5, 6, 7, 0, 1, 2, 3)
#define TURN24(x) TURN(x, 3, 4, 5, 6, 7, 0, 1, 2)
#define TURN16(x) TURN(x, 2, 3, 4, 5, 6, 7, 0, 1)
// clang-format on

static inline __attribute__((always_inline)) void mix(lanes *a, lanes *b, lanes *c, lanes *d,
                                                      const lanes *x, const lanes *y)
{
    *a += *b + *x;
    *d = TURN32(*d ^ *a);
    *c += *d;
    *b = TURN24(*b ^ *c);
    *a += *b + *y;
    *d = TURN16(*d ^ *a);
    *c += *d;
    const lanes z = *b ^ *c;
    *b = z >> 63 | z << 1;
}

VECTOR_CLONES static void compress(struct state *s, const uint8_t *in, size_t stripes, bool last)
{
    for (; stripes > 0; stripes--, in += STRIPE_BYTES) {
        lanes m[WORDS], v[WORDS];
        memcpy(m, in, sizeof m);
        for (size_t i = 0; i < WORDS && BYTE_ORDER == BIG_ENDIAN; i++)
            for (size_t k = 0; k < LANES; k++) m[i][k] = le64toh(m[i][k]);
        s->n += WORDS * sizeof(uint64_t);
        for (size_t i = 0; i < 8; i++) {
            v[i] = s->h[i];
            v[i + 8] = start[i] - (lanes){0};
        }
        v[12] ^= s->n;
        if (last && stripes == 1) v[14] = ~v[14];
        for (size_t r = 0; r < ROUNDS; r++) {
            const uint8_t *at = order[r % 10];
            mix(&v[0], &v[4], &v[8], &v[12], &m[at[0]], &m[at[1]]);
            mix(&v[1], &v[5], &v[9], &v[13], &m[at[2]], &m[at[3]]);
            mix(&v[2], &v[6], &v[10], &v[14], &m[at[4]], &m[at[5]]);
            mix(&v[3], &v[7], &v[11], &v[15], &m[at[6]], &m[at[7]]);
            mix(&v[0], &v[5], &v[10], &v[15], &m[at[8]], &m[at[9]]);
            mix(&v[1], &v[6], &v[11], &v[12], &m[at[10]], &m[at[11]]);
            mix(&v[2], &v[7], &v[8], &v[13], &m[at[12]], &m[at[13]]);
            mix(&v[3], &v[4], &v[9], &v[14], &m[at[14]], &m[at[15]]);
        }
        for (size_t i = 0; i < 8; i++) s->h[i] ^= v[i] ^ v[i + 8];
    }
}

/* What RFC 7693 starts from, unkeyed, with 32 bytes of output. */
static void state_start(struct state *s)
{
    for (size_t i = 0; i < 8; i++) s->h[i] = start[i] - (lanes){0};
    s->h[0] ^= 0x01010000 ^ HASH_BYTES;
    s->n = 0;
}

struct hash hash_long(const char *label, struct view data)
{
    struct state s;
    state_start(&s);
    const size_t whole = data.n / STRIPE_BYTES, rest = data.n % STRIPE_BYTES;
    compress(&s, data.at, whole, rest == 0);
    if (rest > 0 || whole == 0) {
        uint8_t end[STRIPE_BYTES] = {0};
        if (rest > 0) memcpy(end, data.at + (data.n - rest), rest);
        compress(&s, end, 1, true);
    }

    struct hash_state all;
    hash_start(&all, label);
    hash_add_u64(&all, data.n);
    for (size_t k = 0; k < LANES; k++) {
        uint8_t lane[HASH_BYTES];
        for (size_t i = 0; i < HASH_BYTES; i++) lane[i] = (uint8_t)(s.h[i / 8][k] >> (8 * (i % 8)));
        hash_add(&all, lane, sizeof lane);
    }
    return hash_end(&all);
}
