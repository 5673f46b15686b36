/* SPDX-License-Identifier: Apache-2.0 */
/* What an element of a pad costs with each kernel that this machine has, beside libsodium's
 * keystream and an addition. bench_mask [--quick] [COMMIT] prints
 *
 *   pad,cipher,kernel,d,pads,ns per element per pad,speed over libsodium in the same run
 *
 * One thread, and the time that it had the processor; the best of several turns, which the kernels
 * take one after the other. */
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "benchmarks/bench.h"
#include "crypto/mask_kernel.h"

#define PADS 32
#define TURNS 5
#define KERNELS_MAX 16
#define PIECE 16384 /* the keystream of the baseline stays in the cache as well */

struct bench {
    uint32_t *sum;
    size_t d, n_pads, turns;
    struct pad pad[PADS];
};

static double time_kernel(const struct bench *b, const struct mask_kernel *kernel)
{
    const struct mask_how how = {.cipher = kernel->cipher, .bits = 32};
    const double start = bench_seconds();
    mask_mix(kernel, b->sum, b->d, b->pad, b->n_pads, &how, 0, 1);
    return bench_seconds() - start;
}

static double time_libsodium(const struct bench *b)
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES] = {0};
    static uint32_t stream[PIECE];
    const double start = bench_seconds();
    for (size_t i = 0; i < b->d; i += PIECE) {
        const size_t n = b->d - i < PIECE ? b->d - i : PIECE;
        for (size_t k = 0; k < b->n_pads; k++) {
            (void)crypto_stream_chacha20((uint8_t *)stream, 4 * n, nonce, b->pad[k].key);
            for (size_t j = 0; j < n; j++) b->sum[i + j] += stream[j];
        }
    }
    return bench_seconds() - start;
}

static void lower(double *best, double x)
{
    if (*best == 0 || x < *best) *best = x;
}

static void run(const struct bench *b)
{
    static const char *const cipher[MASK_CIPHERS] = {"chacha20", "aes256-ctr"};
    double best[KERNELS_MAX] = {0}, beside = 0;
    for (size_t turn = 0; turn < b->turns; turn++) {
        lower(&beside, time_libsodium(b));
        for (size_t i = 0; i < mask_kernels; i++)
            if (mask_kernel[i].available()) lower(&best[i], time_kernel(b, &mask_kernel[i]));
    }
    const double elements = (double)b->d * (double)b->n_pads;
    for (size_t i = 0; i < mask_kernels; i++)
        if (mask_kernel[i].available())
            printf("pad,%s,%s,%zu,%zu,%.3f,%.2f\n", cipher[mask_kernel[i].cipher],
                   mask_kernel[i].name, b->d, b->n_pads, 1e9 * best[i] / elements,
                   beside / best[i]);
}

int main(int argc, char **argv)
{
    static const size_t d[] = {100000, 1000000, 16000000};
    const bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    const int next = quick ? 2 : 1;
    struct bench b = {.n_pads = quick ? 2 : PADS, .turns = quick ? 1 : TURNS};
    b.sum = calloc(d[2], sizeof *b.sum);
    if (b.sum == NULL || sodium_init() < 0 || mask_kernels > KERNELS_MAX) return 1;
    memset(b.sum, 1, d[2] * sizeof *b.sum); /* the pages come before the clock runs */
    for (size_t k = 0; k < PADS; k++)
        b.pad[k] = (struct pad){.key = {(uint8_t)k}, .sign = k % 2 == 0 ? 1 : -1};
    bench_header(argc > next ? argv[next] : "unknown");
    for (size_t i = 0; i < sizeof d / sizeof *d; i++) {
        b.d = d[i];
        run(&b);
    }
    free(b.sum);
    return 0;
}
