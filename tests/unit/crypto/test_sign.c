/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/sign.h"

#include <sodium.h>
#include <string.h>

#include "crypto/hash.h"
#include "tests/lib/check.h"

/* RFC 8032, section 7.1, TEST 1. */
static const uint8_t seed[SIGN_SEED_BYTES] = {
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
    0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
};
static const uint8_t public_key[SIGN_PUBLIC_BYTES] = {
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
};

static const struct view message = {.at = (const uint8_t *)"message", .n = 7};

static void a_public_key_is_that_of_rfc_8032(void)
{
    uint8_t got[SIGN_PUBLIC_BYTES];
    sign_public(got, seed);
    CHECK_BYTES(public_key, got, sizeof got);
}

static void a_signature_is_ed25519_of_the_labelled_hash(void)
{
    uint8_t pair[crypto_sign_SECRETKEYBYTES], want[SIGN_BYTES], got[SIGN_BYTES];
    memcpy(pair, seed, sizeof seed);
    memcpy(pair + sizeof seed, public_key, sizeof public_key);
    const struct hash hash = hash_of("plan", message);
    CHECK_NUMBER(0, crypto_sign_detached(want, NULL, hash.bytes, HASH_BYTES, pair));
    sign_make(got, seed, "plan", message);
    CHECK_BYTES(want, got, sizeof got);
}

static void a_signature_is_accepted(void)
{
    uint8_t signature[SIGN_BYTES];
    sign_make(signature, seed, "plan", message);
    CHECK(sign_check(signature, public_key, "plan", message));
    sign_make(signature, seed, "plan", (struct view){0});
    CHECK(sign_check(signature, public_key, "plan", (struct view){0}));
}

static void another_label_message_or_key_is_refused(void)
{
    uint8_t signature[SIGN_BYTES], other[SIGN_PUBLIC_BYTES];
    sign_make(signature, seed, "plan", message);
    CHECK(!sign_check(signature, public_key, "confirm", message));
    CHECK(!sign_check(signature, public_key, "plan", (struct view){.at = message.at, .n = 6}));
    sign_public(other, (uint8_t[SIGN_SEED_BYTES]){1});
    CHECK(!sign_check(signature, other, "plan", message));
}

static void every_altered_byte_is_noticed(void)
{
    uint8_t signature[SIGN_BYTES];
    sign_make(signature, seed, "plan", message);
    for (size_t i = 0; i < SIGN_BYTES; i++) {
        signature[i] ^= 1;
        CHECK(!sign_check(signature, public_key, "plan", message));
        signature[i] ^= 1;
    }
    CHECK(sign_check(signature, public_key, "plan", message));
}

/* S + L passes the equation too; two signatures of one message would open replay by hash. */
static void a_signature_that_is_not_canonical_is_refused(void)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                      0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    uint8_t signature[SIGN_BYTES];
    sign_make(signature, seed, "plan", message);
    sodium_add(signature + 32, order, sizeof order);
    CHECK(!sign_check(signature, public_key, "plan", message));
}

static void a_key_of_low_order_signs_nothing(void)
{
    CHECK(!sign_check((uint8_t[SIGN_BYTES]){1}, (uint8_t[SIGN_PUBLIC_BYTES]){1}, "plan", message));
}

int main(void)
{
    RUN(a_public_key_is_that_of_rfc_8032);
    RUN(a_signature_is_ed25519_of_the_labelled_hash);
    RUN(a_signature_is_accepted);
    RUN(another_label_message_or_key_is_refused);
    RUN(every_altered_byte_is_noticed);
    RUN(a_signature_that_is_not_canonical_is_refused);
    RUN(a_key_of_low_order_signs_nothing);
    return check_done();
}
