/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hash.h"

#include <sodium.h>
#include <string.h>

#include "tests/lib/check.h"

static struct view text(const char *s)
{
    return (struct view){.at = (const uint8_t *)s, .n = strlen(s)};
}

static struct hash plain_blake2b(const void *in, size_t n)
{
    struct hash hash;
    CHECK_NUMBER(0, crypto_generichash(hash.bytes, HASH_BYTES, in, n, NULL, 0));
    return hash;
}

static void a_hash_is_blake2b_of_the_framed_string(void)
{
    static const char framed[] = "SA1\x04plan\x05\0\0\0\0\0\0\0hello";
    const struct hash want = plain_blake2b(framed, sizeof framed - 1);
    const struct hash got = hash_of("plan", text("hello"));
    CHECK_BYTES(want.bytes, got.bytes, HASH_BYTES);
}

static void each_part_has_its_length_in_front(void)
{
    static const char framed[] = "SA1\x01x\x02\0\0\0\0\0\0\0ab\0\0\0\0\0\0\0\0"
                                 "\x08\0\0\0\0\0\0\0\x08\x07\x06\x05\x04\x03\x02\x01";
    const struct hash want = plain_blake2b(framed, sizeof framed - 1);
    struct hash_state state;
    hash_start(&state, "x");
    hash_add(&state, "ab", 2);
    hash_add(&state, NULL, 0);
    hash_add_u64(&state, 0x0102030405060708);
    const struct hash got = hash_end(&state);
    CHECK_BYTES(want.bytes, got.bytes, HASH_BYTES);
}

static void one_part_gives_the_same_as_hash_of(void)
{
    struct hash_state state;
    hash_start(&state, "label");
    hash_add(&state, "data", 4);
    const struct hash parts = hash_end(&state), whole = hash_of("label", text("data"));
    CHECK(hash_equal(&parts, &whole));
}

static void label_and_data_do_not_flow_into_each_other(void)
{
    const struct hash a = hash_of("ab", text("c")), b = hash_of("a", text("bc"));
    CHECK(!hash_equal(&a, &b));
}

static void parts_do_not_flow_into_each_other(void)
{
    struct hash_state one, two;
    hash_start(&one, "x");
    hash_add(&one, "ab", 2);
    hash_add(&one, "c", 1);
    hash_start(&two, "x");
    hash_add(&two, "a", 1);
    hash_add(&two, "bc", 2);
    const struct hash a = hash_end(&one), b = hash_end(&two);
    CHECK(!hash_equal(&a, &b));
}

static void the_longest_label_is_accepted(void)
{
    char label[UINT8_MAX + 1];
    memset(label, 'l', UINT8_MAX);
    label[UINT8_MAX] = '\0';
    const struct hash hash = hash_of(label, (struct view){0});
    CHECK(!hash_is_zero(&hash));
}

static void the_state_is_wiped_at_the_end(void)
{
    struct hash_state state;
    hash_start(&state, "x");
    const struct hash hash = hash_end(&state);
    CHECK(!hash_is_zero(&hash));
    CHECK(sodium_is_zero(state.opaque, sizeof state.opaque) == 1);
}

static void equality_sees_the_last_byte(void)
{
    struct hash a = {{1}}, b = a;
    CHECK(hash_equal(&a, &b));
    b.bytes[HASH_BYTES - 1] = 1;
    CHECK(!hash_equal(&a, &b));
}

static void zero_is_zero_in_every_byte(void)
{
    CHECK(hash_is_zero(&(struct hash){0}));
    for (size_t i = 0; i < HASH_BYTES; i++) {
        struct hash hash = {0};
        hash.bytes[i] = 0x80;
        CHECK(!hash_is_zero(&hash));
    }
}

static void hex_is_lower_case_and_as_long_as_asked(void)
{
    const struct hash hash = {{0x01, 0xab, 0xff}};
    char out[2 * HASH_BYTES + 1];
    memset(out, '?', sizeof out);
    hash_hex(out, &hash, 3);
    CHECK_BYTES("01abff\0?", out, 8);
    hash_hex(out, &hash, 0);
    CHECK(out[0] == '\0');
    hash_hex(out, &hash, HASH_BYTES);
    CHECK_NUMBER(2 * HASH_BYTES, strlen(out));
}

int main(void)
{
    RUN(a_hash_is_blake2b_of_the_framed_string);
    RUN(each_part_has_its_length_in_front);
    RUN(one_part_gives_the_same_as_hash_of);
    RUN(label_and_data_do_not_flow_into_each_other);
    RUN(parts_do_not_flow_into_each_other);
    RUN(the_longest_label_is_accepted);
    RUN(the_state_is_wiped_at_the_end);
    RUN(equality_sees_the_last_byte);
    RUN(zero_is_zero_in_every_byte);
    RUN(hex_is_lower_case_and_as_long_as_asked);
    return check_done();
}
