/* SPDX-License-Identifier: Apache-2.0 */
/* A table, row by row, into a page and into the CSV file beside it at once. */
#ifndef LAB_SHEET_H
#define LAB_SHEET_H

#include "lab/page.h"

struct sheet {
    struct page *page;
    char name[PAGE_NAME_MAX - 4]; /* of the file, without .csv */
    const char *const *heads;     /* borrowed until sheet_end */
    size_t columns, at, rows;
    uint64_t numbers; /* which columns hold numbers */
    struct buffer html;
    struct buffer *csv; /* the page's */
};

void sheet_free(struct sheet *sheet);

/* name   of the CSV file, in small letters and dashes.
 * heads  of at most 64 columns, ended by NULL. */
void sheet_begin(struct sheet *sheet, struct page *page, const char *name,
                 const char *const *heads);
/* The next cell; a row ends by itself when its last cell is there. What a spreadsheet would take
 * for a formula gets an apostrophe in the CSV. */
void sheet_text(struct sheet *sheet, const char *text);
/* A number: in the page as the format says, for one double, in the CSV with ten digits; a dash and
 * an empty cell for what is not a number. */
void sheet_number(struct sheet *sheet, const char *format, double x);
void sheet_count(struct sheet *sheet, double x);
/* Put it into the page with the sentence that says how it was made; folded: behind these words of
 * ours. */
void sheet_end(struct sheet *sheet, const char *folded, const char *how);

#endif
