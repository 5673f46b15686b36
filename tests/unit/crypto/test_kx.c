/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/kx.h"

#include <sodium.h>
#include <string.h>

#include "tests/lib/check.h"

/* RFC 7748, section 6.1. */
static const uint8_t alice_secret[32] = {
    0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66, 0x45,
    0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a,
};
static const uint8_t alice_public[32] = {
    0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54, 0x74, 0x8b, 0x7d, 0xdc, 0xb4, 0x3e, 0xf7, 0x5a,
    0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38, 0x1a, 0xf4, 0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a,
};
static const uint8_t bob_secret[32] = {
    0x5d, 0xab, 0x08, 0x7e, 0x62, 0x4a, 0x8a, 0x4b, 0x79, 0xe1, 0x7f, 0x8b, 0x83, 0x80, 0x0e, 0xe6,
    0x6f, 0x3b, 0xb1, 0x29, 0x26, 0x18, 0xb6, 0xfd, 0x1c, 0x2f, 0x8b, 0x27, 0xff, 0x88, 0xe0, 0xeb,
};
static const uint8_t bob_public[32] = {
    0xde, 0x9e, 0xdb, 0x7d, 0x7b, 0x7d, 0xc1, 0xb4, 0xd3, 0x5b, 0x61, 0xc2, 0xec, 0xe4, 0x35, 0x37,
    0x3f, 0x83, 0x43, 0xc8, 0x5b, 0x78, 0x67, 0x4d, 0xad, 0xfc, 0x7e, 0x14, 0x6f, 0x88, 0x2b, 0x4f,
};

/* The points of low order in canonical form: 0, 1, two of order eight, p - 1. */
static const uint8_t low_order[5][32] = {
    {0},
    {1},
    {
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
        0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
        0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    },
    {
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
        0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
        0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    },
    {
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    },
};

static const uint8_t seed_a[KX_SEED_BYTES] = {1}, seed_b[KX_SEED_BYTES] = {2};

/* The scalar of a seed and a purpose of four letters, computed beside the code under test. */
static void scalar_beside(uint8_t scalar[static 32], const uint8_t seed[static 32],
                          const char *framed, size_t n)
{
    CHECK_NUMBER(0, crypto_generichash(scalar, 32, (const uint8_t *)framed, n, seed, 32));
}

static void transport_keys_are_those_of_rfc_7748(void)
{
    uint8_t got[KX_PUBLIC_BYTES];
    kx_transport_public(got, alice_secret);
    CHECK_BYTES(alice_public, got, sizeof got);
    kx_transport_public(got, bob_secret);
    CHECK_BYTES(bob_public, got, sizeof got);
}

static struct kx_pair pair_of(const uint8_t seed[static KX_SEED_BYTES], const char *purpose)
{
    struct kx_pair pair;
    kx_pair_of(&pair, seed, purpose);
    return pair;
}

static void a_pair_is_the_derived_scalar_and_its_public_key(void)
{
    uint8_t scalar[32], want[32];
    scalar_beside(scalar, seed_a, "SA1\x02kxmask", 10);
    CHECK_NUMBER(0, crypto_scalarmult_base(want, scalar));
    const struct kx_pair got = pair_of(seed_a, "mask");
    CHECK_BYTES(scalar, got.secret, sizeof scalar);
    CHECK_BYTES(want, got.public_key, sizeof want);
}

static void both_ends_agree(void)
{
    const struct kx_pair a = pair_of(seed_a, "mask"), b = pair_of(seed_b, "mask");
    uint8_t ab[KX_SHARED_BYTES], ba[KX_SHARED_BYTES];
    CHECK_OK(kx_agree(ab, &a, b.public_key));
    CHECK_OK(kx_agree(ba, &b, a.public_key));
    CHECK_BYTES(ab, ba, sizeof ab);
}

static void the_pair_secret_is_the_hash_of_product_and_sorted_keys(void)
{
    const struct kx_pair a = pair_of(seed_a, "enc"), b = pair_of(seed_b, "enc");
    uint8_t scalar[32], product[32], want[32], got[32];
    scalar_beside(scalar, seed_a, "SA1\x02kxenc", 9);
    CHECK_NUMBER(0, crypto_scalarmult(product, scalar, b.public_key));

    const bool first = memcmp(a.public_key, b.public_key, 32) < 0;
    const uint8_t *parts[3] = {product, first ? a.public_key : b.public_key,
                               first ? b.public_key : a.public_key};
    uint8_t framed[4 + 8 + 3 * (8 + 32)] = "SA1\x08kx-agree";
    for (size_t i = 0; i < 3; i++) {
        framed[12 + 40 * i] = 32;
        memcpy(framed + 12 + 40 * i + 8, parts[i], 32);
    }
    CHECK_NUMBER(0, crypto_generichash(want, 32, framed, sizeof framed, NULL, 0));
    CHECK_OK(kx_agree(got, &a, b.public_key));
    CHECK_BYTES(want, got, sizeof got);
}

static void purposes_give_unrelated_pairs(void)
{
    const struct kx_pair mask = pair_of(seed_a, "mask"), enc = pair_of(seed_a, "enc");
    CHECK(memcmp(mask.secret, enc.secret, sizeof mask.secret) != 0);
    CHECK(memcmp(mask.public_key, enc.public_key, sizeof mask.public_key) != 0);
}

static void honest_keys_are_acceptable(void)
{
    const struct kx_pair pair = pair_of(seed_a, "mask");
    CHECK(kx_acceptable(pair.public_key));
    CHECK(kx_acceptable(alice_public));
    CHECK(kx_acceptable((uint8_t[KX_PUBLIC_BYTES]){9}));
}

static void keys_of_low_order_are_refused(void)
{
    const struct kx_pair own = pair_of(seed_a, "mask");
    for (size_t i = 0; i < 5; i++) {
        CHECK(!kx_acceptable(low_order[i]));
        uint8_t shared[KX_SHARED_BYTES];
        memset(shared, 0xaa, sizeof shared);
        CHECK_STATUS(STATUS_AUTH, kx_agree(shared, &own, low_order[i]));
        CHECK(sodium_is_zero(shared, sizeof shared) == 1);
    }
}

/* p + k for the k that fit in 255 bits, and a set top bit. */
static void keys_that_are_not_canonical_are_refused(void)
{
    uint8_t key[KX_PUBLIC_BYTES];
    memcpy(key, low_order[4], sizeof key);
    for (unsigned k = 0; k < 19; k++) {
        key[0] = (uint8_t)(0xed + k);
        CHECK(!kx_acceptable(key));
    }
    memcpy(key, alice_public, sizeof key);
    key[31] |= 0x80;
    CHECK(!kx_acceptable(key));
}

static void the_largest_key_that_is_not_of_low_order_is_acceptable(void)
{
    uint8_t key[KX_PUBLIC_BYTES];
    memcpy(key, low_order[4], sizeof key);
    key[0]--;
    CHECK(kx_acceptable(key));
}

int main(void)
{
    RUN(transport_keys_are_those_of_rfc_7748);
    RUN(a_pair_is_the_derived_scalar_and_its_public_key);
    RUN(both_ends_agree);
    RUN(the_pair_secret_is_the_hash_of_product_and_sorted_keys);
    RUN(purposes_give_unrelated_pairs);
    RUN(honest_keys_are_acceptable);
    RUN(keys_of_low_order_are_refused);
    RUN(keys_that_are_not_canonical_are_refused);
    RUN(the_largest_key_that_is_not_of_low_order_is_acceptable);
    return check_done();
}
