/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hash.h"

#include "tests/ctime/ctime.h"

static struct hash secret_hash(uint8_t first)
{
    uint8_t text[300] = {first};
    SECRET(text, sizeof text);
    return hash_of("test", (struct view){text, sizeof text});
}

static void what_is_hashed_leaves_no_trace(void)
{
    struct hash hash = secret_hash(1);
    reveal(&hash, sizeof hash);
}

static void what_is_hashed_in_parts_leaves_no_trace(void)
{
    uint64_t number = 7;
    SECRET(&number, sizeof number);
    struct hash part = secret_hash(1);
    struct hash_state state;
    hash_start(&state, "test");
    hash_add(&state, &part, sizeof part);
    hash_add_u64(&state, number);
    struct hash hash = hash_end(&state);
    reveal(&hash, sizeof hash);
}

static void a_comparison_tells_its_answer_only(void)
{
    const struct hash a = secret_hash(1), b = secret_hash(2);
    CHECK(hash_equal(&a, &a));
    CHECK(!hash_equal(&a, &b));
    CHECK(!hash_is_zero(&a));
}

static void hex_digits_leave_no_trace(void)
{
    const struct hash hash = secret_hash(1);
    char text[2 * HASH_BYTES + 1];
    hash_hex(text, &hash, HASH_BYTES);
    reveal(text, sizeof text);
    CHECK_NUMBER(2 * HASH_BYTES, strlen(text));
}

int main(void)
{
    RUN(marks_are_seen);
    RUN(what_is_hashed_leaves_no_trace);
    RUN(what_is_hashed_in_parts_leaves_no_trace);
    RUN(a_comparison_tells_its_answer_only);
    RUN(hex_digits_leave_no_trace);
    return check_done();
}
