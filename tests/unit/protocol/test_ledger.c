/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/ledger.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static char path[64];
static const uint8_t ours[SIGN_SEED_BYTES] = {1}, theirs[SIGN_SEED_BYTES] = {2};
static const struct hash first = {{1}}, second = {{2}};
static const struct release worst = {
    .norm2 = 1000000, .sigma = 2000, .n_shares = 3, .dim = 100, .sampling = 1};
static const struct books_limits free_of = {(double)INFINITY, (double)INFINITY, 1e-5};
static struct books_refusal why;

/* Each case starts without a file. */
static void forget(void)
{
    static const char *const tail[] = {"", "-wal", "-shm"};
    char name[80];
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, tail[i]);
        (void)unlink(name);
    }
}

static struct terms terms_for(const struct hash *manifest, const char *set, enum study_unit unit)
{
    struct terms terms = {.set = {.kind = LEDGER_OPEN,
                                  .unit = STUDY_PATIENT,
                                  .order = 8,
                                  .epsilon = 10,
                                  .delta = 1e-5},
                          .study = {.kind = LEDGER_STUDY,
                                    .manifest = *manifest,
                                    .unit = unit,
                                    .order = 8,
                                    .epsilon = 3,
                                    .delta = 1e-5,
                                    .colluding = 1}};
    (void)snprintf(terms.set.data_set, sizeof terms.set.data_set, "%s", set);
    (void)snprintf(terms.study.data_set, sizeof terms.study.data_set, "%s", set);
    (void)snprintf(terms.study.study, sizeof terms.study.study, "study");
    return terms;
}

static struct ledger opened(const uint8_t *identity)
{
    struct ledger ledger = {0};
    struct ledger_fault fault;
    CHECK_OK(ledger_open(&ledger, path, identity, &fault));
    CHECK(fault.what == NULL);
    return ledger;
}

/* A ledger with one study on the set "records". */
static struct ledger begun(void)
{
    forget();
    struct ledger ledger = opened(ours);
    const struct terms terms = terms_for(&first, "records", STUDY_PATIENT);
    CHECK_OK(ledger_enter(&ledger, &terms, 1));
    return ledger;
}

static enum status reserve(struct ledger *ledger, uint32_t round)
{
    return ledger_reserve(ledger, &first, round, STEP_TRAIN, &worst, &free_of, 2, &why);
}

static double spent(const struct ledger *ledger, uint32_t *count)
{
    struct account account = {0};
    CHECK_OK(books_of_study(&account, count, &ledger->books, 0, ADVERSARY_COLLUSION));
    return account_epsilon(&account, 1e-5);
}

static double epsilon_of(uint32_t n_shares, uint32_t times)
{
    struct release release = worst;
    release.n_shares = n_shares;
    struct account account = {0};
    CHECK_OK(account_add(&account, &release, times));
    return account_epsilon(&account, 1e-5);
}

static void a_release_counts_at_its_worst_then_at_what_happened(void)
{
    AUTO(ledger_close) struct ledger ledger = begun();
    uint32_t count = 0;
    CHECK_OK(reserve(&ledger, 1));
    CHECK_OK(reserve(&ledger, 2));
    CHECK_CLOSE(epsilon_of(3, 2), spent(&ledger, &count), 1e-9);
    CHECK_OK(ledger_settle(&ledger, &first, 1, 5, 3));
    CHECK_OK(ledger_settle(&ledger, &first, 2, 5, 3));
    CHECK_CLOSE(epsilon_of(5, 2), spent(&ledger, &count), 1e-9);
    CHECK_NUMBER(2, count);
    CHECK_NUMBER(6, ledger.head.n);
}

static void what_never_left_costs_nothing_and_may_be_reserved_again(void)
{
    AUTO(ledger_close) struct ledger ledger = begun();
    uint32_t count = 7;
    CHECK_OK(reserve(&ledger, 1));
    CHECK_OK(ledger_void(&ledger, &first, 1, 3));
    CHECK_CLOSE(0, spent(&ledger, &count), 0);
    CHECK_NUMBER(0, count);
    CHECK_OK(reserve(&ledger, 1));
    CHECK_CLOSE(epsilon_of(3, 1), spent(&ledger, &count), 1e-9);
}

static void everything_comes_back_when_it_is_opened_again(void)
{
    struct ledger ledger = begun();
    CHECK_OK(reserve(&ledger, 1));
    CHECK_OK(reserve(&ledger, 2));
    CHECK_OK(ledger_settle(&ledger, &first, 1, 5, 3));
    const double before = spent(&ledger, NULL);
    const struct ledger_head head = ledger.head;
    ledger_close(&ledger);
    ledger = opened(NULL);
    CHECK_CLOSE(before, spent(&ledger, NULL), 0);
    CHECK_NUMBER(head.n, ledger.head.n);
    CHECK(hash_equal(&head.hash, &ledger.head.hash));
    CHECK(ledger.books.release[0].state == BOOKS_SETTLED);
    CHECK(ledger.books.release[1].state == BOOKS_RESERVED);
    ledger_close(&ledger);
}

/* What breaks a rule is STATUS_STATE, and nothing is written. */
static void rules_are_kept(void)
{
    AUTO(ledger_close) struct ledger ledger = begun();
    CHECK_OK(reserve(&ledger, 1));
    CHECK_STATUS(STATUS_STATE, reserve(&ledger, 1));
    CHECK_STATUS(STATUS_STATE, ledger_settle(&ledger, &first, 2, 5, 3));
    CHECK_STATUS(STATUS_STATE, ledger_settle(&ledger, &second, 1, 5, 3));
    CHECK_STATUS(STATUS_STATE, ledger_settle(&ledger, &first, 1, 2, 3)); /* below the worst */
    CHECK_STATUS(STATUS_STATE, ledger_void(&ledger, &first, 2, 3));
    CHECK_STATUS(STATUS_STATE,
                 ledger_reserve(&ledger, &second, 1, STEP_TRAIN, &worst, &free_of, 2, &why));
    CHECK_OK(ledger_settle(&ledger, &first, 1, 3, 3));
    CHECK_STATUS(STATUS_STATE, ledger_settle(&ledger, &first, 1, 5, 3));
    CHECK_STATUS(STATUS_STATE, ledger_void(&ledger, &first, 1, 3));
    CHECK_STATUS(STATUS_STATE, reserve(&ledger, 1));
    CHECK_NUMBER(4, ledger.head.n);
}

static void another_key_can_add_its_study_and_touch_no_other(void)
{
    struct ledger ledger = begun();
    CHECK_OK(reserve(&ledger, 1));
    ledger_close(&ledger);
    ledger = opened(theirs);
    struct terms terms = terms_for(&first, "records", STUDY_PATIENT);
    CHECK_STATUS(STATUS_STATE, ledger_enter(&ledger, &terms, 1));
    CHECK_STATUS(STATUS_STATE, ledger_settle(&ledger, &first, 1, 5, 3));
    CHECK_STATUS(STATUS_STATE, ledger_void(&ledger, &first, 1, 3));
    CHECK_STATUS(STATUS_STATE, reserve(&ledger, 2));
    terms = terms_for(&second, "records", STUDY_PATIENT);
    CHECK_OK(ledger_enter(&ledger, &terms, 1));
    CHECK_OK(ledger_reserve(&ledger, &second, 1, STEP_TRAIN, &worst, &free_of, 2, &why));
    CHECK_NUMBER(1, ledger.books.n_sets);
    CHECK_NUMBER(2, ledger.books.n_studies);
    ledger_close(&ledger);
}

static void entering_twice_changes_nothing(void)
{
    AUTO(ledger_close) struct ledger ledger = begun();
    struct terms terms = terms_for(&first, "records", STUDY_PATIENT);
    CHECK_OK(ledger_enter(&ledger, &terms, 9));
    CHECK_NUMBER(2, ledger.head.n);
    terms = terms_for(&second, "records", STUDY_PATIENT);
    terms.set.unit = STUDY_SITE;
    CHECK_STATUS(STATUS_STATE, ledger_enter(&ledger, &terms, 9));
    CHECK_NUMBER(2, ledger.head.n);
}

/* Two handles, as of two programs: each judges by what the other has written. */
static void two_studies_share_one_budget(void)
{
    AUTO(ledger_close) struct ledger one = begun();
    AUTO(ledger_close) struct ledger two = opened(theirs);
    const struct terms terms = terms_for(&second, "records", STUDY_PATIENT);
    CHECK_OK(ledger_enter(&two, &terms, 1));
    struct account three = {0};
    CHECK_OK(account_add(&three, &worst, 3));
    const struct books_limits limits = {(double)INFINITY,
                                        account_epsilon_at(&three, 8, 1e-5) + 1e-9, 1e-5};
    CHECK_OK(ledger_reserve(&one, &first, 1, STEP_TRAIN, &worst, &limits, 2, &why));
    CHECK_OK(ledger_reserve(&two, &second, 1, STEP_TRAIN, &worst, &limits, 2, &why));
    CHECK_OK(ledger_reserve(&one, &first, 2, STEP_TRAIN, &worst, &limits, 2, &why));
    CHECK_STATUS(STATUS_BUDGET,
                 ledger_reserve(&two, &second, 2, STEP_TRAIN, &worst, &limits, 2, &why));
    CHECK(why.lifetime && why.after > why.limit);
    CHECK_CLOSE(limits.lifetime, why.limit, 0);
    CHECK_NUMBER(6, two.head.n);
    /* what the other gives back is there again */
    CHECK_OK(ledger_void(&one, &first, 2, 3));
    CHECK_OK(ledger_reserve(&two, &second, 2, STEP_TRAIN, &worst, &limits, 2, &why));
}

static void the_study_s_own_limit_is_looked_at_first(void)
{
    AUTO(ledger_close) struct ledger ledger = begun();
    struct account two = {0};
    CHECK_OK(account_add(&two, &worst, 2));
    const struct books_limits limits = {account_epsilon_at(&two, 8, 1e-5) + 1e-9, 10, 1e-5};
    CHECK_OK(ledger_reserve(&ledger, &first, 1, STEP_TRAIN, &worst, &limits, 2, &why));
    CHECK_OK(ledger_reserve(&ledger, &first, 2, STEP_TRAIN, &worst, &limits, 2, &why));
    CHECK_STATUS(STATUS_BUDGET,
                 ledger_reserve(&ledger, &first, 3, STEP_TRAIN, &worst, &limits, 2, &why));
    CHECK(!why.lifetime);
    CHECK_CLOSE(limits.study, why.limit, 0);
}

static void a_head_is_followed_or_not(void)
{
    AUTO(ledger_close) struct ledger ledger = begun();
    const struct ledger_head none = {0}, head = ledger.head;
    struct ledger_head other = head, later = {head.n + 1, head.hash};
    other.hash.bytes[0] ^= 1;
    CHECK_OK(ledger_follows(&ledger, &none));
    CHECK_OK(ledger_follows(&ledger, &head));
    CHECK_OK(reserve(&ledger, 1));
    CHECK_OK(ledger_follows(&ledger, &head));
    CHECK_STATUS(STATUS_STATE, ledger_follows(&ledger, &other));
    CHECK_STATUS(STATUS_STATE, ledger_follows(&ledger, &later));
}

/* --- tampering -------------------------------------------------------------------------------- */

/* Change the file behind its back. */
static void tamper(const char *sql)
{
    AUTO(db_close) struct db *db = NULL;
    CHECK_OK(db_open(&db, path, ""));
    CHECK_OK(db_run(db, sql, 0, NULL));
}

static void is_found(uint64_t number, const char *what)
{
    struct ledger ledger = {0};
    struct ledger_fault fault = {0};
    CHECK_STATUS(STATUS_FORMAT, ledger_open(&ledger, path, ours, &fault));
    CHECK(ledger.db == NULL && ledger.books.n_releases == 0);
    CHECK_NUMBER(number, fault.number);
    CHECK(fault.what != NULL && strcmp(fault.what, what) == 0);
}

/* Six entries: set, study, two reservations, each settled. */
static void write_six(void)
{
    struct ledger ledger = begun();
    for (uint32_t round = 1; round <= 2; round++) {
        CHECK_OK(reserve(&ledger, round));
        CHECK_OK(ledger_settle(&ledger, &first, round, 5, 3));
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
    struct ledger ledger = opened(NULL);
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
    struct ledger_entry entry = {.kind = LEDGER_VOID, .manifest = first, .round = 1};
    struct ledger ledger = begun();
    CHECK_OK(reserve(&ledger, 1));
    ledger_close(&ledger);
    /* in our name, without our key */
    sign_public(entry.signer, ours);
    forge(&entry, theirs, NULL);
    is_found(4, "its signature does not hold");
    /* in its own name, for our study */
    tamper("DELETE FROM entry WHERE number = 4");
    sign_public(entry.signer, theirs);
    forge(&entry, theirs, NULL);
    is_found(4, "it is written by another key than its study");
    /* ours, from another ledger's place */
    tamper("DELETE FROM entry WHERE number = 4");
    sign_public(entry.signer, ours);
    forge(&entry, ours, &second);
    is_found(4, "it does not follow the entry before it");
    /* and one that we would never have written */
    tamper("DELETE FROM entry WHERE number = 4");
    entry.round = 2;
    forge(&entry, ours, NULL);
    is_found(4, "it ends what is not reserved");
}

/* The chain that is left holds; who remembers its head is not fooled. */
static void a_cut_off_end_is_found_by_its_head(void)
{
    write_six();
    struct ledger ledger = opened(ours);
    const struct ledger_head head = ledger.head;
    ledger_close(&ledger);
    tamper("DELETE FROM entry WHERE number > 4");
    ledger = opened(ours);
    CHECK_STATUS(STATUS_STATE, ledger_follows(&ledger, &head));
    /* also when something else was written there since */
    CHECK_OK(reserve(&ledger, 7));
    CHECK_OK(reserve(&ledger, 8));
    CHECK_STATUS(STATUS_STATE, ledger_follows(&ledger, &head));
    ledger_close(&ledger);
}

static void what_is_tampered_with_while_it_is_open_is_not_built_upon(void)
{
    struct ledger ledger = begun();
    const struct ledger_entry entry = {.kind = LEDGER_VOID, .manifest = first, .round = 9};
    forge(&entry, theirs, NULL);
    CHECK_STATUS(STATUS_FORMAT, reserve(&ledger, 1));
    CHECK_NUMBER(2, ledger.head.n);
    ledger_close(&ledger);
}

static void other_files_are_refused(void)
{
    struct ledger ledger = {0};
    struct ledger_fault fault;
    CHECK_STATUS(STATUS_IO, ledger_open(&ledger, "/nowhere/ledger.db", ours, &fault));
    CHECK(ledger.db == NULL && fault.what == NULL);
}

static void running_out_of_memory_writes_nothing_or_all(void)
{
    struct ledger ledger = begun();
    uint32_t round = 0, tries = 0;
    OOM_EACH {
        const enum status status = reserve(&ledger, ++round);
        oom_stop();
        tries++;
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        struct ledger again = opened(NULL);
        if (status == STATUS_OK) CHECK_NUMBER(again.head.n, ledger.head.n);
        CHECK(again.head.n >= ledger.head.n && again.head.n <= ledger.head.n + 1);
        ledger_close(&again);
    }
    CHECK(tries > 3);
    ledger_close(&ledger);
    OOM_EACH {
        struct ledger_fault fault;
        struct ledger other = {0};
        const enum status status = ledger_open(&other, path, ours, &fault);
        oom_stop();
        if (status != STATUS_OK) {
            CHECK_STATUS(STATUS_NOMEM, status);
            CHECK(other.db == NULL);
        }
        ledger_close(&other);
    }
}

int main(void)
{
    (void)snprintf(path, sizeof path, "/tmp/veilsum-ledger-%ld.db", (long)getpid());
    RUN(a_release_counts_at_its_worst_then_at_what_happened);
    RUN(what_never_left_costs_nothing_and_may_be_reserved_again);
    RUN(everything_comes_back_when_it_is_opened_again);
    RUN(rules_are_kept);
    RUN(another_key_can_add_its_study_and_touch_no_other);
    RUN(entering_twice_changes_nothing);
    RUN(two_studies_share_one_budget);
    RUN(the_study_s_own_limit_is_looked_at_first);
    RUN(a_head_is_followed_or_not);
    RUN(an_edited_entry_is_found);
    RUN(a_dropped_entry_is_found);
    RUN(an_entry_before_the_first_is_found);
    RUN(reordered_entries_are_found);
    RUN(a_forged_entry_is_found);
    RUN(a_cut_off_end_is_found_by_its_head);
    RUN(what_is_tampered_with_while_it_is_open_is_not_built_upon);
    RUN(other_files_are_refused);
    RUN(running_out_of_memory_writes_nothing_or_all);
    forget();
    return check_done();
}
