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
    "CREATE TABLE IF NOT EXISTS release ("
    " round INTEGER PRIMARY KEY, step INTEGER NOT NULL, norm2 INTEGER NOT NULL,"
    " sigma INTEGER NOT NULL, shares INTEGER NOT NULL, dim INTEGER NOT NULL,"
    " sampling REAL NOT NULL, settled INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE TABLE IF NOT EXISTS survivors ("
    " round INTEGER PRIMARY KEY, sites BLOB NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS study (id INTEGER PRIMARY KEY, manifest BLOB NOT NULL) STRICT;";

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

enum status journal_reserve(struct journal *journal, uint32_t round, enum step step,
                            const struct release *worst)
{
    const struct db_value value[] = {
        DB_INT(round),           DB_INT(step),       DB_INT(worst->norm2),    DB_INT(worst->sigma),
        DB_INT(worst->n_shares), DB_INT(worst->dim), DB_REAL(worst->sampling)};
    return db_run(journal->db,
                  "INSERT INTO release (round, step, norm2, sigma, shares, dim, sampling) "
                  "VALUES (?, ?, ?, ?, ?, ?, ?)",
                  7, value);
}

enum status journal_result(struct journal *journal, struct view entry, uint32_t n_shares)
{
    struct memory memory = {0};
    TRY(memory_read(&memory, entry));
    AUTO(db_change_undo) struct db_change change = {0};
    TRY(db_change_begin(&change, journal->db));
    TRY(journal_entry(journal, entry));
    const struct db_value value[] = {DB_INT(n_shares), DB_INT(memory.round)};
    TRY(db_run(journal->db, "UPDATE release SET shares = ?, settled = 1 WHERE round = ?", 2,
               value));
    return db_change_commit(&change);
}

enum status journal_confirm(struct journal *journal, struct view entry,
                            const struct bits *survivors)
{
    struct memory memory = {0};
    TRY(memory_read(&memory, entry));
    AUTO(buffer_free) struct buffer sites = {0};
    write_bits(&sites, survivors);
    TRY(sites.status);
    AUTO(db_change_undo) struct db_change change = {0};
    TRY(db_change_begin(&change, journal->db));
    TRY(journal_entry(journal, entry));
    const struct db_value value[] = {DB_INT(memory.round), DB_BLOB(sites.at, sites.n)};
    TRY(db_run(journal->db, "INSERT INTO survivors (round, sites) VALUES (?, ?)", 2, value));
    return db_change_commit(&change);
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

enum status journal_account(const struct journal *journal, struct account *account,
                            uint32_t *releases)
{
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    const struct db_value kind[] = {DB_INT(MEMORY_INPUT)};
    TRY(db_ask(&rows, journal->db,
               "SELECT norm2, sigma, shares, dim, sampling, count(*) FROM release "
               "WHERE round IN (SELECT round FROM memory WHERE kind = ?) "
               "GROUP BY norm2, sigma, shares, dim, sampling",
               1, kind));
    struct account sum = {0};
    uint32_t count = 0;
    for (bool more = false;;) {
        TRY(db_next(rows, &more));
        if (!more) break;
        const struct release release = {.norm2 = (uint64_t)db_int(rows, 0),
                                        .sigma = (uint32_t)db_int(rows, 1),
                                        .n_shares = (uint32_t)db_int(rows, 2),
                                        .dim = (uint64_t)db_int(rows, 3),
                                        .sampling = db_real(rows, 4)};
        uint32_t times = (uint32_t)db_int(rows, 5);
        TRY(account_add(&sum, &release, times));
        count += times;
    }
    *account = sum;
    *releases = count;
    return STATUS_OK;
}
