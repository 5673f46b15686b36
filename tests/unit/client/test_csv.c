/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/data/schema.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static struct view text(const char *s)
{
    return (struct view){(const uint8_t *)s, strlen(s)};
}

static const char rules[] = "# four columns\n"
                            "columns age \"chest pain\" label where\n"
                            "missing ? NA\n"
                            "number age 0 100 missing 50 # years\n"
                            "category \"chest pain\" 1 2 \"not at all\"\n"
                            "label label\n"
                            "class 0 no 0\n"
                            "class 2 yes 1\n"
                            "key where\n";
static const char table[] = "0,1.0,no,b\n"
                            "100,\"not at all\",yes,a\r\n"
                            "?,7,1.0,b\n"
                            "120,NA,0,\"c\"\n";

static void rules_make_pixels_labels_and_keys(void)
{
    AUTO(dataset_free) struct dataset data = {0};
    struct data_error why = {{0}};
    CHECK_OK(csv_parse(&data, text(table), text(rules), &why));
    REQUIRE(data.pixel != NULL);
    CHECK_NUMBER(4, data.n);
    CHECK_NUMBER(1, data.channels);
    CHECK_NUMBER(1, data.height);
    CHECK_NUMBER(4, data.width);
    CHECK_NUMBER(3, data.classes);
    const uint8_t want[] = {0, 255, 0, 0, 255, 0, 0, 255, 128, 0, 0, 0, 255, 0, 0, 0};
    CHECK_BYTES(want, data.pixel, sizeof want);
    CHECK_BYTES(((const uint8_t[]){0, 2, 2, 0}), data.label, 4);
    CHECK_BYTES(((const uint16_t[]){1, 0, 1, 2}), data.key, 8);
    CHECK_NUMBER(2, data.clamped); /* 120, and chest pain 7 */
    CHECK_NUMBER(2, data.missing);
}

static void columns_have_names_from_a_header_or_numbers(void)
{
    AUTO(dataset_free) struct dataset named = {0}, numbered = {0};
    struct data_error why = {{0}};
    CHECK_OK(csv_parse(&named, text("made by hand\nx;y;z\n1;2;3\n4;5;6\n"),
                       text("skip 1\nheader\nseparator ;\nnumber y 0 5\nnumber x 0 5\nlabel z"),
                       &why));
    CHECK_OK(csv_parse(&numbered, text("2\t1\t3\n5\t4\t6\n"),
                       text("separator tab\nnumber 1-2 0 5\nlabel 3"), &why));
    REQUIRE(named.pixel != NULL && numbered.pixel != NULL);
    const uint8_t want[] = {102, 51, 255, 204};
    CHECK_BYTES(want, named.pixel, 4);
    CHECK_BYTES(want, numbered.pixel, 4);
    CHECK_NUMBER(7, named.classes);
    CHECK(named.key == NULL);
}

static void values_of_the_first_row_are_no_names(void)
{
    AUTO(dataset_free) struct dataset data = {0};
    struct data_error why = {{0}};
    CHECK_OK(csv_parse(&data, text("2,1\n0,0\n"), text("number 1 0 2\nlabel 2"), &why));
    REQUIRE(data.pixel != NULL);
    CHECK_BYTES(((const uint8_t[]){255, 0}), data.pixel, 2);
}

/* Refused with these words, and out is untouched. */
static void check_refused(enum status want, const char *words, const char *t, const char *s)
{
    struct dataset data = {.n = 77};
    struct data_error why = {{0}};
    CHECK_STATUS(want, csv_parse(&data, text(t), text(s), &why));
    CHECK(data.n == 77 && data.pixel == NULL && data.label == NULL && data.key == NULL);
    CHECK(strstr(why.text, words) != NULL);
}

static void schemas_that_are_not_understood_are_refused_by_line(void)
{
    static const char *const bad[] = {
        "what 1",
        "number",
        "number 1 2",
        "number 1 2 2",
        "number 1 0 x",
        "number 1 0 1 y 2",
        "number 1 0 1 missing",
        "number 1 0 1 missing 2 3",
        "category 1",
        "label 1 2",
        "label 1\nlabel 2",
        "class x 1",
        "class 256 1",
        "class 1.5 1",
        "class 1",
        "key 1 2",
        "key 1\nkey 2",
        "skip",
        "skip -1",
        "skip 1 2",
        "separator",
        "separator ab",
        "separator , ;",
        "separator \"\"\"",
        "header 1",
        "columns",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check_refused(STATUS_FORMAT, "of the schema is not understood", "1,2\n", bad[i]);
    check_refused(STATUS_FORMAT, "line 3 of the schema", "1,2\n", "# a\n\nwhat");
    check_refused(STATUS_FORMAT, "no rule `label", "1,2\n", "number 1 0 1");
    check_refused(STATUS_FORMAT, "keep `header`", "1,2\n", "header\ncolumns a b\nlabel a");
    check_refused(STATUS_FORMAT, "no features", "1,2\n", "label 1");
}

static void columns_that_are_not_there_are_refused(void)
{
    static const char *const bad[] = {"number 3 0 1",   "number 0 0 1",       "number 2-1 0 1",
                                      "number 1-3 0 1", "number x 0 1",       "number -1 0 1",
                                      "number 1- 0 1",  "number 9999999 0 1", "category 1-2 1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char rule[64];
        (void)snprintf(rule, sizeof rule, "label 2\n%s", bad[i]);
        check_refused(STATUS_FORMAT, "line 2 of the schema", "1,2\n", rule);
    }
    check_refused(STATUS_FORMAT, "mend `columns`", "1,2\n", "columns a b c\nlabel a");
    AUTO(buffer_free) struct buffer schema = {0};
    AUTO(buffer_free) struct buffer row = {0};
    write_bytes(&schema, "label 1\n", 8);
    for (size_t i = 0; i < 17; i++) write_bytes(&schema, "number 1-4000 0 1\n", 18);
    write_u8(&schema, 0);
    for (size_t i = 1; i < 4000; i++) write_bytes(&row, "1,", 2);
    write_bytes(&row, "1", 2);
    check_refused(STATUS_RANGE, "more than 65536", (const char *)row.at, (const char *)schema.at);
}

static void tables_that_are_broken_are_refused_by_line(void)
{
    const char schema[] = "number 1 0 1\nlabel 2\n";
    check_refused(STATUS_FORMAT, "no records", "", schema);
    check_refused(STATUS_FORMAT, "no records", "\n\n", schema);
    check_refused(STATUS_FORMAT, "holds no", "a,b\n", "header\nnumber a 0 1\nlabel b");
    check_refused(STATUS_FORMAT, "line 3 of the table has 1 fields instead of 2", "1,2\n\n3\n",
                  schema);
    check_refused(STATUS_FORMAT, "line 2 of the table: its quotes", "1,2\n\"3,4\n", schema);
    check_refused(STATUS_FORMAT, "quotes", "\"3,4\n", schema);
    check_refused(STATUS_FORMAT, "line 2 of the table has no number", "1,2\nx,2\n", schema);
    check_refused(STATUS_FORMAT, "line 1 of the table has no value", ",2\n", schema);
    check_refused(STATUS_FORMAT, "line 1 of the table: its label", "1,256\n", schema);
    check_refused(STATUS_FORMAT, "its label", "1,\n", schema);
    check_refused(STATUS_FORMAT, "its label", "1,3\n", "number 1 0 1\nlabel 2\nclass 0 0");
    char row[400] = "";
    memset(row, 'x', 300);
    memcpy(row + 300, ",1\n", 4);
    check_refused(STATUS_FORMAT, "longer than 255", row, schema);
    check_refused(STATUS_FORMAT, "gzip", "\x1f\x8b", schema);
}

static void files_are_read_and_named_when_they_are_not_there(void)
{
    char folder[] = "/tmp/veilsum-csv-XXXXXX";
    REQUIRE(mkdtemp(folder) != NULL && chdir(folder) == 0);
    FILE *t = fopen("t", "w"), *s = fopen("s", "w");
    REQUIRE(t != NULL && s != NULL && fputs(table, t) >= 0 && fputs(rules, s) >= 0);
    REQUIRE(fclose(t) == 0 && fclose(s) == 0);
    AUTO(dataset_free) struct dataset data = {0};
    struct data_error why = {{0}};
    CHECK_OK(csv_read(&data, "t", "s", &why));
    CHECK_NUMBER(4, data.n);
    CHECK_STATUS(STATUS_IO, csv_read(&data, "absent", "s", &why));
    CHECK(strstr(why.text, "absent") != NULL);
    CHECK_STATUS(STATUS_IO, csv_read(&data, "t", "gone", &why));
    CHECK(strstr(why.text, "gone") != NULL);
    REQUIRE(unlink("t") == 0 && unlink("s") == 0 && rmdir(folder) == 0);
}

static void more_keys_than_have_numbers_are_refused(void)
{
    AUTO(buffer_free) struct buffer many = {0};
    for (unsigned i = 0; i < 65537; i++) {
        char row[32];
        write_bytes(&many, row, (size_t)snprintf(row, sizeof row, "1,%u\n", i));
    }
    struct dataset data = {.n = 77};
    struct data_error why = {{0}};
    const struct view schema = text("number 1 0 1\nlabel 1\nkey 2");
    CHECK_STATUS(STATUS_RANGE, csv_parse(&data, buffer_view(&many), schema, &why));
    CHECK_NUMBER(77, data.n);
    many.n -= strlen("1,65536\n");
    CHECK_OK(csv_parse(&data, buffer_view(&many), schema, &why));
    CHECK_NUMBER(65536, data.n);
    dataset_free(&data);
}

static void memory_may_end_anywhere(void)
{
    OOM_EACH {
        struct dataset data = {0};
        struct data_error why = {{0}};
        const enum status status = csv_parse(&data, text(table), text(rules), &why);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
        CHECK((status == STATUS_OK) == (data.pixel != NULL));
        dataset_free(&data);
    }
}

int main(void)
{
    RUN(rules_make_pixels_labels_and_keys);
    RUN(columns_have_names_from_a_header_or_numbers);
    RUN(values_of_the_first_row_are_no_names);
    RUN(schemas_that_are_not_understood_are_refused_by_line);
    RUN(columns_that_are_not_there_are_refused);
    RUN(tables_that_are_broken_are_refused_by_line);
    RUN(files_are_read_and_named_when_they_are_not_there);
    RUN(more_keys_than_have_numbers_are_refused);
    RUN(memory_may_end_anywhere);
    return check_done();
}
