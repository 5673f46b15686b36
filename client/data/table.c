/* SPDX-License-Identifier: Apache-2.0 */
#include "client/data/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct table table_of(struct view text, char separator)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    size_t skip = 0;
    while (skip < sizeof mark && skip < text.n && text.at[skip] == mark[skip]) skip++;
    if (skip == sizeof mark) text = (struct view){text.at + skip, text.n - skip};
    return (struct table){.left = text, .separator = separator, .next = 1};
}

static void pass(struct view *v, size_t n)
{
    if (n == 0) return;
    v->at += n;
    v->n -= n;
}

/* Bytes of a line's end here: 0, 1 or 2. */
static size_t line_end(struct view v)
{
    if (v.n >= 1 && v.at[0] == '\n') return 1;
    return v.n >= 2 && v.at[0] == '\r' && v.at[1] == '\n' ? 2 : 0;
}

void table_skip(struct table *table)
{
    size_t n = 0;
    while (n < table->left.n && table->left.at[n] != '\n') n++;
    pass(&table->left, n < table->left.n ? n + 1 : n);
    table->next++;
}

/* Bytes of the field that begins here; false when its quotes are broken. */
static bool field_bytes(size_t *out, struct table *table)
{
    const struct view v = table->left;
    size_t n = 0;
    if (v.n > 0 && v.at[0] == '"') {
        for (n = 1;; n++) {
            if (n == v.n) return false;
            if (v.at[n] == '\n') table->next++;
            if (v.at[n] != '"') continue;
            if (n + 1 < v.n && v.at[n + 1] == '"')
                n++;
            else
                break;
        }
        n++;
        const struct view rest = {v.at + n, v.n - n};
        if (rest.n > 0 && rest.at[0] != (uint8_t)table->separator && line_end(rest) == 0)
            return false;
    } else {
        while (n < v.n && v.at[n] != (uint8_t)table->separator) {
            if (line_end((struct view){v.at + n, v.n - n}) > 0) break;
            if (v.at[n] == '"') return false;
            n++;
        }
    }
    *out = n;
    return true;
}

size_t table_row(struct table *table, struct view *field)
{
    for (size_t n = line_end(table->left); n > 0; n = line_end(table->left)) {
        pass(&table->left, n);
        table->next++;
    }
    table->line = table->next;
    if (table->left.n == 0 || table->bad) return 0;
    for (size_t n = 0;;) {
        size_t bytes = 0;
        if (n == TABLE_FIELDS_MAX || !field_bytes(&bytes, table)) break;
        field[n++] = (struct view){table->left.at, bytes};
        pass(&table->left, bytes);
        const size_t end = line_end(table->left);
        if (table->left.n > 0 && end == 0) {
            pass(&table->left, 1); /* the separator */
            continue;
        }
        pass(&table->left, end);
        table->next++;
        return n;
    }
    table->bad = true;
    return 0;
}

struct view table_bare(struct view field)
{
    if (field.n >= 2 && field.at[0] == '"') field = (struct view){field.at + 1, field.n - 2};
    while (field.n > 0 && (field.at[0] == ' ' || field.at[0] == '\t')) pass(&field, 1);
    while (field.n > 0 && (field.at[field.n - 1] == ' ' || field.at[field.n - 1] == '\t'))
        field.n--;
    return field;
}

bool table_text(char out[static TABLE_TEXT_MAX], struct view field)
{
    const bool quoted = field.n >= 2 && field.at[0] == '"';
    field = table_bare(field);
    size_t n = 0;
    for (size_t i = 0; i < field.n; i++) {
        if (n == TABLE_TEXT_MAX - 1 || field.at[i] == 0) {
            out[0] = 0;
            return false;
        }
        out[n++] = (char)field.at[i];
        if (quoted && field.at[i] == '"') i++; /* the second of a pair */
    }
    out[n] = 0;
    return true;
}

bool table_number(double *out, const char *text)
{
    /* strtod also reads hexadecimal numbers and words. */
    if (text[0] == 0 || text[strspn(text, "+-.0123456789eE")] != 0) return false;
    char *end = NULL;
    const double x = strtod(text, &end);
    if (*end != 0 || !isfinite(x)) return false;
    *out = x;
    return true;
}
