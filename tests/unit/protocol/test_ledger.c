/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/ledger.h"

#include <math.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/unit/protocol/daybook.h"

static struct books_refusal why;

static double spent(const struct ledger *ledger, uint32_t *count)
{
    struct account account = {0};
    CHECK_OK(books_of_study(&account, count, &ledger->books, 0, ADVERSARY_COLLUSION));
    return account_epsilon(&account, 1e-5);
}

static double epsilon_of(uint32_t n_shares, uint32_t times)
{
    struct release release = daybook_worst;
    release.n_shares = n_shares;
    struct account account = {0};
    CHECK_OK(account_add(&account, &release, times));
    return account_epsilon(&account, 1e-5);
}

static void a_release_counts_at_its_worst_then_at_what_happened(void)
{
    AUTO(ledger_close) struct ledger ledger = daybook_begin();
    uint32_t count = 0;
    CHECK_OK(daybook_reserve(&ledger, 1));
    CHECK_OK(daybook_reserve(&ledger, 2));
    CHECK_CLOSE(epsilon_of(3, 2), spent(&ledger, &count), 1e-9);
    CHECK_OK(ledger_settle(&ledger, &daybook_first, 1, 5, 3));
    CHECK_OK(ledger_settle(&ledger, &daybook_first, 2, 5, 3));
    CHECK_CLOSE(epsilon_of(5, 2), spent(&ledger, &count), 1e-9);
    CHECK_NUMBER(2, count);
    CHECK_NUMBER(6, ledger.head.n);
}

static void what_never_left_costs_nothing_and_may_be_reserved_again(void)
{
    AUTO(ledger_close) struct ledger ledger = daybook_begin();
    uint32_t count = 7;
    CHECK_OK(daybook_reserve(&ledger, 1));
    CHECK_OK(ledger_void(&ledger, &daybook_first, 1, 3));
    CHECK_CLOSE(0, spent(&ledger, &count), 0);
    CHECK_NUMBER(0, count);
    CHECK_OK(daybook_reserve(&ledger, 1));
    CHECK_CLOSE(epsilon_of(3, 1), spent(&ledger, &count), 1e-9);
}

static void everything_comes_back_when_it_is_opened_again(void)
{
    struct ledger ledger = daybook_begin();
    CHECK_OK(daybook_reserve(&ledger, 1));
    CHECK_OK(daybook_reserve(&ledger, 2));
    CHECK_OK(ledger_settle(&ledger, &daybook_first, 1, 5, 3));
    const double before = spent(&ledger, NULL);
    const struct ledger_head head = ledger.head;
    ledger_close(&ledger);
    ledger = daybook_open(NULL);
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
    AUTO(ledger_close) struct ledger ledger = daybook_begin();
    CHECK_OK(daybook_reserve(&ledger, 1));
    CHECK_STATUS(STATUS_STATE, daybook_reserve(&ledger, 1));
    CHECK_STATUS(STATUS_STATE, ledger_settle(&ledger, &daybook_first, 2, 5, 3));
    CHECK_STATUS(STATUS_STATE, ledger_settle(&ledger, &daybook_second, 1, 5, 3));
    CHECK_STATUS(STATUS_STATE,
                 ledger_settle(&ledger, &daybook_first, 1, 2, 3)); /* below the worst */
    CHECK_STATUS(STATUS_STATE, ledger_void(&ledger, &daybook_first, 2, 3));
    CHECK_STATUS(STATUS_STATE, ledger_reserve(&ledger, &daybook_second, 1, STEP_TRAIN,
                                              &daybook_worst, &daybook_free, 2, &why));
    CHECK_OK(ledger_settle(&ledger, &daybook_first, 1, 3, 3));
    CHECK_STATUS(STATUS_STATE, ledger_settle(&ledger, &daybook_first, 1, 5, 3));
    CHECK_STATUS(STATUS_STATE, ledger_void(&ledger, &daybook_first, 1, 3));
    CHECK_STATUS(STATUS_STATE, daybook_reserve(&ledger, 1));
    CHECK_NUMBER(4, ledger.head.n);
}

static void another_key_can_add_its_study_and_touch_no_other(void)
{
    struct ledger ledger = daybook_begin();
    CHECK_OK(daybook_reserve(&ledger, 1));
    ledger_close(&ledger);
    ledger = daybook_open(daybook_theirs);
    struct terms terms = daybook_terms(&daybook_first, "records", STUDY_PATIENT);
    CHECK_STATUS(STATUS_STATE, ledger_enter(&ledger, &terms, 1));
    CHECK_STATUS(STATUS_STATE, ledger_settle(&ledger, &daybook_first, 1, 5, 3));
    CHECK_STATUS(STATUS_STATE, ledger_void(&ledger, &daybook_first, 1, 3));
    CHECK_STATUS(STATUS_STATE, daybook_reserve(&ledger, 2));
    terms = daybook_terms(&daybook_second, "records", STUDY_PATIENT);
    CHECK_OK(ledger_enter(&ledger, &terms, 1));
    CHECK_OK(ledger_reserve(&ledger, &daybook_second, 1, STEP_TRAIN, &daybook_worst, &daybook_free,
                            2, &why));
    CHECK_NUMBER(1, ledger.books.n_sets);
    CHECK_NUMBER(2, ledger.books.n_studies);
    ledger_close(&ledger);
}

static void entering_twice_changes_nothing(void)
{
    AUTO(ledger_close) struct ledger ledger = daybook_begin();
    struct terms terms = daybook_terms(&daybook_first, "records", STUDY_PATIENT);
    CHECK_OK(ledger_enter(&ledger, &terms, 9));
    CHECK_NUMBER(2, ledger.head.n);
    terms = daybook_terms(&daybook_second, "records", STUDY_PATIENT);
    terms.set.unit = STUDY_SITE;
    CHECK_STATUS(STATUS_STATE, ledger_enter(&ledger, &terms, 9));
    CHECK_NUMBER(2, ledger.head.n);
}

/* Two handles, as of two programs: each judges by what the other has written. */
static void two_studies_share_one_budget(void)
{
    AUTO(ledger_close) struct ledger one = daybook_begin();
    AUTO(ledger_close) struct ledger two = daybook_open(daybook_theirs);
    const struct terms terms = daybook_terms(&daybook_second, "records", STUDY_PATIENT);
    CHECK_OK(ledger_enter(&two, &terms, 1));
    struct account three = {0};
    CHECK_OK(account_add(&three, &daybook_worst, 3));
    const struct books_limits limits = {(double)INFINITY,
                                        account_epsilon_at(&three, 8, 1e-5) + 1e-9, 1e-5};
    CHECK_OK(ledger_reserve(&one, &daybook_first, 1, STEP_TRAIN, &daybook_worst, &limits, 2, &why));
    CHECK_OK(
        ledger_reserve(&two, &daybook_second, 1, STEP_TRAIN, &daybook_worst, &limits, 2, &why));
    CHECK_OK(ledger_reserve(&one, &daybook_first, 2, STEP_TRAIN, &daybook_worst, &limits, 2, &why));
    CHECK_STATUS(STATUS_BUDGET, ledger_reserve(&two, &daybook_second, 2, STEP_TRAIN, &daybook_worst,
                                               &limits, 2, &why));
    CHECK(why.lifetime && why.after > why.limit);
    CHECK_CLOSE(limits.lifetime, why.limit, 0);
    CHECK_NUMBER(6, two.head.n);
    /* what the other gives back is there again */
    CHECK_OK(ledger_void(&one, &daybook_first, 2, 3));
    CHECK_OK(
        ledger_reserve(&two, &daybook_second, 2, STEP_TRAIN, &daybook_worst, &limits, 2, &why));
}

static void the_study_s_own_limit_is_looked_at_first(void)
{
    AUTO(ledger_close) struct ledger ledger = daybook_begin();
    struct account two = {0};
    CHECK_OK(account_add(&two, &daybook_worst, 2));
    const struct books_limits limits = {account_epsilon_at(&two, 8, 1e-5) + 1e-9, 10, 1e-5};
    CHECK_OK(
        ledger_reserve(&ledger, &daybook_first, 1, STEP_TRAIN, &daybook_worst, &limits, 2, &why));
    CHECK_OK(
        ledger_reserve(&ledger, &daybook_first, 2, STEP_TRAIN, &daybook_worst, &limits, 2, &why));
    CHECK_STATUS(STATUS_BUDGET, ledger_reserve(&ledger, &daybook_first, 3, STEP_TRAIN,
                                               &daybook_worst, &limits, 2, &why));
    CHECK(!why.lifetime);
    CHECK_CLOSE(limits.study, why.limit, 0);
}

static void a_head_is_followed_or_not(void)
{
    AUTO(ledger_close) struct ledger ledger = daybook_begin();
    const struct ledger_head none = {0}, head = ledger.head;
    struct ledger_head other = head, later = {head.n + 1, head.hash};
    other.hash.bytes[0] ^= 1;
    CHECK_OK(ledger_follows(&ledger, &none));
    CHECK_OK(ledger_follows(&ledger, &head));
    CHECK_OK(daybook_reserve(&ledger, 1));
    CHECK_OK(ledger_follows(&ledger, &head));
    CHECK_STATUS(STATUS_STATE, ledger_follows(&ledger, &other));
    CHECK_STATUS(STATUS_STATE, ledger_follows(&ledger, &later));
}

static void entries_of_no_file_are_taken_by_the_same_rules(void)
{
    AUTO(ledger_close) struct ledger ledger = daybook_begin();
    AUTO(ledger_close) struct ledger copy = {0};
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    struct ledger_fault fault = {0};
    bool more = false;
    CHECK_OK(daybook_reserve(&ledger, 1));
    CHECK_OK(
        db_ask(&rows, ledger.db, "SELECT bytes, signature FROM entry ORDER BY number", 0, NULL));
    for (uint64_t i = 1; i <= ledger.head.n; i++) {
        CHECK_OK(db_next(rows, &more));
        REQUIRE(more);
        const struct view bytes = db_blob(rows, 0), signature = db_blob(rows, 1);
        CHECK_STATUS(STATUS_FORMAT,
                     ledger_take(&copy, bytes, (struct view){signature.at, 63}, &fault));
        CHECK(fault.number == i && fault.what != NULL);
        CHECK_STATUS(STATUS_FORMAT,
                     ledger_take(&copy, (struct view){bytes.at, bytes.n - 1}, signature, &fault));
        CHECK_NUMBER(i - 1, copy.head.n);
        CHECK_OK(ledger_take(&copy, bytes, signature, &fault));
        CHECK_STATUS(STATUS_FORMAT, ledger_take(&copy, bytes, signature, &fault));
    }
    CHECK(hash_equal(&copy.head.hash, &ledger.head.hash));
    CHECK_NUMBER(1, copy.books.n_releases);
}

static void other_files_are_refused(void)
{
    struct ledger ledger = {0};
    struct ledger_fault fault;
    CHECK_STATUS(STATUS_IO, ledger_open(&ledger, "/nowhere/ledger.db", daybook_ours, &fault));
    CHECK(ledger.db == NULL && fault.what == NULL);
}

static void running_out_of_memory_writes_nothing_or_all(void)
{
    struct ledger ledger = daybook_begin();
    uint32_t round = 0, tries = 0;
    OOM_EACH {
        const enum status status = daybook_reserve(&ledger, ++round);
        oom_stop();
        tries++;
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        struct ledger again = daybook_open(NULL);
        if (status == STATUS_OK) CHECK_NUMBER(again.head.n, ledger.head.n);
        CHECK(again.head.n >= ledger.head.n && again.head.n <= ledger.head.n + 1);
        ledger_close(&again);
    }
    CHECK(tries > 3);
    ledger_close(&ledger);
    OOM_EACH {
        struct ledger_fault fault;
        struct ledger other = {0};
        const enum status status = ledger_open(&other, daybook_path(), daybook_ours, &fault);
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
    RUN(a_release_counts_at_its_worst_then_at_what_happened);
    RUN(what_never_left_costs_nothing_and_may_be_reserved_again);
    RUN(everything_comes_back_when_it_is_opened_again);
    RUN(rules_are_kept);
    RUN(another_key_can_add_its_study_and_touch_no_other);
    RUN(entering_twice_changes_nothing);
    RUN(two_studies_share_one_budget);
    RUN(the_study_s_own_limit_is_looked_at_first);
    RUN(a_head_is_followed_or_not);
    RUN(entries_of_no_file_are_taken_by_the_same_rules);
    RUN(other_files_are_refused);
    RUN(running_out_of_memory_writes_nothing_or_all);
    daybook_forget();
    return check_done();
}
