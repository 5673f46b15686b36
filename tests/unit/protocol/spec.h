/* SPDX-License-Identifier: Apache-2.0 */
/* What a test puts into bytes, and the comparison of the bytes with their table in a SPEC.md. */
#ifndef TESTS_UNIT_PROTOCOL_SPEC_H
#define TESTS_UNIT_PROTOCOL_SPEC_H

#include "tests/unit/protocol/table.h"

/* Read the document; false when it lacks the table of types below a heading.
 *
 * outer  numbers that tables use, up to one without a name; borrowed. */
bool spec_open(const char *path, const char *heading, const struct outer *outer);
void spec_close(void);
/* Another table of the document, as table_read. */
bool spec_table(struct table *out, const char *heading, const char *titles);

/* A table "kind | name |..." of the document, by which bytes begin. */
bool spec_kinds(const char *heading, const char *titles);
/* The row of a name, which must have this number; each row is to be met, and there are n. */
const struct row *check_kind(const char *name, uint8_t kind);
void check_all_kinds_were_used(size_t n);

/* The next field in the table's terms. Numbers are wanted as they are in memory: this is for
 * little-endian machines. */
void want(const char *name, const char *type, const void *at, size_t n);
/* Fill a field with bytes that no other has, and want it. */
void put(const char *name, const char *type, void *field, size_t n);
#define PUT(name, type, field) put(name, type, &(field), sizeof(field))
/* The same in bytes that live as long as the program. */
struct view put_bytes(const char *name, const char *type, size_t n);
struct bits put_bits(const char *name, size_t n, uint64_t *word);

/* Compare bytes with the fields that were wanted since the last comparison and with the table under
 * "### name"; and with the table changed at each row, for a change that is not noticed. */
void check_table(const char *name, struct view bytes);

/* The size of every type mattered. */
void check_all_types_were_used(void);

#endif
