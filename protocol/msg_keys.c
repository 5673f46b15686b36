/* SPDX-License-Identifier: Apache-2.0 */
/* Messages before anything is dealt: advert, roster, position, positions. */
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
    write_hash(out, &advert->position);
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
    read_hash(&r, &advert.position);
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

/* Absent views are empty parts, so that a hash tells whose each one is. */
static struct hash hash_views(const char *label, const struct hash *first, const struct view *view,
                              uint32_t n)
{
    struct hash_state state;
    hash_start(&state, label);
    hash_add(&state, first->bytes, HASH_BYTES);
    for (uint32_t v = 0; v < n; v++) hash_add(&state, view[v].at, view[v].n);
    return hash_end(&state);
}

struct hash roster_hash(const struct hash *plan, const struct view *advert, uint32_t n)
{
    return hash_views("roster", plan, advert, n);
}

struct hash position_commit(const struct position *position)
{
    struct hash_state state;
    hash_start(&state, "position");
    hash_add(&state, position->session, MSG_SESSION_BYTES);
    hash_add_u64(&state, position->from);
    hash_add(&state, position->nonce, MSG_NONCE_BYTES);
    return hash_end(&state);
}

void position_write(struct buffer *out, const struct position *position, const uint8_t *identity)
{
    size_t start = out->n;
    wire_begin(out, MSG_POSITION);
    write_bytes(out, position->session, MSG_SESSION_BYTES);
    write_u32(out, position->from);
    write_bytes(out, position->nonce, MSG_NONCE_BYTES);
    wire_sign(out, start, identity);
}

enum status position_read(struct position *out, struct view in, const uint8_t *sender)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_POSITION, sender));
    struct position position = {0};
    read_bytes(&r, position.session, MSG_SESSION_BYTES);
    position.from = read_u32(&r);
    read_bytes(&r, position.nonce, MSG_NONCE_BYTES);
    TRY(reader_end(&r));
    *out = position;
    return STATUS_OK;
}

void positions_free(struct positions *positions)
{
    free(positions->nonce);
    *positions = (struct positions){0};
}

void positions_write(struct buffer *out, const struct positions *positions, const uint8_t *identity)
{
    size_t start = out->n;
    wire_begin(out, MSG_POSITIONS);
    write_bytes(out, positions->session, MSG_SESSION_BYTES);
    for (uint32_t v = 0; v < positions->n; v++) {
        write_u8(out, positions->nonce[v].n > 0);
        write_bytes(out, positions->nonce[v].at, positions->nonce[v].n);
    }
    wire_sign(out, start, identity);
}

enum status positions_read(struct positions *out, struct view in, uint32_t n, const uint8_t *server)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_POSITIONS, server));
    AUTO(positions_free) struct positions positions = {.n = n};
    positions.nonce = calloc(n, sizeof *positions.nonce);
    if (positions.nonce == NULL) return STATUS_NOMEM;
    read_bytes(&r, positions.session, MSG_SESSION_BYTES);
    for (uint32_t v = 0; v < n; v++)
        if (read_flag(&r)) positions.nonce[v] = read_view(&r, MSG_NONCE_BYTES);
    TRY(reader_end(&r));
    *out = positions;
    positions = (struct positions){0};
    return STATUS_OK;
}

struct hash positions_hash(const struct hash *roster, const struct view *nonce, uint32_t n)
{
    return hash_views("positions", roster, nonce, n);
}
