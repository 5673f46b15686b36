/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes from the system, or replayed from a seed in tests: the only source of chance.
 * A generator is an argument everywhere; no function draws from a global source. */
#ifndef CRYPTO_RNG_H
#define CRYPTO_RNG_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define RNG_SEED_BYTES 32
#define RNG_BLOCK_BYTES 1024

/* ChaCha20 with fast key erasure: each block's first 32 bytes replace the key, so that a later
 * leak of the state does not give earlier output. Not thread-safe: one per thread. */
struct rng {
    uint8_t key[RNG_SEED_BYTES];
    uint8_t block[RNG_BLOCK_BYTES];
    size_t used; /* bytes of block already given out or erased */
    int ready;   /* a zeroed generator is not ready; drawing from it is a bug */
};

/* Key the generator from the operating system. Aborts when the system has no randomness. */
void rng_system(struct rng *rng);

/* Replay a generator from a seed: tests, public choices (partitions, initial weights), and noise
 * that is to be drawn a second time where it is taken away (protocol/removal.h). */
void rng_seeded(struct rng *rng, const uint8_t seed[static RNG_SEED_BYTES]);
/* The same from a small number, for `--seed N`. */
void rng_numbered(struct rng *rng, uint64_t number);
/* One of a number's many generators, counted from 0, which have nothing in common. */
void rng_stream(struct rng *rng, uint64_t number, unsigned which);

void rng_bytes(struct rng *rng, void *out, size_t n);
uint64_t rng_u64(struct rng *rng);
/* Uniform in [0, n), exact by rejection; n > 0. */
uint64_t rng_below(struct rng *rng, uint64_t n);
/* Uniform in [0, 1) with 53 bits: for public choices and training, never for privacy noise. */
double rng_unit(struct rng *rng);
/* Standard normal (Box-Muller): for initial weights and partitions, never for privacy noise. */
double rng_normal(struct rng *rng);

void rng_wipe(struct rng *rng);

#endif
