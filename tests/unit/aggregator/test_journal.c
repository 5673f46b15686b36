/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/db.h"
#include "base/file.h"
#include "tests/lib/check.h"
#include "tests/lib/crash.h"
#include "tests/lib/forget.h"
#include "tests/lib/oom.h"

static char path[64];
static const uint8_t identity[SIGN_SEED_BYTES] = {9};
static const struct pen pen = {.identity = identity, .time_s = 7};
static const struct hash manifest = {{1}}, other = {{2}};

static struct view text(const char *s)
{
    return (struct view){(const uint8_t *)s, strlen(s)};
}

/* --- what a journal holds, as a text ---------------------------------------------------------- */

struct told {
    char text[1000];
};

static void tell(struct told *told, const char *what, struct view bytes)
{
    const size_t n = strlen(told->text);
    (void)snprintf(told->text + n, sizeof told->text - n, "%s%.*s ", what, (int)bytes.n,
                   bytes.n > 0 ? (const char *)bytes.at : "");
}

static struct told told_of(const struct journal *journal)
{
    struct told told = {""};
    AUTO(journal_past_free) struct journal_past past = {0};
    CHECK_OK(journal_restore(journal, &past));
    char what[40];
    (void)snprintf(what, sizeof what, "last:%u course:", past.last_round);
    tell(&told, what, buffer_view(&past.course));
    for (size_t i = 0; i < past.n_results; i++)
        tell(&told, "result:", buffer_view(&past.result[i]));
    tell(&told, "plan:", buffer_view(&past.plan));
    for (size_t i = 0; i < past.n_inputs; i++) {
        (void)snprintf(what, sizeof what, "%d:%u:", (int)past.input[i].kind, past.input[i].site);
        tell(&told, what, buffer_view(&past.input[i].bytes));
    }
    (void)snprintf(what, sizeof what, "totals:%d,%d", past.has_totals, past.totals.bytes[0]);
    tell(&told, what, (struct view){0});
    return told;
}

static void check_told(const struct journal *journal, const char *want)
{
    const struct told told = told_of(journal);
    CHECK(strcmp(told.text, want) == 0);
    if (strcmp(told.text, want) != 0) printf("  wanted %s\n  got    %s\n", want, told.text);
}

/* --- a study of three rounds, the second of which fails, in fifteen steps -----------------------
 */

#define ROUNDS 3
#define STEPS (5 * ROUNDS)
#define INPUT(kind_, site_, text)                                                                  \
    {                                                                                              \
        .kind = (kind_), .site = (site_), .bytes = {                                               \
            .at = (uint8_t[]){text},                                                               \
            .n = sizeof text - 1                                                                   \
        }                                                                                          \
    }

static enum status step(struct journal *journal, uint32_t i)
{
    const struct journal_input keys[] = {INPUT(JOURNAL_MESSAGE, 2, "b"), INPUT(JOURNAL_GONE, 1, ""),
                                         INPUT(JOURNAL_MESSAGE, 0, "a")};
    const struct journal_input inputs[] = {INPUT(JOURNAL_MESSAGE, 2, "d"),
                                           INPUT(JOURNAL_DEADLINE, 0, "")};
    const struct journal_input confirm = INPUT(JOURNAL_MESSAGE, 0, "c");
    static const char *const plan[ROUNDS] = {"p1", "p2", "p3"};
    static const char *const result[ROUNDS] = {"r1", "", "r3"};
    static const char *const course[ROUNDS] = {"c1", "c2", "c3"};
    const uint32_t round = i / 5;
    const struct hash totals = {{(uint8_t)(round + 1)}};
    switch (i % 5) {
    case 0:
        return journal_begin(journal, round + 1, text(plan[round]));
    case 1:
        return journal_inputs(journal, 3, keys, NULL);
    case 2:
        return journal_inputs(journal, 2, inputs, &totals);
    case 3:
        return journal_inputs(journal, 1, &confirm, NULL);
    default:
        return journal_end(journal, text(result[round]), text(course[round]), &pen, text("shown"));
    }
}

static void a_new_journal_knows_nothing(void)
{
    forget_db(path);
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path, &manifest));
    check_told(journal, "last:0 course: plan: totals:0,0 ");
}

static void an_open_round_comes_back_with_its_inputs_in_order(void)
{
    forget_db(path);
    AUTO(journal_close) struct journal *journal = NULL;
    for (uint32_t i = 0; i < 4; i++) {
        CHECK_OK(journal_open(&journal, path, &manifest));
        CHECK_OK(step(journal, i));
        journal_close(&journal);
    }
    CHECK_OK(journal_open(&journal, path, &manifest));
    check_told(journal, "last:1 course: plan:p1 1:2:b 2:1: 1:0:a 1:2:d 3:0: 1:0:c totals:1,1 ");
}

static void an_ended_round_leaves_its_result_and_no_input(void)
{
    forget_db(path);
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path, &manifest));
    for (uint32_t i = 0; i < 5; i++) CHECK_OK(step(journal, i));
    check_told(journal, "last:1 course:c1 result:r1 plan: totals:0,0 ");
}

static void a_failed_round_leaves_no_result(void)
{
    forget_db(path);
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path, &manifest));
    for (uint32_t i = 0; i < 12; i++) CHECK_OK(step(journal, i));
    check_told(journal, "last:3 course:c2 result:r1 plan:p3 1:2:b 2:1: 1:0:a totals:0,0 ");
    for (uint32_t i = 12; i < STEPS; i++) CHECK_OK(step(journal, i));
    check_told(journal, "last:3 course:c3 result:r1 result:r3 plan: totals:0,0 ");
}

static void a_journal_of_another_manifest_is_refused(void)
{
    forget_db(path);
    struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path, &manifest));
    CHECK_OK(step(journal, 0));
    journal_close(&journal);
    CHECK_STATUS(STATUS_STATE, journal_open(&journal, path, &other));
    CHECK(journal == NULL);
    CHECK_OK(journal_open(&journal, path, &manifest));
    journal_close(&journal);
}

static void what_is_out_of_order_is_refused_and_changes_nothing(void)
{
    forget_db(path);
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path, &manifest));
    for (uint32_t i = 1; i < 5; i++) CHECK_STATUS(STATUS_STATE, step(journal, i));
    CHECK_STATUS(STATUS_STATE, journal_begin(journal, 0, text("p")));
    for (uint32_t i = 0; i < 3; i++) CHECK_OK(step(journal, i));
    CHECK_STATUS(STATUS_STATE, journal_begin(journal, 2, text("p")));
    CHECK_STATUS(STATUS_STATE, step(journal, 2)); /* totals were in */
    check_told(journal, "last:1 course: plan:p1 1:2:b 2:1: 1:0:a 1:2:d 3:0: totals:1,1 ");
    CHECK_OK(step(journal, 4));
    CHECK_STATUS(STATUS_STATE, step(journal, 4));
    CHECK_STATUS(STATUS_STATE, journal_begin(journal, 1, text("p")));
    check_told(journal, "last:1 course:c1 result:r1 plan: totals:0,0 ");
}

static void what_is_empty_or_too_long_is_refused_and_changes_nothing(void)
{
    forget_db(path);
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path, &manifest));
    uint8_t byte = 0;
    const struct view most = {&byte, JOURNAL_BYTES_MAX + 1};
    const struct journal_input input[] = {INPUT(JOURNAL_GONE, 1, ""),
                                          {JOURNAL_MESSAGE, 0, {.at = &byte, .n = most.n}}};
    const struct hash totals = {{1}};
    CHECK_STATUS(STATUS_RANGE, journal_begin(journal, 1, most));
    CHECK_STATUS(STATUS_RANGE, journal_begin(journal, 1, (struct view){0}));
    CHECK_OK(journal_begin(journal, 1, text("p")));
    CHECK_STATUS(STATUS_RANGE, journal_inputs(journal, 2, input, &totals));
    CHECK_STATUS(STATUS_RANGE, journal_end(journal, most, text("c"), &pen, text("s")));
    CHECK_STATUS(STATUS_RANGE, journal_end(journal, text("r"), most, &pen, text("s")));
    check_told(journal, "last:1 course: plan:p totals:0,0 ");
}

/* Each of these is done to a whole journal of one ended and one open round. */
static void damage_is_noticed_and_outputs_are_untouched(void)
{
    static const char *const damage[] = {
        "UPDATE ended SET course = x'00'", "UPDATE ended SET hash = x'00'",
        "UPDATE ended SET round = 0",      "UPDATE ended SET round = 2",
        "UPDATE ended SET round = -1",     "UPDATE open SET totals = x'00'",
        "UPDATE input SET kind = 6",       "UPDATE input SET kind = 0",
        "UPDATE input SET site = -1",      "UPDATE input SET site = 4294967296",
    };
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        forget_db(path);
        AUTO(journal_close) struct journal *journal = NULL;
        CHECK_OK(journal_open(&journal, path, &manifest));
        for (uint32_t k = 0; k < 8; k++) CHECK_OK(step(journal, k));
        AUTO(db_close) struct db *db = NULL;
        CHECK_OK(db_open(&db, path, ""));
        CHECK_OK(db_run(db, damage[i], 0, NULL));
        struct journal_past past = {.last_round = 77};
        CHECK_STATUS(STATUS_FORMAT, journal_restore(journal, &past));
        CHECK_NUMBER(77, past.last_round);
        CHECK(past.course.at == NULL && past.plan.at == NULL && past.result == NULL);
    }
}

/* Whichever page of the file is overwritten, also one that SQLite would not need for long. */
static void a_damaged_file_is_refused_and_left_alone(void)
{
    const size_t page = 4096;
    forget_db(path);
    struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path, &manifest));
    for (uint32_t k = 0; k < 8; k++) CHECK_OK(step(journal, k));
    journal_close(&journal);
    AUTO(buffer_free) struct buffer file = {0};
    CHECK_OK(file_read(&file, path, 1000000));
    CHECK(file.n > 5 * page);
    for (size_t at = 0; at < file.n; at += page) {
        AUTO(buffer_free) struct buffer after = {0};
        for (size_t i = at; i < at + page; i++) file.at[i] ^= 0x55;
        CHECK_OK(file_write(path, buffer_view(&file), 0600));
        CHECK_STATUS(STATUS_FORMAT, journal_open(&journal, path, &manifest));
        CHECK(journal == NULL);
        CHECK_OK(file_read(&after, path, 1000000));
        CHECK_NUMBER(file.n, after.n);
        CHECK_BYTES(file.at, after.at, file.n);
        for (size_t i = at; i < at + page; i++) file.at[i] ^= 0x55;
    }
}

static void what_is_no_journal_is_refused(void)
{
    struct journal *journal = NULL;
    CHECK_OK(file_write(path, text("this is a letter, and no database"), 0600));
    CHECK_STATUS(STATUS_FORMAT, journal_open(&journal, path, &manifest));
    CHECK_STATUS(STATUS_IO, journal_open(&journal, "/dev/null/journal", &manifest));
    CHECK(journal == NULL);
}

static void a_failed_write_changes_nothing(void)
{
    forget_db(path);
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path, &manifest));
    for (uint32_t k = 0; k < 2; k++) CHECK_OK(step(journal, k));
    AUTO(db_close) struct db *db = NULL;
    CHECK_OK(db_open(&db, path, ""));
    CHECK_OK(db_run(db,
                    "CREATE TRIGGER full BEFORE UPDATE ON open BEGIN SELECT RAISE(ABORT, ''); END",
                    0, NULL));
    CHECK_STATUS(STATUS_STATE, step(journal, 2));
    CHECK_OK(db_run(db, "DROP TRIGGER full", 0, NULL));
    check_told(journal, "last:1 course: plan:p1 1:2:b 2:1: 1:0:a totals:0,0 ");
}

static void running_out_of_memory_opens_and_restores_nothing(void)
{
    forget_db(path);
    OOM_EACH {
        AUTO(journal_close) struct journal *journal = NULL;
        enum status status = journal_open(&journal, path, &manifest);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((status == STATUS_OK) == (journal != NULL));
    }
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path, &manifest));
    for (uint32_t k = 0; k < 8; k++) CHECK_OK(step(journal, k));
    OOM_EACH {
        AUTO(journal_past_free) struct journal_past past = {0};
        enum status status = journal_restore(journal, &past);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK_NUMBER(status == STATUS_OK ? 1 : 0, past.n_results);
        CHECK_NUMBER(status == STATUS_OK ? 5 : 0, past.n_inputs);
    }
}

/* --- power failures --------------------------------------------------------------------------- */

static int lead(const char *folder)
{
    AUTO(journal_close) struct journal *journal = NULL;
    (void)snprintf(path, sizeof path, "%s/journal.db", folder);
    if (journal_open(&journal, path, &manifest) != STATUS_OK) return 1;
    for (uint32_t i = 0; i < STEPS; i++) {
        if (step(journal, i) != STATUS_OK) return 1;
        crash_step();
    }
    return 0;
}

/* What the journal tells after each step. */
static struct told stage[STEPS + 1];

static void journal_is_that_of_the_steps(const struct crash *crash)
{
    char keep[sizeof path];
    memcpy(keep, path, sizeof path);
    (void)snprintf(path, sizeof path, "%s/journal.db", crash->folder);
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path, &manifest));
    memcpy(path, keep, sizeof path);
    if (journal == NULL) return;
    const struct told told = told_of(journal);
    const bool last = strcmp(told.text, stage[crash->steps].text) == 0;
    const bool next = crash->how != CRASH_NOT && crash->steps < STEPS &&
                      strcmp(told.text, stage[crash->steps + 1].text) == 0;
    CHECK(last || next);
    /* and the study goes on from there */
    const size_t at = crash->steps + (last ? 0 : 1);
    if (at < STEPS) CHECK_OK(step(journal, (uint32_t)at));
    check_told(journal, stage[at < STEPS ? at + 1 : at].text);
}

static void after_a_power_failure_it_holds_what_was_committed(void)
{
    forget_db(path);
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path, &manifest));
    stage[0] = told_of(journal);
    for (uint32_t i = 0; i < STEPS; i++) {
        CHECK_OK(step(journal, i));
        stage[i + 1] = told_of(journal);
    }
    crash_everywhere("lead", journal_is_that_of_the_steps);
}

int main(int argc, char **argv)
{
    if (argc == 3) return lead(argv[2]);
    char folder[] = "/tmp/veilsum-journal-XXXXXX";
    if (mkdtemp(folder) == NULL) return 1;
    (void)snprintf(path, sizeof path, "%s/journal.db", folder);
    RUN(a_new_journal_knows_nothing);
    RUN(an_open_round_comes_back_with_its_inputs_in_order);
    RUN(an_ended_round_leaves_its_result_and_no_input);
    RUN(a_failed_round_leaves_no_result);
    RUN(a_journal_of_another_manifest_is_refused);
    RUN(what_is_out_of_order_is_refused_and_changes_nothing);
    RUN(what_is_empty_or_too_long_is_refused_and_changes_nothing);
    RUN(damage_is_noticed_and_outputs_are_untouched);
    RUN(a_damaged_file_is_refused_and_left_alone);
    RUN(what_is_no_journal_is_refused);
    RUN(a_failed_write_changes_nothing);
    RUN(running_out_of_memory_opens_and_restores_nothing);
    RUN(after_a_power_failure_it_holds_what_was_committed);
    forget_db(path);
    (void)rmdir(folder);
    return check_done();
}
