/* SPDX-License-Identifier: Apache-2.0 */
/* A ledger that was changed behind its back. */
#include "tests/unit/protocol/daybook.h"

#include <string.h>

#include "tests/lib/check.h"

/* Change the file behind its back. */
static void tamper(const char *sql)
{
    AUTO(db_close) struct db *db = NULL;
    CHECK_OK(db_open(&db, daybook_path(), ""));
    CHECK_OK(db_run(db, sql, 0, NULL));
}

static void is_found(uint64_t number, const char *what)
{
    struct ledger ledger = {0};
    struct ledger_fault fault = {0};
    CHECK_STATUS(STATUS_FORMAT, ledger_open(&ledger, daybook_path(), daybook_ours, &fault));
    CHECK(ledger.db == NULL && ledger.books.n_releases == 0);
    CHECK_NUMBER(number, fault.number);
    CHECK(fault.what != NULL && strcmp(fault.what, what) == 0);
}

/* Six entries: set, study, two reservations, each settled. */
static void write_six(void)
{
    struct ledger ledger = daybook_begin();
    for (uint32_t round = 1; round <= 2; round++) {
        CHECK_OK(daybook_reserve(&ledger, round));
        CHECK_OK(ledger_settle(&ledger, &daybook_first, round, 5, 3));
    }
    ledger_close(&ledger);
}

static void an_edited_entry_is_found(void)
{
    write_six();
    tamper("UPDATE entry SET bytes = CAST(substr(bytes, 1, length(bytes) - 4) || x'ff000000' "
           "AS BLOB) WHERE number = 4");
    is_found(4, "its signature does not hold");
    write_six();
    tamper("UPDATE entry SET bytes = x'00' WHERE number = 3");
    is_found(3, "its bytes are not an entry");
    write_six();
    tamper("UPDATE entry SET bytes = zeroblob(600) WHERE number = 3");
    is_found(3, "its bytes are not an entry");
    write_six();
    tamper("UPDATE entry SET signature = x'00' WHERE number = 2");
    is_found(2, "its signature does not hold");
}

static void a_dropped_entry_is_found(void)
{
    write_six();
    tamper("DELETE FROM entry WHERE number = 4");
    is_found(4, "it is missing");
    write_six();
    tamper("DELETE FROM entry WHERE number = 1");
    is_found(1, "it is missing");
    write_six();
    tamper("DELETE FROM entry WHERE number = 3");
    tamper("UPDATE entry SET number = number - 1 WHERE number > 3");
    is_found(3, "its number is not the next");
}

static void an_entry_before_the_first_is_found(void)
{
    write_six();
    tamper("INSERT INTO entry SELECT 0, bytes, signature FROM entry WHERE number = 1");
    is_found(1, "an entry stands before it");
}

static void reordered_entries_are_found(void)
{
    write_six();
    tamper("UPDATE entry SET number = -4 WHERE number = 4");
    tamper("UPDATE entry SET number = 4 WHERE number = 5");
    tamper("UPDATE entry SET number = 5 WHERE number = -4");
    is_found(4, "its number is not the next");
}

/* Put an entry at the end that is written well, by any key. */
static void forge(const struct ledger_entry *what, const uint8_t *key, const struct hash *previous)
{
    struct ledger ledger = daybook_open(NULL);
    struct ledger_entry entry = *what;
    entry.number = ledger.head.n + 1;
    entry.previous = previous == NULL ? ledger.head.hash : *previous;
    AUTO(buffer_free) struct buffer bytes = {0};
    uint8_t signature[SIGN_BYTES];
    ledger_entry_write(&bytes, &entry);
    ledger_entry_sign(signature, key, buffer_view(&bytes));
    const struct db_value value[] = {DB_INT(entry.number), DB_BLOB(bytes.at, bytes.n),
                                     DB_BLOB(signature, sizeof signature)};
    CHECK_OK(db_run(ledger.db, "INSERT INTO entry (number, bytes, signature) VALUES (?, ?, ?)", 3,
                    value));
    ledger_close(&ledger);
}

static void a_forged_entry_is_found(void)
{
    struct ledger_entry entry = {.kind = LEDGER_VOID, .manifest = daybook_first, .round = 1};
    struct ledger ledger = daybook_begin();
    CHECK_OK(daybook_reserve(&ledger, 1));
    ledger_close(&ledger);
    /* in our name, without our key */
    sign_public(entry.signer, daybook_ours);
    forge(&entry, daybook_theirs, NULL);
    is_found(4, "its signature does not hold");
    /* in its own name, for our study */
    tamper("DELETE FROM entry WHERE number = 4");
    sign_public(entry.signer, daybook_theirs);
    forge(&entry, daybook_theirs, NULL);
    is_found(4, "it is written by another key than its study");
    /* daybook_ours, from another ledger's place */
    tamper("DELETE FROM entry WHERE number = 4");
    sign_public(entry.signer, daybook_ours);
    forge(&entry, daybook_ours, &daybook_second);
    is_found(4, "it does not follow the entry before it");
    /* and one that we would never have written */
    tamper("DELETE FROM entry WHERE number = 4");
    entry.round = 2;
    forge(&entry, daybook_ours, NULL);
    is_found(4, "it ends what is not reserved");
}

/* The chain that is left holds; who remembers its head is not fooled. */
static void a_cut_off_end_is_found_by_its_head(void)
{
    write_six();
    struct ledger ledger = daybook_open(daybook_ours);
    const struct ledger_head head = ledger.head;
    ledger_close(&ledger);
    tamper("DELETE FROM entry WHERE number > 4");
    ledger = daybook_open(daybook_ours);
    CHECK_STATUS(STATUS_STATE, ledger_follows(&ledger, &head));
    /* also when something else was written there since */
    CHECK_OK(daybook_reserve(&ledger, 7));
    CHECK_OK(daybook_reserve(&ledger, 8));
    CHECK_STATUS(STATUS_STATE, ledger_follows(&ledger, &head));
    ledger_close(&ledger);
}

static void what_is_tampered_with_while_it_is_open_is_not_built_upon(void)
{
    struct ledger ledger = daybook_begin();
    const struct ledger_entry entry = {.kind = LEDGER_VOID, .manifest = daybook_first, .round = 9};
    forge(&entry, daybook_theirs, NULL);
    CHECK_STATUS(STATUS_FORMAT, daybook_reserve(&ledger, 1));
    CHECK_NUMBER(2, ledger.head.n);
    ledger_close(&ledger);
}

int main(void)
{
    RUN(an_edited_entry_is_found);
    RUN(a_dropped_entry_is_found);
    RUN(an_entry_before_the_first_is_found);
    RUN(reordered_entries_are_found);
    RUN(a_forged_entry_is_found);
    RUN(a_cut_off_end_is_found_by_its_head);
    RUN(what_is_tampered_with_while_it_is_open_is_not_built_upon);
    daybook_forget();
    return check_done();
}
