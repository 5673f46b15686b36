/* SPDX-License-Identifier: Apache-2.0 */
#include "base/event.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"

/* What was written to the stream since it was opened. */
struct page {
    char *text;
    size_t n;
    FILE *out;
};

static void page_open(struct page *page)
{
    page->out = open_memstream(&page->text, &page->n);
    CHECK(page->out != NULL);
}

static void page_free(struct page *page)
{
    if (page->out != NULL) (void)fclose(page->out);
    free(page->text);
}

static void an_event_is_one_line_and_flushed(void)
{
    AUTO(page_free) struct page page = {0};
    page_open(&page);
    event_write(page.out, "{s:s, s:i}", "event", "shared", "round", 3);
    CHECK(strcmp(page.text, "{\"event\":\"shared\",\"round\":3}\n") == 0);
    event_write(page.out, "{s:s}", "event", "over");
    CHECK(strcmp(strchr(page.text, '\n'), "\n{\"event\":\"over\"}\n") == 0);
}

static void text_cannot_break_the_line(void)
{
    AUTO(page_free) struct page page = {0};
    page_open(&page);
    event_write(page.out, "{s:s}", "about", "a\nb\"c\\");
    CHECK(strcmp(page.text, "{\"about\":\"a\\nb\\\"c\\\\\"}\n") == 0);
}

static void numbers_that_json_lacks_are_null(void)
{
    AUTO(page_free) struct page page = {0};
    page_open(&page);
    event_write(page.out, "{s:o, s:o, s:o}", "a", event_real((double)INFINITY), "b",
                event_real((double)NAN), "c", event_real(0.5));
    CHECK(strcmp(page.text, "{\"a\":null,\"b\":null,\"c\":0.5}\n") == 0);
}

static void lists_keep_their_order(void)
{
    AUTO(page_free) struct page page = {0};
    page_open(&page);
    struct json_t *list = event_list();
    event_list_add(list, 7);
    event_list_add(list, 0);
    event_list_add(list, 4294967295U);
    event_write(page.out, "{s:o, s:o}", "some", list, "none", event_list());
    CHECK(strcmp(page.text, "{\"some\":[7,0,4294967295],\"none\":[]}\n") == 0);
}

static void a_listener_that_is_gone_is_no_failure(void)
{
    FILE *full = fopen("/dev/full", "w");
    CHECK(full != NULL);
    if (full == NULL) return;
    event_write(full, "{s:s}", "event", "unheard");
    CHECK(ferror(full) != 0);
    (void)fclose(full);
}

int main(void)
{
    RUN(an_event_is_one_line_and_flushed);
    RUN(text_cannot_break_the_line);
    RUN(numbers_that_json_lacks_are_null);
    RUN(lists_keep_their_order);
    RUN(a_listener_that_is_gone_is_no_failure);
    return check_done();
}
