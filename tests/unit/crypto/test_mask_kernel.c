/* SPDX-License-Identifier: Apache-2.0 */
/* Every kernel that this machine has, against libsodium's ChaCha20 and OpenSSL's AES. The text
 * of the kernels for AVX-512 is tried on smaller vectors too, where there is no AVX-512. */
#include "crypto/mask_kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "tests/lib/check.h"

#if defined(__x86_64__)
mask_grow lanes_16_on_avx2;
#define KERNEL lanes_16_on_avx2
#define LANES 16
#define TARGET "avx2"
#include "crypto/mask_chacha_lanes.c"

/* Four blocks in a vector, each done by an instruction of its own. */
typedef union {
    long long all __attribute__((vector_size(64)));
    __m128i block[4];
} four_blocks;

#define FOUR_BLOCKS(a, b, c, d)                                                                    \
    __extension__({                                                                                \
        const four_blocks four = {.block = {(a), (b), (c), (d)}};                                  \
        four.all;                                                                                  \
    })
#define EACH_BLOCK(round, x, k)                                                                    \
    __extension__({                                                                                \
        four_blocks each = {.all = (x)};                                                           \
        const four_blocks keys = {.all = (k)};                                                     \
        for (size_t b = 0; b < 4; b++) each.block[b] = round(each.block[b], keys.block[b]);        \
        each.all;                                                                                  \
    })

mask_grow blocks_4_on_aes_ni;
#define KERNEL blocks_4_on_aes_ni
#define TARGET "aes"
#define BLOCKS 4
#define VECTOR __typeof__(((four_blocks *)0)->all)
#define SPREAD(k) FOUR_BLOCKS(k, k, k, k)
#define ROUND(x, k) EACH_BLOCK(_mm_aesenc_si128, x, k)
#define LAST_ROUND(x, k) EACH_BLOCK(_mm_aesenclast_si128, x, k)
#include "crypto/mask_aes_blocks.c"
#endif

/* Several chunks, and no multiple of anything. */
#define N 2500
#define PADS 5

static struct mask_kernel kernel[16];
static size_t n_kernels;

static void find_kernels(void)
{
    for (size_t i = 0; i < mask_kernels; i++) {
        printf("  %s: %s\n", mask_kernel[i].name,
               mask_kernel[i].available() ? "tested" : "missing");
        if (mask_kernel[i].available()) kernel[n_kernels++] = mask_kernel[i];
    }
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        kernel[n_kernels++] =
            (struct mask_kernel){"16 lanes", MASK_CHACHA20, NULL, lanes_16_on_avx2};
    if (mask_available(MASK_AES256_CTR))
        kernel[n_kernels++] =
            (struct mask_kernel){"4 blocks", MASK_AES256_CTR, NULL, blocks_4_on_aes_ni};
#endif
}

static const struct pad pads[PADS] = {{{1}, 1}, {{2, 7}, -1}, {{3}, 1}, {{4}, 1}, {{5, 9}, -1}};

static uint32_t ring(unsigned bits)
{
    return (uint32_t)((UINT64_C(1) << bits) - 1);
}

static void fill(uint32_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = (uint32_t)(i + 1) * 0x9e3779b9;
}

static uint32_t word_of(const uint8_t *stream, size_t j)
{
    return (uint32_t)stream[4 * j] | (uint32_t)stream[4 * j + 1] << 8 |
           (uint32_t)stream[4 * j + 2] << 16 | (uint32_t)stream[4 * j + 3] << 24;
}

/* n bytes of a stream from cipher block number `block` on, by somebody else's code. */
static void stream_beside(uint8_t *out, size_t n, enum mask_cipher cipher, const uint8_t *key,
                          uint64_t block)
{
    memset(out, 0, n);
    if (cipher == MASK_CHACHA20) {
        CHECK_NUMBER(0, crypto_stream_chacha20_xor_ic(out, out, n, (uint8_t[8]){0}, block, key));
        return;
    }
    uint8_t counter[16] = {0};
    for (size_t i = 0; i < 8; i++) counter[15 - i] = (uint8_t)(block >> 8 * i);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int length = 0;
    CHECK(EVP_EncryptInit_ex(context, EVP_aes_256_ctr(), NULL, key, counter) == 1);
    CHECK(EVP_EncryptUpdate(context, out, &length, out, (int)n) == 1);
    EVP_CIPHER_CTX_free(context);
}

/* Element by element. */
static void mix_beside(uint32_t *out, const uint32_t *in, size_t n, enum mask_cipher cipher,
                       unsigned bits, uint64_t at, int direction)
{
    static uint8_t stream[4 * (N + 64)];
    const uint64_t block_words = cipher == MASK_CHACHA20 ? 16 : 4;
    const size_t skip = (size_t)(at % block_words);
    memmove(out, in, n * sizeof *out);
    for (size_t k = 0; k < PADS; k++) {
        stream_beside(stream, 4 * (skip + n), cipher, pads[k].key, at / block_words);
        for (size_t i = 0; i < n; i++) {
            const uint32_t word = word_of(stream, skip + i);
            out[i] = pads[k].sign * direction > 0 ? out[i] + word : out[i] - word;
        }
    }
    for (size_t i = 0; i < n; i++) out[i] &= ring(bits);
}

/* The words around the vector stay as they are. */
static void agrees(const struct mask_kernel *with, size_t n, unsigned bits, uint64_t at,
                   int direction)
{
    static uint32_t value[N], want[N], got[N + 2];
    const struct mask_how how = {.bits = bits};
    fill(value, n);
    mix_beside(want, value, n, with->cipher, bits, at, direction);
    got[0] = got[n + 1] = 0x5eed;
    memcpy(got + 1, value, n * sizeof *got);
    mask_mix(with, got + 1, n, pads, PADS, &how, at, direction);
    CHECK_BYTES(want, got + 1, n * sizeof *want);
    CHECK(got[0] == 0x5eed && got[n + 1] == 0x5eed);
}

/* RFC 8439, appendix A.1, test vectors 1 and 2: key and nonce zero, blocks 0 and 1. */
static const uint8_t chacha_of_zero[128] = {
    0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90, 0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28,
    0xbd, 0xd2, 0x19, 0xb8, 0xa0, 0x8d, 0xed, 0x1a, 0xa8, 0x36, 0xef, 0xcc, 0x8b, 0x77, 0x0d, 0xc7,
    0xda, 0x41, 0x59, 0x7c, 0x51, 0x57, 0x48, 0x8d, 0x77, 0x24, 0xe0, 0x3f, 0xb8, 0xd8, 0x4a, 0x37,
    0x6a, 0x43, 0xb8, 0xf4, 0x15, 0x18, 0xa1, 0x1c, 0xc3, 0x87, 0xb6, 0x69, 0xb2, 0xee, 0x65, 0x86,
    0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a, 0x98, 0xba, 0x97, 0x7c, 0x73, 0x2d, 0x08, 0x0d,
    0xcb, 0x0f, 0x29, 0xa0, 0x48, 0xe3, 0x65, 0x69, 0x12, 0xc6, 0x53, 0x3e, 0x32, 0xee, 0x7a, 0xed,
    0x29, 0xb7, 0x21, 0x76, 0x9c, 0xe6, 0x4e, 0x43, 0xd5, 0x71, 0x33, 0xb0, 0x74, 0xd8, 0x39, 0xd5,
    0x31, 0xed, 0x1f, 0x28, 0x51, 0x0a, 0xfb, 0x45, 0xac, 0xe1, 0x0a, 0x1f, 0x4b, 0x79, 0x4d, 0x6f,
};

/* McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13 and 14, whose key is
 * zero: H is block 0, the tag of nothing block 1, the text encrypted from zeros block 2. */
static const uint8_t aes_of_zero[48] = {
    0xdc, 0x95, 0xc0, 0x78, 0xa2, 0x40, 0x89, 0x89, 0xad, 0x48, 0xa2, 0x14, 0x92, 0x84, 0x20, 0x87,
    0x53, 0x0f, 0x8a, 0xfb, 0xc7, 0x45, 0x36, 0xb9, 0xa9, 0x63, 0xb4, 0xf1, 0xc4, 0xcb, 0x73, 0x8b,
    0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e, 0x07, 0x4e, 0xc5, 0xd3, 0xba, 0xf3, 0x9d, 0x18,
};

static void a_pad_is_the_published_keystream(void)
{
    static const struct pad pad = {.sign = 1};
    static const struct mask_how how = {.bits = 32};
    for (size_t i = 0; i < n_kernels; i++) {
        const bool chacha = kernel[i].cipher == MASK_CHACHA20;
        const size_t n = chacha ? sizeof chacha_of_zero / 4 : sizeof aes_of_zero / 4;
        uint32_t grown[32] = {0};
        mask_mix(&kernel[i], grown, n, &pad, 1, &how, 0, 1);
        for (size_t j = 0; j < n; j++)
            CHECK_NUMBER(word_of(chacha ? chacha_of_zero : aes_of_zero, j), grown[j]);
    }
}

static void every_kernel_agrees_with_other_code_in_any_range(void)
{
    static const uint64_t offsets[] = {0, 1, 3, 15, 16, 17, 63, 255, 256, 257, 1000};
    static const size_t sizes[] = {1, 2, 15, 255, 256, 257, 511, 512, 513, 1024, N};
    for (size_t i = 0; i < n_kernels; i++)
        for (size_t o = 0; o < sizeof offsets / sizeof *offsets; o++)
            for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
                agrees(&kernel[i], sizes[s], 20, offsets[o], 1);
                agrees(&kernel[i], sizes[s], 32, offsets[o], -1);
            }
}

static void every_kernel_agrees_with_other_code_in_any_ring(void)
{
    for (size_t i = 0; i < n_kernels; i++)
        for (unsigned bits = 1; bits <= MASK_BITS_MAX; bits++) agrees(&kernel[i], 700, bits, 7, 1);
}

/* Carries within the counter: at 8, 16, 32 and 56 bits of the block number, and the last block. */
static void every_kernel_counts_beyond_32_bits(void)
{
    static const unsigned at_bit[] = {8, 16, 32, 48, 56};
    for (size_t i = 0; i < n_kernels; i++) {
        const uint64_t words = kernel[i].cipher == MASK_CHACHA20 ? 16 : 4;
        for (size_t b = 0; b < sizeof at_bit / sizeof *at_bit; b++) {
            const uint64_t carry = (UINT64_C(1) << at_bit[b]) * words;
            agrees(&kernel[i], N, 32, carry - 1000, 1);
            agrees(&kernel[i], N, 32, carry, 1);
        }
        agrees(&kernel[i], N, 32, UINT64_MAX - N, 1);
    }
}

static void the_fastest_kernel_of_a_cipher_is_taken(void)
{
    for (int cipher = 0; cipher < MASK_CIPHERS; cipher++) {
        const struct mask_kernel *first = NULL;
        for (size_t i = mask_kernels; i-- > 0;)
            if ((int)mask_kernel[i].cipher == cipher && mask_kernel[i].available())
                first = &mask_kernel[i];
        CHECK(mask_kernel_of((enum mask_cipher)cipher) == first);
        CHECK(mask_available((enum mask_cipher)cipher) == (first != NULL));
    }
    CHECK(mask_available(MASK_CHACHA20));
    CHECK(!mask_available(MASK_CIPHERS));
}

static unsigned threads_left;

int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int __wrap_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument)
{
    if (threads_left == 0) return 11; /* EAGAIN */
    threads_left--;
    return __real_pthread_create(thread, attributes, start, argument);
}

#define LONG_N 100003

/* Started threads never count more than asked for. */
static void same_with(unsigned threads, unsigned can_be_made, const uint32_t *want,
                      enum mask_cipher cipher)
{
    static uint32_t got[LONG_N];
    const struct mask_how how = {.cipher = cipher, .bits = 29, .threads = threads};
    fill(got, LONG_N);
    threads_left = can_be_made;
    mask_mix(mask_kernel_of(cipher), got, LONG_N, pads, PADS, &how, 77, 1);
    CHECK_BYTES(want, got, sizeof got);
    const unsigned started = can_be_made - threads_left;
    CHECK(threads > 1 ? started < threads : started == 0);
    CHECK(started > 0 || threads < 2 || can_be_made == 0);
}

static void threads_do_not_change_the_sum(void)
{
    static uint32_t want[LONG_N];
    for (int i = 0; i < MASK_CIPHERS; i++) {
        const enum mask_cipher cipher = (enum mask_cipher)i;
        if (!mask_available(cipher)) continue;
        const struct mask_how alone = {.cipher = cipher, .bits = 29};
        fill(want, LONG_N);
        mask_mix(mask_kernel_of(cipher), want, LONG_N, pads, PADS, &alone, 77, 1);
        static const unsigned threads[] = {0, 1, 2, 3, 5, MASK_THREADS_MAX};
        for (size_t t = 0; t < sizeof threads / sizeof *threads; t++)
            same_with(threads[t], UINT32_MAX, want, cipher);
    }
}

static void threads_that_cannot_be_made_are_done_without(void)
{
    static uint32_t want[LONG_N];
    const struct mask_how alone = {.bits = 29};
    fill(want, LONG_N);
    mask_mix(mask_kernel_of(MASK_CHACHA20), want, LONG_N, pads, PADS, &alone, 77, 1);
    for (unsigned n = 0; n < 4; n++) same_with(5, n, want, MASK_CHACHA20);
}

int main(void)
{
    find_kernels();
    RUN(a_pad_is_the_published_keystream);
    RUN(every_kernel_agrees_with_other_code_in_any_range);
    RUN(every_kernel_agrees_with_other_code_in_any_ring);
    RUN(every_kernel_counts_beyond_32_bits);
    RUN(the_fastest_kernel_of_a_cipher_is_taken);
    RUN(threads_do_not_change_the_sum);
    RUN(threads_that_cannot_be_made_are_done_without);
    return check_done();
}
