/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/kx.h"
#include "protocol/study.h"

static const char prefix[] = "SA1 manifest 1\n";
static const char sign_label[] = "SA1-manifest";
static const char request_label[] = "SA1-request";

void manifest_free(struct manifest *manifest)
{
    free(manifest->member);
    *manifest = (struct manifest){0};
}

void manifest_begin(struct manifest *out, const struct study *study)
{
    memcpy(out->federation, study->study.id, sizeof out->federation);
    out->epoch = 1;
    out->study = study->hash;
    out->floor = (struct floor_policy){.m = study->sites.min_contributors,
                                       .c = study->sites.colluding,
                                       .max_epsilon = study->privacy.epsilon,
                                       .max_delta = study->privacy.delta};
}

static void write_member(struct buffer *out, const struct member *member)
{
    write_blob(out, member->name, strlen(member->name));
    write_bytes(out, member->identity, sizeof member->identity);
    write_bytes(out, member->transport, sizeof member->transport);
    write_u8(out, member->aes);
}

void manifest_write(struct buffer *out, const struct manifest *manifest)
{
    write_bytes(out, prefix, sizeof prefix - 1);
    write_blob(out, manifest->federation, strlen(manifest->federation));
    write_u32(out, manifest->epoch);
    write_bytes(out, manifest->study.bytes, HASH_BYTES);
    write_u32(out, manifest->floor.m);
    write_u32(out, manifest->floor.c);
    write_f64(out, manifest->floor.max_epsilon);
    write_f64(out, manifest->floor.max_delta);
    write_member(out, &manifest->coordinator);
    write_u32(out, manifest->n);
    for (uint32_t i = 0; i < manifest->n; i++) write_member(out, &manifest->member[i]);
    write_u8(out, (uint8_t)manifest->n_governors);
    write_u8(out, (uint8_t)manifest->governors_needed);
    for (uint32_t i = 0; i < manifest->n_governors; i++)
        write_bytes(out, manifest->governor[i], SIGN_PUBLIC_BYTES);
}

static void hash_add_f64(struct hash_state *state, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    hash_add_u64(state, bits);
}

static void hash_add_member(struct hash_state *state, const struct member *member)
{
    hash_add(state, member->name, strlen(member->name));
    hash_add(state, member->identity, sizeof member->identity);
    hash_add(state, member->transport, sizeof member->transport);
    hash_add_u64(state, member->aes);
}

struct hash manifest_hash(const struct manifest *manifest)
{
    struct hash_state state;
    hash_start(&state, "manifest");
    hash_add(&state, manifest->federation, strlen(manifest->federation));
    hash_add_u64(&state, manifest->epoch);
    hash_add(&state, manifest->study.bytes, HASH_BYTES);
    hash_add_u64(&state, manifest->floor.m);
    hash_add_u64(&state, manifest->floor.c);
    hash_add_f64(&state, manifest->floor.max_epsilon);
    hash_add_f64(&state, manifest->floor.max_delta);
    hash_add_member(&state, &manifest->coordinator);
    hash_add_u64(&state, manifest->n);
    for (uint32_t i = 0; i < manifest->n; i++) hash_add_member(&state, &manifest->member[i]);
    hash_add_u64(&state, manifest->n_governors);
    hash_add_u64(&state, manifest->governors_needed);
    for (uint32_t i = 0; i < manifest->n_governors; i++)
        hash_add(&state, manifest->governor[i], SIGN_PUBLIC_BYTES);
    return hash_end(&state);
}

enum status manifest_sign(struct buffer *signed_manifest, const struct manifest *manifest,
                          const uint8_t seed[static SIGN_SEED_BYTES])
{
    uint8_t public_key[SIGN_PUBLIC_BYTES];
    sign_public(public_key, seed);
    struct hash hash = manifest_hash(manifest);
    for (uint32_t i = 0; i < manifest->n_governors; i++) {
        if (memcmp(manifest->governor[i], public_key, SIGN_PUBLIC_BYTES) != 0) continue;
        uint8_t signature[SIGN_BYTES];
        sign_make(signature, seed, sign_label,
                  (struct view){.at = hash.bytes, .n = sizeof hash.bytes});
        write_u8(signed_manifest, (uint8_t)i);
        write_bytes(signed_manifest, signature, sizeof signature);
        return signed_manifest->status;
    }
    return STATUS_AUTH;
}

static void read_name(struct reader *r, char name[static KEYFILE_NAME_MAX + 1])
{
    struct view text = read_blob(r, KEYFILE_NAME_MAX);
    memset(name, 0, KEYFILE_NAME_MAX + 1);
    if (text.n > 0) memcpy(name, text.at, text.n);
    if (strlen(name) != text.n || !keyfile_name_ok(name)) r->bad = true;
}

static void read_member(struct reader *r, struct member *member)
{
    read_name(r, member->name);
    read_bytes(r, member->identity, sizeof member->identity);
    read_bytes(r, member->transport, sizeof member->transport);
    const uint8_t aes = read_u8(r);
    if (aes > 1) r->bad = true;
    member->aes = aes == 1;
}

static bool members_clash(const struct member *a, const struct member *b)
{
    return strcmp(a->name, b->name) == 0 ||
           memcmp(a->identity, b->identity, sizeof a->identity) == 0 ||
           memcmp(a->transport, b->transport, sizeof a->transport) == 0;
}

/* Names and keys are unique and no transport key is of low order. */
static bool members_fit(const struct manifest *manifest)
{
    for (uint32_t i = 0; i < manifest->n; i++) {
        if (!kx_acceptable(manifest->member[i].transport)) return false;
        if (members_clash(&manifest->member[i], &manifest->coordinator)) return false;
        for (uint32_t j = 0; j < i; j++)
            if (members_clash(&manifest->member[i], &manifest->member[j])) return false;
    }
    for (uint32_t i = 0; i < manifest->n_governors; i++)
        for (uint32_t j = 0; j < i; j++)
            if (memcmp(manifest->governor[i], manifest->governor[j], SIGN_PUBLIC_BYTES) == 0)
                return false;
    return kx_acceptable(manifest->coordinator.transport);
}

static enum status read_body(struct manifest *manifest, struct reader *r)
{
    struct view start = read_view(r, sizeof prefix - 1);
    if (r->bad || memcmp(start.at, prefix, start.n) != 0) return STATUS_FORMAT;
    read_name(r, manifest->federation);
    manifest->epoch = read_u32(r);
    read_bytes(r, manifest->study.bytes, HASH_BYTES);
    manifest->floor.m = read_u32(r);
    manifest->floor.c = read_u32(r);
    manifest->floor.max_epsilon = read_f64(r);
    manifest->floor.max_delta = read_f64(r);
    if (!(manifest->floor.max_epsilon > 0) ||
        !(manifest->floor.max_delta > 0 && manifest->floor.max_delta < 1))
        r->bad = true;
    read_member(r, &manifest->coordinator);
    uint32_t n = read_u32(r);
    if (r->bad || n == 0 || n > PARAMS_SITES_MAX) return STATUS_FORMAT;
    manifest->member = calloc(n, sizeof *manifest->member);
    if (manifest->member == NULL) return STATUS_NOMEM;
    manifest->n = n;
    for (uint32_t i = 0; i < n; i++) read_member(r, &manifest->member[i]);
    manifest->n_governors = read_u8(r);
    manifest->governors_needed = read_u8(r);
    if (manifest->n_governors > MANIFEST_GOVERNORS_MAX || manifest->governors_needed == 0 ||
        manifest->governors_needed > manifest->n_governors)
        return STATUS_FORMAT;
    for (uint32_t i = 0; i < manifest->n_governors; i++)
        read_bytes(r, manifest->governor[i], SIGN_PUBLIC_BYTES);
    if (r->bad || !members_fit(manifest)) return STATUS_FORMAT;
    return STATUS_OK;
}

/* Count the signatures behind the body; a bad, foreign or repeated one is refused. */
static enum status count_signatures(const struct manifest *manifest, struct reader *r,
                                    uint32_t *count)
{
    struct hash hash = manifest_hash(manifest);
    struct view message = {.at = hash.bytes, .n = sizeof hash.bytes};
    bool seen[MANIFEST_GOVERNORS_MAX] = {false};
    while (r->left > 0) {
        uint8_t who = read_u8(r);
        struct view signature = read_view(r, SIGN_BYTES);
        if (r->bad || who >= manifest->n_governors || seen[who]) return STATUS_FORMAT;
        if (!sign_check(signature.at, manifest->governor[who], sign_label, message))
            return STATUS_AUTH;
        seen[who] = true;
        ++*count;
    }
    return STATUS_OK;
}

enum status manifest_draft(struct manifest *out, struct view in, uint32_t *signatures)
{
    if (in.n > MANIFEST_BYTES_MAX) return STATUS_FORMAT;
    AUTO(manifest_free) struct manifest manifest = {0};
    struct reader r = reader_of(in);
    uint32_t count = 0;
    TRY(read_body(&manifest, &r));
    TRY(count_signatures(&manifest, &r, &count));
    *signatures = count;
    *out = manifest;
    manifest = (struct manifest){0};
    return STATUS_OK;
}

enum status manifest_read(struct manifest *out, struct view in, enum reason *why)
{
    AUTO(manifest_free) struct manifest manifest = {0};
    uint32_t signatures = 0;
    enum status status = manifest_draft(&manifest, in, &signatures);
    if (status == STATUS_OK && signatures < manifest.governors_needed) status = STATUS_AUTH;
    *why = status == STATUS_OK     ? REASON_NONE
           : status == STATUS_AUTH ? REASON_MANIFEST_QUORUM
                                   : REASON_FORMAT;
    TRY(status);
    *out = manifest;
    manifest = (struct manifest){0};
    return STATUS_OK;
}

const struct member *manifest_lacking(const struct manifest *manifest, enum mask_cipher cipher)
{
    if (cipher != MASK_AES256_CTR) return NULL;
    if (!manifest->coordinator.aes) return &manifest->coordinator;
    for (uint32_t i = 0; i < manifest->n; i++)
        if (!manifest->member[i].aes) return &manifest->member[i];
    return NULL;
}

bool member_same(const struct member *a, const struct member *b)
{
    return strcmp(a->name, b->name) == 0 &&
           memcmp(a->identity, b->identity, sizeof a->identity) == 0 &&
           memcmp(a->transport, b->transport, sizeof a->transport) == 0;
}

void member_of(struct member *out, const struct keyfile *key, bool aes)
{
    *out = (struct member){.aes = aes};
    memcpy(out->name, key->name, sizeof out->name);
    sign_public(out->identity, key->identity);
    kx_transport_public(out->transport, key->transport);
}

static void write_hex(struct buffer *out, const char *word, const uint8_t *in, size_t n)
{
    static const char digit[] = "0123456789abcdef";
    write_bytes(out, word, strlen(word));
    for (size_t i = 0; i < n; i++) {
        write_u8(out, (uint8_t)digit[in[i] >> 4]);
        write_u8(out, (uint8_t)digit[in[i] & 15]);
    }
    write_u8(out, '\n');
}

static const char *const aes_line[] = {"aes no\n", "aes yes\n"};

static void write_request_body(struct buffer *out, const struct member *member)
{
    static const char first[] = "veilsum request 1\nname ";
    write_bytes(out, first, sizeof first - 1);
    write_bytes(out, member->name, strlen(member->name));
    write_u8(out, '\n');
    write_hex(out, "identity ", member->identity, sizeof member->identity);
    write_hex(out, "transport ", member->transport, sizeof member->transport);
    const char *aes = aes_line[member->aes];
    write_bytes(out, aes, strlen(aes));
}

void request_write(struct buffer *out, const struct keyfile *key, bool aes)
{
    struct member member;
    member_of(&member, key, aes);
    AUTO(buffer_free) struct buffer body = {0};
    write_request_body(&body, &member);
    if (body.status != STATUS_OK) {
        out->status = body.status;
        return;
    }
    uint8_t signature[SIGN_BYTES];
    sign_make(signature, key->identity, request_label, buffer_view(&body));
    write_bytes(out, body.at, body.n);
    write_hex(out, "signature ", signature, sizeof signature);
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

/* "<word><2 n hex digits>\n" */
static void read_hex(struct reader *r, const char *word, uint8_t *out, size_t n)
{
    struct view start = read_view(r, strlen(word));
    struct view text = read_view(r, 2 * n + 1);
    if (r->bad || memcmp(start.at, word, start.n) != 0 || text.at[2 * n] != '\n') {
        r->bad = true;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        int high = hex_value(text.at[2 * i]), low = hex_value(text.at[2 * i + 1]);
        if (high < 0 || low < 0) {
            r->bad = true;
            return;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
}

static bool read_aes(struct reader *r)
{
    for (size_t i = 0; i < 2; i++) {
        const size_t n = strlen(aes_line[i]);
        if (r->left < n || memcmp(r->at, aes_line[i], n) != 0) continue;
        (void)read_view(r, n);
        return i == 1;
    }
    r->bad = true;
    return false;
}

enum status request_read(struct member *out, struct view in)
{
    static const char first[] = "veilsum request 1\nname ";
    struct reader r = reader_of(in);
    struct member member = {0};
    struct view start = read_view(&r, sizeof first - 1);
    if (r.bad || memcmp(start.at, first, start.n) != 0) return STATUS_FORMAT;
    const uint8_t *end = memchr(r.at, '\n', r.left);
    size_t length = end == NULL ? 0 : (size_t)(end - r.at);
    if (length == 0 || length > KEYFILE_NAME_MAX) return STATUS_FORMAT;
    struct view name = read_view(&r, length + 1);
    memcpy(member.name, name.at, length);
    read_hex(&r, "identity ", member.identity, sizeof member.identity);
    read_hex(&r, "transport ", member.transport, sizeof member.transport);
    member.aes = read_aes(&r);
    uint8_t signature[SIGN_BYTES] = {0};
    read_hex(&r, "signature ", signature, sizeof signature);
    TRY(reader_end(&r));
    if (!keyfile_name_ok(member.name) || !kx_acceptable(member.transport)) return STATUS_FORMAT;
    AUTO(buffer_free) struct buffer body = {0};
    write_request_body(&body, &member);
    TRY(body.status);
    if (!sign_check(signature, member.identity, request_label, buffer_view(&body)))
        return STATUS_AUTH;
    *out = member;
    return STATUS_OK;
}
