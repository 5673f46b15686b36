/* SPDX-License-Identifier: Apache-2.0 */
/* ChaCha20 with fast key erasure (Bernstein 2017): one block of output at a time, its first bytes
 * becoming the next key, every byte erased as it is given out. */
#include "crypto/rng.h"

#include <endian.h>
#include <math.h>
#include <sodium.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/setup.h"

/* Each key makes one stream only, so that the nonce may stay zero. */
static void stream(void *out, size_t n, const uint8_t key[static RNG_SEED_BYTES])
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES] = {0};
    REQUIRE(crypto_stream_chacha20(out, n, nonce, key) == 0);
}

static void refill(struct rng *rng)
{
    REQUIRE(rng->ready);
    stream(rng->block, sizeof rng->block, rng->key);
    memcpy(rng->key, rng->block, sizeof rng->key);
    secret_wipe(rng->block, sizeof rng->key);
    rng->used = sizeof rng->key;
}

/* Give n bytes of the block, which has them, and erase them there. */
static void take(struct rng *rng, void *out, size_t n)
{
    memcpy(out, rng->block + rng->used, n);
    memset(rng->block + rng->used, 0, n);
    rng->used += n;
}

static void start(struct rng *rng)
{
    setup_sodium();
    rng->ready = 1;
    rng->used = sizeof rng->block;
}

void rng_system(struct rng *rng)
{
    start(rng);
    randombytes_buf(rng->key, sizeof rng->key);
}

void rng_seeded(struct rng *rng, const uint8_t seed[static RNG_SEED_BYTES])
{
    start(rng);
    memcpy(rng->key, seed, sizeof rng->key);
}

void rng_numbered(struct rng *rng, uint64_t number)
{
    uint8_t seed[RNG_SEED_BYTES] = {0};
    for (size_t i = 0; i < sizeof number; i++) seed[i] = (uint8_t)(number >> (8 * i));
    rng_seeded(rng, seed);
}

void rng_stream(struct rng *rng, uint64_t number, unsigned which)
{
    AUTO(rng_wipe) struct rng master = {0};
    uint8_t key[RNG_SEED_BYTES];
    rng_numbered(&master, number);
    for (unsigned i = 0; i <= which; i++) rng_bytes(&master, key, sizeof key);
    rng_seeded(rng, key);
    secret_wipe(key, sizeof key);
}

void rng_bytes(struct rng *rng, void *out, size_t n)
{
    uint8_t *at = out;
    if (n > sizeof rng->block) {
        uint8_t key[RNG_SEED_BYTES];
        rng_bytes(rng, key, sizeof key);
        stream(at, n, key);
        secret_wipe(key, sizeof key);
        return;
    }
    while (n > 0) {
        if (rng->used >= sizeof rng->block || !rng->ready) refill(rng);
        const size_t room = sizeof rng->block - rng->used;
        const size_t part = n < room ? n : room;
        take(rng, at, part);
        at += part;
        n -= part;
    }
}

uint64_t rng_u64(struct rng *rng)
{
    uint64_t x;
    if (sizeof rng->block - rng->used < sizeof x || !rng->ready) refill(rng);
    take(rng, &x, sizeof x);
    return le64toh(x);
}

uint64_t rng_below(struct rng *rng, uint64_t n)
{
    REQUIRE(n > 0);
    /* 2^64 mod n values are left over when whole runs of n are cut from 2^64. */
    const uint64_t left_over = (UINT64_MAX - n + 1) % n;
    uint64_t x = rng_u64(rng);
    while (x < left_over) x = rng_u64(rng);
    return x % n;
}

double rng_unit(struct rng *rng)
{
    return (double)(rng_u64(rng) >> 11) * 0x1p-53;
}

double rng_normal(struct rng *rng)
{
    const double radius = sqrt(-2.0 * log(1.0 - rng_unit(rng)));
    return radius * cos(2.0 * M_PI * rng_unit(rng));
}

void rng_wipe(struct rng *rng)
{
    secret_wipe(rng, sizeof *rng);
}
