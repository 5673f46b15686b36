/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/rng.h"

#include <math.h>
#include <sodium.h>
#include <string.h>

#include "tests/lib/check.h"

/* RFC 8439, appendix A.1, test vector 1, from byte 32 on: what a zero seed gives first. */
static const uint8_t after_the_key[32] = {
    0xda, 0x41, 0x59, 0x7c, 0x51, 0x57, 0x48, 0x8d, 0x77, 0x24, 0xe0, 0x3f, 0xb8, 0xd8, 0x4a, 0x37,
    0x6a, 0x43, 0xb8, 0xf4, 0x15, 0x18, 0xa1, 0x1c, 0xc3, 0x87, 0xb6, 0x69, 0xb2, 0xee, 0x65, 0x86,
};

static struct rng numbered(uint64_t number)
{
    struct rng rng;
    rng_numbered(&rng, number);
    return rng;
}

/* A generator whose next draws are the given words. */
static struct rng forged(const uint64_t *word, size_t n)
{
    struct rng rng = numbered(0);
    rng.used = 0;
    for (size_t i = 0; i < 8 * n; i++) rng.block[i] = (uint8_t)(word[i / 8] >> (8 * (i % 8)));
    return rng;
}

static void a_zero_seed_gives_the_keystream_of_rfc_8439(void)
{
    struct rng rng;
    rng_seeded(&rng, (uint8_t[RNG_SEED_BYTES]){0});
    uint8_t got[32];
    rng_bytes(&rng, got, sizeof got);
    CHECK_BYTES(after_the_key, got, sizeof got);
}

/* The whole rule, computed beside it: 992 bytes of each block, 32 for the next key. */
static void the_first_bytes_of_each_block_are_the_next_key(void)
{
    uint8_t key[32] = {9}, block[RNG_BLOCK_BYTES], got[RNG_BLOCK_BYTES - 32];
    struct rng rng;
    rng_seeded(&rng, key);
    for (size_t k = 0; k < 3; k++) {
        CHECK_NUMBER(0, crypto_stream_chacha20(block, sizeof block, (uint8_t[8]){0}, key));
        rng_bytes(&rng, got, sizeof got);
        CHECK_BYTES(block + 32, got, sizeof got);
        memcpy(key, block, sizeof key);
    }
}

static void a_seed_replays(void)
{
    struct rng a = numbered(7), b = numbered(7), c = numbered(8);
    const uint64_t first = rng_u64(&a);
    CHECK(first == rng_u64(&b));
    CHECK(first != rng_u64(&c));
}

static void a_number_is_the_seed_of_its_bytes(void)
{
    struct rng a = numbered(0x0807060504030201), b;
    rng_seeded(&b, (uint8_t[RNG_SEED_BYTES]){1, 2, 3, 4, 5, 6, 7, 8});
    CHECK(rng_u64(&a) == rng_u64(&b));
}

/* By the n-th key that the number's own generator draws. */
static void the_streams_of_a_number_have_keys_of_their_own(void)
{
    struct rng master = numbered(7);
    for (unsigned i = 0; i < 3; i++) {
        uint8_t key[RNG_SEED_BYTES];
        struct rng want, got;
        rng_bytes(&master, key, sizeof key);
        rng_seeded(&want, key);
        rng_stream(&got, 7, i);
        CHECK(rng_u64(&want) == rng_u64(&got));
    }
}

static void the_size_of_draws_does_not_matter_within_a_block(void)
{
    struct rng a = numbered(1), b = numbered(1);
    uint8_t whole[2000 - 1024], parts[sizeof whole];
    rng_bytes(&a, whole, sizeof whole);
    for (size_t i = 0; i < sizeof parts; i += 61)
        rng_bytes(&b, parts + i, sizeof parts - i < 61 ? sizeof parts - i : 61);
    CHECK_BYTES(whole, parts, sizeof whole);
}

static void what_was_given_out_is_erased(void)
{
    struct rng rng = numbered(1);
    uint8_t out[100];
    rng_bytes(&rng, out, sizeof out);
    const uint64_t word = rng_u64(&rng);
    CHECK(word != 0);
    CHECK_NUMBER(32 + sizeof out + sizeof word, rng.used);
    CHECK(sodium_is_zero(rng.block, rng.used) == 1);
    CHECK(sodium_is_zero(rng.block + rng.used, 32) == 0);
}

static void a_draw_changes_the_key(void)
{
    struct rng rng;
    const uint8_t seed[RNG_SEED_BYTES] = {1};
    rng_seeded(&rng, seed);
    CHECK(rng_u64(&rng) != 0);
    CHECK(memcmp(rng.key, seed, sizeof seed) != 0);
}

static void large_draws_replay_and_differ(void)
{
    static uint8_t a[5000], b[5000], next[5000];
    struct rng one = numbered(3), two = numbered(3);
    rng_bytes(&one, a, sizeof a);
    rng_bytes(&two, b, sizeof b);
    CHECK_BYTES(a, b, sizeof a);
    rng_bytes(&one, next, sizeof next);
    CHECK(memcmp(a, next, sizeof a) != 0);
    CHECK(memcmp(a, a + 1024, 1024) != 0);
    CHECK(rng_u64(&one) != rng_u64(&two));
}

static void drawing_nothing_changes_nothing(void)
{
    struct rng a = numbered(1), b = numbered(1);
    rng_bytes(&a, NULL, 0);
    CHECK(rng_u64(&a) == rng_u64(&b));
}

static void system_generators_differ(void)
{
    struct rng a, b;
    rng_system(&a);
    rng_system(&b);
    CHECK(rng_u64(&a) != rng_u64(&b));
}

static void words_are_little_endian(void)
{
    struct rng rng = forged((uint64_t[]){0x0102030405060708}, 1);
    CHECK(rng_u64(&rng) == 0x0102030405060708);
}

/* 2^64 = 1 mod 3 and 16 mod 2^64 - 16: one value, and sixteen, are left over. */
static void left_over_values_are_rejected(void)
{
    struct rng rng = forged((uint64_t[]){0, 1, 2, 3}, 4);
    CHECK_NUMBER(1, rng_below(&rng, 3));
    CHECK_NUMBER(2, rng_below(&rng, 3));
    CHECK_NUMBER(0, rng_below(&rng, 3));
    rng = forged((uint64_t[]){0, 15, 16, UINT64_MAX}, 4);
    CHECK_NUMBER(16, rng_below(&rng, UINT64_MAX - 15));
    CHECK_NUMBER(15, rng_below(&rng, UINT64_MAX - 15));
}

static void a_power_of_two_rejects_nothing(void)
{
    struct rng rng = forged((uint64_t[]){0, UINT64_MAX, 5}, 3);
    CHECK_NUMBER(0, rng_below(&rng, 8));
    CHECK_NUMBER(7, rng_below(&rng, 8));
    CHECK_NUMBER(0, rng_below(&rng, 1));
}

static void the_unit_interval_is_half_open(void)
{
    struct rng rng = forged((uint64_t[]){0, UINT64_MAX, UINT64_C(1) << 63, 2047}, 4);
    CHECK(rng_unit(&rng) == 0.0);
    CHECK(rng_unit(&rng) == 1.0 - 0x1p-53);
    CHECK(rng_unit(&rng) == 0.5);
    CHECK(rng_unit(&rng) == 0.0);
}

static void a_normal_draw_is_box_muller(void)
{
    const uint64_t half = UINT64_C(1) << 63, most = UINT64_MAX;
    struct rng rng = forged((uint64_t[]){0, half, half, 0, half, half, most, 0}, 8);
    CHECK_CLOSE(0.0, rng_normal(&rng), 1e-15);
    CHECK_CLOSE(sqrt(2.0 * log(2.0)), rng_normal(&rng), 1e-15);
    CHECK_CLOSE(-sqrt(2.0 * log(2.0)), rng_normal(&rng), 1e-15);
    CHECK_CLOSE(sqrt(2.0 * 53.0 * log(2.0)), rng_normal(&rng), 1e-12);
}

/* Null hypothesis: standard normal. Bounds are five standard errors: false alarm below 2e-6, and
 * the seed is fixed. */
static void normal_moments_are_right(void)
{
    struct rng rng = numbered(5);
    const double n = 20000;
    double sum = 0, squares = 0;
    for (int i = 0; i < (int)n; i++) {
        const double x = rng_normal(&rng);
        sum += x;
        squares += x * x;
    }
    CHECK_CLOSE(0.0, sum / n, 5 / sqrt(n));
    CHECK_CLOSE(1.0, squares / n, 5 * sqrt(2 / n));
}

static void wiping_leaves_a_generator_that_is_not_ready(void)
{
    struct rng rng = numbered(1);
    rng_wipe(&rng);
    CHECK(sodium_is_zero((const uint8_t *)&rng, sizeof rng) == 1);
}

int main(void)
{
    RUN(a_zero_seed_gives_the_keystream_of_rfc_8439);
    RUN(the_first_bytes_of_each_block_are_the_next_key);
    RUN(a_seed_replays);
    RUN(a_number_is_the_seed_of_its_bytes);
    RUN(the_streams_of_a_number_have_keys_of_their_own);
    RUN(the_size_of_draws_does_not_matter_within_a_block);
    RUN(what_was_given_out_is_erased);
    RUN(a_draw_changes_the_key);
    RUN(large_draws_replay_and_differ);
    RUN(drawing_nothing_changes_nothing);
    RUN(system_generators_differ);
    RUN(words_are_little_endian);
    RUN(left_over_values_are_rejected);
    RUN(a_power_of_two_rejects_nothing);
    RUN(the_unit_interval_is_half_open);
    RUN(a_normal_draw_is_box_muller);
    RUN(normal_moments_are_right);
    RUN(wiping_leaves_a_generator_that_is_not_ready);
    return check_done();
}
