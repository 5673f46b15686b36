/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite behind a few calls. struct db is a connection, struct db_rows a prepared statement; both
 * are only names for SQLite's own objects, so that its header stays in this file. */
#include "base/db.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

/* How long to wait for another process (a backup, an auditor) that holds the file. */
#define DB_BUSY_MS 5000

static sqlite3 *connection(struct db *db)
{
    return (sqlite3 *)(void *)db;
}

static sqlite3_stmt *statement(struct db_rows *rows)
{
    return (sqlite3_stmt *)(void *)rows;
}

static enum status status_of(int code)
{
    switch (code & 0xff) { /* the low byte; the rest says where */
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return STATUS_OK;
    case SQLITE_NOMEM:
        return STATUS_NOMEM;
    case SQLITE_TOOBIG:
        return STATUS_RANGE;
    case SQLITE_CONSTRAINT:
        return STATUS_STATE;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* no such table or column: a file of something else */
        return STATUS_FORMAT;
    default:
        return STATUS_IO;
    }
}

static enum status bind(sqlite3_stmt *at, int i, const struct db_value *v)
{
    switch (v->type) {
    case DB_IS_INT:
        return status_of(sqlite3_bind_int64(at, i, v->integer));
    case DB_IS_REAL:
        return status_of(sqlite3_bind_double(at, i, v->real));
    case DB_IS_TEXT:
        return status_of(sqlite3_bind_text(at, i, v->text, -1, SQLITE_TRANSIENT));
    case DB_IS_BLOB: /* a NULL pointer would bind NULL, not an empty blob */
        return status_of(sqlite3_bind_blob64(at, i, v->blob.n == 0 ? (const void *)"" : v->blob.at,
                                             v->blob.n, SQLITE_TRANSIENT));
    }
    REQUIRE(false);
}

enum status db_ask(struct db_rows **out, struct db *db, const char *sql, size_t n,
                   const struct db_value *value)
{
    sqlite3_stmt *made = NULL;
    TRY(status_of(sqlite3_prepare_v2(connection(db), sql, -1, &made, NULL)));
    AUTO(db_rows_free) struct db_rows *rows = (struct db_rows *)(void *)made;
    REQUIRE((size_t)sqlite3_bind_parameter_count(made) == n);
    for (size_t i = 0; i < n; i++) TRY(bind(made, (int)i + 1, &value[i]));
    *out = rows;
    rows = NULL;
    return STATUS_OK;
}

enum status db_next(struct db_rows *rows, bool *more)
{
    int code = sqlite3_step(statement(rows));
    TRY(status_of(code));
    *more = code == SQLITE_ROW;
    return STATUS_OK;
}

enum status db_run(struct db *db, const char *sql, size_t n, const struct db_value *value)
{
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    TRY(db_ask(&rows, db, sql, n, value));
    bool more = true;
    while (more) TRY(db_next(rows, &more));
    return STATUS_OK;
}

int64_t db_int(struct db_rows *rows, int column)
{
    return sqlite3_column_int64(statement(rows), column);
}

double db_real(struct db_rows *rows, int column)
{
    return sqlite3_column_double(statement(rows), column);
}

const char *db_text(struct db_rows *rows, int column)
{
    const void *text = sqlite3_column_text(statement(rows), column);
    return text == NULL ? "" : text;
}

struct view db_blob(struct db_rows *rows, int column)
{
    const void *at = sqlite3_column_blob(statement(rows), column);
    return (struct view){.at = at, .n = (size_t)sqlite3_column_bytes(statement(rows), column)};
}

void db_rows_free(struct db_rows **rows)
{
    sqlite3_finalize(statement(*rows));
    *rows = NULL;
}

/* Ask one question whose answer is one row with one column that must be `want`. */
static enum status expect(struct db *db, const char *sql, const char *want, enum status otherwise)
{
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    TRY(db_ask(&rows, db, sql, 0, NULL));
    bool more = false;
    TRY(db_next(rows, &more));
    return more && strcmp(db_text(rows, 0), want) == 0 ? STATUS_OK : otherwise;
}

enum status db_open(struct db **out, const char *path, const char *schema)
{
    /* SQLite would create the file readable by others; its log files copy this mode. */
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return STATUS_IO;
    close(file);

    sqlite3 *made = NULL;
    int code = sqlite3_open_v2(path, &made, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL);
    AUTO(db_close) struct db *db = (struct db *)(void *)made; /* made even when opening failed */
    TRY(status_of(code));
    TRY(status_of(sqlite3_busy_timeout(made, DB_BUSY_MS)));
    TRY(expect(db, "PRAGMA journal_mode = WAL", "wal", STATUS_IO));
    TRY(status_of(sqlite3_exec(made,
                               "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                               "PRAGMA trusted_schema = OFF",
                               NULL, NULL, NULL)));
    TRY(status_of(sqlite3_exec(made, schema, NULL, NULL, NULL)));
    TRY(expect(db,
               "SELECT count(*) FROM pragma_table_list "
               "WHERE type = 'table' AND NOT strict AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
               "0", STATUS_FORMAT));
    *out = db;
    db = NULL;
    return STATUS_OK;
}

enum status db_look(struct db **out, const char *path)
{
    sqlite3 *made = NULL;
    const int code =
        sqlite3_open_v2(path, &made, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW, NULL);
    AUTO(db_close) struct db *db = (struct db *)(void *)made;
    TRY(status_of(code));
    TRY(status_of(sqlite3_busy_timeout(made, DB_BUSY_MS)));
    TRY(status_of(sqlite3_exec(made, "PRAGMA trusted_schema = OFF", NULL, NULL, NULL)));
    *out = db;
    db = NULL;
    return STATUS_OK;
}

void db_close(struct db **db)
{
    sqlite3_close_v2(connection(*db));
    *db = NULL;
}

enum status db_change_begin(struct db_change *out, struct db *db)
{
    if (!sqlite3_get_autocommit(connection(db))) return STATUS_STATE;
    TRY(db_run(db, "BEGIN IMMEDIATE", 0, NULL));
    out->db = db;
    return STATUS_OK;
}

enum status db_change_commit(struct db_change *change)
{
    REQUIRE(change->db != NULL);
    TRY(db_run(change->db, "COMMIT", 0, NULL));
    change->db = NULL;
    return STATUS_OK;
}

void db_change_undo(struct db_change *change)
{
    /* SQLite rolls back by itself after some errors; a second ROLLBACK is refused harmlessly. */
    if (change->db != NULL)
        (void)sqlite3_exec(connection(change->db), "ROLLBACK", NULL, NULL, NULL);
    change->db = NULL;
}
