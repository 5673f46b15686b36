/* SPDX-License-Identifier: Apache-2.0 */
/* What a site's journal and ledger know when the power failed at any fsync of either. */
#include <stdio.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/crash.h"
#include "tests/unit/client/till.h"

#define ROUNDS 2

/* All that a site writes down in a round, in this order; BALANCE settles in the ledger. */
enum { PLAN, RESERVE, INPUT, CONFIRM, RELEASE, RESULT, BALANCE, ENTRIES };
/* Step 0 pins the study. */
#define STEPS (1 + ENTRIES * ROUNDS)

static enum status confirm(struct till *till, uint32_t round)
{
    const struct memory memory = {.kind = MEMORY_CONFIRM, .round = round};
    AUTO(bits_free) struct bits survivors = {0};
    AUTO(buffer_free) struct buffer entry = {0};
    TRY(bits_new(&survivors, TILL_SITES));
    bits_fill(&survivors);
    memory_write(&entry, &memory);
    TRY(entry.status);
    AUTO(db_change_undo) struct db_change change = {0};
    TRY(journal_change(&change, till->journal));
    TRY(journal_confirm(till->journal, buffer_view(&entry), &survivors));
    return db_change_commit(&change);
}

static enum status step(struct till *till, size_t i)
{
    static const enum memory_kind kind[ENTRIES] = {[PLAN] = MEMORY_PLAN,
                                                   [INPUT] = MEMORY_INPUT,
                                                   [RELEASE] = MEMORY_RELEASE,
                                                   [RESULT] = MEMORY_RESULT};
    const size_t what = (i - 1) % ENTRIES;
    const uint32_t round = 1 + (uint32_t)((i - 1) / ENTRIES);
    switch (what) {
    case RESERVE:
        return till_reserve(till, round);
    case CONFIRM:
        return confirm(till, round);
    case BALANCE:
        return budget_balance(&till->budget, 4);
    default:
        return till_enter(till, kind[what], round, what == RESULT ? TILL_SITES : 0);
    }
}

/* In the middle of it the site ends and starts again. */
static int take_part(const char *folder)
{
    static struct till till;
    till_make(&till, folder, 1);
    if (till_begin(&till) != STATUS_OK) return 1;
    crash_step();
    for (size_t i = 1; i < STEPS; i++) {
        if ((i == 1 || i == STEPS / 2) && till_open(&till) != STATUS_OK) return 1;
        if (step(&till, i) != STATUS_OK) return 1;
        crash_step();
    }
    till_free(&till);
    return check_failures() > 0;
}

/* Whether entry `what` of a round is among the first `steps`. */
static bool done(size_t steps, uint32_t round, size_t what)
{
    return steps >= 2 + (round - 1) * ENTRIES + what;
}

/* A round has what it had; and its release costs what the journal proves, and no less. */
static void check_round(const struct till *till, uint32_t round, size_t steps, struct account *want,
                        uint32_t *count)
{
    const struct books *books = &till->budget.ledger.books;
    struct journal_round known = {0};
    CHECK_OK(journal_round(till->journal, round, &known));
    CHECK(known.planned || !done(steps, round, PLAN));
    CHECK(known.sent || !done(steps, round, INPUT));
    CHECK(known.ended || !done(steps, round, RESULT));
    const size_t at = books_find_release(books, till->budget.study, round);
    const bool there = at < books->n_releases;
    CHECK(there || !done(steps, round, RESERVE));
    if (!known.sent) {
        CHECK(!there || books->release[at].state == BOOKS_VOID);
        return;
    }
    CHECK(there);
    CHECK_NUMBER(known.ended ? BOOKS_SETTLED : BOOKS_RESERVED, books->release[at].state);
    const struct release release =
        till_release(till, known.ended ? TILL_SITES : till->study.sites.threshold);
    CHECK_OK(account_add(want, &release, 1));
    *count += 1;
}

static void check_known(const struct till *till, size_t steps)
{
    struct account want = {0};
    uint32_t count = 0, releases = 0;
    double spent = 0;
    for (uint32_t round = 1; round <= ROUNDS; round++)
        check_round(till, round, steps, &want, &count);
    CHECK_OK(budget_spent(&till->budget, &spent, &releases));
    CHECK_NUMBER(count, releases);
    CHECK_CLOSE(account_epsilon(&want, till->schedule.delta), spent, 1e-9);
}

static void it_knows_the_steps(const struct crash *crash)
{
    static struct till till;
    till_make(&till, crash->folder, 1);
    if (crash->steps == 0 && till_open(&till) != STATUS_OK) {
        /* Pinning was under way: it is done again. */
        till_close(&till);
        CHECK_OK(till_begin(&till));
    }
    CHECK_OK(till_open(&till));
    if (till.journal != NULL && till.budget.ledger.db != NULL) {
        check_known(&till, crash->steps);
        /* and the site goes on from there */
        const uint32_t next = ROUNDS + 1;
        CHECK_OK(till_enter(&till, MEMORY_PLAN, next, 0));
        CHECK_OK(till_reserve(&till, next));
        CHECK_OK(till_enter(&till, MEMORY_INPUT, next, 0));
        CHECK_OK(till_enter(&till, MEMORY_RESULT, next, TILL_SITES));
        CHECK_OK(budget_balance(&till.budget, 5));
        CHECK_OK(till_open(&till));
    }
    till_free(&till);
}

static void no_entry_is_lost_and_no_release_is_forgotten(void)
{
    crash_everywhere("take part", it_knows_the_steps);
}

int main(int argc, char **argv)
{
    if (argc == 3) return take_part(argv[2]);
    RUN(no_entry_is_lost_and_no_release_is_forgotten);
    return check_done();
}
