/* SPDX-License-Identifier: Apache-2.0 */
#include "client/journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/db.h"

struct journal {
    struct db *db;
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS memory ("
    " id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, round INTEGER NOT NULL,"
    " session BLOB NOT NULL, hash BLOB NOT NULL, survivors INTEGER NOT NULL,"
    " UNIQUE (kind, round)) STRICT;"
    "CREATE TABLE IF NOT EXISTS ledger ("
    " id INTEGER PRIMARY KEY CHECK (id = 1), entries INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS survivors ("
    " round INTEGER PRIMARY KEY, sites BLOB NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS study (id INTEGER PRIMARY KEY, manifest BLOB NOT NULL) "
    "STRICT;" TRAIL_SCHEMA;

enum status journal_open(struct journal **out, const char *path)
{
    struct journal *journal = calloc(1, sizeof *journal);
    if (journal == NULL) return STATUS_NOMEM;
    enum status status = db_open(&journal->db, path, schema);
    if (status != STATUS_OK) {
        free(journal);
        return status;
    }
    *out = journal;
    return STATUS_OK;
}

void journal_close(struct journal **journal)
{
    if (*journal == NULL) return;
    db_close(&(*journal)->db);
    free(*journal);
    *journal = NULL;
}

enum status journal_bind(struct journal *journal, const struct hash *manifest, bool first)
{
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    bool more = false;
    TRY(db_ask(&rows, journal->db, "SELECT manifest FROM study", 0, NULL));
    TRY(db_next(rows, &more));
    if (more) {
        struct view known = db_blob(rows, 0);
        bool same = known.n == HASH_BYTES && memcmp(known.at, manifest->bytes, HASH_BYTES) == 0;
        return same ? STATUS_OK : STATUS_STATE;
    }
    if (!first) return STATUS_STATE;
    const struct db_value value[] = {DB_BLOB(manifest->bytes, HASH_BYTES)};
    return db_run(journal->db, "INSERT INTO study (id, manifest) VALUES (1, ?)", 1, value);
}

enum status journal_restore(const struct journal *journal, uint32_t *last_round,
                            struct hash *transcript)
{
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    bool more = false;
    TRY(db_ask(&rows, journal->db, "SELECT coalesce(max(round), 0) FROM memory", 0, NULL));
    TRY(db_next(rows, &more));
    uint32_t round = (uint32_t)db_int(rows, 0);
    db_rows_free(&rows);
    const struct db_value kind[] = {DB_INT(MEMORY_RESULT), DB_INT(MEMORY_FOLLOW)};
    TRY(db_ask(&rows, journal->db,
               "SELECT hash FROM memory WHERE kind IN (?, ?) ORDER BY id DESC LIMIT 1", 2, kind));
    TRY(db_next(rows, &more));
    struct hash last = {0};
    if (more) {
        struct view hash = db_blob(rows, 0);
        if (hash.n != HASH_BYTES) return STATUS_FORMAT;
        memcpy(last.bytes, hash.at, HASH_BYTES);
    }
    *last_round = round;
    *transcript = last;
    return STATUS_OK;
}

enum status journal_change(struct db_change *out, struct journal *journal)
{
    return db_change_begin(out, journal->db);
}

enum status journal_show(struct journal *journal, const struct pen *pen, enum trail_kind kind,
                         struct view body)
{
    return trail_add(journal->db, pen, kind, body);
}

enum status journal_shown_end(const struct journal *journal, uint32_t *round)
{
    AUTO(buffer_free) struct buffer body = {0};
    struct trail_end end = {0};
    TRY(trail_last(&body, journal->db, TRAIL_END));
    if (body.n > 0) TRY(trail_end_read(&end, buffer_view(&body)));
    *round = end.round;
    return STATUS_OK;
}

/* A second entry of one kind for a round breaks the UNIQUE rule: there is never a second answer. */
enum status journal_entry(struct journal *journal, struct view entry)
{
    struct memory memory = {0};
    TRY(memory_read(&memory, entry));
    const struct db_value value[] = {
        DB_INT(memory.kind), DB_INT(memory.round), DB_BLOB(memory.session, MSG_SESSION_BYTES),
        DB_BLOB(memory.hash.bytes, HASH_BYTES), DB_INT(memory.n_survivors)};
    return db_run(journal->db,
                  "INSERT INTO memory (kind, round, session, hash, survivors) "
                  "VALUES (?, ?, ?, ?, ?)",
                  5, value);
}

enum status journal_round(const struct journal *journal, uint32_t round, struct journal_round *out)
{
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    TRY(db_ask(&rows, journal->db, "SELECT kind, survivors FROM memory WHERE round = ?", 1,
               &DB_INT(round)));
    struct journal_round known = {0};
    for (bool more = true;;) {
        TRY(db_next(rows, &more));
        if (!more) break;
        const int64_t kind = db_int(rows, 0), survivors = db_int(rows, 1);
        if (survivors < 0 || survivors > UINT32_MAX) return STATUS_FORMAT;
        known.planned = known.planned || kind == MEMORY_PLAN;
        known.sent = known.sent || kind == MEMORY_INPUT;
        if (kind != MEMORY_RESULT) continue;
        known.ended = true;
        known.n_survivors = (uint32_t)survivors;
    }
    *out = known;
    return STATUS_OK;
}

enum status journal_inputs(const struct journal *journal, uint32_t *rounds)
{
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    bool more = false;
    TRY(db_ask(&rows, journal->db, "SELECT count(*) FROM memory WHERE kind = ?", 1,
               &DB_INT(MEMORY_INPUT)));
    TRY(db_next(rows, &more));
    *rounds = (uint32_t)db_int(rows, 0);
    return STATUS_OK;
}

enum status journal_know(struct journal *journal, const struct ledger_head *head)
{
    const struct db_value value[] = {DB_INT(head->n), DB_BLOB(head->hash.bytes, HASH_BYTES)};
    return db_run(journal->db, "REPLACE INTO ledger (id, entries, hash) VALUES (1, ?, ?)", 2,
                  value);
}

enum status journal_head(const struct journal *journal, struct ledger_head *out)
{
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    bool more = false;
    TRY(db_ask(&rows, journal->db, "SELECT entries, hash FROM ledger", 0, NULL));
    TRY(db_next(rows, &more));
    struct ledger_head head = {0};
    if (more) {
        const struct view hash = db_blob(rows, 1);
        if (hash.n != HASH_BYTES || db_int(rows, 0) < 1) return STATUS_FORMAT;
        head.n = (uint64_t)db_int(rows, 0);
        memcpy(head.hash.bytes, hash.at, HASH_BYTES);
    }
    *out = head;
    return STATUS_OK;
}

enum status journal_confirm(struct journal *journal, struct view entry,
                            const struct bits *survivors)
{
    struct memory memory = {0};
    TRY(memory_read(&memory, entry));
    AUTO(buffer_free) struct buffer sites = {0};
    write_bits(&sites, survivors);
    TRY(sites.status);
    TRY(journal_entry(journal, entry));
    const struct db_value value[] = {DB_INT(memory.round), DB_BLOB(sites.at, sites.n)};
    return db_run(journal->db, "INSERT INTO survivors (round, sites) VALUES (?, ?)", 2, value);
}

enum status journal_past(const struct journal *journal, struct participation *past)
{
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    TRY(db_ask(&rows, journal->db, "SELECT sites FROM survivors", 0, NULL));
    for (bool more = false;;) {
        TRY(db_next(rows, &more));
        if (!more) return STATUS_OK;
        AUTO(bits_free) struct bits survivors = {0};
        struct reader r = reader_of(db_blob(rows, 0));
        TRY(read_bits(&r, &survivors, past->n));
        TRY(reader_end(&r));
        participation_add(past, &survivors);
    }
}
