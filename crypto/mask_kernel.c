/* SPDX-License-Identifier: Apache-2.0 */
/* Which kernels there are and what they need, and the one that runs anywhere. */
#include "crypto/mask_kernel.h"

#include <endian.h>
#include <sodium.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "base/secret.h"
#include "crypto/setup.h"

void mask_chacha_portable(uint32_t *sum, size_t chunks, const uint8_t key[static MASK_KEY_BYTES],
                          uint64_t chunk, bool minus)
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES] = {0};
    const uint32_t factor = minus ? UINT32_MAX : 1;
    setup_sodium();
    for (size_t c = 0; c < chunks; c++, sum += MASK_CHUNK_WORDS) {
        uint32_t stream[MASK_CHUNK_WORDS] = {0};
        uint8_t *bytes = (uint8_t *)stream;
        const uint64_t block = (chunk + c) * (MASK_CHUNK_WORDS / 16);
        REQUIRE(crypto_stream_chacha20_xor_ic(bytes, bytes, sizeof stream, nonce, block, key) == 0);
        for (size_t j = 0; j < MASK_CHUNK_WORDS; j++) sum[j] += factor * le32toh(stream[j]);
        secret_wipe(stream, sizeof stream);
    }
}

static bool anywhere(void)
{
    return true;
}

#if defined(__x86_64__)

/* The compiler's own check knows about the operating system's part, but not of AES in all
 * compilers. */
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}

static bool has_aes(void)
{
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_AES) != 0;
}

static bool has_vaes(void)
{
    unsigned a = 0, b = 0, c = 0, d = 0;
    return has_aes() && has_avx2() && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 &&
           (c & bit_VAES) != 0;
}

static bool has_vaes_avx512(void)
{
    return has_vaes() && has_avx512();
}

#endif

// clang-format off
const struct mask_kernel mask_kernel[] = {
#if defined(__x86_64__)
    {"avx512",      MASK_CHACHA20,   has_avx512,      mask_chacha_avx512},
    {"avx2",        MASK_CHACHA20,   has_avx2,        mask_chacha_avx2},
    {"vaes-avx512", MASK_AES256_CTR, has_vaes_avx512, mask_aes_avx512},
    {"vaes",        MASK_AES256_CTR, has_vaes,        mask_aes_vaes},
    {"aes-ni",      MASK_AES256_CTR, has_aes,         mask_aes_ni},
#endif
    {"portable",    MASK_CHACHA20,   anywhere,        mask_chacha_portable},
};
// clang-format on
const size_t mask_kernels = sizeof mask_kernel / sizeof *mask_kernel;

const struct mask_kernel *mask_kernel_of(enum mask_cipher cipher)
{
    for (size_t i = 0; i < mask_kernels; i++)
        if (mask_kernel[i].cipher == cipher && mask_kernel[i].available()) return &mask_kernel[i];
    return NULL;
}
