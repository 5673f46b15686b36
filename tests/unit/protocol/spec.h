/* SPDX-License-Identifier: Apache-2.0 */
/* What test_spec.c puts into a message, and the comparison of the message with its table. */
#ifndef TESTS_UNIT_PROTOCOL_SPEC_H
#define TESTS_UNIT_PROTOCOL_SPEC_H

#include "tests/unit/protocol/table.h"

#define SPEC_N 5 /* members */
#define SPEC_SEGMENTS 2
#define SPEC_HOLDERS 3

/* Who signs. */
extern const uint8_t spec_seed[];

/* Read the document; false when it lacks the tables of types and kinds. */
bool spec_open(const char *path);
void spec_close(void);

/* The next field in the table's terms. Numbers are wanted as they are in memory: this is for
 * little-endian machines. */
void want(const char *name, const char *type, const void *at, size_t n);
/* Fill a field with bytes that no other has, and want it. */
void put(const char *name, const char *type, void *field, size_t n);
#define PUT(name, type, field) put(name, type, &(field), sizeof(field))
#define PUT_SESSION(x) PUT("session", "session", (x).session)
/* The same in bytes that live as long as the program. */
struct view put_bytes(const char *name, const char *type, size_t n);
struct bits put_bits(const char *name, size_t n, uint64_t *word);

/* Compare bytes, or a whole message, with the fields that were wanted since the last comparison and
 * with the table under "### name"; and the table with itself, changed at each row, for a change
 * that is not noticed. The message is freed. */
void check_table(const char *name, struct view body);
void check_message(const char *name, struct buffer *bytes);

/* Every kind was compared once, and the size of every type mattered. */
void check_all_was_used(void);

#endif
