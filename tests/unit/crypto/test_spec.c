/* SPDX-License-Identifier: Apache-2.0 */
/* What is hashed, sealed and written to key files is what the tables of crypto/SPEC.md say. */
#include <sodium.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/keyfile.h"
#include "crypto/seal.h"
#include "tests/lib/check.h"
#include "tests/unit/protocol/spec.h"

#define PLAIN_BYTES 33
#define PARTS 2

static const struct outer outer[] = {{"plain", PLAIN_BYTES}, {"parts", PARTS}, {NULL, 0}};
static const char label[] = "a label";

/* A string that begins with prefix and label. */
static void begin(struct buffer *string)
{
    const uint8_t size = sizeof label - 1;
    want("prefix", "prefix", "SA1", 3);
    want("label size", "u8", &size, 1);
    want("label", "bytes", label, size);
    write_bytes(string, "SA1", 3);
    write_u8(string, size);
    write_bytes(string, label, size);
}

/* Add a part with its size. */
static struct view add(struct buffer *string, const char *name, const char *size_name, uint64_t n)
{
    want(size_name, "u64", &n, sizeof n);
    const struct view part = put_bytes(name, "bytes", n);
    write_u64(string, n);
    write_bytes(string, part.at, n);
    return part;
}

static struct hash blake2b(const struct buffer *string, const uint8_t *key, size_t key_n)
{
    struct hash hash;
    CHECK(crypto_generichash(hash.bytes, HASH_BYTES, string->at, string->n, key, key_n) == 0);
    return hash;
}

static void one_part_is_hashed_as_described(void)
{
    AUTO(buffer_free) struct buffer string = {0};
    begin(&string);
    const struct view data = add(&string, "data", "data size", 21);
    check_table("String of hash_of", buffer_view(&string));
    const struct hash is = hash_of(label, data), sum = blake2b(&string, NULL, 0);
    CHECK_BYTES(sum.bytes, is.bytes, HASH_BYTES);
}

static void parts_are_hashed_as_described(void)
{
    AUTO(buffer_free) struct buffer string = {0};
    struct hash_state state;
    hash_start(&state, label);
    begin(&string);
    for (size_t i = 0; i < PARTS; i++) {
        const struct view part = add(&string, "part", "part size", 19 + 4 * i);
        hash_add(&state, part.at, part.n);
    }
    check_table("String of hash_add", buffer_view(&string));
    const struct hash is = hash_end(&state), sum = blake2b(&string, NULL, 0);
    CHECK_BYTES(sum.bytes, is.bytes, HASH_BYTES);
}

static void a_subkey_is_derived_as_described(void)
{
    AUTO(buffer_free) struct buffer string = {0};
    const uint8_t key[KDF_KEY_BYTES] = {5, 6, 7};
    uint8_t is[KDF_KEY_BYTES];
    begin(&string);
    const struct view context = put_bytes("context", "rest", 23);
    write_bytes(&string, context.at, context.n);
    check_table("String of kdf_derive", buffer_view(&string));
    kdf_derive(is, key, label, context);
    const struct hash sum = blake2b(&string, key, sizeof key);
    CHECK_BYTES(sum.bytes, is, sizeof is);
}

static void a_sealed_box_is_as_described(void)
{
    AUTO(buffer_free) struct buffer box = {0};
    AUTO(rng_wipe) struct rng rng = {0};
    rng_seeded(&rng, (const uint8_t[RNG_SEED_BYTES]){9});
    const uint8_t key[SEAL_KEY_BYTES] = {1, 2};
    const uint8_t plain[PLAIN_BYTES] = "shares", bound[] = "bound data";
    CHECK_OK(seal_write(&box, (struct view){plain, sizeof plain},
                        (struct view){bound, sizeof bound}, key, &rng));
    uint8_t text[PLAIN_BYTES], tag[16];
    CHECK(box.n == PLAIN_BYTES + SEAL_EXTRA_BYTES);
    CHECK(crypto_aead_xchacha20poly1305_ietf_encrypt_detached(
              text, tag, NULL, plain, sizeof plain, bound, sizeof bound, NULL, box.at, key) == 0);
    want("nonce", "nonce", box.at, 24);
    want("ciphertext", "bytes", text, sizeof text);
    want("tag", "tag", tag, sizeof tag);
    check_table("Sealed box", buffer_view(&box));
}

static void a_key_file_is_as_described(void)
{
    struct keyfile key = {.name = "st-anna", .identity = {0xab, 1}, .transport = {0xcd, 2}};
    char text[KEYFILE_TEXT_MAX], identity[65], transport[65];
    const size_t n = keyfile_encode(text, &key);
    sodium_bin2hex(identity, sizeof identity, key.identity, sizeof key.identity);
    sodium_bin2hex(transport, sizeof transport, key.transport, sizeof key.transport);
    want("veilsum key", "line", "1", 1);
    want("name", "line", "st-anna", 7);
    want("identity", "line", identity, 64);
    want("transport", "line", transport, 64);
    check_table("Key file", (struct view){(const uint8_t *)text, n});
}

static void the_size_of_every_type_was_used(void)
{
    check_all_types_were_used();
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 2);
    CHECK(spec_open(argv[1], "## 1. Building blocks", outer));
    RUN(one_part_is_hashed_as_described);
    RUN(parts_are_hashed_as_described);
    RUN(a_subkey_is_derived_as_described);
    RUN(a_sealed_box_is_as_described);
    RUN(a_key_file_is_as_described);
    RUN(the_size_of_every_type_was_used);
    spec_close();
    return check_done();
}
