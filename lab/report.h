/* SPDX-License-Identifier: Apache-2.0 */
/* Pages about a sweep and about audits. Private to report*.c. Each function adds to a page; memory
 * that was out is found by page_status. */
#ifndef LAB_REPORT_H
#define LAB_REPORT_H

#include "lab/page.h"
#include "lab/runs.h"

/* The whole page about a sweep; folder: as it was named to us. */
void report_runs(struct page *page, const struct runs *runs, const char *folder);

/* One audit's document. */
struct report_audit {
    char file[64];
    json_t *document; /* owned; NULL: it cannot be read */
};

/* The whole page about audits, REPORT_AUDITS_MAX at most. */
#define REPORT_AUDITS_MAX 64
void report_audits(struct page *page, const struct report_audit *audit, size_t n,
                   const char *folder);

/* Parts of the page about a sweep. */
void report_summary(struct page *page, const struct runs *runs);  /* tables */
void report_failures(struct page *page, const struct runs *runs); /* and where runs come from */
void report_epsilon(struct page *page, const struct runs *runs);  /* accuracy and AUC */
void report_course(struct page *page, const struct runs *runs);   /* learning, budget */
void report_costs(struct page *page, const struct runs *runs);    /* bytes, dropouts, attacks */
void report_sites(struct page *page, const struct runs *runs);    /* small sites, blocks */

/* Parts of an audit; files: what the names of its CSV files begin with. */
void report_bounds(struct page *page, const json_t *document, const char *files);
void report_roc(struct page *page, const json_t *document, const char *files);
void report_stages(struct page *page, const json_t *document, const char *files);

/* What the runs' epsilons are about: the frame of kind i + 1, or NULL beyond the last. */
const char *report_frame(const struct runs *runs, size_t i);
/* So many kinds have figures of their own. */
#define REPORT_KINDS_DRAWN 8

/* Words about how a figure over runs was made, for n runs; frame: may be NULL. */
#define REPORT_HOW_MAX 1200
const char *report_how(char out[static REPORT_HOW_MAX], const char *what, const char *frame);

#endif
