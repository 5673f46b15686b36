/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/attack/row.h"

#include <stdio.h>
#include <string.h>

#define SEEN_MAX 16

/* What refused the row that is carried out, each reason once. */
static struct {
    size_t n;
    enum reason reason[SEEN_MAX];
} seen;

void row_refused(enum reason want, enum reason got, const char *file, int line, const char *what)
{
    check_number_is(want, got, file, line, what);
    if (got == REASON_NONE) return;
    for (size_t i = 0; i < seen.n; i++)
        if (seen.reason[i] == got) return;
    if (seen.n < SEEN_MAX) seen.reason[seen.n++] = got;
}

static void carry_out(const struct row *row)
{
    const size_t before = check_failures();
    seen.n = 0;
    row->attack();
    check_that(seen.n > 0, __FILE__, __LINE__, "the shipping code refused");
    printf("%-4s %s ...", row->id, row->what);
    const char *between = " refused: ";
    if (check_failures() > before) {
        printf(" NOT REFUSED");
        between = "; gave: ";
    }
    for (size_t i = 0; i < seen.n; i++) {
        printf("%s%s", between, reason_id(seen.reason[i]));
        between = ", ";
    }
    printf("\n");
}

int row_main(int argc, char **argv, const struct row *row, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool wanted = argc < 2;
        for (int k = 1; k < argc; k++) wanted = wanted || strcmp(argv[k], row[i].id) == 0;
        if (wanted) carry_out(&row[i]);
    }
    return check_done();
}
