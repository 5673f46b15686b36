/* SPDX-License-Identifier: Apache-2.0 */
/* What one operation of each primitive costs, in microseconds of processor time; the best of
 * several turns. bench_crypto prints
 *
 *   crypto,operation,microseconds */
#include <stdio.h>

#include "benchmarks/bench.h"
#include "crypto/hash.h"
#include "crypto/kx.h"
#include "crypto/merkle.h"
#include "crypto/seal.h"
#include "crypto/share.h"
#include "crypto/sign.h"

enum { SITES = 1000, THRESHOLD = 526, TURNS = 5, LONG_BYTES = 1 << 20 };

struct bench {
    struct rng rng;
    struct kx_pair pair, peer;
    uint8_t seed[SIGN_SEED_BYTES], public_key[SIGN_PUBLIC_BYTES], signature[SIGN_BYTES];
    uint8_t shares[SITES * SHARE_BYTES];
    uint32_t holder[THRESHOLD];
    struct share_weights weights;
    struct hash leaf[SITES];
    struct buffer sealed;
    uint8_t text[LONG_BYTES];
};

static struct view message(const struct bench *b, size_t n)
{
    return (struct view){.at = b->text, .n = n};
}

static void do_kx_pair(struct bench *b)
{
    kx_pair_of(&b->pair, b->seed, "mask");
}

static void do_kx_acceptable(struct bench *b)
{
    REQUIRE(kx_acceptable(b->peer.public_key));
}

static void do_kx_agree(struct bench *b)
{
    uint8_t shared[KX_SHARED_BYTES];
    bench_must(kx_agree(shared, &b->pair, b->peer.public_key));
}

static void do_sign(struct bench *b)
{
    sign_make(b->signature, b->seed, "bench", message(b, 200));
}

static void do_verify(struct bench *b)
{
    REQUIRE(sign_check(b->signature, b->public_key, "bench", message(b, 200)));
}

static void do_split(struct bench *b)
{
    bench_must(
        share_split(b->shares, (uint8_t[SHARE_BYTES]){1}, SITES, THRESHOLD, &SHARE_FIELD, &b->rng));
}

static void do_weights(struct bench *b)
{
    share_weights_free(&b->weights);
    bench_must(share_weights_new(&b->weights, b->holder, THRESHOLD, &SHARE_FIELD));
}

static void do_join(struct bench *b)
{
    uint8_t secret[SHARE_BYTES];
    REQUIRE(share_join(secret, b->shares, &b->weights, &SHARE_FIELD) == STATUS_OK &&
            secret[0] == 1);
}

static void do_seal(struct bench *b)
{
    b->sealed.n = 0;
    bench_must(seal_write(&b->sealed, message(b, 96), message(b, 168), b->seed, &b->rng));
}

static void do_unseal(struct bench *b)
{
    AUTO(buffer_wipe) struct buffer plain = {0};
    bench_must(seal_read(&plain, buffer_view(&b->sealed), message(b, 168), b->seed));
}

static void do_merkle(struct bench *b)
{
    struct hash root;
    bench_must(merkle_root(&root, b->leaf, SITES));
}

static void do_hash(struct bench *b)
{
    b->leaf[0] = hash_of("bench", message(b, HASH_BYTES));
}

static void do_hash_mebibyte(struct bench *b)
{
    b->leaf[0] = hash_of("bench", message(b, LONG_BYTES));
}

static void do_hash_long(struct bench *b)
{
    b->leaf[0] = hash_long("bench", message(b, LONG_BYTES));
}

/* Later ones use what earlier ones made. */
static const struct {
    const char *name;
    size_t times;
    void (*run)(struct bench *b);
} operation[] = {
    {"make a key pair (X25519)", 50, do_kx_pair},
    {"accept a peer's key", 50, do_kx_acceptable},
    {"agree with a peer", 50, do_kx_agree},
    {"sign (Ed25519)", 50, do_sign},
    {"verify", 50, do_verify},
    {"split among 1000; 526 join", 2, do_split},
    {"weigh 526 holders", 2, do_weights},
    {"join 526 shares", 10, do_join},
    {"seal 96 bytes", 200, do_seal},
    {"open the seal", 200, do_unseal},
    {"Merkle tree of 1000 leaves", 5, do_merkle},
    {"hash 32 bytes", 1000, do_hash},
    {"hash 1 MiB", 2, do_hash_mebibyte},
    {"hash 1 MiB in four lanes", 2, do_hash_long},
};

static void measure(struct bench *b, size_t which)
{
    double best = 0;
    for (size_t turn = 0; turn < TURNS; turn++) {
        const double before = bench_seconds();
        for (size_t i = 0; i < operation[which].times; i++) operation[which].run(b);
        const double each = 1e6 * (bench_seconds() - before) / (double)operation[which].times;
        if (turn == 0 || each < best) best = each;
    }
    printf("crypto,%s,%.2f\n", operation[which].name, best);
    fflush(stdout);
}

int main(void)
{
    static struct bench b;
    rng_numbered(&b.rng, 1);
    rng_bytes(&b.rng, b.seed, sizeof b.seed);
    rng_bytes(&b.rng, b.text, sizeof b.text);
    sign_public(b.public_key, b.seed);
    kx_pair_of(&b.peer, b.seed, "enc");
    for (uint32_t i = 0; i < THRESHOLD; i++) b.holder[i] = i;
    printf("what,operation,microseconds\n");
    for (size_t i = 0; i < sizeof operation / sizeof *operation; i++) measure(&b, i);
    share_weights_free(&b.weights);
    buffer_wipe(&b.sealed);
    return 0;
}
