/* SPDX-License-Identifier: Apache-2.0 */
#include "client/data/schema.h"

#include <math.h>
#include <string.h>

#define FEATURES_MAX 65536u

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

bool schema_word(struct view *words, struct view *word)
{
    size_t i = 0;
    while (i < words->n && is_blank(words->at[i])) i++;
    if (i == words->n || words->at[i] == '#') return false;
    const bool quoted = words->at[i] == '"';
    const size_t first = quoted ? ++i : i;
    while (i < words->n && (quoted ? words->at[i] != '"' : !is_blank(words->at[i]))) i++;
    *word = (struct view){words->at + first, i - first};
    if (i < words->n) i++;
    *words = (struct view){words->at + i, words->n - i};
    return true;
}

static bool word_text(char out[static TABLE_TEXT_MAX], struct view word)
{
    out[0] = 0;
    if (word.n >= TABLE_TEXT_MAX || (word.n > 0 && memchr(word.at, 0, word.n) != NULL))
        return false;
    if (word.n > 0) memcpy(out, word.at, word.n);
    out[word.n] = 0;
    return true;
}

static bool word_is(struct view word, const char *text)
{
    char own[TABLE_TEXT_MAX];
    return word_text(own, word) && strcmp(own, text) == 0;
}

static bool word_number(double *out, struct view word)
{
    char own[TABLE_TEXT_MAX];
    return word_text(own, word) && table_number(out, own);
}

static bool next_number(double *out, struct view *words)
{
    struct view word = {0};
    return schema_word(words, &word) && word_number(out, word);
}

/* A whole number; nothing after it on the line. */
static bool last_count(double *out, struct view *words, double most)
{
    struct view word = {0};
    return next_number(out, words) && *out >= 0 && *out <= most && *out == floor(*out) &&
           !schema_word(words, &word);
}

bool schema_find(struct view words, const char *text, uint32_t *which)
{
    struct view word = {0};
    double want = 0, x = 0;
    const bool number = table_number(&want, text);
    for (*which = 0; schema_word(&words, &word); (*which)++)
        if (word_is(word, text) || (number && word_number(&x, word) && x == want)) return true;
    return false;
}

static uint32_t count_words(struct view words)
{
    struct view word = {0};
    uint32_t n = 0;
    while (schema_word(&words, &word)) n++;
    return n;
}

/* The words after "number COLUMN". */
static bool number_rule(struct schema_rule *rule, struct view words)
{
    struct view word = {0};
    if (!next_number(&rule->low, &words) || !next_number(&rule->high, &words)) return false;
    if (!(rule->low < rule->high)) return false;
    if (!schema_word(&words, &word)) return true;
    rule->has_fill = true;
    return word_is(word, "missing") && next_number(&rule->fill, &words) &&
           !schema_word(&words, &word);
}

/* A rule for one column, or for one class. */
static bool column_rule(struct schema *schema, struct view what, struct view words, uint32_t line)
{
    static const char *const name[] = {"number", "category", "label", "class", "key"};
    size_t kind = 0;
    while (kind < 5 && !word_is(what, name[kind])) kind++;
    if (kind == 5 || schema->n_rules == SCHEMA_RULES_MAX) return false;
    struct schema_rule *rule = &schema->rule[schema->n_rules];
    *rule = (struct schema_rule){.kind = (enum schema_kind)kind, .line = line};
    if (!schema_word(&words, &rule->column)) return false;
    rule->values = words;
    rule->n_values = count_words(words);
    double x = 0;
    switch (rule->kind) {
    case SCHEMA_NUMBER:
        if (!number_rule(rule, words)) return false;
        break;
    case SCHEMA_CATEGORY:
        if (rule->n_values == 0) return false;
        break;
    case SCHEMA_LABEL:
        if (rule->n_values > 0 || schema->label >= 0) return false;
        schema->label = (int)schema->n_rules;
        break;
    case SCHEMA_CLASS:
        if (!word_number(&x, rule->column) || !(x >= 0 && x <= UINT8_MAX) || x != floor(x))
            return false;
        if (rule->n_values == 0) return false;
        rule->number = (uint8_t)x;
        if (rule->number >= schema->classes) schema->classes = rule->number + 1u;
        break;
    case SCHEMA_KEY:
        if (rule->n_values > 0 || schema->key >= 0) return false;
        schema->key = (int)schema->n_rules;
        break;
    }
    schema->n_rules++;
    return true;
}

static bool take_line(struct schema *schema, struct view words, uint32_t line)
{
    struct view what = {0}, word = {0};
    double x = 0;
    if (!schema_word(&words, &what)) return true;
    if (word_is(what, "header")) {
        schema->header = true;
        return !schema_word(&words, &word);
    }
    if (word_is(what, "columns")) {
        schema->columns = words;
        schema->n_columns = count_words(words);
        return schema->n_columns > 0;
    }
    if (word_is(what, "missing")) {
        schema->missing = words;
        return true;
    }
    if (word_is(what, "skip")) {
        if (!last_count(&x, &words, 1e6)) return false;
        schema->skip = (uint32_t)x;
        return true;
    }
    if (word_is(what, "separator")) {
        if (!schema_word(&words, &word)) return false;
        schema->separator = word_is(word, "tab") ? '\t' : word.n == 1 ? (char)word.at[0] : '"';
        return schema->separator != '"' && !schema_word(&words, &word);
    }
    return column_rule(schema, what, words, line);
}

enum status schema_parse(struct schema *out, struct view text, struct data_error *why)
{
    struct schema schema = {.separator = ',', .label = -1, .key = -1};
    uint32_t line = 1;
    for (size_t at = 0; at < text.n; line++) {
        size_t n = 0;
        while (at + n < text.n && text.at[at + n] != '\n') n++;
        if (!take_line(&schema, (struct view){text.at + at, n}, line))
            return source_refuse(why, STATUS_FORMAT,
                                 "line %u of the schema is not understood; docs/data.md has all "
                                 "rules",
                                 (unsigned)line);
        at += n + 1;
    }
    if (schema.label < 0)
        return source_refuse(why, STATUS_FORMAT, "the schema has no rule `label COLUMN`; add one");
    if (schema.header && schema.n_columns > 0)
        return source_refuse(why, STATUS_FORMAT,
                             "the schema names the columns and says that the table does; keep "
                             "`header` or `columns`");
    *out = schema;
    return STATUS_OK;
}

/* "7" or "7-9", from 1, both included. */
static bool find_numbers(struct schema_rule *rule, size_t n)
{
    uint64_t part[2] = {0};
    size_t which = 0, digits = 0;
    for (size_t i = 0; i < rule->column.n; i++) {
        const uint8_t c = rule->column.at[i];
        if (c == '-' && which == 0 && digits > 0) {
            which = 1;
            digits = 0;
        } else if (c >= '0' && c <= '9' && digits < 6) {
            part[which] = 10 * part[which] + (c - (uint64_t)'0');
            digits++;
        } else {
            return false;
        }
    }
    if (digits == 0) return false;
    if (which == 0) part[1] = part[0];
    if (part[0] < 1 || part[1] < part[0] || part[1] > n) return false;
    if (which == 1 && rule->kind != SCHEMA_NUMBER) return false;
    rule->first = (uint32_t)part[0] - 1;
    rule->last = (uint32_t)part[1] - 1;
    return true;
}

/* By name: of the table's header, or of the schema. */
static bool find_name(struct schema_rule *rule, const struct schema *schema,
                      const struct view *name, size_t n)
{
    char want[TABLE_TEXT_MAX], own[TABLE_TEXT_MAX];
    if (!word_text(want, rule->column)) return false;
    struct view words = schema->columns, word = {0};
    for (size_t i = 0; i < n; i++) {
        if (name == NULL && !schema_word(&words, &word)) return false;
        if (name == NULL ? !word_text(own, word) : !table_text(own, name[i])) continue;
        if (strcmp(own, want) != 0) continue;
        rule->first = rule->last = (uint32_t)i;
        return true;
    }
    return false;
}

enum status schema_bind(struct schema *schema, const struct view *name, size_t n,
                        struct data_error *why)
{
    uint64_t features = 0;
    for (uint32_t i = 0; i < schema->n_rules; i++) {
        struct schema_rule *rule = &schema->rule[i];
        if (rule->kind == SCHEMA_CLASS) continue;
        if (!find_name(rule, schema, name, n) && !find_numbers(rule, n))
            return source_refuse(why, STATUS_FORMAT,
                                 "line %u of the schema: the table has no such column among its "
                                 "%zu; name it as the table or `columns` does",
                                 (unsigned)rule->line, n);
        if (rule->kind == SCHEMA_NUMBER) features += rule->last - rule->first + 1;
        if (rule->kind == SCHEMA_CATEGORY) features += rule->n_values;
    }
    if (features == 0)
        return source_refuse(why, STATUS_FORMAT,
                             "the schema has no features; add a rule `number` or `category`");
    if (features > FEATURES_MAX)
        return source_refuse(why, STATUS_RANGE, "the schema has more than %u features",
                             FEATURES_MAX);
    schema->n_features = (uint32_t)features;
    return STATUS_OK;
}
