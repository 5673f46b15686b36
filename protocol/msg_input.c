/* SPDX-License-Identifier: Apache-2.0 */
/* Messages from the masked input to the unmasking: digest, masked, survivors, confirm, quorum,
 * unmask. */
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/kdf.h"
#include "protocol/msg_wire.h"

void digest_write(struct buffer *out, const struct digest *digest, const uint8_t *identity)
{
    size_t start = out->n;
    wire_begin(out, MSG_DIGEST);
    write_bytes(out, digest->session, MSG_SESSION_BYTES);
    write_hash(out, &digest->plan);
    write_hash(out, &digest->roster);
    write_hash(out, &digest->dealers);
    write_u32(out, digest->from);
    write_u8(out, (uint8_t)digest->n_segments);
    for (uint32_t l = 0; l < digest->n_segments; l++) write_hash(out, &digest->segment[l]);
    wire_sign(out, start, identity);
}

enum status digest_read(struct digest *out, struct view in, const uint8_t *sender)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_DIGEST, sender));
    struct digest digest = {0};
    read_bytes(&r, digest.session, MSG_SESSION_BYTES);
    read_hash(&r, &digest.plan);
    read_hash(&r, &digest.roster);
    read_hash(&r, &digest.dealers);
    digest.from = read_u32(&r);
    digest.n_segments = read_u8(&r);
    if (digest.n_segments > MSG_SEGMENTS_MAX) return STATUS_FORMAT;
    for (uint32_t l = 0; l < digest.n_segments; l++) read_hash(&r, &digest.segment[l]);
    TRY(reader_end(&r));
    *out = digest;
    return STATUS_OK;
}

void masked_write(struct buffer *out, const struct masked_input *masked)
{
    wire_begin(out, MSG_MASKED);
    write_blob(out, masked->digest.at, masked->digest.n);
    for (uint32_t l = 0; l < masked->n_segments; l++)
        write_bytes(out, masked->body[l].at, masked->body[l].n);
}

enum status masked_read(struct masked_input *out, struct view in, const struct plan *plan,
                        uint32_t from)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_MASKED, NULL));
    struct masked_input masked = {.n_segments = plan->n_segments};
    masked.digest = read_blob(&r, WIRE_HEAD_MAX);
    for (uint32_t l = 0; l < plan->n_segments; l++) {
        const struct segment *segment = &plan->segment[l];
        if (!bits_has(&segment->members, from)) continue;
        masked.body[l] = read_view(&r, packed_bytes(segment->dim + 1, plan->grid.bits));
    }
    TRY(reader_end(&r));
    *out = masked;
    return STATUS_OK;
}

struct hash masked_digest(struct view body)
{
    return hash_of("masked", body);
}

void survivors_free(struct survivors *survivors)
{
    bits_free(&survivors->survivors);
    bits_free(&survivors->opened);
    *survivors = (struct survivors){0};
}

static void write_survivors_body(struct buffer *out, const struct survivors *survivors)
{
    write_bytes(out, survivors->session, MSG_SESSION_BYTES);
    write_hash(out, &survivors->plan);
    write_hash(out, &survivors->roster);
    write_hash(out, &survivors->dealers);
    write_bits(out, &survivors->survivors);
    write_bits(out, &survivors->opened);
    write_hash(out, &survivors->root);
}

static void hash_add_bits(struct hash_state *state, const struct bits *bits)
{
    hash_add_u64(state, bits->n);
    for (size_t i = 0; i < (bits->n + 63) / 64; i++) hash_add_u64(state, bits->word[i]);
}

struct hash survivors_hash(const struct survivors *survivors)
{
    struct hash_state state;
    hash_start(&state, "survivors");
    hash_add(&state, survivors->session, MSG_SESSION_BYTES);
    hash_add(&state, survivors->plan.bytes, HASH_BYTES);
    hash_add(&state, survivors->roster.bytes, HASH_BYTES);
    hash_add(&state, survivors->dealers.bytes, HASH_BYTES);
    hash_add_bits(&state, &survivors->survivors);
    hash_add_bits(&state, &survivors->opened);
    hash_add(&state, survivors->root.bytes, HASH_BYTES);
    return hash_end(&state);
}

void survivors_write(struct buffer *out, const struct survivors *survivors,
                     const struct merkle_path *path, const uint8_t *identity)
{
    size_t start = out->n;
    wire_begin(out, MSG_SURVIVORS);
    write_survivors_body(out, survivors);
    write_path(out, path);
    wire_sign(out, start, identity);
}

enum status survivors_read(struct survivors *out, struct merkle_path *path, struct view in,
                           uint32_t n, uint32_t n_segments, const uint8_t *server)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_SURVIVORS, server));
    AUTO(survivors_free) struct survivors survivors = {0};
    read_bytes(&r, survivors.session, MSG_SESSION_BYTES);
    read_hash(&r, &survivors.plan);
    read_hash(&r, &survivors.roster);
    read_hash(&r, &survivors.dealers);
    TRY(read_bits(&r, &survivors.survivors, n));
    TRY(read_bits(&r, &survivors.opened, n_segments));
    read_hash(&r, &survivors.root);
    struct merkle_path mine = {0};
    read_path(&r, &mine);
    TRY(reader_end(&r));
    *path = mine;
    *out = survivors;
    survivors = (struct survivors){0};
    return STATUS_OK;
}

static const char confirm_label[] = "SA1-confirm";

void confirm_sign(struct confirm *confirm, const struct hash *survivors, const uint8_t *identity)
{
    sign_make(confirm->signature, identity, confirm_label,
              (struct view){.at = survivors->bytes, .n = HASH_BYTES});
}

bool confirm_check(const struct confirm *confirm, const struct hash *survivors,
                   const uint8_t *sender)
{
    return sign_check(confirm->signature, sender, confirm_label,
                      (struct view){.at = survivors->bytes, .n = HASH_BYTES});
}

void confirm_write(struct buffer *out, const struct confirm *confirm)
{
    wire_begin(out, MSG_CONFIRM);
    write_bytes(out, confirm->session, MSG_SESSION_BYTES);
    write_u32(out, confirm->from);
    write_bytes(out, confirm->signature, SIGN_BYTES);
}

enum status confirm_read(struct confirm *out, struct view in)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_CONFIRM, NULL));
    struct confirm confirm = {0};
    read_bytes(&r, confirm.session, MSG_SESSION_BYTES);
    confirm.from = read_u32(&r);
    read_bytes(&r, confirm.signature, SIGN_BYTES);
    TRY(reader_end(&r));
    *out = confirm;
    return STATUS_OK;
}

void quorum_free(struct quorum *quorum)
{
    free(quorum->confirm);
    *quorum = (struct quorum){0};
}

void quorum_write(struct buffer *out, const struct quorum *quorum)
{
    wire_begin(out, MSG_QUORUM);
    write_bytes(out, quorum->session, MSG_SESSION_BYTES);
    write_u32(out, quorum->n);
    for (uint32_t i = 0; i < quorum->n; i++) {
        write_u32(out, quorum->confirm[i].from);
        write_bytes(out, quorum->confirm[i].signature, SIGN_BYTES);
    }
}

enum status quorum_read(struct quorum *out, struct view in, uint32_t n_max)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_QUORUM, NULL));
    AUTO(quorum_free) struct quorum quorum = {0};
    read_bytes(&r, quorum.session, MSG_SESSION_BYTES);
    uint32_t n = read_u32(&r);
    if (n == 0 || n > n_max) return STATUS_FORMAT;
    quorum.confirm = calloc(n, sizeof *quorum.confirm);
    if (quorum.confirm == NULL) return STATUS_NOMEM;
    quorum.n = n;
    for (uint32_t i = 0; i < n; i++) {
        memcpy(quorum.confirm[i].session, quorum.session, MSG_SESSION_BYTES);
        quorum.confirm[i].from = read_u32(&r);
        read_bytes(&r, quorum.confirm[i].signature, SIGN_BYTES);
    }
    TRY(reader_end(&r));
    *out = quorum;
    quorum = (struct quorum){0};
    return STATUS_OK;
}

struct hash bundle_commit(const uint8_t session[static MSG_SESSION_BYTES], uint32_t dealer,
                          uint32_t recipient, uint32_t place, const uint8_t salt[static HASH_BYTES],
                          const uint8_t share[static SHARE_BYTES])
{
    struct hash_state state;
    hash_start(&state, "share");
    hash_add(&state, session, MSG_SESSION_BYTES);
    hash_add_u64(&state, dealer);
    hash_add_u64(&state, recipient);
    hash_add_u64(&state, place);
    hash_add(&state, salt, HASH_BYTES);
    hash_add(&state, share, SHARE_BYTES);
    return hash_end(&state);
}

void bundle_salt(uint8_t salt[static HASH_BYTES], const uint8_t master[static HASH_BYTES],
                 uint32_t place)
{
    const uint8_t context[4] = {(uint8_t)place, (uint8_t)(place >> 8), (uint8_t)(place >> 16),
                                (uint8_t)(place >> 24)};
    kdf_derive(salt, master, "salt", (struct view){.at = context, .n = sizeof context});
}

struct hash bundle_leaf(const struct bundle *bundle)
{
    struct hash_state state;
    hash_start(&state, "bundle");
    for (uint32_t i = 0; i < bundle->n; i++)
        hash_add(&state, bundle->commitment[i].bytes, HASH_BYTES);
    return hash_end(&state);
}

void unmask_free(struct unmask *unmask)
{
    secret_wipe(unmask->bundle, unmask->n * sizeof *unmask->bundle);
    free(unmask->bundle);
    *unmask = (struct unmask){0};
}

void unmask_write(struct buffer *out, const struct unmask *unmask, const uint8_t *identity)
{
    size_t start = out->n;
    wire_begin(out, MSG_UNMASK);
    write_bytes(out, unmask->session, MSG_SESSION_BYTES);
    write_hash(out, &unmask->survivors);
    write_u32(out, unmask->from);
    for (uint32_t v = 0; v < unmask->n; v++) {
        const struct bundle *bundle = &unmask->bundle[v];
        write_u8(out, (uint8_t)bundle->n);
        for (uint32_t i = 0; i < bundle->n; i++) {
            write_u8(out, bundle->have[i]);
            if (bundle->have[i]) {
                write_bytes(out, bundle->share[i], SHARE_BYTES);
                write_bytes(out, bundle->salt[i], HASH_BYTES);
            } else {
                write_hash(out, &bundle->commitment[i]);
            }
        }
    }
    wire_sign(out, start, identity);
}

static void read_bundle(struct reader *r, struct bundle *bundle)
{
    bundle->n = read_u8(r);
    if (bundle->n > 1 + MSG_SEGMENTS_MAX) {
        r->bad = true;
        bundle->n = 0;
    }
    for (uint32_t i = 0; i < bundle->n; i++) {
        uint8_t have = read_u8(r);
        if (have > 1) r->bad = true;
        bundle->have[i] = have == 1;
        if (bundle->have[i]) {
            read_bytes(r, bundle->share[i], SHARE_BYTES);
            read_bytes(r, bundle->salt[i], HASH_BYTES);
        } else {
            read_hash(r, &bundle->commitment[i]);
        }
    }
}

enum status unmask_read(struct unmask *out, struct view in, uint32_t n, const uint8_t *sender)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_UNMASK, sender));
    AUTO(unmask_free) struct unmask unmask = {0};
    unmask.bundle = calloc(n, sizeof *unmask.bundle);
    if (unmask.bundle == NULL) return STATUS_NOMEM;
    unmask.n = n;
    read_bytes(&r, unmask.session, MSG_SESSION_BYTES);
    read_hash(&r, &unmask.survivors);
    unmask.from = read_u32(&r);
    for (uint32_t v = 0; v < n && !r.bad; v++) read_bundle(&r, &unmask.bundle[v]);
    TRY(reader_end(&r));
    *out = unmask;
    unmask = (struct unmask){0};
    return STATUS_OK;
}
