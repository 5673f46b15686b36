/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <stdint.h>
#include <string.h>

#include "tests/lib/check.h"

static void wiping_zeroes_what_was_named_and_no_more(void)
{
    uint8_t bytes[6] = {1, 2, 3, 4, 5, 6};
    secret_wipe(bytes + 1, 4);
    CHECK_BYTES(((uint8_t[6]){1, 0, 0, 0, 0, 6}), bytes, sizeof bytes);
}

static void wiping_nothing_is_fine(void)
{
    uint8_t byte = 9;
    secret_wipe(NULL, 0);
    secret_wipe(&byte, 0);
    CHECK_NUMBER(9, byte);
}

static void equality_sees_every_single_bit(void)
{
    uint8_t a[33] = {0}, b[33] = {0};
    CHECK(secret_equal(a, b, sizeof a));
    for (size_t i = 0; i < 8 * sizeof a; i++) {
        b[i / 8] = (uint8_t)(1u << i % 8);
        CHECK(!secret_equal(a, b, sizeof a));
        CHECK(!secret_equal(b, a, sizeof a));
        b[i / 8] = 0;
    }
}

static void two_differences_do_not_cancel(void)
{
    CHECK(!secret_equal((uint8_t[2]){7, 7}, (uint8_t[2]){0, 0}, 2));
    CHECK(!secret_equal((uint8_t[2]){0x80, 0x80}, (uint8_t[2]){0, 0}, 2));
}

static void nothing_equals_nothing(void)
{
    CHECK(secret_equal(NULL, NULL, 0));
}

static void only_n_bytes_are_compared(void)
{
    CHECK(secret_equal("abcd", "abce", 3));
}

int main(void)
{
    RUN(wiping_zeroes_what_was_named_and_no_more);
    RUN(wiping_nothing_is_fine);
    RUN(equality_sees_every_single_bit);
    RUN(two_differences_do_not_cancel);
    RUN(nothing_equals_nothing);
    RUN(only_n_bytes_are_compared);
    return check_done();
}
