/* SPDX-License-Identifier: Apache-2.0 */
/* Rows and fields of separated text, with quotes as RFC 4180 has them. */
#ifndef CLIENT_DATA_TABLE_H
#define CLIENT_DATA_TABLE_H

#include <stdbool.h>

#include "base/bytes.h"

#define TABLE_FIELDS_MAX 4096
#define TABLE_TEXT_MAX 256

struct table {
    struct view left;
    char separator;
    uint32_t line; /* of the row that was taken last, from 1 */
    uint32_t next; /* of the row after it */
    bool bad;      /* quotes are broken in that row, or it has too many fields */
};

/* Text is borrowed; a byte order mark is passed over. */
struct table table_of(struct view text, char separator);

/* Pass over one line as it stands. */
void table_skip(struct table *table);

/* Take the next row that is not blank: as many fields as there are, in field, which has
 * TABLE_FIELDS_MAX places, each as it stands with its quotes. 0 at the end, and when bad. */
size_t table_row(struct table *table, struct view *field);

/* A field without the quotes and the blanks around it; doubled quotes inside stay double. */
struct view table_bare(struct view field);

/* The same as a string, and its quotes single.
 * False when it has more than TABLE_TEXT_MAX - 1 bytes or a zero byte; out is "" then. */
MUST_USE bool table_text(char out[static TABLE_TEXT_MAX], struct view field);

/* A finite decimal number and nothing else. */
MUST_USE bool table_number(double *out, const char *text);

#endif
