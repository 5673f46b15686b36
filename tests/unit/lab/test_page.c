/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lab/sheet.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/tame.h"

static bool is(const struct buffer *b, const char *want)
{
    const bool same = b->n == strlen(want) && memcmp(b->at, want, b->n) == 0;
    if (!same) printf("got: %.*s\n", (int)b->n, (const char *)b->at);
    return same;
}

static void text_of_others_stays_text(void)
{
    AUTO(buffer_free) struct buffer out = {0};
    page_text(&out, "<script>a&b\"'</script>");
    CHECK(is(&out, "&lt;script&gt;a&amp;b&quot;&#39;&lt;/script&gt;"));
}

static void what_turns_text_around_is_shown(void)
{
    AUTO(buffer_free) struct buffer out = {0};
    page_text(&out, "a\xE2\x80\xAE z\xE2\x81\xA6\x01\x7F\xC2\x85\xE2\x88\x9E\xC3\xA4\n");
    CHECK(is(&out, "a\xE2\x96\xA1 z\xE2\x96\xA1\xE2\x96\xA1\xE2\x96\xA1\xE2\x96\xA1\xE2\x88\x9E"
                   "\xC3\xA4\n"));
    page_text(&out, "\xE2"); /* cut off: not read beyond */
    page_text(&out, "\xE2\x80");
}

static void a_page_is_closed_and_runs_no_scripts(void)
{
    AUTO(page_free) struct page page = {0};
    page_begin(&page, "A <b>title</b>");
    page_element(&page, "p", "<img onerror=x>");
    page_end(&page);
    CHECK_OK(page_status(&page));
    CHECK(tame_page(buffer_view(&page.html)));
    CHECK(tame_says(buffer_view(&page.html), "default-src 'none'"));
    CHECK(tame_says(buffer_view(&page.html), "&lt;b&gt;title"));
    page_print(&page.html, "<script>");
    CHECK(!tame_page(buffer_view(&page.html)));
}

static void files_lie_beside_it_and_are_linked_to(void)
{
    AUTO(page_free) struct page page = {.folder = "x-files"};
    write_u8(page_file(&page, "one"), 1);
    write_u8(page_file(&page, "two"), 2);
    CHECK_NUMBER(2, page.n_files);
    CHECK(strcmp(page.file[1].name, "two.csv") == 0 && page.file[1].bytes.at[0] == 2);
    page_link(&page, "one");
    CHECK(is(&page.html, "<a href=\"x-files/one.csv\">one.csv</a>"));
}

static void tables_and_their_files_say_the_same(void)
{
    static const char *const heads[] = {"what", "how <much>", NULL};
    AUTO(page_free) struct page page = {.folder = "f"};
    AUTO(sheet_free) struct sheet sheet = {0};
    sheet_begin(&sheet, &page, "t", heads);
    sheet_text(&sheet, "=1+1, \"x\"\ny");
    sheet_number(&sheet, "%.2f", 0.12345678901);
    sheet_text(&sheet, "a");
    sheet_number(&sheet, "%.2f", (double)NAN);
    sheet_text(&sheet, "b");
    sheet_number(&sheet, "%.2f", (double)INFINITY);
    sheet_end(&sheet, NULL, "By <us>.");
    CHECK(is(&page.file[0].bytes, "\"what\",\"how <much>\"\n\"'=1+1, \"\"x\"\" y\",0.123456789\n"
                                  "\"a\",\n\"b\",inf\n"));
    CHECK(strcmp(page.file[0].name, "t.csv") == 0);
    const struct view html = buffer_view(&page.html);
    CHECK(tame_page(html) && tame_says(html, "<td class=\"number\">0.12</td>"));
    CHECK(tame_says(html, "<th scope=\"col\" class=\"number\">how &lt;much&gt;</th>"));
    CHECK(tame_says(html, "By &lt;us&gt;."));
}

static void long_tables_are_cut_in_the_page_alone(void)
{
    static const char *const heads[] = {"i", NULL};
    AUTO(page_free) struct page page = {.folder = "f"};
    AUTO(sheet_free) struct sheet sheet = {0};
    sheet_begin(&sheet, &page, "t", heads);
    for (int i = 0; i < 1000; i++) sheet_count(&sheet, i);
    sheet_end(&sheet, NULL, "");
    CHECK(tame_says(buffer_view(&page.html), "The first 400 of 1000 rows."));
    CHECK(!tame_says(buffer_view(&page.html), ">400<"));
    CHECK(tame_says(buffer_view(&page.file[0].bytes), "\n999\n"));
}

static void numbers_on_axes_are_short(void)
{
    char text[PAGE_SHORT_MAX];
    CHECK(strcmp(page_short(text, 0.001), "0.001") == 0);
    CHECK(strcmp(page_short(text, 1290180), "1.29M") == 0);
    CHECK(strcmp(page_short(text, -2e4), "-20k") == 0);
}

static void memory_that_is_out_is_known_at_the_end(void)
{
    static const char *const heads[] = {"i", NULL};
    OOM_EACH {
        AUTO(page_free) struct page page = {0};
        AUTO(sheet_free) struct sheet sheet = {0};
        page_begin(&page, "t");
        sheet_begin(&sheet, &page, "t", heads);
        sheet_count(&sheet, 1);
        sheet_end(&sheet, NULL, "");
        page_end(&page);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, page_status(&page));
    }
}

int main(void)
{
    RUN(text_of_others_stays_text);
    RUN(what_turns_text_around_is_shown);
    RUN(a_page_is_closed_and_runs_no_scripts);
    RUN(files_lie_beside_it_and_are_linked_to);
    RUN(tables_and_their_files_say_the_same);
    RUN(long_tables_are_cut_in_the_page_alone);
    RUN(numbers_on_axes_are_short);
    RUN(memory_that_is_out_is_known_at_the_end);
    return check_done();
}
