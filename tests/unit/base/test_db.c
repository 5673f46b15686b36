/* SPDX-License-Identifier: Apache-2.0 */
#include "base/db.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/check.h"
#include "tests/lib/forget.h"

#define SCHEMA                                                                                     \
    "CREATE TABLE IF NOT EXISTS seen(round INTEGER PRIMARY KEY, share REAL, name TEXT, "           \
    "data BLOB) STRICT"

static char folder[] = "/tmp/veilsum-db-XXXXXX";
static char path[64];

static int64_t count(struct db *db)
{
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    bool more = false;
    CHECK_OK(db_ask(&rows, db, "SELECT count(*) FROM seen", 0, NULL));
    CHECK_OK(db_next(rows, &more));
    return db_int(rows, 0);
}

static enum status insert(struct db *db, int64_t round)
{
    return db_run(db, "INSERT INTO seen(round) VALUES(?)", 1, &DB_INT(round));
}

static void values_come_back(void)
{
    forget_db(path);
    AUTO(db_close) struct db *db = NULL;
    CHECK_OK(db_open(&db, path, SCHEMA));
    const uint8_t bytes[] = {0, 1, 0, 255};
    const struct db_value value[] = {DB_INT(INT64_MIN), DB_REAL(0.1), DB_TEXT("it's"),
                                     DB_BLOB(bytes, sizeof bytes)};
    CHECK_OK(db_run(db, "INSERT INTO seen VALUES(?, ?, ?, ?)", 4, value));

    AUTO(db_rows_free) struct db_rows *rows = NULL;
    bool more = false;
    CHECK_OK(db_ask(&rows, db, "SELECT * FROM seen WHERE name = ?", 1, &DB_TEXT("it's")));
    CHECK_OK(db_next(rows, &more));
    CHECK(more);
    CHECK(db_int(rows, 0) == INT64_MIN);
    CHECK_CLOSE(0.1, db_real(rows, 1), 0);
    CHECK(strcmp(db_text(rows, 2), "it's") == 0);
    CHECK_NUMBER(sizeof bytes, db_blob(rows, 3).n);
    CHECK_BYTES(bytes, db_blob(rows, 3).at, sizeof bytes);
    CHECK_OK(db_next(rows, &more));
    CHECK(!more);
}

static void null_reads_as_empty(void)
{
    forget_db(path);
    AUTO(db_close) struct db *db = NULL;
    CHECK_OK(db_open(&db, path, SCHEMA));
    CHECK_OK(insert(db, 1));
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    bool more = false;
    CHECK_OK(db_ask(&rows, db, "SELECT name, data FROM seen", 0, NULL));
    CHECK_OK(db_next(rows, &more));
    CHECK(strcmp(db_text(rows, 0), "") == 0);
    CHECK_NUMBER(0, db_blob(rows, 1).n);
}

static void an_empty_blob_is_not_null(void)
{
    forget_db(path);
    AUTO(db_close) struct db *db = NULL;
    CHECK_OK(db_open(&db, path, "CREATE TABLE IF NOT EXISTS b(data BLOB NOT NULL) STRICT"));
    CHECK_OK(db_run(db, "INSERT INTO b VALUES(?)", 1, &DB_BLOB(NULL, 0)));
}

static void a_file_is_private_and_survives(void)
{
    forget_db(path);
    AUTO(db_close) struct db *first = NULL;
    CHECK_OK(db_open(&first, path, SCHEMA));
    CHECK_OK(insert(first, 7));
    char wal[80];
    snprintf(wal, sizeof wal, "%s-wal", path);
    struct stat is = {0};
    CHECK(stat(path, &is) == 0 && (is.st_mode & 0777) == 0600);
    CHECK(stat(wal, &is) == 0 && (is.st_mode & 0777) == 0600);
    db_close(&first);

    AUTO(db_close) struct db *again = NULL;
    CHECK_OK(db_open(&again, path, SCHEMA));
    CHECK_NUMBER(1, count(again));
}

static void a_killed_process_keeps_what_it_committed(void)
{
    forget_db(path);
    pid_t child = fork();
    if (child == 0) {
        AUTO(db_close) struct db *db = NULL;
        AUTO(db_change_undo) struct db_change change = {0};
        if (db_open(&db, path, SCHEMA) != STATUS_OK || insert(db, 1) != STATUS_OK ||
            db_change_begin(&change, db) != STATUS_OK || insert(db, 2) != STATUS_OK)
            _exit(1);
        kill(getpid(), SIGKILL);
    }
    int how = 0;
    CHECK(waitpid(child, &how, 0) == child && WIFSIGNALED(how));
    AUTO(db_close) struct db *db = NULL;
    CHECK_OK(db_open(&db, path, SCHEMA));
    CHECK_NUMBER(1, count(db));
}

static void a_repeated_key_or_wrong_type_is_refused(void)
{
    forget_db(path);
    AUTO(db_close) struct db *db = NULL;
    CHECK_OK(db_open(&db, path, SCHEMA));
    CHECK_OK(insert(db, 1));
    CHECK_STATUS(STATUS_STATE, insert(db, 1));
    CHECK_STATUS(STATUS_STATE, db_run(db, "INSERT INTO seen(share) VALUES(?)", 1, &DB_TEXT("x")));
    CHECK_NUMBER(1, count(db));
}

static void a_change_is_whole_or_nothing(void)
{
    forget_db(path);
    AUTO(db_close) struct db *db = NULL;
    CHECK_OK(db_open(&db, path, SCHEMA));
    AUTO(db_change_undo) struct db_change change = {0};
    CHECK_OK(db_change_begin(&change, db));
    CHECK_OK(insert(db, 1));
    struct db_change second = {0};
    CHECK_STATUS(STATUS_STATE, db_change_begin(&second, db));
    CHECK(second.db == NULL);
    db_change_undo(&change);
    CHECK_NUMBER(0, count(db));

    CHECK_OK(db_change_begin(&change, db));
    CHECK_OK(insert(db, 1));
    CHECK_OK(insert(db, 2));
    CHECK_OK(db_change_commit(&change));
    db_change_undo(&change);
    CHECK_NUMBER(2, count(db));
}

static void foreign_files_are_refused(void)
{
    struct db *const untouched = NULL;
    struct db *db = NULL;
    forget_db(path);
    int file = open(path, O_WRONLY | O_CREAT, 0600);
    const char text[] =
        "this is a letter, long enough to be taken for a header of some kind or other"
        " and certainly not a database";
    CHECK(write(file, text, sizeof text) == sizeof text);
    close(file);
    CHECK_STATUS(STATUS_FORMAT, db_open(&db, path, SCHEMA));
    forget_db(path);
    CHECK_STATUS(STATUS_FORMAT, db_open(&db, path, "CREATE TABLE loose(a)"));
    CHECK_STATUS(STATUS_FORMAT, db_open(&db, path, SCHEMA)); /* the loose table is still there */
    CHECK_STATUS(STATUS_IO, db_open(&db, "/nowhere/at/all", SCHEMA));
    CHECK(db == untouched);
    forget_db(path);
    CHECK_OK(db_open(&db, path, SCHEMA));
    CHECK_STATUS(STATUS_FORMAT, db_run(db, "INSERT INTO elsewhere VALUES(1)", 0, NULL));
    db_close(&db);
}

static void looking_changes_nothing_and_makes_no_file(void)
{
    forget_db(path);
    struct db *looked = NULL;
    CHECK_STATUS(STATUS_IO, db_look(&looked, path));
    CHECK(looked == NULL && access(path, F_OK) != 0);
    AUTO(db_close) struct db *db = NULL;
    CHECK_OK(db_open(&db, path, SCHEMA));
    CHECK_OK(insert(db, 1));
    AUTO(db_close) struct db *other = NULL;
    CHECK_OK(db_look(&other, path));
    CHECK_NUMBER(1, count(other));
    CHECK(insert(other, 2) != STATUS_OK);
    CHECK_NUMBER(1, count(db));
}

static void a_symbolic_link_is_not_followed(void)
{
    forget_db(path);
    char target[80];
    snprintf(target, sizeof target, "%s-target", path);
    CHECK_NUMBER(0, symlink(target, path));
    struct db *db = NULL;
    CHECK_STATUS(STATUS_IO, db_open(&db, path, SCHEMA));
    CHECK(db == NULL);
    unlink(target);
}

static void a_value_beyond_all_bounds_is_refused(void)
{
    forget_db(path);
    AUTO(db_close) struct db *db = NULL;
    CHECK_OK(db_open(&db, path, SCHEMA));
    const uint8_t byte[] = {0};
    struct db_rows *rows = NULL;
    CHECK_STATUS(STATUS_RANGE, db_ask(&rows, db, "SELECT ?", 1, &DB_BLOB(byte, (size_t)1 << 31)));
    CHECK(rows == NULL);
}

/* SQLite allocates outside the wrapped malloc, so its own limit makes it fail. The limit can never
 * be raised again in a process: last case. */
static void nothing_is_written_when_memory_is_out(void)
{
    forget_db(path);
    AUTO(db_close) struct db *db = NULL;
    CHECK_OK(db_open(&db, path, SCHEMA));
    CHECK_STATUS(STATUS_NOMEM, db_run(db, "PRAGMA hard_heap_limit = 1", 0, NULL));
    struct db_rows *rows = NULL;
    CHECK_STATUS(STATUS_NOMEM, insert(db, 1));
    CHECK_STATUS(STATUS_NOMEM, db_ask(&rows, db, "SELECT 1", 0, NULL));
    CHECK(rows == NULL);
    struct db *second = NULL;
    CHECK_STATUS(STATUS_NOMEM, db_open(&second, path, SCHEMA));
    CHECK(second == NULL);
}

int main(void)
{
    if (mkdtemp(folder) == NULL) return 1;
    snprintf(path, sizeof path, "%s/test.db", folder);
    RUN(values_come_back);
    RUN(null_reads_as_empty);
    RUN(an_empty_blob_is_not_null);
    RUN(a_file_is_private_and_survives);
    RUN(a_killed_process_keeps_what_it_committed);
    RUN(a_repeated_key_or_wrong_type_is_refused);
    RUN(a_change_is_whole_or_nothing);
    RUN(foreign_files_are_refused);
    RUN(looking_changes_nothing_and_makes_no_file);
    RUN(a_symbolic_link_is_not_followed);
    RUN(a_value_beyond_all_bounds_is_refused);
    RUN(nothing_is_written_when_memory_is_out);
    forget_db(path);
    rmdir(folder);
    return check_done();
}
