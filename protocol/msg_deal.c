/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that deal shares: header, shares, inbox. */
#include <stdlib.h>

#include "protocol/msg_wire.h"

void header_write(struct buffer *out, const struct header *header, const uint8_t *identity)
{
    size_t start = out->n;
    wire_begin(out, MSG_HEADER);
    write_bytes(out, header->session, MSG_SESSION_BYTES);
    write_hash(out, &header->plan);
    write_hash(out, &header->roster);
    write_u32(out, header->from);
    write_hash(out, &header->root);
    write_u8(out, (uint8_t)header->n_selfs);
    for (uint32_t l = 0; l < header->n_selfs; l++) write_hash(out, &header->self[l]);
    write_u8(out, (uint8_t)header->n_noises);
    for (uint32_t k = 0; k < header->n_noises; k++) write_hash(out, &header->noise[k]);
    wire_sign(out, start, identity);
}

enum status header_read(struct header *out, struct view in, const uint8_t *sender)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_HEADER, sender));
    struct header header = {0};
    read_bytes(&r, header.session, MSG_SESSION_BYTES);
    read_hash(&r, &header.plan);
    read_hash(&r, &header.roster);
    header.from = read_u32(&r);
    read_hash(&r, &header.root);
    header.n_selfs = read_u8(&r);
    if (header.n_selfs > MSG_SEGMENTS_MAX) return STATUS_FORMAT;
    for (uint32_t l = 0; l < header.n_selfs; l++) read_hash(&r, &header.self[l]);
    header.n_noises = read_u8(&r);
    if (header.n_noises > XNOISE_REMOVABLE_MAX) return STATUS_FORMAT;
    for (uint32_t k = 0; k < header.n_noises; k++) read_hash(&r, &header.noise[k]);
    TRY(reader_end(&r));
    *out = header;
    return STATUS_OK;
}

void shares_free(struct shares *shares)
{
    free(shares->leaf);
    free(shares->sealed);
    *shares = (struct shares){0};
}

void shares_write(struct buffer *out, const struct shares *shares)
{
    wire_begin(out, MSG_SHARES);
    write_blob(out, shares->header.at, shares->header.n);
    for (uint32_t i = 0; i < shares->n; i++) write_hash(out, &shares->leaf[i]);
    write_views(out, shares->sealed, shares->n);
}

enum status shares_read(struct shares *out, struct view in, uint32_t n_holders, size_t sealed_limit)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_SHARES, NULL));
    AUTO(shares_free) struct shares shares = {.n = n_holders};
    shares.header = read_blob(&r, WIRE_HEAD_MAX);
    shares.leaf = calloc(n_holders, sizeof *shares.leaf);
    shares.sealed = calloc(n_holders, sizeof *shares.sealed);
    if (shares.leaf == NULL || shares.sealed == NULL) return STATUS_NOMEM;
    for (uint32_t i = 0; i < n_holders; i++) read_hash(&r, &shares.leaf[i]);
    read_views(&r, shares.sealed, n_holders, sealed_limit);
    TRY(reader_end(&r));
    *out = shares;
    shares = (struct shares){0};
    return STATUS_OK;
}

struct hash header_hash(struct view header)
{
    return hash_of("header", header);
}

struct hash inbox_hash(const struct bits *dealers, const struct hash *head)
{
    struct hash_state state;
    hash_start(&state, "dealers");
    wire_hash_bits(&state, dealers);
    for (uint32_t v = 0; v < dealers->n; v++)
        if (bits_has(dealers, v)) hash_add(&state, head[v].bytes, HASH_BYTES);
    return hash_end(&state);
}

void inbox_free(struct inbox *inbox)
{
    bits_free(&inbox->dealers);
    free(inbox->head);
    free(inbox->header);
    free(inbox->sealed);
    free(inbox->path);
    *inbox = (struct inbox){0};
}

/* Empty lists for n members. */
static enum status make_room(struct inbox *inbox, uint32_t n)
{
    inbox->n = n;
    inbox->head = calloc(n, sizeof *inbox->head);
    inbox->header = calloc(n, sizeof *inbox->header);
    inbox->sealed = calloc(n, sizeof *inbox->sealed);
    inbox->path = calloc(n, sizeof *inbox->path);
    return inbox->head == NULL || inbox->header == NULL || inbox->sealed == NULL ||
                   inbox->path == NULL
               ? STATUS_NOMEM
               : STATUS_OK;
}

enum status inbox_new(struct inbox *out, uint32_t n)
{
    AUTO(inbox_free) struct inbox inbox = {0};
    TRY(bits_new(&inbox.dealers, n));
    TRY(make_room(&inbox, n));
    *out = inbox;
    inbox = (struct inbox){0};
    return STATUS_OK;
}

void inbox_write(struct buffer *out, const struct inbox *inbox, const uint8_t *identity)
{
    size_t start = out->n;
    wire_begin(out, MSG_INBOX);
    write_bytes(out, inbox->session, MSG_SESSION_BYTES);
    write_bits(out, &inbox->dealers);
    for (uint32_t v = 0; v < inbox->n; v++) {
        if (!bits_has(&inbox->dealers, v)) continue;
        write_hash(out, &inbox->head[v]);
        write_u8(out, inbox->header[v].n > 0);
        if (inbox->header[v].n == 0) continue;
        write_blob(out, inbox->header[v].at, inbox->header[v].n);
        write_blob(out, inbox->sealed[v].at, inbox->sealed[v].n);
        write_path(out, &inbox->path[v]);
    }
    wire_sign(out, start, identity);
}

enum status inbox_read(struct inbox *out, struct view in, uint32_t n, size_t sealed_limit,
                       const uint8_t *server)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_INBOX, server));
    AUTO(inbox_free) struct inbox inbox = {0};
    read_bytes(&r, inbox.session, MSG_SESSION_BYTES);
    TRY(read_bits(&r, &inbox.dealers, n));
    TRY(make_room(&inbox, n));
    for (uint32_t v = 0; v < n; v++) {
        if (!bits_has(&inbox.dealers, v)) continue;
        read_hash(&r, &inbox.head[v]);
        if (!read_flag(&r)) continue;
        inbox.header[v] = read_blob(&r, WIRE_HEAD_MAX);
        if (inbox.header[v].n == 0) r.bad = true;
        inbox.sealed[v] = read_blob(&r, sealed_limit);
        read_path(&r, &inbox.path[v]);
    }
    TRY(reader_end(&r));
    *out = inbox;
    inbox = (struct inbox){0};
    return STATUS_OK;
}
