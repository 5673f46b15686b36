/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/trail.h"

#include <string.h>

static const char hash_label[] = "trail";
static const char sign_label[] = "SA1-trail";

void trail_entry_write(struct buffer *out, const struct trail_entry *e)
{
    write_u64(out, e->number);
    write_bytes(out, e->previous.bytes, HASH_BYTES);
    write_u64(out, e->time_s);
    write_bytes(out, e->signer, SIGN_PUBLIC_BYTES);
    write_u64(out, e->ledger.n);
    write_bytes(out, e->ledger.hash.bytes, HASH_BYTES);
    write_u8(out, (uint8_t)e->kind);
    write_blob(out, e->body.at, e->body.n);
}

enum status trail_entry_read(struct trail_entry *out, struct view in)
{
    struct reader r = reader_of(in);
    struct trail_entry e = {.number = read_u64(&r)};
    read_bytes(&r, e.previous.bytes, HASH_BYTES);
    e.time_s = read_u64(&r);
    read_bytes(&r, e.signer, SIGN_PUBLIC_BYTES);
    e.ledger.n = read_u64(&r);
    read_bytes(&r, e.ledger.hash.bytes, HASH_BYTES);
    const uint8_t kind = read_u8(&r);
    e.body = read_blob(&r, TRAIL_ENTRY_BYTES_MAX);
    if (e.number == 0 || kind == 0 || kind >= TRAIL_KINDS) r.bad = true;
    TRY(reader_end(&r));
    e.kind = (enum trail_kind)kind;
    *out = e;
    return STATUS_OK;
}

struct hash trail_entry_hash(struct view bytes)
{
    return hash_of(hash_label, bytes);
}

void trail_entry_sign(uint8_t signature[static SIGN_BYTES],
                      const uint8_t identity[static SIGN_SEED_BYTES], struct view bytes)
{
    sign_make(signature, identity, sign_label, bytes);
}

bool trail_entry_signed(const struct trail_entry *entry, struct view bytes,
                        const uint8_t signature[static SIGN_BYTES])
{
    return sign_check(signature, entry->signer, sign_label, bytes);
}

void trail_sent_write(struct buffer *out, const struct trail_sent *sent)
{
    write_u32(out, sent->round);
    write_u8(out, (uint8_t)sent->kind);
    write_u32(out, sent->bytes);
}

enum status trail_sent_read(struct trail_sent *out, struct view in)
{
    struct reader r = reader_of(in);
    const uint32_t round = read_u32(&r);
    const uint8_t kind = read_u8(&r);
    const uint32_t bytes = read_u32(&r);
    if (kind == 0 || kind >= MSG_KIND_COUNT) r.bad = true;
    TRY(reader_end(&r));
    *out = (struct trail_sent){.round = round, .kind = (enum msg_kind)kind, .bytes = bytes};
    return STATUS_OK;
}

void trail_end_write(struct buffer *out, const struct trail_end *end)
{
    write_u32(out, end->round);
    write_u16(out, (uint16_t)end->why);
}

enum status trail_end_read(struct trail_end *out, struct view in)
{
    struct reader r = reader_of(in);
    const struct trail_end end = {.round = read_u32(&r), .why = (enum reason)read_u16(&r)};
    TRY(reader_end(&r));
    *out = end;
    return STATUS_OK;
}

/* Number and hash of the last entry; zeros when there is none. */
static enum status find_end(struct trail_entry *next, struct db *db)
{
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    bool more = false;
    TRY(db_ask(&rows, db, "SELECT number, bytes FROM trail ORDER BY number DESC LIMIT 1", 0, NULL));
    TRY(db_next(rows, &more));
    next->number = 1;
    if (!more) return STATUS_OK;
    if (db_int(rows, 0) < 1) return STATUS_FORMAT;
    next->number = (uint64_t)db_int(rows, 0) + 1;
    next->previous = trail_entry_hash(db_blob(rows, 1));
    return STATUS_OK;
}

enum status trail_add(struct db *db, const struct pen *pen, enum trail_kind kind, struct view body)
{
    struct trail_entry entry = {
        .time_s = pen->time_s, .ledger = pen->ledger, .kind = kind, .body = body};
    if (body.n > TRAIL_ENTRY_BYTES_MAX) return STATUS_RANGE;
    TRY(find_end(&entry, db));
    sign_public(entry.signer, pen->identity);
    AUTO(buffer_free) struct buffer bytes = {0};
    trail_entry_write(&bytes, &entry);
    TRY(bytes.status);
    uint8_t signature[SIGN_BYTES];
    trail_entry_sign(signature, pen->identity, buffer_view(&bytes));
    const struct db_value value[] = {DB_INT(entry.number), DB_BLOB(bytes.at, bytes.n),
                                     DB_BLOB(signature, sizeof signature)};
    return db_run(db, "INSERT INTO trail (number, bytes, signature) VALUES (?, ?, ?)", 3, value);
}

enum status trail_last(struct buffer *out, struct db *db, enum trail_kind kind)
{
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    TRY(db_ask(&rows, db, "SELECT bytes FROM trail ORDER BY number DESC", 0, NULL));
    for (bool more = true;;) {
        struct trail_entry entry = {0};
        TRY(db_next(rows, &more));
        if (!more) return STATUS_OK;
        TRY(trail_entry_read(&entry, db_blob(rows, 0)));
        if (entry.kind != kind) continue;
        write_bytes(out, entry.body.at, entry.body.n);
        return out->status;
    }
}
