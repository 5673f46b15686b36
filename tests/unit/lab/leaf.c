/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/lab/leaf.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/tame.h"

json_t *leaf_parse(const char *text)
{
    json_t *d = NULL;
    CHECK_OK(document_parse(&d, (struct view){(const uint8_t *)text, strlen(text)}));
    return d;
}

struct page *leaf_new(void)
{
    struct page *page = calloc(1, sizeof *page);
    REQUIRE(page != NULL);
    return page;
}

void leaf_check(const struct page *page)
{
    CHECK_OK(page_status(page));
    CHECK(tame_page(buffer_view(&page->html)));
}

void leaf_free(struct page *page)
{
    page_free(page);
    free(page);
}

bool leaf_says(const struct page *page, const char *text)
{
    return tame_says(buffer_view(&page->html), text);
}

const struct page_file *leaf_file(const struct page *page, const char *name)
{
    for (size_t i = 0; i < page->n_files; i++)
        if (strcmp(page->file[i].name, name) == 0) return &page->file[i];
    CHECK(false);
    return &page->file[0];
}

bool leaf_file_says(const struct page *page, const char *name, const char *text)
{
    return tame_says(buffer_view(&leaf_file(page, name)->bytes), text);
}
