/* SPDX-License-Identifier: Apache-2.0 */
/* A site's ledger and journal together; and random courses of two studies on the same patients, in
 * which either may crash between any two writes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/unit/client/till.h"

static char folder[64];
static struct till till, other;

/* lifetime  the policy's; the order of its gate is chosen for it */
static void begin_with(double lifetime)
{
    (void)snprintf(folder, sizeof folder, "/tmp/veilsum-budget-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    till_make(&till, folder, 1);
    till_make(&other, folder, 2);
    till.policy.lifetime_epsilon = other.policy.lifetime_epsilon = lifetime;
    CHECK_OK(till_begin(&till));
    CHECK_OK(till_open(&till));
}

static void begin(void)
{
    begin_with(10);
}

/* The file of a till and what SQLite keeps beside it. */
static void forget(const char *path)
{
    static const char *const tail[] = {"", "-wal", "-shm"};
    char name[FILE_PATH_MAX + 8];
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, tail[i]);
        (void)unlink(name);
    }
}

static void end(void)
{
    till_free(&till);
    till_free(&other);
    forget(till.journal_path);
    forget(other.journal_path);
    forget(till.ledger_path);
    CHECK(rmdir(folder) == 0);
}

static double spent(uint32_t *releases)
{
    double epsilon = -1;
    CHECK_OK(budget_spent(&till.budget, &epsilon, releases));
    return epsilon;
}

static double epsilon_of(uint32_t survivors, uint32_t times)
{
    struct account account = {0};
    const struct release release = till_release(&till, survivors);
    CHECK_OK(account_add(&account, &release, times));
    return account_epsilon(&account, till.schedule.delta);
}

static uint32_t fewest(void)
{
    return till.study.sites.threshold;
}

static void a_round_is_reserved_then_settled_with_its_survivors(void)
{
    begin();
    uint32_t releases = 0;
    CHECK_OK(till_enter(&till, MEMORY_PLAN, 1, 0));
    CHECK(!budget_holds(&till.budget, 1));
    CHECK_OK(till_reserve(&till, 1));
    CHECK(budget_holds(&till.budget, 1) && !budget_holds(&till.budget, 2));
    CHECK_CLOSE(epsilon_of(fewest(), 1), spent(&releases), 1e-9);
    CHECK_OK(till_enter(&till, MEMORY_INPUT, 1, 0));
    CHECK_OK(budget_balance(&till.budget, 4));
    CHECK(budget_holds(&till.budget, 1));
    CHECK_OK(till_enter(&till, MEMORY_RESULT, 1, TILL_SITES));
    CHECK_OK(budget_balance(&till.budget, 4));
    CHECK(!budget_holds(&till.budget, 1));
    CHECK_CLOSE(epsilon_of(TILL_SITES, 1), spent(&releases), 1e-9);
    CHECK_NUMBER(1, releases);
    CHECK(epsilon_of(TILL_SITES, 1) < epsilon_of(fewest(), 1));
    end();
}

static void a_round_is_reserved_once(void)
{
    begin();
    CHECK_OK(till_enter(&till, MEMORY_PLAN, 1, 0));
    CHECK_OK(till_reserve(&till, 1));
    CHECK_STATUS(STATUS_STATE, till_reserve(&till, 1));
    end();
}

static void what_never_left_is_given_back_and_what_may_have_left_is_not(void)
{
    begin();
    uint32_t releases = 0;
    for (uint32_t round = 1; round <= 2; round++) {
        CHECK_OK(till_enter(&till, MEMORY_PLAN, round, 0));
        CHECK_OK(till_reserve(&till, round));
    }
    CHECK_OK(till_enter(&till, MEMORY_INPUT, 1, 0));
    CHECK_OK(till_open(&till));
    CHECK_CLOSE(epsilon_of(fewest(), 1), spent(&releases), 1e-9);
    CHECK_NUMBER(1, releases);
    CHECK(budget_holds(&till.budget, 1) && !budget_holds(&till.budget, 2));
    end();
}

/* Killed between the result in the journal and its entry in the ledger. */
static void a_result_that_only_the_journal_has_is_settled_at_the_start(void)
{
    begin();
    CHECK_OK(till_enter(&till, MEMORY_PLAN, 1, 0));
    CHECK_OK(till_reserve(&till, 1));
    CHECK_OK(till_enter(&till, MEMORY_INPUT, 1, 0));
    CHECK_OK(till_enter(&till, MEMORY_RESULT, 1, TILL_SITES));
    CHECK_OK(till_open(&till));
    CHECK_CLOSE(epsilon_of(TILL_SITES, 1), spent(NULL), 1e-9);
    end();
}

/* Fewer than the guarantee are never counted as fewer, nor as more. */
static void fewer_survivors_than_the_guarantee_stay_at_the_worst_case(void)
{
    begin();
    CHECK_OK(till_enter(&till, MEMORY_PLAN, 1, 0));
    CHECK_OK(till_reserve(&till, 1));
    CHECK_OK(till_enter(&till, MEMORY_INPUT, 1, 0));
    CHECK_OK(till_enter(&till, MEMORY_RESULT, 1, 0));
    CHECK_OK(till_open(&till));
    CHECK_CLOSE(epsilon_of(fewest(), 1), spent(NULL), 1e-9);
    end();
}

/* Of a sum that lacks a part of the cohort nothing is known of the survivors above the fewest. */
static void a_sum_of_a_part_of_the_cohort_stays_at_its_worst_case(void)
{
    begin();
    bits_clear(&till.plan.segment[0].members, 4);
    till.plan.params.m = 1;
    const uint32_t certain = schedule_certain(&till.plan);
    CHECK(certain < fewest() - TILL_COLLUDING);
    CHECK_OK(till_enter(&till, MEMORY_PLAN, 1, 0));
    CHECK_OK(till_reserve(&till, 1));
    CHECK_OK(till_enter(&till, MEMORY_INPUT, 1, 0));
    CHECK_OK(till_enter(&till, MEMORY_RESULT, 1, TILL_SITES));
    CHECK_OK(till_open(&till));
    CHECK_CLOSE(epsilon_of(certain + TILL_COLLUDING, 1), spent(NULL), 1e-9);
    end();
}

static void a_plan_beyond_the_limit_is_refused_before_anything_is_written(void)
{
    begin();
    struct books_refusal why = {0};
    till.policy.max_epsilon = epsilon_of(fewest(), 1) / 2;
    CHECK_OK(till_open(&till));
    const uint64_t entries = till.budget.ledger.head.n;
    CHECK_STATUS(STATUS_BUDGET, budget_bears(&till.budget, &till.plan, &why));
    CHECK(!why.lifetime && why.after > why.limit);
    CHECK_STATUS(STATUS_BUDGET, till_reserve(&till, 1));
    CHECK_NUMBER(entries, till.budget.ledger.head.n);
    till.policy.max_epsilon = 3;
    till.policy.lifetime_epsilon = epsilon_of(fewest(), 1) / 2;
    CHECK_OK(till_open(&till));
    CHECK_STATUS(STATUS_BUDGET, budget_bears(&till.budget, &till.plan, &why));
    CHECK(why.lifetime);
    end();
}

/* --- files that do not belong together -------------------------------------------------------- */

static void a_lost_ledger_is_not_taken_for_an_empty_one(void)
{
    begin();
    till_close(&till);
    forget(till.ledger_path);
    CHECK_STATUS(STATUS_STATE, till_open(&till));
    till_close(&till);
    CHECK_STATUS(STATUS_STATE, till_begin(&till)); /* nor by pinning again */
    end();
}

static void a_study_that_was_not_pinned_has_no_budget(void)
{
    begin();
    CHECK_OK(journal_open(&other.journal, other.journal_path));
    CHECK_OK(journal_bind(other.journal, &other.manifest, true));
    journal_close(&other.journal);
    CHECK_STATUS(STATUS_STATE, till_open(&other));
    end();
}

static void copy_file(const char *from, const char *to)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    CHECK_OK(file_read(&bytes, from, 1u << 24));
    CHECK_OK(file_write(to, buffer_view(&bytes), 0600));
}

static void play(uint32_t round)
{
    CHECK_OK(till_enter(&till, MEMORY_PLAN, round, 0));
    CHECK_OK(till_reserve(&till, round));
    CHECK_OK(till_enter(&till, MEMORY_INPUT, round, 0));
    CHECK_OK(till_enter(&till, MEMORY_RESULT, round, TILL_SITES));
    CHECK_OK(budget_balance(&till.budget, 4));
}

/* path  the file that comes from a backup, made between two rounds. */
static void an_old_copy_is_refused(const char *path)
{
    begin();
    char old[FILE_PATH_MAX + 8];
    (void)snprintf(old, sizeof old, "%s.old", path);
    play(1);
    till_close(&till);
    copy_file(path, old);
    CHECK_OK(till_open(&till));
    play(2);
    till_close(&till);
    forget(path);
    copy_file(old, path);
    (void)unlink(old);
    CHECK_STATUS(STATUS_STATE, till_open(&till));
    end();
}

static void an_old_copy_of_either_file_is_refused(void)
{
    an_old_copy_is_refused(till.journal_path);
    an_old_copy_is_refused(till.ledger_path);
}

static void tamper(const char *path, const char *sql)
{
    AUTO(db_close) struct db *db = NULL;
    CHECK_OK(db_open(&db, path, ""));
    CHECK_OK(db_run(db, sql, 0, NULL));
}

static void a_ledger_whose_end_was_cut_off_is_refused(void)
{
    begin();
    play(1);
    till_close(&till);
    tamper(till.ledger_path, "DELETE FROM entry WHERE number > 2");
    CHECK_STATUS(STATUS_STATE, till_open(&till));
    CHECK(till.fault.what == NULL);
    end();
}

static void a_bad_entry_is_named(void)
{
    begin();
    play(1);
    till_close(&till);
    tamper(till.ledger_path, "UPDATE entry SET signature = x'00' WHERE number = 3");
    CHECK_STATUS(STATUS_FORMAT, till_open(&till));
    CHECK_NUMBER(3, till.fault.number);
    end();
}

static void an_input_that_the_ledger_does_not_know_is_refused(void)
{
    begin();
    CHECK_OK(till_enter(&till, MEMORY_PLAN, 1, 0));
    CHECK_OK(till_enter(&till, MEMORY_INPUT, 1, 0));
    CHECK_STATUS(STATUS_STATE, till_open(&till));
    end();
}

static void running_out_of_memory_opens_nothing(void)
{
    begin();
    play(1);
    OOM_EACH {
        const enum status status = till_open(&till);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((status == STATUS_OK) == (till.budget.ledger.db != NULL));
    }
    end();
}

static void a_path_is_absolute_or_within_the_folder(void)
{
    char path[FILE_PATH_MAX];
    struct policy policy = {.ledger = "ledger.db"};
    CHECK_OK(budget_path(path, "/a", &policy));
    CHECK(strcmp(path, "/a/ledger.db") == 0);
    memcpy(policy.ledger, "/b/c", 5);
    CHECK_OK(budget_path(path, "/a", &policy));
    CHECK(strcmp(path, "/b/c") == 0);
}

/* --- random courses --------------------------------------------------------------------------- */

#define COURSES 12
#define MOVES 60
#define LEFT_MAX 200

/* A round as its site sees it, kept by the test. */
struct course {
    struct till *till;
    uint32_t round;
    enum { IDLE, PLANNED, RESERVED, SENT } at;
    size_t left; /* place of its release among those that left */
};

/* Everything that really left, with what it really had; and what the site may assume of it. */
static struct release left[LEFT_MAX], assumed[LEFT_MAX];
static size_t n_left;

static struct rng chance;

static uint32_t pick(uint32_t n)
{
    uint8_t bytes[4];
    rng_bytes(&chance, bytes, sizeof bytes);
    return (bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16) % n;
}

static double cost(const struct release *release, size_t n, uint32_t order, double delta)
{
    struct account account = {0};
    for (size_t i = 0; i < n; i++) CHECK_OK(account_add(&account, &release[i], 1));
    return account_epsilon_at(&account, order, delta);
}

static void plan(struct course *c)
{
    struct books_refusal why = {0};
    CHECK_OK(budget_balance(&c->till->budget, 5));
    const enum status status = budget_bears(&c->till->budget, &c->till->plan, &why);
    CHECK(status == STATUS_OK || status == STATUS_BUDGET);
    if (status != STATUS_OK) return;
    c->round++;
    CHECK_OK(till_enter(c->till, MEMORY_PLAN, c->round, 0));
    c->at = PLANNED;
}

/* The other study may have taken the rest since the plan was judged. */
static void reserve(struct course *c)
{
    const enum status status = till_reserve(c->till, c->round);
    CHECK(status == STATUS_OK || status == STATUS_BUDGET);
    c->at = status == STATUS_OK ? RESERVED : IDLE;
}

/* The dropouts are chosen now; the site hears of them when, and if, the result comes. */
static void leave(struct course *c)
{
    CHECK(budget_holds(&c->till->budget, c->round));
    CHECK_OK(till_enter(c->till, MEMORY_INPUT, c->round, 0));
    const uint32_t survivors = fewest() + pick(TILL_SITES - fewest() + 1);
    left[n_left] = till_release(c->till, survivors);
    assumed[n_left] = till_release(c->till, fewest());
    c->left = n_left++;
    c->at = SENT;
}

static void hear(struct course *c)
{
    if (pick(4) > 0) {
        const uint32_t survivors = left[c->left].n_shares + TILL_COLLUDING;
        CHECK_OK(till_enter(c->till, MEMORY_RESULT, c->round, survivors));
        assumed[c->left] = left[c->left];
        if (pick(3) == 0) CHECK_OK(till_open(c->till)); /* before it is settled */
        CHECK_OK(budget_balance(&c->till->budget, 5));
    }
    c->at = IDLE;
}

static void crash(struct course *c)
{
    CHECK_OK(till_open(c->till));
    c->at = IDLE;
}

static void move(struct course *c)
{
    if (pick(5) == 0) {
        crash(c);
    } else if (c->at == IDLE) {
        plan(c);
    } else if (c->at == PLANNED) {
        reserve(c);
    } else if (c->at == RESERVED) {
        if (pick(5) == 0)
            c->at = IDLE; /* the round failed before its input */
        else
            leave(c);
    } else {
        hear(c);
    }
}

/* The ledger never says less than what left; and what left never crosses the limit. */
static void check_course(struct till *own, double limit)
{
    struct ledger_fault fault = {0};
    AUTO(ledger_close) struct ledger ledger = {0};
    CHECK_OK(ledger_open(&ledger, own->ledger_path, NULL, &fault));
    struct account account = {0};
    CHECK_OK(books_of_set(&account, NULL, &ledger.books, 0, ADVERSARY_COLLUSION));
    const uint32_t order = ledger.books.set[0].order;
    const double said =
        books_epsilon(&account, order, own->policy.lifetime_delta, (struct books_sampler){0});
    CHECK(said >= cost(left, n_left, order, own->policy.lifetime_delta) - 1e-9);
    CHECK(said >= cost(assumed, n_left, order, own->policy.lifetime_delta) - 1e-9);
    CHECK(cost(left, n_left, order, own->policy.lifetime_delta) <= limit + 1e-9);
}

static size_t run_course(uint64_t seed)
{
    rng_numbered(&chance, seed);
    n_left = 0;
    const double limit = 2.5 + 0.5 * pick(6);
    begin_with(limit);
    CHECK_OK(till_begin(&other));
    CHECK_OK(till_open(&other));
    struct course course[2] = {{.till = &till}, {.till = &other}};
    for (uint32_t i = 0; i < MOVES && n_left < LEFT_MAX; i++) {
        move(&course[pick(2)]);
        if (i % 4 == 0) check_course(&till, limit);
    }
    check_course(&till, limit);
    const size_t n = n_left;
    end();
    return n;
}

static void whatever_happens_nothing_is_undercounted_and_no_limit_is_crossed(void)
{
    size_t n = 0;
    for (uint64_t seed = 1; seed <= COURSES; seed++) n += run_course(seed);
    CHECK(n > 3 * COURSES); /* it was about something */
}

int main(void)
{
    RUN(a_round_is_reserved_then_settled_with_its_survivors);
    RUN(a_round_is_reserved_once);
    RUN(what_never_left_is_given_back_and_what_may_have_left_is_not);
    RUN(a_result_that_only_the_journal_has_is_settled_at_the_start);
    RUN(fewer_survivors_than_the_guarantee_stay_at_the_worst_case);
    RUN(a_sum_of_a_part_of_the_cohort_stays_at_its_worst_case);
    RUN(a_plan_beyond_the_limit_is_refused_before_anything_is_written);
    RUN(a_lost_ledger_is_not_taken_for_an_empty_one);
    RUN(a_study_that_was_not_pinned_has_no_budget);
    RUN(an_old_copy_of_either_file_is_refused);
    RUN(a_ledger_whose_end_was_cut_off_is_refused);
    RUN(a_bad_entry_is_named);
    RUN(an_input_that_the_ledger_does_not_know_is_refused);
    RUN(running_out_of_memory_opens_nothing);
    RUN(a_path_is_absolute_or_within_the_folder);
    RUN(whatever_happens_nothing_is_undercounted_and_no_limit_is_crossed);
    return check_done();
}
