/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/kdf.h"

#include <sodium.h>
#include <string.h>

#include "tests/lib/check.h"

static const uint8_t key[KDF_KEY_BYTES] = {1, 2, 3};

static struct view text(const char *s)
{
    return (struct view){.at = (const uint8_t *)s, .n = strlen(s)};
}

static bool same(const char *label_a, const char *context_a, const char *label_b,
                 const char *context_b)
{
    uint8_t a[KDF_KEY_BYTES], b[KDF_KEY_BYTES];
    kdf_derive(a, key, label_a, text(context_a));
    kdf_derive(b, key, label_b, text(context_b));
    return memcmp(a, b, sizeof a) == 0;
}

static void a_subkey_is_keyed_blake2b_of_the_framed_context(void)
{
    static const char framed[] = "SA1\x03padplan";
    uint8_t want[KDF_KEY_BYTES], got[KDF_KEY_BYTES];
    CHECK_NUMBER(0, crypto_generichash(want, sizeof want, (const uint8_t *)framed,
                                       sizeof framed - 1, key, sizeof key));
    kdf_derive(got, key, "pad", text("plan"));
    CHECK_BYTES(want, got, sizeof want);
}

static void label_and_context_separate_subkeys(void)
{
    CHECK(same("a", "x", "a", "x"));
    CHECK(!same("a", "x", "b", "x"));
    CHECK(!same("a", "x", "a", "y"));
    CHECK(!same("ab", "c", "a", "bc"));
    CHECK(!same("", "a", "a", ""));
}

static void every_byte_of_the_key_counts(void)
{
    uint8_t first[KDF_KEY_BYTES], other[KDF_KEY_BYTES];
    kdf_derive(first, key, "x", (struct view){0});
    for (size_t i = 0; i < KDF_KEY_BYTES; i++) {
        uint8_t changed[KDF_KEY_BYTES];
        memcpy(changed, key, sizeof key);
        changed[i] ^= 0x80;
        kdf_derive(other, changed, "x", (struct view){0});
        CHECK(memcmp(first, other, sizeof first) != 0);
    }
}

static void a_key_may_be_replaced_in_place(void)
{
    uint8_t want[KDF_KEY_BYTES], in_place[KDF_KEY_BYTES];
    memcpy(in_place, key, sizeof key);
    kdf_derive(want, key, "x", text("y"));
    kdf_derive(in_place, in_place, "x", text("y"));
    CHECK_BYTES(want, in_place, sizeof want);
}

static void the_longest_label_is_accepted(void)
{
    CHECK(!same("0123456789abcdef", "", "0123456789abcde", ""));
}

int main(void)
{
    RUN(a_subkey_is_keyed_blake2b_of_the_framed_context);
    RUN(label_and_context_separate_subkeys);
    RUN(every_byte_of_the_key_counts);
    RUN(a_key_may_be_replaced_in_place);
    RUN(the_longest_label_is_accepted);
    return check_done();
}
