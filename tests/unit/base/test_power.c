/* SPDX-License-Identifier: Apache-2.0 */
/* What base/file.c and base/db.c promise, when the power fails at any fsync; and first that the
 * library which lets it fail forgets all that a disk may forget, and nothing else. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/db.h"
#include "base/file.h"
#include "tests/lib/check.h"
#include "tests/lib/crash.h"

static const char *in(const char *folder, const char *name)
{
    static char path[2][FILE_PATH_MAX];
    static size_t turn;
    char *out = path[turn++ % 2];
    return file_path(out, sizeof path[0], folder, name) == STATUS_OK ? out : "";
}

/* In the victim: its exit status tells. */
static void need(bool holds)
{
    if (!holds) _exit(1);
}

/* --- the library itself ------------------------------------------------------------------------
 */

static void put(const char *folder, const char *name, const char *text, bool sync)
{
    const int fd = open(in(folder, name), O_WRONLY | O_CREAT, 0600);
    need(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    need(!sync || fsync(fd) == 0);
    (void)close(fd);
}

static void sync_folder(const char *folder)
{
    const int fd = open(folder, O_RDONLY | O_DIRECTORY);
    need(fd >= 0 && fsync(fd) == 0);
    (void)close(fd);
}

/* Fsyncs 1 to 6 make five files and their names durable, 7 is of the step. Then all is changed; 8
 * is of one file alone, and 9 of the names. */
static int change_all(const char *folder)
{
    static const char *const name[] = {"written", "cut", "gone", "moved", "covered"};
    for (size_t i = 0; i < 5; i++) put(folder, name[i], name[i], true);
    sync_folder(folder);
    crash_step();
    put(folder, "written", "longer than before", false);
    const int fd = open(in(folder, "cut"), O_WRONLY | O_TRUNC);
    need(fd >= 0 && close(fd) == 0);
    need(unlink(in(folder, "gone")) == 0);
    need(rename(in(folder, "moved"), in(folder, "covered")) == 0);
    put(folder, "hollow", "never synced", false);
    put(folder, "fresh", "fresh", true);
    sync_folder(folder);
    crash_step();
    return 0;
}

/* Whether a file has this content; NULL: there is none. */
static bool has(const struct crash *crash, const char *name, const char *text)
{
    AUTO(buffer_free) struct buffer got = {0};
    if (file_read(&got, in(crash->folder, name), 1000) != STATUS_OK) return text == NULL;
    return text != NULL && got.n == strlen(text) &&
           (got.n == 0 || memcmp(got.at, text, got.n) == 0);
}

static void all_was_changed(const struct crash *crash)
{
    if (crash->how != CRASH_NOT && crash->at < 8) return;
    const bool lost = crash->how == CRASH_BEFORE || crash->how == CRASH_AFTER;
    const bool names = !lost || crash->at == 10 || (crash->how == CRASH_AFTER && crash->at == 9);
    CHECK(has(crash, "written", lost ? "written" : "longer than before"));
    CHECK(has(crash, "cut", lost ? "cut" : ""));
    CHECK(has(crash, "gone", names ? NULL : "gone"));
    CHECK(has(crash, "moved", names ? NULL : "moved"));
    CHECK(has(crash, "covered", names ? "moved" : "covered"));
    CHECK(has(crash, "hollow", !names ? NULL : lost ? "" : "never synced"));
    CHECK(has(crash, "fresh", names ? "fresh" : NULL));
}

static void what_was_not_synced_is_gone_and_nothing_else(void)
{
    crash_everywhere("change", all_was_changed);
}

/* --- base/file.c --------------------------------------------------------------------------------
 */

#define WRITES 3

static struct view text_of(uint8_t i)
{
    static uint8_t text[5000];
    memset(text, 'a' + i, sizeof text);
    return (struct view){text, sizeof text - i};
}

static int replace_file(const char *folder)
{
    for (uint8_t i = 0; i < WRITES; i++) {
        need(file_write(in(folder, "file"), text_of(i), 0600) == STATUS_OK);
        crash_step();
    }
    return 0;
}

static bool is_text(const struct buffer *got, size_t i)
{
    const struct view want = text_of((uint8_t)i);
    return got->n == want.n && memcmp(got->at, want.at, want.n) == 0;
}

static void file_is_last_or_next(const struct crash *crash)
{
    AUTO(buffer_free) struct buffer got = {0};
    const enum status status = file_read(&got, in(crash->folder, "file"), 10000);
    if (status != STATUS_OK)
        CHECK_NUMBER(0, crash->steps);
    else
        CHECK((crash->steps > 0 && is_text(&got, crash->steps - 1)) ||
              (crash->steps < WRITES && is_text(&got, crash->steps)));
}

static void a_file_is_the_old_one_or_the_new_one(void)
{
    crash_everywhere("replace", file_is_last_or_next);
}

/* --- base/db.c ----------------------------------------------------------------------------------
 */

#define SCHEMA "CREATE TABLE IF NOT EXISTS seen (id INTEGER PRIMARY KEY) STRICT"
#define RUNS 4

static enum status insert(struct db *db, size_t id)
{
    return db_run(db, "INSERT INTO seen (id) VALUES (?)", 1, &DB_INT(id));
}

/* Rows 0, 1, ... one by one, two by two in changes, and once a change that is given up; all of it
 * over two connections, so that the log is also begun and ended. */
static int run_statements(const char *folder)
{
    for (size_t i = 0; i < RUNS; i++) {
        AUTO(db_close) struct db *db = NULL;
        need(db_open(&db, in(folder, "db"), SCHEMA) == STATUS_OK);
        AUTO(db_change_undo) struct db_change change = {0};
        need(db_change_begin(&change, db) == STATUS_OK && insert(db, 1000) == STATUS_OK);
        db_change_undo(&change);
        need(insert(db, 3 * i) == STATUS_OK);
        crash_step();
        need(db_change_begin(&change, db) == STATUS_OK);
        need(insert(db, 3 * i + 1) == STATUS_OK && insert(db, 3 * i + 2) == STATUS_OK);
        need(db_change_commit(&change) == STATUS_OK);
        crash_step();
    }
    return 0;
}

static void rows_are_those_of_the_steps(const struct crash *crash)
{
    AUTO(db_close) struct db *db = NULL;
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    CHECK_OK(db_open(&db, in(crash->folder, "db"), SCHEMA));
    CHECK_OK(db_ask(&rows, db, "SELECT id FROM seen ORDER BY id", 0, NULL));
    int64_t n = 0;
    for (bool more = true; more; n++) {
        CHECK_OK(db_next(rows, &more));
        if (!more) break;
        CHECK_NUMBER(n, db_int(rows, 0));
    }
    const int64_t want = 3 * (int64_t)(crash->steps / 2) + (int64_t)(crash->steps % 2);
    const int64_t next = crash->steps % 2 == 0 ? want + 1 : want + 2;
    CHECK(n == want || (n == next && crash->steps < 2 * RUNS));
}

static void what_was_committed_stays_and_nothing_else(void)
{
    crash_everywhere("run", rows_are_those_of_the_steps);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "change") == 0) return change_all(argv[2]);
    if (argc == 3 && strcmp(argv[1], "replace") == 0) return replace_file(argv[2]);
    if (argc == 3 && strcmp(argv[1], "run") == 0) return run_statements(argv[2]);
    RUN(what_was_not_synced_is_gone_and_nothing_else);
    RUN(a_file_is_the_old_one_or_the_new_one);
    RUN(what_was_committed_stays_and_nothing_else);
    return check_done();
}
