/* SPDX-License-Identifier: Apache-2.0 */
#include "client/journal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/db.h"
#include "tests/lib/check.h"
#include "tests/lib/forget.h"
#include "tests/lib/oom.h"

static char path[64];

static enum status enter(struct journal *journal, enum memory_kind kind, uint32_t round,
                         uint8_t hash)
{
    struct memory memory = {.kind = kind, .round = round, .n_survivors = 4};
    memset(memory.hash.bytes, hash, sizeof memory.hash.bytes);
    AUTO(buffer_free) struct buffer bytes = {0};
    memory_write(&bytes, &memory);
    CHECK_OK(bytes.status);
    return journal_entry(journal, buffer_view(&bytes));
}

static void a_new_journal_knows_nothing(void)
{
    forget_db(path);
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path));
    uint32_t round = 7, inputs = 7;
    struct hash transcript = {{1}};
    struct ledger_head head = {7, {{7}}};
    struct journal_round known = {true, true, true, 7};
    CHECK_OK(journal_restore(journal, &round, &transcript));
    CHECK_NUMBER(0, round);
    CHECK(hash_is_zero(&transcript));
    CHECK_OK(journal_head(journal, &head));
    CHECK(head.n == 0 && hash_is_zero(&head.hash));
    CHECK_OK(journal_inputs(journal, &inputs));
    CHECK_NUMBER(0, inputs);
    CHECK_OK(journal_round(journal, 1, &known));
    CHECK(!known.planned && !known.sent && !known.ended);
    CHECK_NUMBER(0, known.n_survivors);
}

static void the_last_round_and_result_come_back(void)
{
    forget_db(path);
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path));
    CHECK_OK(enter(journal, MEMORY_PLAN, 3, 1));
    CHECK_OK(enter(journal, MEMORY_RESULT, 3, 2));
    CHECK_OK(enter(journal, MEMORY_PLAN, 4, 3));
    CHECK_OK(enter(journal, MEMORY_RESULT, 4, 4));
    CHECK_OK(enter(journal, MEMORY_PLAN, 6, 5));
    journal_close(&journal);
    CHECK(journal == NULL);
    CHECK_OK(journal_open(&journal, path));
    uint32_t round = 0;
    struct hash transcript = {{0}}, want;
    memset(want.bytes, 4, sizeof want.bytes);
    CHECK_OK(journal_restore(journal, &round, &transcript));
    CHECK_NUMBER(6, round);
    CHECK(hash_equal(&transcript, &want));
}

static void a_history_that_was_followed_is_remembered(void)
{
    forget_db(path);
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path));
    CHECK_OK(enter(journal, MEMORY_RESULT, 3, 2));
    CHECK_OK(enter(journal, MEMORY_FOLLOW, 7, 9));
    CHECK_OK(enter(journal, MEMORY_PLAN, 7, 1));
    uint32_t round = 0;
    struct hash transcript = {{0}};
    CHECK_OK(journal_restore(journal, &round, &transcript));
    CHECK_NUMBER(7, round);
    CHECK_NUMBER(9, transcript.bytes[0]);
}

static void a_lost_journal_is_not_taken_for_an_empty_one(void)
{
    forget_db(path);
    const struct hash mine = {{1}}, other = {{2}};
    struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path));
    CHECK_STATUS(STATUS_STATE, journal_bind(journal, &mine, false));
    CHECK_OK(journal_bind(journal, &mine, true));
    CHECK_OK(journal_bind(journal, &mine, false));
    CHECK_OK(journal_bind(journal, &mine, true));
    CHECK_STATUS(STATUS_STATE, journal_bind(journal, &other, true));
    CHECK_STATUS(STATUS_STATE, journal_bind(journal, &other, false));
    journal_close(&journal);
    CHECK_OK(journal_open(&journal, path));
    CHECK_OK(journal_bind(journal, &mine, false));
    journal_close(&journal);
    forget_db(path);
    CHECK_OK(journal_open(&journal, path));
    CHECK_STATUS(STATUS_STATE, journal_bind(journal, &mine, false));
    journal_close(&journal);
}

static void there_is_never_a_second_answer(void)
{
    forget_db(path);
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path));
    CHECK_OK(enter(journal, MEMORY_CONFIRM, 3, 1));
    CHECK_STATUS(STATUS_STATE, enter(journal, MEMORY_CONFIRM, 3, 2));
    CHECK_OK(enter(journal, MEMORY_RELEASE, 3, 1));
    CHECK_OK(enter(journal, MEMORY_CONFIRM, 4, 1));
}

static void the_stages_of_a_round_are_known(void)
{
    forget_db(path);
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path));
    struct journal_round known = {0};
    uint32_t inputs = 0;
    CHECK_OK(enter(journal, MEMORY_PLAN, 1, 1));
    CHECK_OK(journal_round(journal, 1, &known));
    CHECK(known.planned && !known.sent && !known.ended);
    CHECK_OK(enter(journal, MEMORY_INPUT, 1, 1));
    CHECK_OK(journal_round(journal, 1, &known));
    CHECK(known.planned && known.sent && !known.ended);
    CHECK_OK(enter(journal, MEMORY_RESULT, 1, 1));
    CHECK_OK(enter(journal, MEMORY_PLAN, 2, 1));
    CHECK_OK(enter(journal, MEMORY_INPUT, 2, 1));
    CHECK_OK(journal_round(journal, 1, &known));
    CHECK(known.planned && known.sent && known.ended);
    CHECK_NUMBER(4, known.n_survivors);
    CHECK_OK(journal_inputs(journal, &inputs));
    CHECK_NUMBER(2, inputs);
}

static void the_ledger_s_head_comes_back(void)
{
    forget_db(path);
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path));
    const struct ledger_head two = {2, {{2}}}, five = {5, {{5}}};
    struct ledger_head head = {0};
    CHECK_OK(journal_know(journal, &two));
    CHECK_OK(journal_know(journal, &five));
    journal_close(&journal);
    CHECK_OK(journal_open(&journal, path));
    CHECK_OK(journal_head(journal, &head));
    CHECK(head.n == 5 && hash_equal(&head.hash, &five.hash));
}

static void a_killed_site_forgets_no_input(void)
{
    forget_db(path);
    pid_t child = fork();
    if (child == 0) {
        struct journal *journal = NULL;
        if (journal_open(&journal, path) == STATUS_OK &&
            enter(journal, MEMORY_INPUT, 1, 1) == STATUS_OK)
            (void)raise(SIGKILL);
        _exit(1);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path));
    uint32_t inputs = 0;
    CHECK_OK(journal_inputs(journal, &inputs));
    CHECK_NUMBER(1, inputs);
}

static void what_is_no_entry_is_refused(void)
{
    forget_db(path);
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path));
    CHECK_STATUS(STATUS_FORMAT, journal_entry(journal, (struct view){(const uint8_t *)"x", 1}));
}

/* A journal whose tables hold what this program never wrote. */
static void damage_is_noticed_and_outputs_are_untouched(void)
{
    forget_db(path);
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path));
    CHECK_OK(enter(journal, MEMORY_INPUT, 1, 1));
    CHECK_OK(enter(journal, MEMORY_RESULT, 1, 1));
    CHECK_OK(journal_know(journal, &(struct ledger_head){.n = 1}));
    AUTO(db_close) struct db *db = NULL;
    CHECK_OK(db_open(&db, path, ""));
    CHECK_OK(
        db_run(db, "UPDATE memory SET hash = x'00' WHERE kind = ?", 1, &DB_INT(MEMORY_RESULT)));
    CHECK_OK(db_run(db, "UPDATE memory SET survivors = -1", 0, NULL));
    CHECK_OK(db_run(db, "UPDATE ledger SET hash = x'00'", 0, NULL));
    uint32_t round = 7;
    struct hash transcript = {{7}};
    struct journal_round known = {.n_survivors = 7};
    struct ledger_head head = {.n = 7};
    CHECK_STATUS(STATUS_FORMAT, journal_restore(journal, &round, &transcript));
    CHECK_STATUS(STATUS_FORMAT, journal_round(journal, 1, &known));
    CHECK_STATUS(STATUS_FORMAT, journal_head(journal, &head));
    CHECK_NUMBER(7, round);
    CHECK_NUMBER(7, transcript.bytes[0]);
    CHECK_NUMBER(7, known.n_survivors);
    CHECK_NUMBER(7, head.n);
}

static enum status confirm(struct journal *journal, uint32_t round, const struct bits *survivors)
{
    struct memory memory = {.kind = MEMORY_CONFIRM, .round = round};
    AUTO(buffer_free) struct buffer bytes = {0};
    memory_write(&bytes, &memory);
    CHECK_OK(bytes.status);
    AUTO(db_change_undo) struct db_change change = {0};
    CHECK_OK(journal_change(&change, journal));
    TRY(journal_confirm(journal, buffer_view(&bytes), survivors));
    return db_change_commit(&change);
}

/* Of the four sites of a number's bits. */
static void make_set(struct bits *out, uint32_t sites)
{
    CHECK_OK(bits_new(out, 4));
    for (uint32_t v = 0; v < 4; v++)
        if (sites >> v & 1) bits_set(out, v);
}

static void confirmed_survivor_sets_come_back(void)
{
    forget_db(path);
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path));
    AUTO(bits_free) struct bits first = {0}, second = {0}, third = {0};
    make_set(&first, 3);   /* 0 and 1 */
    make_set(&second, 13); /* 0, 2 and 3 */
    make_set(&third, 15);
    CHECK_OK(confirm(journal, 1, &first));
    CHECK_OK(confirm(journal, 2, &second));
    journal_close(&journal);
    CHECK_OK(journal_open(&journal, path));
    AUTO(participation_free) struct participation past = {0};
    CHECK_OK(participation_new(&past, 4));
    CHECK(!participation_isolates(&past, &third, 0));
    CHECK_OK(journal_past(journal, &past));
    CHECK_NUMBER(2, past.rank);
    CHECK(participation_isolates(&past, &third, 0));
}

static void a_set_and_its_confirmation_are_stored_together_or_not_at_all(void)
{
    forget_db(path);
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path));
    AUTO(bits_free) struct bits set = {0};
    make_set(&set, 7);
    CHECK_OK(enter(journal, MEMORY_CONFIRM, 1, 1));
    CHECK_STATUS(STATUS_STATE, confirm(journal, 1, &set));
    AUTO(participation_free) struct participation past = {0};
    CHECK_OK(participation_new(&past, 4));
    CHECK_OK(journal_past(journal, &past));
    CHECK_NUMBER(0, past.rank);
    /* The other way round: the set is there, then its entry is not made. */
    CHECK_OK(confirm(journal, 2, &set));
    AUTO(db_close) struct db *db = NULL;
    CHECK_OK(db_open(&db, path, ""));
    CHECK_OK(db_run(db, "DELETE FROM memory WHERE round = 2", 0, NULL));
    CHECK_STATUS(STATUS_STATE, confirm(journal, 2, &set));
    CHECK_OK(enter(journal, MEMORY_CONFIRM, 2, 1));
}

static void a_survivor_set_of_another_federation_is_refused(void)
{
    forget_db(path);
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path));
    AUTO(bits_free) struct bits set = {0};
    make_set(&set, 7);
    CHECK_OK(confirm(journal, 1, &set));
    AUTO(participation_free) struct participation past = {0};
    CHECK_OK(participation_new(&past, 5));
    CHECK_STATUS(STATUS_FORMAT, journal_past(journal, &past));
    CHECK_STATUS(STATUS_FORMAT, journal_confirm(journal, (struct view){0}, &set));
}

static void a_file_of_something_else_is_refused(void)
{
    forget_db(path);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 200; i++) (void)fputs("not a journal\n", file);
    (void)fclose(file);
    struct journal *journal = NULL;
    CHECK_STATUS(STATUS_FORMAT, journal_open(&journal, path));
    CHECK_STATUS(STATUS_IO, journal_open(&journal, "/dev/null/journal"));
    CHECK(journal == NULL);
}

static void running_out_of_memory_opens_nothing(void)
{
    forget_db(path);
    OOM_EACH {
        AUTO(journal_close) struct journal *journal = NULL;
        enum status status = journal_open(&journal, path);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((status == STATUS_OK) == (journal != NULL));
    }
}

int main(void)
{
    char folder[] = "/tmp/veilsum-journal-XXXXXX";
    if (mkdtemp(folder) == NULL) return 1;
    (void)snprintf(path, sizeof path, "%s/journal.db", folder);
    RUN(a_new_journal_knows_nothing);
    RUN(the_last_round_and_result_come_back);
    RUN(a_history_that_was_followed_is_remembered);
    RUN(a_lost_journal_is_not_taken_for_an_empty_one);
    RUN(there_is_never_a_second_answer);
    RUN(the_stages_of_a_round_are_known);
    RUN(the_ledger_s_head_comes_back);
    RUN(a_killed_site_forgets_no_input);
    RUN(what_is_no_entry_is_refused);
    RUN(damage_is_noticed_and_outputs_are_untouched);
    RUN(confirmed_survivor_sets_come_back);
    RUN(a_set_and_its_confirmation_are_stored_together_or_not_at_all);
    RUN(a_survivor_set_of_another_federation_is_refused);
    RUN(a_file_of_something_else_is_refused);
    RUN(running_out_of_memory_opens_nothing);
    forget_db(path);
    (void)rmdir(folder);
    return check_done();
}
