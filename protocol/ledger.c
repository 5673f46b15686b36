/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/ledger.h"

#include <string.h>

static const char schema[] = "CREATE TABLE IF NOT EXISTS entry ("
                             " number INTEGER PRIMARY KEY, bytes BLOB NOT NULL,"
                             " signature BLOB NOT NULL) STRICT;";

/* --- reading ---------------------------------------------------------------------------------- */

static const char *against(const struct ledger *ledger, const struct ledger_entry *entry,
                           struct view bytes, struct view signature)
{
    if (entry->number != ledger->head.n + 1) return "its number is not the next";
    if (!hash_equal(&entry->previous, &ledger->head.hash))
        return "it does not follow the entry before it";
    if (signature.n != SIGN_BYTES || !ledger_entry_signed(entry, bytes, signature.at))
        return "its signature does not hold";
    return books_against(&ledger->books, entry);
}

enum status ledger_take(struct ledger *ledger, struct view bytes, struct view signature,
                        struct ledger_fault *fault)
{
    struct ledger_entry entry = {0};
    *fault = (struct ledger_fault){.number = ledger->head.n + 1};
    if (bytes.n > LEDGER_ENTRY_BYTES_MAX || ledger_entry_read(&entry, bytes) != STATUS_OK)
        fault->what = "its bytes are not an entry";
    else
        fault->what = against(ledger, &entry, bytes, signature);
    if (fault->what != NULL) return STATUS_FORMAT;
    TRY(books_add(&ledger->books, &entry));
    ledger->head = (struct ledger_head){entry.number, ledger_entry_hash(bytes)};
    return STATUS_OK;
}

static enum status take_row(struct ledger *ledger, struct db_rows *row, struct ledger_fault *fault)
{
    *fault = (struct ledger_fault){.number = ledger->head.n + 1, .what = "it is missing"};
    if (db_int(row, 0) != (int64_t)fault->number) return STATUS_FORMAT;
    return ledger_take(ledger, db_blob(row, 1), db_blob(row, 2), fault);
}

/* Take over what was written since, by this process or another. */
static enum status catch_up(struct ledger *ledger, struct ledger_fault *fault)
{
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    TRY(db_ask(&rows, ledger->db,
               "SELECT number, bytes, signature FROM entry WHERE number > ? ORDER BY number", 1,
               &DB_INT(ledger->head.n)));
    for (bool more = true;;) {
        TRY(db_next(rows, &more));
        if (!more) return STATUS_OK;
        TRY(take_row(ledger, rows, fault));
    }
}

/* Rows that nothing counts from would never be looked at. */
static enum status check_start(struct ledger *ledger, struct ledger_fault *fault)
{
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    bool more = false;
    TRY(db_ask(&rows, ledger->db, "SELECT number FROM entry WHERE number < 1", 0, NULL));
    TRY(db_next(rows, &more));
    if (!more) return STATUS_OK;
    *fault = (struct ledger_fault){.number = 1, .what = "an entry stands before it"};
    return STATUS_FORMAT;
}

enum status ledger_open(struct ledger *out, const char *path, const uint8_t *identity,
                        struct ledger_fault *fault)
{
    *fault = (struct ledger_fault){0};
    AUTO(ledger_close) struct ledger ledger = {.identity = identity};
    TRY(db_open(&ledger.db, path, schema));
    TRY(check_start(&ledger, fault));
    TRY(catch_up(&ledger, fault));
    *fault = (struct ledger_fault){0};
    *out = ledger;
    ledger = (struct ledger){0};
    return STATUS_OK;
}

void ledger_close(struct ledger *ledger)
{
    db_close(&ledger->db);
    books_free(&ledger->books);
    *ledger = (struct ledger){0};
}

enum status ledger_follows(const struct ledger *ledger, const struct ledger_head *head)
{
    if (head->n == 0) return STATUS_OK;
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    bool more = false;
    TRY(db_ask(&rows, ledger->db, "SELECT bytes FROM entry WHERE number = ?", 1, &DB_INT(head->n)));
    TRY(db_next(rows, &more));
    if (!more) return STATUS_STATE;
    const struct hash hash = ledger_entry_hash(db_blob(rows, 0));
    return hash_equal(&hash, &head->hash) ? STATUS_OK : STATUS_STATE;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Within a change, with all entries taken over. */
static enum status append(struct ledger *ledger, const struct ledger_entry *what, uint64_t time_s)
{
    REQUIRE(ledger->identity != NULL);
    struct ledger_entry entry = *what;
    entry.number = ledger->head.n + 1;
    entry.previous = ledger->head.hash;
    entry.time_s = time_s;
    sign_public(entry.signer, ledger->identity);
    if (books_against(&ledger->books, &entry) != NULL) return STATUS_STATE;
    AUTO(buffer_free) struct buffer bytes = {0};
    ledger_entry_write(&bytes, &entry);
    TRY(bytes.status);
    uint8_t signature[SIGN_BYTES];
    ledger_entry_sign(signature, ledger->identity, buffer_view(&bytes));
    const struct db_value value[] = {DB_INT(entry.number), DB_BLOB(bytes.at, bytes.n),
                                     DB_BLOB(signature, sizeof signature)};
    return db_run(ledger->db, "INSERT INTO entry (number, bytes, signature) VALUES (?, ?, ?)", 3,
                  value);
}

/* Nobody else writes from here on until the change ends. */
static enum status begin(struct db_change *change, struct ledger *ledger)
{
    struct ledger_fault fault = {0};
    TRY(db_change_begin(change, ledger->db));
    return catch_up(ledger, &fault);
}

/* The books follow from what is on disk alone: what could not be read back is read another time. */
static enum status end(struct db_change *change, struct ledger *ledger)
{
    struct ledger_fault fault = {0};
    TRY(db_change_commit(change));
    return catch_up(ledger, &fault);
}

static enum status write_one(struct ledger *ledger, const struct ledger_entry *entry,
                             uint64_t time_s)
{
    AUTO(db_change_undo) struct db_change change = {0};
    TRY(begin(&change, ledger));
    TRY(append(ledger, entry, time_s));
    return end(&change, ledger);
}

/* Each in a change of its own: a data set without a study costs nothing. */
enum status ledger_enter(struct ledger *ledger, const struct terms *terms, uint64_t time_s)
{
    struct ledger_fault fault = {0};
    TRY(catch_up(ledger, &fault));
    const struct books *books = &ledger->books;
    const size_t set = books_find_set(books, terms->set.data_set);
    if (set == books->n_sets)
        TRY(write_one(ledger, &terms->set, time_s));
    else if (books->set[set].unit != terms->set.unit)
        return STATUS_STATE;
    const size_t study = books_find_study(books, &terms->study.manifest);
    if (study == books->n_studies) return write_one(ledger, &terms->study, time_s);
    uint8_t own[SIGN_PUBLIC_BYTES];
    sign_public(own, ledger->identity);
    return memcmp(books->study[study].signer, own, sizeof own) == 0 ? STATUS_OK : STATUS_STATE;
}

/* What was taken over last. */
static enum status bears(const struct ledger *ledger, const struct hash *manifest,
                         const struct release *worst, const struct books_limits *limits,
                         struct books_refusal *why)
{
    const size_t study = books_find_study(&ledger->books, manifest);
    if (study == ledger->books.n_studies) return STATUS_STATE;
    return books_bear(&ledger->books, study, worst, limits, why);
}

enum status ledger_bears(struct ledger *ledger, const struct hash *manifest,
                         const struct release *worst, const struct books_limits *limits,
                         struct books_refusal *why)
{
    struct ledger_fault fault = {0};
    TRY(catch_up(ledger, &fault));
    return bears(ledger, manifest, worst, limits, why);
}

enum status ledger_reserve(struct ledger *ledger, const struct hash *manifest, uint32_t round,
                           enum step step, const struct release *worst,
                           const struct books_limits *limits, uint64_t time_s,
                           struct books_refusal *why)
{
    const struct ledger_entry entry = {.kind = LEDGER_RESERVE,
                                       .manifest = *manifest,
                                       .round = round,
                                       .step = step,
                                       .release = *worst};
    AUTO(db_change_undo) struct db_change change = {0};
    TRY(begin(&change, ledger));
    TRY(bears(ledger, manifest, worst, limits, why));
    TRY(append(ledger, &entry, time_s));
    return end(&change, ledger);
}

enum status ledger_settle(struct ledger *ledger, const struct hash *manifest, uint32_t round,
                          uint32_t n_shares, uint64_t time_s)
{
    const struct ledger_entry entry = {.kind = LEDGER_SETTLE,
                                       .manifest = *manifest,
                                       .round = round,
                                       .release = {.n_shares = n_shares}};
    return write_one(ledger, &entry, time_s);
}

enum status ledger_void(struct ledger *ledger, const struct hash *manifest, uint32_t round,
                        uint64_t time_s)
{
    const struct ledger_entry entry = {.kind = LEDGER_VOID, .manifest = *manifest, .round = round};
    return write_one(ledger, &entry, time_s);
}
