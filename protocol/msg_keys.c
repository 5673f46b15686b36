/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the key stages: advert, roster, header, shares, inbox. */
#include <stdlib.h>

#include "protocol/msg_wire.h"

void advert_write(struct buffer *out, const struct advert *advert, const uint8_t *identity)
{
    size_t start = out->n;
    wire_begin(out, MSG_ADVERT);
    write_bytes(out, advert->session, MSG_SESSION_BYTES);
    write_hash(out, &advert->plan);
    write_u32(out, advert->from);
    write_bytes(out, advert->mask_key, KX_PUBLIC_BYTES);
    write_bytes(out, advert->enc_key, KX_PUBLIC_BYTES);
    wire_sign(out, start, identity);
}

enum status advert_read(struct advert *out, struct view in, const uint8_t *sender)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_ADVERT, sender));
    struct advert advert = {0};
    read_bytes(&r, advert.session, MSG_SESSION_BYTES);
    read_hash(&r, &advert.plan);
    advert.from = read_u32(&r);
    read_bytes(&r, advert.mask_key, KX_PUBLIC_BYTES);
    read_bytes(&r, advert.enc_key, KX_PUBLIC_BYTES);
    TRY(reader_end(&r));
    *out = advert;
    return STATUS_OK;
}

void roster_free(struct roster *roster)
{
    free(roster->advert);
    *roster = (struct roster){0};
}

void roster_write(struct buffer *out, const struct roster *roster, const uint8_t *identity)
{
    size_t start = out->n;
    wire_begin(out, MSG_ROSTER);
    write_bytes(out, roster->session, MSG_SESSION_BYTES);
    write_views(out, roster->advert, roster->n);
    wire_sign(out, start, identity);
}

enum status roster_read(struct roster *out, struct view in, uint32_t n, const uint8_t *server)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_ROSTER, server));
    AUTO(roster_free) struct roster roster = {.n = n};
    roster.advert = calloc(n, sizeof *roster.advert);
    if (roster.advert == NULL) return STATUS_NOMEM;
    read_bytes(&r, roster.session, MSG_SESSION_BYTES);
    read_views(&r, roster.advert, n, WIRE_HEAD_MAX);
    TRY(reader_end(&r));
    *out = roster;
    roster = (struct roster){0};
    return STATUS_OK;
}

static struct hash hash_views(const char *label, const struct hash *first, const struct view *view,
                              uint32_t n)
{
    struct hash_state state;
    hash_start(&state, label);
    if (first != NULL) hash_add(&state, first->bytes, HASH_BYTES);
    for (uint32_t v = 0; v < n; v++) hash_add(&state, view[v].at, view[v].n);
    return hash_end(&state);
}

struct hash roster_hash(const struct hash *plan, const struct view *advert, uint32_t n)
{
    return hash_views("roster", plan, advert, n);
}

struct hash inbox_hash(const struct view *header, uint32_t n)
{
    return hash_views("dealers", NULL, header, n);
}

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

enum status shares_read(struct shares *out, struct view in, uint32_t n_roster, size_t sealed_limit)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_SHARES, NULL));
    AUTO(shares_free) struct shares shares = {.n = n_roster};
    shares.header = read_blob(&r, WIRE_HEAD_MAX);
    shares.leaf = calloc(n_roster, sizeof *shares.leaf);
    shares.sealed = calloc(n_roster, sizeof *shares.sealed);
    if (shares.leaf == NULL || shares.sealed == NULL) return STATUS_NOMEM;
    for (uint32_t i = 0; i < n_roster; i++) read_hash(&r, &shares.leaf[i]);
    read_views(&r, shares.sealed, n_roster, sealed_limit);
    TRY(reader_end(&r));
    *out = shares;
    shares = (struct shares){0};
    return STATUS_OK;
}

void inbox_free(struct inbox *inbox)
{
    free(inbox->header);
    free(inbox->sealed);
    free(inbox->path);
    *inbox = (struct inbox){0};
}

enum status inbox_new(struct inbox *out, uint32_t n)
{
    AUTO(inbox_free) struct inbox inbox = {.n = n};
    inbox.header = calloc(n, sizeof *inbox.header);
    inbox.sealed = calloc(n, sizeof *inbox.sealed);
    inbox.path = calloc(n, sizeof *inbox.path);
    if (inbox.header == NULL || inbox.sealed == NULL || inbox.path == NULL) return STATUS_NOMEM;
    *out = inbox;
    inbox = (struct inbox){0};
    return STATUS_OK;
}

void inbox_write(struct buffer *out, const struct inbox *inbox, const uint8_t *identity)
{
    size_t start = out->n;
    wire_begin(out, MSG_INBOX);
    write_bytes(out, inbox->session, MSG_SESSION_BYTES);
    write_views(out, inbox->header, inbox->n);
    write_views(out, inbox->sealed, inbox->n);
    for (uint32_t v = 0; v < inbox->n; v++)
        if (inbox->header[v].n > 0) write_path(out, &inbox->path[v]);
    wire_sign(out, start, identity);
}

enum status inbox_read(struct inbox *out, struct view in, uint32_t n, size_t sealed_limit,
                       const uint8_t *server)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_INBOX, server));
    AUTO(inbox_free) struct inbox inbox = {0};
    TRY(inbox_new(&inbox, n));
    read_bytes(&r, inbox.session, MSG_SESSION_BYTES);
    read_views(&r, inbox.header, n, WIRE_HEAD_MAX);
    read_views(&r, inbox.sealed, n, sealed_limit);
    for (uint32_t v = 0; v < n; v++)
        if (inbox.header[v].n > 0) read_path(&r, &inbox.path[v]);
    TRY(reader_end(&r));
    *out = inbox;
    inbox = (struct inbox){0};
    return STATUS_OK;
}
