/* SPDX-License-Identifier: Apache-2.0 */
/* Random words in blocks: what the samplers read, in an order that their headers fix. Secret. */
#ifndef DP_NOISE_WORDS_H
#define DP_NOISE_WORDS_H

#include <endian.h>

#include "crypto/rng.h"

#define WORDS_BLOCK 2048

/* Begins as {.rng = rng}; whoever is done wipes it. */
struct words {
    struct rng *rng;
    size_t left;
    uint32_t word[WORDS_BLOCK];
};

static inline uint32_t words_next(struct words *words)
{
    if (words->left == 0) {
        rng_bytes(words->rng, words->word, sizeof words->word);
        words->left = WORDS_BLOCK;
    }
    return le32toh(words->word[WORDS_BLOCK - words->left--]);
}

/* Uniform in [0, n), n > 0, by Lemire 2019: of 2^32 words, 2^32 mod n begin no whole run. */
static inline uint32_t words_below(struct words *words, uint32_t n, uint32_t left_over)
{
    uint64_t product = (uint64_t)words_next(words) * n;
    while ((uint32_t)product < left_over) product = (uint64_t)words_next(words) * n;
    return (uint32_t)(product >> 32);
}

/* 2^32 mod n. */
static inline uint32_t words_left_over(uint32_t n)
{
    return (UINT32_MAX - n + 1) % n;
}

#endif
