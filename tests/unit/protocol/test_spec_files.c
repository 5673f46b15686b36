/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest and a request are what their tables in protocol/SPEC.md say. */
#include <string.h>

#include "protocol/manifest.h"
#include "tests/lib/check.h"
#include "tests/unit/protocol/spec.h"

#define SITES 3
#define GOVERNORS 4
#define SIGNATURES 2

static const struct outer outer[] = {{"signatures", SIGNATURES}, {NULL, 0}};

static void put_member(struct member *member, const char *name)
{
    const uint8_t aes = 1;
    memcpy(member->name, name, strlen(name));
    member->aes = true;
    want("name", "blob", name, strlen(name));
    PUT("identity", "key", member->identity);
    PUT("transport", "key", member->transport);
    want("aes", "u8", &aes, 1);
}

static void manifest_is_as_described(void)
{
    struct member member[SITES] = {0};
    struct manifest manifest = {.federation = "stroke",
                                .n = SITES,
                                .member = member,
                                .n_governors = GOVERNORS,
                                .governors_needed = SIGNATURES};
    const uint32_t n = SITES;
    const uint8_t governors = GOVERNORS, needed = SIGNATURES;
    static const uint8_t seed[GOVERNORS][SIGN_SEED_BYTES] = {{11}, {12}, {13}, {14}};
    want("SA1 manifest", "line", "1", 1);
    want("federation", "blob", "stroke", 6);
    PUT("epoch", "u32", manifest.epoch);
    PUT("study", "hash", manifest.study);
    PUT("m", "u32", manifest.floor.m);
    PUT("c", "u32", manifest.floor.c);
    PUT("epsilon", "f64", manifest.floor.max_epsilon);
    PUT("delta", "f64", manifest.floor.max_delta);
    put_member(&manifest.coordinator, "dresden");
    want("n", "u32", &n, sizeof n);
    static const char *const name[SITES] = {"essen", "jena", "ulm"};
    for (size_t i = 0; i < SITES; i++) put_member(&member[i], name[i]);
    want("governors", "u8", &governors, 1);
    want("needed", "u8", &needed, 1);
    for (size_t i = 0; i < GOVERNORS; i++) {
        sign_public(manifest.governor[i], seed[i]);
        want("governor", "key", manifest.governor[i], SIGN_PUBLIC_BYTES);
    }
    AUTO(buffer_free) struct buffer bytes = {0};
    const struct hash hash = manifest_hash(&manifest);
    manifest_write(&bytes, &manifest);
    for (uint8_t who = 3; who > 3 - SIGNATURES; who--) {
        uint8_t signature[SIGN_BYTES];
        CHECK_OK(manifest_sign(&bytes, &manifest, seed[who]));
        sign_make(signature, seed[who], "SA1-manifest", (struct view){hash.bytes, HASH_BYTES});
        want("who", "u8", &who, 1);
        want("signature", "sig", signature, sizeof signature);
    }
    check_table("MANIFEST", buffer_view(&bytes));
}

static void want_hex(const char *name, const uint8_t *at, size_t n)
{
    static const char digit[] = "0123456789abcdef";
    char text[2 * SIGN_BYTES];
    for (size_t i = 0; i < n; i++) {
        text[2 * i] = digit[at[i] >> 4];
        text[2 * i + 1] = digit[at[i] & 15];
    }
    want(name, "line", text, 2 * n);
}

static void request_is_as_described(void)
{
    const struct keyfile key = {.name = "st-anna", .identity = {0xab, 1}, .transport = {0xcd, 2}};
    for (int aes = 0; aes < 2; aes++) {
        AUTO(buffer_free) struct buffer text = {0};
        struct member member;
        uint8_t signature[SIGN_BYTES];
        member_of(&member, &key, aes == 1);
        request_write(&text, &key, aes == 1);
        const size_t lines = text.n - strlen("signature ") - 2 * SIGN_BYTES - 1;
        sign_make(signature, key.identity, "SA1-request", (struct view){text.at, lines});
        want("veilsum request", "line", "1", 1);
        want("name", "line", "st-anna", 7);
        want_hex("identity", member.identity, sizeof member.identity);
        want_hex("transport", member.transport, sizeof member.transport);
        want("aes", "line", aes == 1 ? "yes" : "no", aes == 1 ? 3 : 2);
        want_hex("signature", signature, sizeof signature);
        check_table("REQUEST", buffer_view(&text));
    }
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 2);
    CHECK(spec_open(argv[1], "## 6. Messages", outer));
    RUN(manifest_is_as_described);
    RUN(request_is_as_described);
    spec_close();
    return check_done();
}
