/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/db.h"
#include "protocol/trail_round.h"

struct journal {
    struct db *db;
};

/* The last ended and the open round are one row each; inputs go with the round they belong to. */
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS study ("
    " id INTEGER PRIMARY KEY CHECK (id = 1), manifest BLOB NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS ended ("
    " id INTEGER PRIMARY KEY CHECK (id = 1), round INTEGER NOT NULL, course BLOB NOT NULL,"
    " hash BLOB NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS result (round INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS open ("
    " id INTEGER PRIMARY KEY CHECK (id = 1), round INTEGER NOT NULL UNIQUE, plan BLOB NOT NULL,"
    " totals BLOB) STRICT;"
    "CREATE TABLE IF NOT EXISTS input ("
    " id INTEGER PRIMARY KEY, round INTEGER NOT NULL REFERENCES open (round) ON DELETE CASCADE,"
    " kind INTEGER NOT NULL, site INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;" TRAIL_SCHEMA;

/* Ask for at most one row. */
static enum status ask_one(struct db_rows **rows, struct db *db, const char *sql, bool *found)
{
    AUTO(db_rows_free) struct db_rows *asked = NULL;
    TRY(db_ask(&asked, db, sql, 0, NULL));
    TRY(db_next(asked, found));
    *rows = asked;
    asked = NULL;
    return STATUS_OK;
}

static enum status check_whole(struct db *db)
{
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    bool found = false;
    TRY(ask_one(&rows, db, "PRAGMA quick_check(1)", &found));
    return found && strcmp(db_text(rows, 0), "ok") == 0 ? STATUS_OK : STATUS_FORMAT;
}

static enum status read_hash(struct hash *out, struct view bytes)
{
    if (bytes.n != HASH_BYTES) return STATUS_FORMAT;
    memcpy(out->bytes, bytes.at, HASH_BYTES);
    return STATUS_OK;
}

static enum status bind_study(struct db *db, const struct hash *manifest)
{
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    bool found = false;
    TRY(ask_one(&rows, db, "SELECT manifest FROM study", &found));
    if (!found)
        return db_run(db, "INSERT INTO study (id, manifest) VALUES (1, ?)", 1,
                      &DB_BLOB(manifest->bytes, HASH_BYTES));
    struct hash known;
    TRY(read_hash(&known, db_blob(rows, 0)));
    return hash_equal(&known, manifest) ? STATUS_OK : STATUS_STATE;
}

enum status journal_open(struct journal **out, const char *path, const struct hash *manifest)
{
    AUTO(journal_close) struct journal *journal = calloc(1, sizeof *journal);
    if (journal == NULL) return STATUS_NOMEM;
    TRY(db_open(&journal->db, path, schema));
    TRY(check_whole(journal->db));
    TRY(bind_study(journal->db, manifest));
    *out = journal;
    journal = NULL;
    return STATUS_OK;
}

void journal_close(struct journal **journal)
{
    if (*journal == NULL) return;
    db_close(&(*journal)->db);
    free(*journal);
    *journal = NULL;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Where the study stands: the last ended and the open round, 0 when there is none. */
struct place {
    uint32_t ended, open;
    bool totals; /* the open round has them */
};

static enum status find_place(struct place *out, struct db *db)
{
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    bool found = false;
    TRY(ask_one(&rows, db,
                "SELECT (SELECT round FROM ended), (SELECT round FROM open), "
                "(SELECT totals IS NOT NULL FROM open)",
                &found));
    const int64_t ended = db_int(rows, 0), open = db_int(rows, 1);
    if (ended < 0 || open < 0 || ended > UINT32_MAX || open > UINT32_MAX) return STATUS_FORMAT;
    *out = (struct place){(uint32_t)ended, (uint32_t)open, db_int(rows, 2) != 0};
    return STATUS_OK;
}

enum status journal_begin(struct journal *journal, uint32_t round, struct view plan)
{
    struct place place;
    if (plan.n == 0 || plan.n > JOURNAL_BYTES_MAX) return STATUS_RANGE;
    TRY(find_place(&place, journal->db));
    if (round <= place.ended) return STATUS_STATE;
    /* A second open round breaks the rule of the table. */
    const struct db_value value[] = {DB_INT(round), DB_BLOB(plan.at, plan.n)};
    return db_run(journal->db, "INSERT INTO open (id, round, plan) VALUES (1, ?, ?)", 2, value);
}

static enum status add_input(struct db *db, uint32_t round, const struct journal_input *input)
{
    const struct db_value value[] = {DB_INT(round), DB_INT(input->kind), DB_INT(input->site),
                                     DB_BLOB(input->bytes.at, input->bytes.n)};
    return db_run(db, "INSERT INTO input (round, kind, site, bytes) VALUES (?, ?, ?, ?)", 4, value);
}

enum status journal_inputs(struct journal *journal, size_t n, const struct journal_input *input,
                           const struct hash *totals)
{
    struct place place;
    for (size_t i = 0; i < n; i++)
        if (input[i].bytes.n > JOURNAL_BYTES_MAX) return STATUS_RANGE;
    TRY(find_place(&place, journal->db));
    if (place.open == 0 || (totals != NULL && place.totals)) return STATUS_STATE;
    AUTO(db_change_undo) struct db_change change = {0};
    TRY(db_change_begin(&change, journal->db));
    for (size_t i = 0; i < n; i++) TRY(add_input(journal->db, place.open, &input[i]));
    if (totals != NULL)
        TRY(db_run(journal->db, "UPDATE open SET totals = ?", 1,
                   &DB_BLOB(totals->bytes, HASH_BYTES)));
    return db_change_commit(&change);
}

/* SQLite does not notice when a disk changes bytes inside a blob, and nobody signs the course. */
static struct hash hash_course(uint32_t round, struct view course)
{
    struct hash_state state;
    hash_start(&state, "course");
    hash_add_u64(&state, round);
    hash_add(&state, course.at, course.n);
    return hash_end(&state);
}

enum status journal_end(struct journal *journal, struct view result, struct view course,
                        const struct pen *pen, struct view shown)
{
    struct place place;
    if (result.n > JOURNAL_BYTES_MAX || course.n > JOURNAL_BYTES_MAX) return STATUS_RANGE;
    TRY(find_place(&place, journal->db));
    if (place.open == 0) return STATUS_STATE;
    const struct hash hash = hash_course(place.open, course);
    const struct db_value opened[] = {DB_INT(place.open), DB_BLOB(result.at, result.n)};
    const struct db_value ended[] = {DB_INT(place.open), DB_BLOB(course.at, course.n),
                                     DB_BLOB(hash.bytes, HASH_BYTES)};
    AUTO(db_change_undo) struct db_change change = {0};
    TRY(db_change_begin(&change, journal->db));
    if (result.n > 0)
        TRY(db_run(journal->db, "INSERT INTO result (round, bytes) VALUES (?, ?)", 2, opened));
    TRY(db_run(journal->db, "REPLACE INTO ended (id, round, course, hash) VALUES (1, ?, ?, ?)", 3,
               ended));
    TRY(db_run(journal->db, "DELETE FROM open", 0, NULL));
    TRY(trail_add(journal->db, pen, TRAIL_ROUND, shown));
    return db_change_commit(&change);
}

enum status journal_settled(struct journal *journal, uint32_t n, const uint8_t *server,
                            const struct pen *pen)
{
    AUTO(buffer_free) struct buffer shown = {0}, body = {0};
    AUTO(trail_round_free) struct trail_round round = {0};
    struct trail_end end = {0};
    TRY(trail_last(&shown, journal->db, TRAIL_ROUND));
    TRY(trail_last(&body, journal->db, TRAIL_END));
    if (body.n > 0) TRY(trail_end_read(&end, buffer_view(&body)));
    if (shown.n == 0) return STATUS_OK;
    TRY(trail_round_read(&round, buffer_view(&shown), n, server));
    if (end.round == round.plan.round) return STATUS_OK;
    end = (struct trail_end){.round = round.plan.round, .why = round.why};
    body.n = 0;
    trail_end_write(&body, &end);
    TRY(body.status);
    return trail_add(journal->db, pen, TRAIL_END, buffer_view(&body));
}

/* --- reading ---------------------------------------------------------------------------------- */

void journal_past_free(struct journal_past *past)
{
    for (size_t i = 0; i < past->n_results; i++) buffer_free(&past->result[i]);
    for (size_t i = 0; i < past->n_inputs; i++) buffer_free(&past->input[i].bytes);
    free(past->result);
    free(past->input);
    buffer_free(&past->course);
    buffer_free(&past->plan);
    *past = (struct journal_past){0};
}

static enum status copy(struct buffer *out, struct view bytes)
{
    if (bytes.n > JOURNAL_BYTES_MAX) return STATUS_FORMAT;
    write_bytes(out, bytes.at, bytes.n);
    return out->status;
}

static enum status read_ended(struct journal_past *past, struct db *db)
{
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    bool found = false;
    TRY(ask_one(&rows, db, "SELECT round, course, hash FROM ended", &found));
    if (!found) return STATUS_OK;
    struct hash want;
    TRY(copy(&past->course, db_blob(rows, 1)));
    TRY(read_hash(&want, db_blob(rows, 2)));
    const struct hash hash = hash_course((uint32_t)db_int(rows, 0), buffer_view(&past->course));
    return hash_equal(&hash, &want) ? STATUS_OK : STATUS_FORMAT;
}

static enum status read_results(struct journal_past *past, struct db *db)
{
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    TRY(db_ask(&rows, db, "SELECT bytes FROM result ORDER BY round", 0, NULL));
    for (bool more = true;;) {
        TRY(db_next(rows, &more));
        if (!more) return STATUS_OK;
        struct buffer *result = realloc(past->result, (past->n_results + 1) * sizeof *past->result);
        if (result == NULL) return STATUS_NOMEM;
        past->result = result;
        result[past->n_results] = (struct buffer){0};
        TRY(copy(&result[past->n_results++], db_blob(rows, 0)));
    }
}

static enum status read_open(struct journal_past *past, struct db *db)
{
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    bool found = false;
    TRY(ask_one(&rows, db, "SELECT plan, totals FROM open", &found));
    if (!found) return STATUS_OK;
    TRY(copy(&past->plan, db_blob(rows, 0)));
    return past->has_totals ? read_hash(&past->totals, db_blob(rows, 1)) : STATUS_OK;
}

static enum status read_inputs(struct journal_past *past, struct db *db)
{
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    TRY(db_ask(&rows, db, "SELECT kind, site, bytes FROM input ORDER BY id", 0, NULL));
    for (bool more = true;;) {
        TRY(db_next(rows, &more));
        if (!more) return STATUS_OK;
        const int64_t kind = db_int(rows, 0), site = db_int(rows, 1);
        if (kind < JOURNAL_MESSAGE || kind >= JOURNAL_KINDS || site < 0 || site > UINT32_MAX)
            return STATUS_FORMAT;
        struct journal_input *input =
            realloc(past->input, (past->n_inputs + 1) * sizeof *past->input);
        if (input == NULL) return STATUS_NOMEM;
        past->input = input;
        struct journal_input *next = &input[past->n_inputs++];
        *next = (struct journal_input){.kind = (enum journal_kind)kind, .site = (uint32_t)site};
        TRY(copy(&next->bytes, db_blob(rows, 2)));
    }
}

enum status journal_restore(const struct journal *journal, struct journal_past *out)
{
    struct place place;
    TRY(find_place(&place, journal->db));
    AUTO(journal_past_free)
    struct journal_past past = {.last_round = place.open > 0 ? place.open : place.ended,
                                .has_totals = place.totals};
    TRY(read_ended(&past, journal->db));
    TRY(read_results(&past, journal->db));
    TRY(read_open(&past, journal->db));
    TRY(read_inputs(&past, journal->db));
    *out = past;
    past = (struct journal_past){0};
    return STATUS_OK;
}
