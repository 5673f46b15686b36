/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/page.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lab/page_style.h"

void page_free(struct page *page)
{
    buffer_free(&page->html);
    buffer_free(&page->missing);
    for (size_t i = 0; i < page->n_files; i++) buffer_free(&page->file[i].bytes);
    page->n_files = 0;
}

enum status page_status(const struct page *page)
{
    TRY(page->html.status);
    TRY(page->missing.status);
    for (size_t i = 0; i < page->n_files; i++) TRY(page->file[i].bytes.status);
    return STATUS_OK;
}

void page_print(struct buffer *out, const char *format, ...)
{
    char text[2048];
    va_list list;
    va_start(list, format);
    const int n = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    REQUIRE(n >= 0 && (size_t)n < sizeof text);
    write_bytes(out, text, (size_t)n);
}

/* Bytes of a character that turns the direction of text around, or of a control character. */
static size_t unseen(const unsigned char *at)
{
    if ((at[0] < 0x20 && at[0] != '\n' && at[0] != '\t') || at[0] == 0x7F) return 1;
    if (at[0] == 0xC2 && at[1] >= 0x80 && at[1] < 0xA0) return 2;
    if (at[0] != 0xE2) return 0;
    if (at[1] == 0x80 && ((at[2] >= 0xAA && at[2] <= 0xAE) || at[2] == 0x8E || at[2] == 0x8F))
        return 3;
    return at[1] == 0x81 && at[2] >= 0xA6 && at[2] <= 0xA9 ? 3 : 0;
}

void page_text(struct buffer *out, const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != 0;) {
        const size_t skip = unseen(at);
        const char *instead = skip > 0      ? "\xE2\x96\xA1"
                              : *at == '&'  ? "&amp;"
                              : *at == '<'  ? "&lt;"
                              : *at == '>'  ? "&gt;"
                              : *at == '"'  ? "&quot;"
                              : *at == '\'' ? "&#39;"
                                            : NULL;
        if (instead != NULL)
            write_bytes(out, instead, strlen(instead));
        else
            write_bytes(out, at, 1);
        at += skip > 0 ? skip : 1;
    }
}

void page_element(struct page *page, const char *tag, const char *text)
{
    page_print(&page->html, "<%s>", tag);
    page_text(&page->html, text);
    page_print(&page->html, "</%.*s>\n", (int)strcspn(tag, " "), tag);
}

void page_begin(struct page *page, const char *title)
{
    struct buffer *out = &page->html;
    page_print(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                    "style-src 'unsafe-inline'; img-src data:\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                    "<meta name=\"color-scheme\" content=\"light dark\">\n"
                    "<link rel=\"icon\" href=\"data:,\">\n<title>");
    page_text(out, title);
    page_print(out, "</title>\n<style>\n");
    for (const char *const *at = page_style; *at != NULL; at++) write_bytes(out, *at, strlen(*at));
    page_print(out, "</style></head>\n<body><main>\n<h1>");
    page_text(out, title);
    page_print(out, "</h1>\n");
}

void page_end(struct page *page)
{
    page_print(&page->html, "</main></body></html>\n");
}

void page_figures_begin(struct page *page, const char *title)
{
    page_print(&page->html, "<h2>%s</h2><div class=\"figures\">\n", title);
}

void page_figure_missing(struct page *page, const char *title, const char *what)
{
    page_print(&page->missing, "<li>%s: %s</li>\n", title, what);
}

void page_figures_end(struct page *page)
{
    struct buffer *missing = &page->missing;
    page_print(&page->html, "</div>\n");
    if (missing->n == 0) return;
    page_print(&page->html, "<p class=\"soft\">Not drawn:</p><ul class=\"soft\">\n");
    write_bytes(&page->html, missing->at, missing->n);
    page_print(&page->html, "</ul>\n");
    missing->n = 0;
}

struct buffer *page_file(struct page *page, const char *name)
{
    REQUIRE(page->n_files < PAGE_FILES_MAX);
    struct page_file *file = &page->file[page->n_files++];
    const int n = snprintf(file->name, sizeof file->name, "%s.csv", name);
    REQUIRE(n > 0 && (size_t)n < sizeof file->name);
    for (const struct page_file *other = page->file; other < file; other++)
        REQUIRE(strcmp(other->name, file->name) != 0);
    return &file->bytes;
}

void page_link(struct page *page, const char *name)
{
    struct buffer *out = &page->html;
    page_print(out, "<a href=\"");
    page_text(out, page->folder);
    page_print(out, "/%s.csv\">%s.csv</a>", name, name);
}

const char *page_short(char out[static PAGE_SHORT_MAX], double x)
{
    static const struct {
        double unit;
        const char *letter;
    } prefix[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
    for (size_t i = 0; i < sizeof prefix / sizeof *prefix; i++)
        if (fabs(x) >= prefix[i].unit) {
            (void)snprintf(out, PAGE_SHORT_MAX, "%.4g%s", x / prefix[i].unit, prefix[i].letter);
            return out;
        }
    (void)snprintf(out, PAGE_SHORT_MAX, "%.4g", x);
    return out;
}
