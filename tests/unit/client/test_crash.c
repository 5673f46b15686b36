/* SPDX-License-Identifier: Apache-2.0 */
/* What a site's journal knows when the power failed at any fsync. */
#include <stdio.h>
#include <string.h>

#include "base/db.h"
#include "base/file.h"
#include "client/journal.h"
#include "tests/lib/check.h"
#include "tests/lib/crash.h"

#define ROUNDS 2
#define SHARES_LEAST 3
#define SHARES 5

/* All that a site writes down in a round, in this order. */
enum { PLAN, RESERVE, INPUT, CONFIRM, RELEASE, RESULT, ENTRIES };
/* Step 0 ties the journal to its manifest. */
#define STEPS (1 + ENTRIES * ROUNDS)

static const struct hash manifest = {{1}};

static struct release release_of(uint32_t n_shares)
{
    return (struct release){
        .norm2 = 1000000, .sigma = 1000, .n_shares = n_shares, .dim = 100, .sampling = 1};
}

static enum status confirm(struct journal *journal, struct view entry)
{
    AUTO(bits_free) struct bits survivors = {0};
    TRY(bits_new(&survivors, 7));
    bits_fill(&survivors);
    return journal_confirm(journal, entry, &survivors);
}

static enum status step(struct journal *journal, size_t i)
{
    static const enum memory_kind kind[ENTRIES] = {[PLAN] = MEMORY_PLAN,
                                                   [INPUT] = MEMORY_INPUT,
                                                   [CONFIRM] = MEMORY_CONFIRM,
                                                   [RELEASE] = MEMORY_RELEASE,
                                                   [RESULT] = MEMORY_RESULT};
    if (i == 0) return journal_bind(journal, &manifest, true);
    const size_t what = (i - 1) % ENTRIES;
    const uint32_t round = 1 + (uint32_t)((i - 1) / ENTRIES);
    const struct release worst = release_of(SHARES_LEAST);
    const struct memory memory = {
        .kind = kind[what], .round = round, .hash = {{(uint8_t)i}}, .n_survivors = SHARES};
    AUTO(buffer_free) struct buffer entry = {0};
    memory_write(&entry, &memory);
    TRY(entry.status);
    switch (what) {
    case RESERVE:
        return journal_reserve(journal, round, STEP_TRAIN, &worst);
    case CONFIRM:
        return confirm(journal, buffer_view(&entry));
    case RESULT:
        return journal_result(journal, buffer_view(&entry), SHARES);
    default:
        return journal_entry(journal, buffer_view(&entry));
    }
}

/* In the middle of it the site ends and starts again. */
static int take_part(const char *folder)
{
    char path[FILE_PATH_MAX];
    if (file_path(path, sizeof path, folder, "journal.db") != STATUS_OK) return 1;
    AUTO(journal_close) struct journal *journal = NULL;
    for (size_t i = 0; i < STEPS; i++) {
        if (i == STEPS / 2) journal_close(&journal);
        if (journal == NULL && journal_open(&journal, path) != STATUS_OK) return 1;
        if (step(journal, i) != STATUS_OK) return 1;
        crash_step();
    }
    return 0;
}

/* How often entry `what` of the rounds is among the first `steps`. */
static uint32_t entered(size_t steps, size_t what)
{
    return steps < 2 + what ? 0 : (uint32_t)((steps - 2 - what) / ENTRIES + 1);
}

static int64_t count(const char *path, const char *sql)
{
    AUTO(db_close) struct db *db = NULL;
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    bool more = false;
    CHECK_OK(db_open(&db, path, ""));
    CHECK_OK(db_ask(&rows, db, sql, 0, NULL));
    CHECK_OK(db_next(rows, &more));
    return db_int(rows, 0);
}

/* The journal knows of exactly these steps, and of what they cost. */
static void check_known(const struct journal *journal, const char *path, size_t steps)
{
    uint32_t last_round = 0, releases = 0;
    struct hash transcript;
    struct account got = {0}, want = {0};
    CHECK_OK(journal_restore(journal, &last_round, &transcript));
    CHECK_NUMBER(entered(steps, PLAN), last_round);
    const size_t results = entered(steps, RESULT), inputs = entered(steps, INPUT);
    CHECK_NUMBER(results * ENTRIES, transcript.bytes[0]);
    CHECK_OK(journal_account(journal, &got, &releases));
    CHECK_NUMBER(inputs, releases);
    for (size_t i = 0; i < inputs; i++) {
        const struct release release = release_of(i < results ? SHARES : SHARES_LEAST);
        CHECK_OK(account_add(&want, &release, 1));
    }
    CHECK_CLOSE(account_epsilon(&want, 1e-5), account_epsilon(&got, 1e-5), 1e-9);
    CHECK_NUMBER(entered(steps, CONFIRM), count(path, "SELECT count(*) FROM survivors"));
    CHECK_NUMBER(results, count(path, "SELECT count(*) FROM release WHERE settled"));
}

static void it_knows_the_steps(const struct crash *crash)
{
    char path[FILE_PATH_MAX];
    CHECK_OK(file_path(path, sizeof path, crash->folder, "journal.db"));
    AUTO(journal_close) struct journal *journal = NULL;
    CHECK_OK(journal_open(&journal, path));
    if (journal == NULL) return;
    /* What was done cannot be done again; what was under way was, or was not. */
    for (size_t i = 0; i < crash->steps; i++)
        CHECK_STATUS(i == 0 ? STATUS_OK : STATUS_STATE, step(journal, i));
    size_t steps = crash->steps;
    if (crash->how != CRASH_NOT && steps < STEPS) {
        const bool done = steps == 0
                              ? count(path, "SELECT count(*) FROM study") == 1
                              : count(path, "SELECT (SELECT count(*) FROM memory) + "
                                            "(SELECT count(*) FROM release)") >= (int64_t)steps;
        steps += done ? 1 : 0;
    }
    check_known(journal, path, steps);
    /* and the site goes on from there */
    if (steps < STEPS) CHECK_OK(step(journal, steps++));
    for (size_t i = 1; i < steps; i++) CHECK_STATUS(STATUS_STATE, step(journal, i));
    check_known(journal, path, steps);
}

static void no_entry_is_lost_and_none_is_double(void)
{
    crash_everywhere("take part", it_knows_the_steps);
}

int main(int argc, char **argv)
{
    if (argc == 3) return take_part(argv[2]);
    RUN(no_entry_is_lost_and_none_is_double);
    return check_done();
}
