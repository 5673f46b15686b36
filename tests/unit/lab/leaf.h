/* SPDX-License-Identifier: Apache-2.0 */
/* A report's page, as its tests look at it. */
#ifndef TESTS_UNIT_LAB_LEAF_H
#define TESTS_UNIT_LAB_LEAF_H

#include "lab/report.h"

/* A text that would like to be more. */
#define LEAF_EVIL "\"</td></svg><script>alert(1)</script><img src=x onerror=alert(1)>\\u202e'\""

/* The document of a text, which is right. */
json_t *leaf_parse(const char *text);

struct page *leaf_new(void);
/* It was written without a fault, and is tame. */
void leaf_check(const struct page *page);
void leaf_free(struct page *page);

bool leaf_says(const struct page *page, const char *text);
/* Its file of this name, which is there. */
const struct page_file *leaf_file(const struct page *page, const char *name);
bool leaf_file_says(const struct page *page, const char *name, const char *text);

#endif
