/* SPDX-License-Identifier: Apache-2.0 */
/* Messages on which sums to open: survivors, confirm, quorum. */
#include <stdlib.h>
#include <string.h>

#include "protocol/msg_wire.h"

void survivors_free(struct survivors *survivors)
{
    bits_free(&survivors->survivors);
    bits_free(&survivors->opened);
    *survivors = (struct survivors){0};
}

struct hash survivors_hash(const struct survivors *survivors)
{
    struct hash_state state;
    hash_start(&state, "survivors");
    hash_add(&state, survivors->session, MSG_SESSION_BYTES);
    hash_add(&state, survivors->plan.bytes, HASH_BYTES);
    hash_add(&state, survivors->roster.bytes, HASH_BYTES);
    hash_add(&state, survivors->dealers.bytes, HASH_BYTES);
    wire_hash_bits(&state, &survivors->survivors);
    wire_hash_bits(&state, &survivors->opened);
    hash_add(&state, survivors->root.bytes, HASH_BYTES);
    return hash_end(&state);
}

enum status witness_new(struct witness *out, uint32_t n)
{
    AUTO(witness_free)
    struct witness witness = {.n = n,
                              .digest = calloc(n, sizeof *witness.digest),
                              .path = calloc(n, sizeof *witness.path)};
    if (witness.digest == NULL || witness.path == NULL) return STATUS_NOMEM;
    *out = witness;
    witness = (struct witness){0};
    return STATUS_OK;
}

void witness_free(struct witness *witness)
{
    free(witness->digest);
    free(witness->path);
    *witness = (struct witness){0};
}

void claim_write(struct buffer *out, const struct survivors *survivors)
{
    write_bytes(out, survivors->session, MSG_SESSION_BYTES);
    write_hash(out, &survivors->plan);
    write_hash(out, &survivors->roster);
    write_hash(out, &survivors->dealers);
    write_bits(out, &survivors->survivors);
    write_bits(out, &survivors->opened);
    write_hash(out, &survivors->root);
}

void survivors_write(struct buffer *out, const struct survivors *survivors,
                     const struct witness *witness, const uint8_t *identity)
{
    REQUIRE(witness->n == survivors->survivors.n);
    size_t start = out->n;
    wire_begin(out, MSG_SURVIVORS);
    claim_write(out, survivors);
    write_path(out, &witness->own);
    for (uint32_t v = 0; v < witness->n; v++) {
        if (!bits_has(&survivors->survivors, v)) continue;
        write_u8(out, witness->digest[v].n > 0);
        if (witness->digest[v].n == 0) continue;
        write_blob(out, witness->digest[v].at, witness->digest[v].n);
        write_path(out, &witness->path[v]);
    }
    wire_sign(out, start, identity);
}

static void read_witness(struct reader *r, struct witness *witness, const struct bits *survivors)
{
    read_path(r, &witness->own);
    for (uint32_t v = 0; v < witness->n; v++) {
        if (!bits_has(survivors, v) || !read_flag(r)) continue;
        witness->digest[v] = read_blob(r, WIRE_HEAD_MAX);
        if (witness->digest[v].n == 0) r->bad = true;
        read_path(r, &witness->path[v]);
    }
}

/* into is freed by the caller also on failure. */
static enum status read_claim(struct reader *r, struct survivors *into, uint32_t n,
                              uint32_t n_segments)
{
    read_bytes(r, into->session, MSG_SESSION_BYTES);
    read_hash(r, &into->plan);
    read_hash(r, &into->roster);
    read_hash(r, &into->dealers);
    TRY(read_bits(r, &into->survivors, n));
    TRY(read_bits(r, &into->opened, n_segments));
    read_hash(r, &into->root);
    return STATUS_OK;
}

enum status claim_read(struct survivors *out, struct view in, uint32_t n, uint32_t n_segments)
{
    AUTO(survivors_free) struct survivors survivors = {0};
    struct reader r = reader_of(in);
    TRY(read_claim(&r, &survivors, n, n_segments));
    TRY(reader_end(&r));
    *out = survivors;
    survivors = (struct survivors){0};
    return STATUS_OK;
}

enum status survivors_read(struct survivors *out, struct witness *witness, struct view in,
                           uint32_t n, uint32_t n_segments, const uint8_t *server)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_SURVIVORS, server));
    AUTO(survivors_free) struct survivors survivors = {0};
    TRY(read_claim(&r, &survivors, n, n_segments));
    AUTO(witness_free) struct witness shown = {0};
    TRY(witness_new(&shown, n));
    read_witness(&r, &shown, &survivors.survivors);
    TRY(reader_end(&r));
    *witness = shown;
    shown = (struct witness){0};
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
