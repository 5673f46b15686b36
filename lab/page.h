/* SPDX-License-Identifier: Apache-2.0 */
/* A page of HTML that needs nothing beside it, and the CSV files that lie beside it. Growing
 * buffers keep the first failure; page_status asks for it once. */
#ifndef LAB_PAGE_H
#define LAB_PAGE_H

#include "base/bytes.h"

#define PAGE_FILES_MAX 336 /* five for each of REPORT_AUDITS_MAX documents, and some */
#define PAGE_NAME_MAX 48

struct page_file {
    char name[PAGE_NAME_MAX]; /* NAME.csv */
    struct buffer bytes;
};

struct page {
    struct buffer html;
    struct buffer missing; /* list items of the figures that this section goes without */
    char folder[256];      /* of the files, as links name it; without a slash at its end */
    size_t n_files;
    struct page_file file[PAGE_FILES_MAX];
};

void page_free(struct page *page);
/* STATUS_NOMEM when memory was out at any time. */
MUST_USE enum status page_status(const struct page *page);

/* The frame around everything; no script can run in it, and nothing is fetched. */
void page_begin(struct page *page, const char *title);
void page_end(struct page *page);

/* Our own words and numbers, as printf does; never what came from a file. */
void page_print(struct buffer *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Anybody's words: what means something to HTML is escaped, and what cannot be seen but moves other
 * words about is shown as a box. */
void page_text(struct buffer *out, const char *text);
/* <tag>text</tag>, the text escaped. */
void page_element(struct page *page, const char *tag, const char *text);

/* A section of figures side by side; at its end, what would make those that are missing. The words
 * are ours. */
void page_figures_begin(struct page *page, const char *title);
void page_figure_missing(struct page *page, const char *title, const char *what);
void page_figures_end(struct page *page);

/* A new file beside the page: "NAME.csv". A bug when there is one of that name, or PAGE_FILES_MAX.
 * Borrowed until page_free. */
struct buffer *page_file(struct page *page, const char *name);
/* A link to the file of that name, which page_file made. */
void page_link(struct page *page, const char *name);

/* 1234567 as 1.2M, for axes. */
#define PAGE_SHORT_MAX 32
const char *page_short(char out[static PAGE_SHORT_MAX], double x);

#endif
