/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/sheet.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A page shows so many rows; all are in the CSV. */
enum { SHEET_ROWS_SHOWN = 400 };

void sheet_free(struct sheet *sheet)
{
    buffer_free(&sheet->html);
}

static void csv_text(struct buffer *csv, const char *text)
{
    page_print(csv, "\"");
    if (*text != 0 && strchr("=+-@\t\r", *text) != NULL) page_print(csv, "'");
    for (; *text != 0; text++) {
        if (*text == '"') page_print(csv, "\"");
        write_bytes(csv, *text == '\n' || *text == '\r' ? " " : text, 1);
    }
    page_print(csv, "\"");
}

void sheet_begin(struct sheet *sheet, struct page *page, const char *name, const char *const *heads)
{
    *sheet = (struct sheet){.page = page, .csv = page_file(page, name), .heads = heads};
    (void)snprintf(sheet->name, sizeof sheet->name, "%s", name);
    for (; heads[sheet->columns] != NULL; sheet->columns++) {
        if (sheet->columns > 0) page_print(sheet->csv, ",");
        csv_text(sheet->csv, heads[sheet->columns]);
    }
    page_print(sheet->csv, "\n");
}

static bool is_shown(const struct sheet *sheet)
{
    return sheet->rows < SHEET_ROWS_SHOWN;
}

static void cell_begin(struct sheet *sheet)
{
    if (sheet->at == 0 && is_shown(sheet)) page_print(&sheet->html, "<tr>");
    if (sheet->at > 0) page_print(sheet->csv, ",");
}

static void cell_end(struct sheet *sheet)
{
    if (++sheet->at < sheet->columns) return;
    if (is_shown(sheet)) page_print(&sheet->html, "</tr>\n");
    page_print(sheet->csv, "\n");
    sheet->at = 0;
    sheet->rows++;
}

void sheet_text(struct sheet *sheet, const char *text)
{
    cell_begin(sheet);
    if (is_shown(sheet)) {
        page_print(&sheet->html, strlen(text) > 16 ? "<td class=\"words\">" : "<td>");
        page_text(&sheet->html, text);
        page_print(&sheet->html, "</td>");
    }
    csv_text(sheet->csv, text);
    cell_end(sheet);
}

void sheet_number(struct sheet *sheet, const char *format, double x)
{
    char text[64] = "\xE2\x80\x93";
    if (isinf(x))
        (void)snprintf(text, sizeof text, "%s\xE2\x88\x9E", x < 0 ? "-" : "");
    else if (!isnan(x))
        (void)snprintf(text, sizeof text, format, x);
    cell_begin(sheet);
    sheet->numbers |= UINT64_C(1) << (sheet->at % 64);
    if (is_shown(sheet)) page_print(&sheet->html, "<td class=\"number\">%s</td>", text);
    if (!isnan(x)) page_print(sheet->csv, "%.10g", x);
    cell_end(sheet);
}

void sheet_count(struct sheet *sheet, double x)
{
    sheet_number(sheet, "%.0f", x);
}

void sheet_end(struct sheet *sheet, const char *folded, const char *how)
{
    struct buffer *out = &sheet->page->html;
    if (folded != NULL) page_print(out, "<details><summary>%s</summary>", folded);
    page_print(out, "<div class=\"box\" tabindex=\"0\"><table><tr>");
    for (size_t i = 0; i < sheet->columns; i++) {
        page_print(out, "<th scope=\"col\"%s>",
                   (sheet->numbers >> i & 1) != 0 ? " class=\"number\"" : "");
        page_text(out, sheet->heads[i]);
        page_print(out, "</th>");
    }
    page_print(out, "</tr>\n");
    write_bytes(out, sheet->html.at, sheet->html.n);
    page_print(out, "</table></div>%s\n<p class=\"soft\">", folded != NULL ? "</details>" : "");
    page_text(out, how);
    if (sheet->rows > SHEET_ROWS_SHOWN)
        page_print(out, " The first %d of %zu rows.", SHEET_ROWS_SHOWN, sheet->rows);
    page_print(out, " ");
    page_link(sheet->page, sheet->name);
    page_print(out, "</p>\n");
    if (sheet->html.status != STATUS_OK) out->status = sheet->html.status;
}
