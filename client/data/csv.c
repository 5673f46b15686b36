/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of separated text. A first pass counts the rows, so that nothing is allocated for more
 * than there are; what is wrong is told by line and column, never by value. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "client/data/gzip.h"
#include "client/data/schema.h"

#define TABLE_BYTES_MAX (UINT64_C(1) << 30)
#define KEYS_MAX 65536u

/* A field, and the record that it is of. */
struct name {
    struct view text;
    size_t record;
};

struct csv {
    const struct schema *schema;
    struct table start; /* before the first record */
    struct view *field; /* TABLE_FIELDS_MAX */
    struct name *key;   /* one per record, or NULL */
    size_t n_fields;    /* that every row has */
};

static void csv_free(struct csv *csv)
{
    free(csv->field);
    free(csv->key);
}

static enum status refuse_row(const struct table *table, const char *what, struct data_error *why)
{
    return source_refuse(why, STATUS_FORMAT, "line %u of the table: %s", (unsigned)table->line,
                         what);
}

/* Count the rows, all of which have as many fields. */
static enum status count_rows(size_t *out, const struct csv *csv, struct data_error *why)
{
    struct table table = csv->start;
    size_t rows = 0;
    for (size_t n = table_row(&table, csv->field); n > 0; n = table_row(&table, csv->field)) {
        if (n != csv->n_fields)
            return source_refuse(why, STATUS_FORMAT,
                                 "line %u of the table has %zu fields instead of %zu; is a comma "
                                 "not in quotes, or the separator another?",
                                 (unsigned)table.line, n, csv->n_fields);
        rows++;
    }
    if (table.bad)
        return refuse_row(&table, "its quotes are broken, or it has more than 4096 fields", why);
    *out = rows;
    return STATUS_OK;
}

/* Find the columns: as a header, the schema, or the first row has them. */
static enum status bind(struct csv *csv, struct schema *schema, struct data_error *why)
{
    for (uint32_t i = 0; i < schema->skip; i++) table_skip(&csv->start);
    struct table ahead = csv->start;
    csv->n_fields = table_row(&ahead, csv->field);
    if (csv->n_fields == 0)
        return refuse_row(&ahead, ahead.bad ? "its quotes are broken" : "there are no records",
                          why);
    if (schema->header) csv->start = ahead;
    if (schema->n_columns > 0 && schema->n_columns != csv->n_fields)
        return source_refuse(why, STATUS_FORMAT,
                             "the table has %zu columns but the schema names %u; mend `columns`",
                             csv->n_fields, (unsigned)schema->n_columns);
    return schema_bind(schema, schema->header ? csv->field : NULL, csv->n_fields, why);
}

static bool is_missing(const struct schema *schema, const char *text)
{
    uint32_t which = 0;
    return text[0] == 0 || schema_find(schema->missing, text, &which);
}

/* Pixels of one column. */
static enum status add_feature(uint8_t **out, struct dataset *data, const struct schema *schema,
                               const struct schema_rule *rule, const char *text,
                               const struct table *table, struct data_error *why)
{
    const bool missing = is_missing(schema, text);
    data->missing += missing;
    if (rule->kind == SCHEMA_CATEGORY) {
        uint32_t which = UINT32_MAX;
        const bool known = !missing && schema_find(rule->values, text, &which);
        data->clamped += !missing && !known;
        memset(*out, 0, rule->n_values);
        if (known) (*out)[which] = UINT8_MAX;
        *out += rule->n_values;
        return STATUS_OK;
    }
    double x = rule->fill;
    if (missing && !rule->has_fill)
        return source_refuse(why, STATUS_FORMAT,
                             "line %u of the table has no value where line %u of the schema names "
                             "none instead; add `missing VALUE` there",
                             (unsigned)table->line, (unsigned)rule->line);
    if (!missing && !table_number(&x, text))
        return source_refuse(why, STATUS_FORMAT,
                             "line %u of the table has no number where line %u of the schema wants "
                             "one; if it is a word for no value, add it to `missing`",
                             (unsigned)table->line, (unsigned)rule->line);
    const double place = (x - rule->low) / (rule->high - rule->low);
    data->clamped += place < 0 || place > 1;
    *(*out)++ = (uint8_t)round(fmin(fmax(place, 0), 1) * UINT8_MAX);
    return STATUS_OK;
}

static bool find_class(uint8_t *out, const struct schema *schema, const char *text)
{
    double x = 0;
    uint32_t which = 0;
    if (is_missing(schema, text)) return false;
    if (schema->classes == 0) {
        if (!table_number(&x, text) || !(x >= 0 && x <= UINT8_MAX) || x != floor(x)) return false;
        *out = (uint8_t)x;
        return true;
    }
    for (uint32_t i = 0; i < schema->n_rules; i++) {
        const struct schema_rule *rule = &schema->rule[i];
        if (rule->kind != SCHEMA_CLASS || !schema_find(rule->values, text, &which)) continue;
        *out = rule->number;
        return true;
    }
    return false;
}

static enum status read_row(struct dataset *data, struct csv *csv, size_t record,
                            const struct table *table, struct data_error *why)
{
    const struct schema *schema = csv->schema;
    uint8_t *out = data->pixel + record * schema->n_features;
    char text[TABLE_TEXT_MAX];
    for (uint32_t i = 0; i < schema->n_rules; i++) {
        const struct schema_rule *rule = &schema->rule[i];
        if (rule->kind == SCHEMA_CLASS) continue;
        if (rule->kind == SCHEMA_KEY) {
            csv->key[record] = (struct name){table_bare(csv->field[rule->first]), record};
            continue;
        }
        for (uint32_t c = rule->first; c <= rule->last; c++) {
            if (!table_text(text, csv->field[c]))
                return refuse_row(table, "a field is longer than 255 bytes", why);
            if (rule->kind == SCHEMA_LABEL) {
                if (!find_class(&data->label[record], schema, text))
                    return refuse_row(table, "its label is none of the schema's", why);
            } else {
                TRY(add_feature(&out, data, schema, rule, text, table, why));
            }
        }
    }
    return STATUS_OK;
}

static int compare(const void *a, const void *b)
{
    const struct view x = ((const struct name *)a)->text, y = ((const struct name *)b)->text;
    const size_t n = x.n < y.n ? x.n : y.n;
    const int order = n == 0 ? 0 : memcmp(x.at, y.at, n);
    return order != 0 ? order : (x.n > y.n) - (x.n < y.n);
}

/* Number the keys in the order of their texts. */
static enum status number_keys(struct dataset *data, struct csv *csv, struct data_error *why)
{
    qsort(csv->key, data->n, sizeof *csv->key, compare);
    uint32_t number = 0;
    for (size_t i = 0; i < data->n; i++) {
        if (i > 0 && compare(&csv->key[i - 1], &csv->key[i]) != 0) number++;
        if (number == KEYS_MAX)
            return source_refuse(why, STATUS_RANGE, "the key has more than 65536 values");
        data->key[csv->key[i].record] = (uint16_t)number;
    }
    return STATUS_OK;
}

static enum status read_rows(struct dataset *out, struct csv *csv, struct data_error *why)
{
    AUTO(dataset_free) struct dataset data = {0};
    size_t n = 0;
    TRY(count_rows(&n, csv, why));
    TRY(source_shape(&data, n, 1, 1, csv->schema->n_features, why));
    TRY(source_new(&data, why));
    if (csv->schema->key >= 0) {
        data.key = calloc(n, sizeof *data.key);
        csv->key = calloc(n, sizeof *csv->key);
        if (data.key == NULL || csv->key == NULL)
            return source_refuse(why, STATUS_NOMEM, "no memory for %zu keys; free some", n);
    }
    struct table table = csv->start;
    for (size_t i = 0; i < n; i++) {
        REQUIRE(table_row(&table, csv->field) == csv->n_fields);
        TRY(read_row(&data, csv, i, &table, why));
    }
    if (csv->key != NULL) TRY(number_keys(&data, csv, why));
    source_count_classes(&data);
    if (csv->schema->classes > 0) data.classes = csv->schema->classes;
    *out = data;
    data = (struct dataset){0};
    return STATUS_OK;
}

enum status csv_parse(struct dataset *out, struct view bytes, struct view text,
                      struct data_error *why)
{
    struct schema schema;
    TRY(schema_parse(&schema, text, why));
    AUTO(buffer_wipe) struct buffer inflated = {0};
    if (gzip_is(bytes)) {
        TRY(gzip_inflate(&inflated, bytes, TABLE_BYTES_MAX, why));
        bytes = buffer_view(&inflated);
    }
    AUTO(csv_free)
    struct csv csv = {.schema = &schema,
                      .start = table_of(bytes, schema.separator),
                      .field = calloc(TABLE_FIELDS_MAX, sizeof *csv.field)};
    if (csv.field == NULL) return source_refuse(why, STATUS_NOMEM, "no memory for a row");
    TRY(bind(&csv, &schema, why));
    return read_rows(out, &csv, why);
}

enum status csv_read(struct dataset *out, const char *path, const char *schema,
                     struct data_error *why)
{
    AUTO(buffer_free) struct buffer rules = {0};
    TRY(source_read(&rules, schema, SCHEMA_BYTES_MAX, why));
    AUTO(buffer_wipe) struct buffer bytes = {0};
    TRY(source_read(&bytes, path, TABLE_BYTES_MAX, why));
    return csv_parse(out, buffer_view(&bytes), buffer_view(&rules), why);
}
