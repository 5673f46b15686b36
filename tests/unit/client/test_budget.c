/* SPDX-License-Identifier: Apache-2.0 */
/* A site's ledger and journal together. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/check.h"
#include "tests/lib/forget.h"
#include "tests/lib/oom.h"
#include "tests/unit/client/till.h"

static char folder[TILL_FOLDER];
static struct till till, other;

static void begin(void)
{
    till_make_two(folder, &till, &other, 10);
}

static void end(void)
{
    till_remove_two(folder, &till, &other);
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

static void a_round_is_reserved_then_settled_with_its_survivors(void)
{
    begin();
    uint32_t releases = 0;
    CHECK_OK(till_enter(&till, MEMORY_PLAN, 1, 0));
    CHECK(!budget_holds(&till.budget, 1));
    CHECK_OK(till_reserve(&till, 1));
    CHECK(budget_holds(&till.budget, 1) && !budget_holds(&till.budget, 2));
    CHECK_CLOSE(epsilon_of(till_fewest(&till), 1), spent(&releases), 1e-9);
    CHECK_OK(till_enter(&till, MEMORY_INPUT, 1, 0));
    CHECK_OK(budget_balance(&till.budget, 4));
    CHECK(budget_holds(&till.budget, 1));
    CHECK_OK(till_enter(&till, MEMORY_RESULT, 1, TILL_SITES));
    CHECK_OK(budget_balance(&till.budget, 4));
    CHECK(!budget_holds(&till.budget, 1));
    CHECK_CLOSE(epsilon_of(TILL_SITES, 1), spent(&releases), 1e-9);
    CHECK_NUMBER(1, releases);
    CHECK(epsilon_of(TILL_SITES, 1) < epsilon_of(till_fewest(&till), 1));
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
    CHECK_CLOSE(epsilon_of(till_fewest(&till), 1), spent(&releases), 1e-9);
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
    CHECK_CLOSE(epsilon_of(till_fewest(&till), 1), spent(NULL), 1e-9);
    end();
}

/* Of a sum that lacks a part of the cohort nothing is known of the survivors above the fewest. */
static void a_sum_of_a_part_of_the_cohort_stays_at_its_worst_case(void)
{
    begin();
    bits_clear(&till.plan.segment[0].members, 4);
    till.plan.params.m = 1;
    const uint32_t certain = schedule_certain(&till.plan);
    CHECK(certain < till_fewest(&till) - TILL_COLLUDING);
    CHECK_OK(till_enter(&till, MEMORY_PLAN, 1, 0));
    CHECK_OK(till_reserve(&till, 1));
    CHECK_OK(till_enter(&till, MEMORY_INPUT, 1, 0));
    CHECK_OK(till_enter(&till, MEMORY_RESULT, 1, TILL_SITES));
    CHECK_OK(till_open(&till));
    CHECK_CLOSE(epsilon_of(certain + TILL_COLLUDING, 1), spent(NULL), 1e-9);
    end();
}

/* A block may have as many certain holders as the whole cohort has, and yet fewer survivors. */
static void where_blocks_are_allocated_a_round_stays_at_its_worst_case(void)
{
    begin();
    till.study.allocation.mode = STUDY_ALLOCATION_PRIVATE;
    CHECK_OK(till_open(&till));
    CHECK_OK(till_enter(&till, MEMORY_PLAN, 1, 0));
    CHECK_OK(till_reserve(&till, 1));
    CHECK_OK(till_enter(&till, MEMORY_INPUT, 1, 0));
    CHECK_OK(till_enter(&till, MEMORY_RESULT, 1, TILL_SITES));
    CHECK_OK(budget_balance(&till.budget, 4));
    CHECK(!budget_holds(&till.budget, 1));
    CHECK_CLOSE(epsilon_of(till_fewest(&till), 1), spent(NULL), 1e-9);
    end();
}

static void a_plan_beyond_the_limit_is_refused_before_anything_is_written(void)
{
    begin();
    struct books_refusal why = {0};
    till.policy.max_epsilon = epsilon_of(till_fewest(&till), 1) / 2;
    CHECK_OK(till_open(&till));
    const uint64_t entries = till.budget.ledger.head.n;
    CHECK_STATUS(STATUS_BUDGET, budget_bears(&till.budget, &till.plan, &why));
    CHECK(!why.lifetime && why.after > why.limit);
    CHECK_STATUS(STATUS_BUDGET, till_reserve(&till, 1));
    CHECK_NUMBER(entries, till.budget.ledger.head.n);
    till.policy.max_epsilon = 3;
    till.policy.lifetime_epsilon = epsilon_of(till_fewest(&till), 1) / 2;
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
    forget_db(till.ledger_path);
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
    forget_db(path);
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

int main(void)
{
    RUN(a_round_is_reserved_then_settled_with_its_survivors);
    RUN(a_round_is_reserved_once);
    RUN(what_never_left_is_given_back_and_what_may_have_left_is_not);
    RUN(a_result_that_only_the_journal_has_is_settled_at_the_start);
    RUN(fewer_survivors_than_the_guarantee_stay_at_the_worst_case);
    RUN(a_sum_of_a_part_of_the_cohort_stays_at_its_worst_case);
    RUN(where_blocks_are_allocated_a_round_stays_at_its_worst_case);
    RUN(a_plan_beyond_the_limit_is_refused_before_anything_is_written);
    RUN(a_lost_ledger_is_not_taken_for_an_empty_one);
    RUN(a_study_that_was_not_pinned_has_no_budget);
    RUN(an_old_copy_of_either_file_is_refused);
    RUN(a_ledger_whose_end_was_cut_off_is_refused);
    RUN(a_bad_entry_is_named);
    RUN(an_input_that_the_ledger_does_not_know_is_refused);
    RUN(running_out_of_memory_opens_nothing);
    return check_done();
}
