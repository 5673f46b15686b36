/* SPDX-License-Identifier: Apache-2.0 */
/* The layout tables of a SPEC.md, and whether bytes are what a table says: protocol/SPEC.md,
 * section 6, has the types. */
#ifndef TESTS_UNIT_PROTOCOL_TABLE_H
#define TESTS_UNIT_PROTOCOL_TABLE_H

#include <stdbool.h>

#include "base/bytes.h"

#define TABLE_ROWS_MAX 48
#define TABLE_TEXT_MAX 31
#define TABLE_WANTS_MAX 512

/* The first columns of one row; the dots before a name are its depth. */
struct row {
    size_t depth;
    char cell[4][TABLE_TEXT_MAX + 1];
};
struct table {
    size_t n;
    struct row row[TABLE_ROWS_MAX];
};

/* The first table with these column titles ("| a | b |...") behind a heading (a whole line; empty:
 * anywhere). False when there is none or it does not fit. */
bool table_read(struct table *out, struct view text, const char *heading, const char *titles);

/* A number that a table uses and that is not in its message: "n". */
struct outer {
    const char *name;
    uint64_t value;
};

/* A field that was put into a message: its name and type in the table and its content, without
 * length and count. */
struct want {
    const char *name, *type;
    size_t n;
    uint8_t at[128];
};

/* Whether bytes are made of the wanted fields, all of them, in the order and form of the table.
 * Fields of one name come in the order of the wanted ones.
 *
 * types  name and size of the types of fixed size.
 * outer  up to one without a name. */
bool table_describes(const struct table *table, const struct table *types,
                     const struct outer *outer, struct view bytes, const struct want *want,
                     size_t n_want);

#endif
