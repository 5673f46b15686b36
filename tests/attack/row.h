/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the table of attacks. Each is carried out against the shipping code; what that code
 * answered stands behind its name:
 *
 *   A7   weak or unknown generator ... refused: E-PLAN-CIPHER */
#ifndef TESTS_ATTACK_ROW_H
#define TESTS_ATTACK_ROW_H

#include <stddef.h>

#include "base/reason.h"
#include "tests/lib/check.h"

struct row {
    const char *id, *what;
    void (*attack)(void);
};

/* Carry out the rows that argv names, or all of them. A row that was not refused, or in which a
 * check failed, makes the program fail. */
MUST_USE int row_main(int argc, char **argv, const struct row *row, size_t n);

/* Check that the shipping code refused for this reason, and put it into the row's line. */
void row_refused(enum reason want, enum reason got, const char *file, int line, const char *what);
#define CHECK_REFUSED(want, got)                                                                   \
    row_refused(REASON_##want, (got), __FILE__, __LINE__, "refused by " #got)

#endif
