/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>
#include <string.h>

#include "crypto/hash.h"
#include "tests/lib/check.h"

#define LANES 4
#define STRIPE 512
#define BYTES_MAX (5 * STRIPE)

static uint8_t data[BYTES_MAX];

static struct hash hash_first(size_t n)
{
    return hash_long("label", (struct view){.at = data, .n = n});
}

/* As the header says it, one lane after the other, by libsodium. */
static struct hash lane_by_lane(const char *label, size_t n)
{
    static uint8_t filled[BYTES_MAX + STRIPE], lane[sizeof filled / LANES];
    const size_t bytes = n == 0 ? STRIPE : (n + STRIPE - 1) / STRIPE * STRIPE;
    memset(filled, 0, sizeof filled);
    memcpy(filled, data, n);
    struct hash_state state;
    hash_start(&state, label);
    hash_add_u64(&state, n);
    for (size_t k = 0; k < LANES; k++) {
        for (size_t i = 0; i < bytes / LANES / 8; i++)
            memcpy(lane + 8 * i, filled + 8 * (LANES * i + k), 8);
        struct hash hash;
        CHECK_NUMBER(0, crypto_generichash(hash.bytes, HASH_BYTES, lane, bytes / LANES, NULL, 0));
        hash_add(&state, hash.bytes, HASH_BYTES);
    }
    return hash_end(&state);
}

static void every_length_gives_what_the_lanes_give_one_by_one(void)
{
    for (size_t n = 0; n <= BYTES_MAX; n++) {
        const struct hash want = lane_by_lane("label", n), got = hash_first(n);
        CHECK_BYTES(want.bytes, got.bytes, HASH_BYTES);
    }
}

static void the_label_counts(void)
{
    const struct view in = {.at = data, .n = STRIPE};
    const struct hash a = hash_long("a", in), b = hash_long("b", in);
    CHECK(!hash_equal(&a, &b));
}

static void zeros_at_the_end_count(void)
{
    memset(data, 0, sizeof data);
    for (size_t n = 0; n < 2 * STRIPE; n++) {
        const struct hash a = hash_first(n), b = hash_first(n + 1);
        CHECK(!hash_equal(&a, &b));
    }
}

static void data_may_begin_anywhere(void)
{
    const struct hash want = hash_first(STRIPE + 7);
    for (size_t at = 1; at < 8; at++) {
        uint8_t moved[STRIPE + 7 + 8];
        memcpy(moved + at, data, STRIPE + 7);
        const struct hash got = hash_long("label", (struct view){moved + at, STRIPE + 7});
        CHECK(hash_equal(&want, &got));
    }
}

int main(void)
{
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * 167 >> 3);
    RUN(every_length_gives_what_the_lanes_give_one_by_one);
    RUN(the_label_counts);
    RUN(data_may_begin_anywhere);
    RUN(zeros_at_the_end_count);
    return check_done();
}
