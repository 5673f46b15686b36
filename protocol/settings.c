/* SPDX-License-Identifier: Apache-2.0 */
/* libcyaml checks the shape: sections, keys, repeats. It sees every value as text, because its own
 * numbers take octal, hexadecimal and "nan" and do not know YAML's .inf; values are read here. */
#include "protocol/settings.h"

#include <ctype.h>
#include <cyaml/cyaml.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

/* What libcyaml makes of one row. */
struct slot {
    char *text;
    char **item;
    uint32_t n;
};

/* A table of rows as libcyaml wants it: per section a list of fields, each list with an end. */
struct document {
    cyaml_config_t config;
    cyaml_schema_value_t top;
    cyaml_schema_field_t section[SETTINGS_ROWS_MAX + 1], field[2 * SETTINGS_ROWS_MAX];
    struct slot *slot; /* owned by libcyaml */
};

static const cyaml_schema_value_t item = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, SETTINGS_TEXT_MAX)};

static void document_free(struct document *d)
{
    (void)cyaml_free(&d->config, &d->top, d->slot, 0);
}

static void *allocate(void *context, void *at, size_t n)
{
    (void)context;
    if (n > 0) return realloc(at, n);
    free(at);
    return NULL;
}

/* libcyaml says first what is wrong, then where, innermost first: keep the first of each. */
__attribute__((format(printf, 3, 0))) static void listen_to(cyaml_log_t level, void *context,
                                                            const char *format, va_list arguments)
{
    (void)level;
    struct settings_error *why = context;
    char line[SETTINGS_TEXT_MAX + 1];
    vsnprintf(line, sizeof line, format, arguments);
    line[strcspn(line, "\n")] = '\0';
    const char *place = strstr(line, " (line: ");
    if (place != NULL) {
        if (why->line == 0) why->line = (unsigned)strtoul(place + 8, NULL, 10);
        return;
    }
    const char *text = strncmp(line, "Load: ", 6) == 0 ? line + 6 : line;
    if (why->text[0] == '\0' && strcmp(text, "Backtrace:") != 0)
        memcpy(why->text, text, strlen(text) + 1);
}

static bool same_section(const struct setting *a, const struct setting *b)
{
    return a->section != NULL && b->section != NULL && strcmp(a->section, b->section) == 0;
}

static cyaml_schema_field_t field_of(const struct setting *row, uint32_t base)
{
    cyaml_schema_field_t field = {.key = row->key, .value = item};
    field.data_offset = base + (uint32_t)offsetof(struct slot, text);
    if (row->kind == SETTING_UINTS || row->kind == SETTING_TEXTS || row->kind == SETTING_SET) {
        field.value = (cyaml_schema_value_t){
            .type = CYAML_SEQUENCE,
            .data_size = sizeof(char *),
            .sequence = {.entry = &item, .min = 1, .max = row->list_max},
        };
        field.data_offset = base + (uint32_t)offsetof(struct slot, item);
        field.count_offset = base + (uint32_t)offsetof(struct slot, n);
        field.count_size = sizeof(uint32_t);
    }
    field.value.flags = (enum cyaml_flag)(CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER);
    return field;
}

static void document_plan(struct document *d, const struct setting *row, size_t n)
{
    size_t sections = 0, fields = 0;
    for (size_t i = 0; i < n;) {
        size_t first = i;
        uint32_t base = (uint32_t)(first * sizeof(struct slot));
        if (row[i].section == NULL) {
            d->section[sections++] = field_of(&row[i++], base);
            continue;
        }
        cyaml_schema_field_t *section = &d->section[sections++];
        *section = (cyaml_schema_field_t){.key = row[i].section, .data_offset = base};
        section->value.type = CYAML_MAPPING;
        section->value.flags = CYAML_FLAG_OPTIONAL;
        section->value.mapping.fields = &d->field[fields];
        for (; i < n && same_section(&row[i], &row[first]); i++)
            d->field[fields++] = field_of(&row[i], (uint32_t)((i - first) * sizeof(struct slot)));
        section->value.data_size = (uint32_t)((i - first) * sizeof(struct slot));
        d->field[fields++] = (cyaml_schema_field_t)CYAML_FIELD_END;
    }
    d->section[sections] = (cyaml_schema_field_t)CYAML_FIELD_END;
    d->top = (cyaml_schema_value_t){
        .type = CYAML_MAPPING,
        .flags = CYAML_FLAG_POINTER,
        .data_size = (uint32_t)(n * sizeof(struct slot)),
        .mapping = {.fields = d->section},
    };
}

enum status settings_refuse(struct settings_error *why, const char *section, const char *key,
                            const char *sentence, ...)
{
    va_list arguments;
    va_start(arguments, sentence);
    *why = (struct settings_error){.section = section, .key = key};
    vsnprintf(why->text, sizeof why->text, sentence, arguments);
    va_end(arguments);
    return STATUS_RANGE;
}

static bool number_of(double *out, const char *text)
{
    if (strcmp(text, ".inf") == 0) {
        *out = (double)INFINITY;
        return true;
    }
    /* no sign in front, no hexadecimal, no "nan": what is left is what people write */
    if (!isdigit((unsigned char)text[0]) || text[strspn(text, "0123456789.eE+-")] != '\0')
        return false;
    char *end = NULL;
    *out = strtod(text, &end);
    return *end == '\0' && isfinite(*out);
}

static enum status read_number(double *out, const struct setting *row, const char *text,
                               struct settings_error *why)
{
    bool whole = row->kind != SETTING_REAL;
    if (whole && text[strspn(text, "0123456789")] != '\0')
        return settings_refuse(why, row->section, row->key, "%s: \"%s\" is not a whole number",
                               row->key, text);
    double x = 0;
    if (!number_of(&x, text))
        return settings_refuse(why, row->section, row->key, "%s: \"%s\" is not a number", row->key,
                               text);
    if (!(x >= row->least && x <= row->most))
        return settings_refuse(why, row->section, row->key, "%s: %s is not within %g to %g",
                               row->key, text, row->least, row->most);
    *out = x;
    return STATUS_OK;
}

static enum status read_uint(uint32_t *out, const struct setting *row, const char *text,
                             struct settings_error *why)
{
    double x = 0;
    TRY(read_number(&x, row, text, why));
    *out = (uint32_t)x; /* every uint32_t is a double exactly */
    return STATUS_OK;
}

static enum status read_choice(unsigned *out, const struct setting *row, const char *text,
                               struct settings_error *why)
{
    char names[128] = "";
    for (unsigned i = 0; row->choice[i] != NULL; i++) {
        if (strcmp(text, row->choice[i]) == 0) {
            *out = i;
            return STATUS_OK;
        }
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i == 0 ? "" : ", ", row->choice[i]);
    }
    return settings_refuse(why, row->section, row->key, "%s: \"%s\" is not one of %s", row->key,
                           text, names);
}

static enum status read_text(char *out, const struct setting *row, const char *text,
                             struct settings_error *why)
{
    size_t n = strlen(text);
    if ((double)n < row->least || (double)n > row->most)
        return settings_refuse(why, row->section, row->key, "%s: must have %g to %g bytes",
                               row->key, row->least, row->most);
    for (size_t i = 0; i < n; i++)
        if (iscntrl((unsigned char)text[i]))
            return settings_refuse(why, row->section, row->key, "%s: has a control character",
                                   row->key);
    memcpy(out, text, n + 1);
    return STATUS_OK;
}

static enum status read_set(uint32_t *out, const struct setting *row, const struct slot *slot,
                            struct settings_error *why)
{
    uint32_t set = 0;
    for (uint32_t i = 0; i < slot->n; i++) {
        unsigned number = 0;
        TRY(read_choice(&number, row, slot->item[i], why));
        set |= UINT32_C(1) << number;
    }
    *out = set;
    return STATUS_OK;
}

static enum status read_list(uint8_t *out, const struct setting *row, const struct slot *slot,
                             struct settings_error *why)
{
    const size_t size = (size_t)row->most + 1; /* of a text */
    for (uint32_t i = 0; i < slot->n; i++)
        if (row->kind == SETTING_UINTS)
            TRY(read_uint((uint32_t *)(void *)(out + row->offset) + i, row, slot->item[i], why));
        else
            TRY(read_text((char *)out + row->offset + i * size, row, slot->item[i], why));
    memcpy(out + row->count_offset, &slot->n, sizeof slot->n);
    return STATUS_OK;
}

static enum status read_slot(uint8_t *out, const struct setting *row, const struct slot *slot,
                             struct settings_error *why)
{
    static const char *const truth[] = {"false", "true", NULL};
    void *member = out + row->offset;
    if (slot->item != NULL)
        return row->kind == SETTING_SET ? read_set(member, row, slot, why)
                                        : read_list(out, row, slot, why);
    if (slot->text == NULL) return STATUS_OK; /* absent */
    switch (row->kind) {
    case SETTING_UINT:
        return read_uint(member, row, slot->text, why);
    case SETTING_REAL:
        return read_number(member, row, slot->text, why);
    case SETTING_TEXT:
        return read_text(member, row, slot->text, why);
    case SETTING_CHOICE:
        return read_choice(member, row, slot->text, why);
    case SETTING_BOOL: {
        struct setting named = *row;
        named.choice = truth;
        unsigned x = 0;
        TRY(read_choice(&x, &named, slot->text, why));
        *(bool *)member = x == 1;
        return STATUS_OK;
    }
    case SETTING_UINTS:
    case SETTING_TEXTS:
    case SETTING_SET:
        break;
    }
    return STATUS_OK;
}

/* Whether `key` and a colon stand at text[i], with nothing of a longer word before. */
static bool key_at(struct view text, size_t i, const char *key)
{
    size_t n = strlen(key);
    if (i > 0 && (isalnum(text.at[i - 1]) || text.at[i - 1] == '_')) return false;
    if (text.n - i <= n || memcmp(text.at + i, key, n) != 0) return false;
    for (i += n; i < text.n && (text.at[i] == ' ' || text.at[i] == '"'); i++) continue;
    return i < text.n && text.at[i] == ':';
}

/* The first line of a key from line `least` on. */
static unsigned line_from(struct view text, const char *section, const char *key, unsigned least)
{
    unsigned line = 1, found = 0;
    bool inside = section == NULL, first = true, comment = false;
    for (size_t i = 0; i < text.n; i++) {
        bool margin = first && text.at[i] > ' ' && text.at[i] != '#';
        first = false;
        comment = comment || text.at[i] == '#';
        if (section != NULL && margin) {
            inside = key_at(text, i, section);
            if (inside) found = line;
        }
        if (inside && !comment && line >= least && key != NULL && key_at(text, i, key)) return line;
        if (text.at[i] != '\n') continue;
        line++;
        first = true;
        comment = false;
    }
    return found;
}

unsigned settings_line(struct view text, const char *section, const char *key)
{
    return line_from(text, section, key, 0);
}

/* libcyaml gives the line of the key before the one it refuses, and ends its sentence with that
 * one's name. */
static void find_refused_key(struct view text, struct settings_error *why)
{
    const char *name = strrchr(why->text, ' ');
    unsigned line = name == NULL ? 0 : line_from(text, NULL, name + 1, why->line);
    if (line > 0) why->line = line;
}

enum status settings_parse(void *out, const struct setting *row, size_t n, struct view text,
                           struct settings_error *why)
{
    REQUIRE(n <= SETTINGS_ROWS_MAX);
    *why = (struct settings_error){0};
    AUTO(document_free)
    struct document d = {
        .config = {.log_fn = listen_to,
                   .log_ctx = why,
                   .mem_fn = allocate,
                   .log_level = CYAML_LOG_WARNING,
                   .flags = CYAML_CFG_NO_ALIAS},
    };
    document_plan(&d, row, n);
    /* libyaml ends the program for no address, even of nothing. */
    const uint8_t *at = text.n > 0 ? text.at : (const uint8_t *)"";
    cyaml_err_t failed =
        cyaml_load_data(at, text.n, &d.config, &d.top, (cyaml_data_t **)&d.slot, NULL);
    if (failed == CYAML_ERR_OOM) return STATUS_NOMEM;
    if (failed != CYAML_OK && why->text[0] == '\0')
        snprintf(why->text, sizeof why->text, "%s", cyaml_strerror(failed));
    /* A warning alone (a second document) is refused too: nothing in the file may be idle. */
    if (failed == CYAML_ERR_INVALID_KEY || failed == CYAML_ERR_UNEXPECTED_EVENT)
        find_refused_key(text, why);
    if (failed != CYAML_OK || why->text[0] != '\0') return STATUS_FORMAT;
    if (d.slot == NULL) return STATUS_OK;
    for (size_t i = 0; i < n; i++) {
        enum status status = read_slot(out, &row[i], &d.slot[i], why);
        why->line = status == STATUS_OK ? 0 : settings_line(text, row[i].section, row[i].key);
        TRY(status);
    }
    return STATUS_OK;
}

enum status settings_file(struct buffer *out, const char *path, struct settings_error *why)
{
    *why = (struct settings_error){0};
    enum status status = file_read(out, path, SETTINGS_FILE_BYTES_MAX);
    if (status == STATUS_RANGE)
        return settings_refuse(why, NULL, NULL, "%.150s is larger than %d bytes", path,
                               SETTINGS_FILE_BYTES_MAX);
    if (status == STATUS_IO)
        (void)snprintf(why->text, sizeof why->text, "%.150s cannot be read", path);
    return status;
}
