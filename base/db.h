/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite behind a few calls: write-ahead log, every commit on disk before it returns, STRICT tables
 * only. One thread per handle. */
#ifndef BASE_DB_H
#define BASE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

struct db;
struct db_rows;

/* The value of one `?` in a statement; bytes and text are borrowed until the call returns. */
struct db_value {
    enum { DB_IS_INT, DB_IS_REAL, DB_IS_TEXT, DB_IS_BLOB } type;
    union {
        int64_t integer;
        double real;
        const char *text;
        struct view blob;
    };
};
#define DB_INT(x) ((struct db_value){.type = DB_IS_INT, .integer = (int64_t)(x)})
#define DB_REAL(x) ((struct db_value){.type = DB_IS_REAL, .real = (x)})
#define DB_TEXT(x) ((struct db_value){.type = DB_IS_TEXT, .text = (x)})
#define DB_BLOB(start, size) ((struct db_value){.type = DB_IS_BLOB, .blob = {(start), (size)}})

/* All calls that return a status:
 * STATUS_NOMEM   memory ran out.
 * STATUS_RANGE   a value is larger than SQLite's limit of 10^9 bytes.
 * STATUS_FORMAT  not a database, damaged, or with other tables than expected.
 * STATUS_STATE   the statement breaks a UNIQUE, CHECK or type rule; nothing was changed.
 * STATUS_IO      the file cannot be opened, read or written, or another process holds it. */

/* Open or create the file (mode 0600) and run schema: CREATE TABLE IF NOT EXISTS ... STRICT.
 * A table that is not STRICT is refused with STATUS_FORMAT. */
MUST_USE enum status db_open(struct db **out, const char *path, const char *schema);
/* Open a file that is only to be read and is left as it is. STATUS_IO also when there is none. */
MUST_USE enum status db_look(struct db **out, const char *path);
void db_close(struct db **db);

/* Run one statement that gives no rows; it is on disk when this returns, unless a change is open.
 * A bug when n is not the statement's number of `?`. */
MUST_USE enum status db_run(struct db *db, const char *sql, size_t n, const struct db_value *value);

/* Ask for rows; they are read with db_next. Values are copied. */
MUST_USE enum status db_ask(struct db_rows **out, struct db *db, const char *sql, size_t n,
                            const struct db_value *value);
/* Step to the next row; more is false after the last. */
MUST_USE enum status db_next(struct db_rows *rows, bool *more);
/* The current row's columns from 0; NULL reads as 0 or empty. Views and texts are valid until the
 * next step. */
int64_t db_int(struct db_rows *rows, int column);
double db_real(struct db_rows *rows, int column);
const char *db_text(struct db_rows *rows, int column);
struct view db_blob(struct db_rows *rows, int column);
void db_rows_free(struct db_rows **rows);

/* Several statements that take effect together or not at all:
 *   AUTO(db_change_undo) struct db_change change = {0};
 *   TRY(db_change_begin(&change, db)); TRY(db_run(...)); return db_change_commit(&change); */
struct db_change {
    struct db *db; /* NULL when nothing is open */
};
/* STATUS_STATE when a change is open already. */
MUST_USE enum status db_change_begin(struct db_change *out, struct db *db);
MUST_USE enum status db_change_commit(struct db_change *change);
void db_change_undo(struct db_change *change);

#endif
