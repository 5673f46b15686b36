/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/settings.h"

__attribute__((format(printf, 2, 3))) static void put(struct buffer *out, const char *format, ...)
{
    char text[64];
    va_list arguments;
    va_start(arguments, format);
    const int n = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    REQUIRE(n >= 0 && (size_t)n < sizeof text);
    write_bytes(out, text, (size_t)n);
}

static void put_text(struct buffer *out, const char *text)
{
    put(out, "\"");
    for (; *text != 0; text++) {
        if (*text == '"' || *text == '\\') put(out, "\\");
        put(out, "%c", *text);
    }
    put(out, "\"");
}

/* In as few digits as lead back to the same number. */
static void put_real(struct buffer *out, double x)
{
    char text[32] = ".inf";
    for (int digits = 6; isfinite(x) && digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, x);
        if (memcmp(&(double){strtod(text, NULL)}, &x, sizeof x) == 0) break;
    }
    put(out, "%s", text);
}

static const void *member(const void *in, const struct setting *row)
{
    return (const uint8_t *)in + row->offset;
}

static uint32_t count_of(const void *in, const struct setting *row)
{
    uint32_t n;
    memcpy(&n, (const uint8_t *)in + row->count_offset, sizeof n);
    return n;
}

static void put_list(struct buffer *out, const void *in, const struct setting *row)
{
    const uint32_t n = count_of(in, row);
    put(out, "[");
    for (uint32_t i = 0; i < n; i++) {
        put(out, i == 0 ? "" : ", ");
        if (row->kind == SETTING_UINTS)
            put(out, "%u", ((const uint32_t *)member(in, row))[i]);
        else
            put_text(out, (const char *)member(in, row) + i * ((size_t)row->most + 1));
    }
    put(out, "]");
}

static void put_set(struct buffer *out, uint32_t set, const struct setting *row)
{
    put(out, "[");
    for (uint32_t i = 0, first = 1; row->choice[i] != NULL; i++) {
        if ((set >> i & 1) == 0) continue;
        put(out, "%s%s", first ? "" : ", ", row->choice[i]);
        first = 0;
    }
    put(out, "]");
}

static void put_value(struct buffer *out, const void *in, const struct setting *row)
{
    const void *at = member(in, row);
    switch (row->kind) {
    case SETTING_UINT:
        put(out, "%u", *(const uint32_t *)at);
        return;
    case SETTING_REAL:
        put_real(out, *(const double *)at);
        return;
    case SETTING_BOOL:
        put(out, "%s", *(const bool *)at ? "true" : "false");
        return;
    case SETTING_CHOICE:
        put(out, "%s", row->choice[*(const unsigned *)at]);
        return;
    case SETTING_TEXT:
        put_text(out, at);
        return;
    case SETTING_UINTS:
    case SETTING_TEXTS:
        put_list(out, in, row);
        return;
    case SETTING_SET:
        put_set(out, *(const uint32_t *)at, row);
        return;
    }
}

static bool lists_equal(const void *a, const void *b, const struct setting *row)
{
    const uint32_t n = count_of(a, row);
    const size_t size = row->kind == SETTING_UINTS ? sizeof(uint32_t) : (size_t)row->most + 1;
    return n == count_of(b, row) && memcmp(member(a, row), member(b, row), n * size) == 0;
}

static bool is_equal(const void *a, const void *b, const struct setting *row)
{
    switch (row->kind) {
    case SETTING_UINT:
    case SETTING_CHOICE:
    case SETTING_SET:
        return memcmp(member(a, row), member(b, row), sizeof(uint32_t)) == 0;
    case SETTING_REAL:
        return memcmp(member(a, row), member(b, row), sizeof(double)) == 0;
    case SETTING_BOOL:
        return *(const bool *)member(a, row) == *(const bool *)member(b, row);
    case SETTING_TEXT:
        return strcmp(member(a, row), member(b, row)) == 0;
    case SETTING_UINTS:
    case SETTING_TEXTS:
        return lists_equal(a, b, row);
    }
    return false;
}

void settings_write(struct buffer *out, const void *in, const void *other,
                    const struct setting *row, size_t n)
{
    const char *open = NULL; /* section */
    for (size_t i = 0; i < n; i++) {
        const char *section = row[i].section;
        if (is_equal(in, other, &row[i])) continue;
        if (open != NULL && section != NULL && strcmp(open, section) == 0) {
            put(out, ", ");
        } else {
            put(out, "%s", open == NULL ? "" : "}\n");
            if (section != NULL) put(out, "%s: {", section);
            open = section;
        }
        put(out, "%s: ", row[i].key);
        put_value(out, in, &row[i]);
        if (section == NULL) put(out, "\n");
    }
    put(out, "%s", open == NULL ? "" : "}\n");
}
