/* SPDX-License-Identifier: Apache-2.0 */
#include "client/data/table.h"

#include <string.h>

#include "tests/lib/check.h"

static struct view field[TABLE_FIELDS_MAX];

static struct view text(const char *s)
{
    return (struct view){(const uint8_t *)s, strlen(s)};
}

static void check_field(const char *want, size_t i)
{
    char got[TABLE_TEXT_MAX] = "?";
    CHECK(table_text(got, field[i]));
    CHECK(strcmp(want, got) == 0);
}

static void rows_and_fields_are_separated(void)
{
    struct table t = table_of(text("\xef\xbb\xbf"
                                   "a,b ,c\r\n\n,\n last"),
                              ',');
    CHECK_NUMBER(3, table_row(&t, field));
    check_field("a", 0);
    check_field("b", 1);
    check_field("c", 2);
    CHECK_NUMBER(1, t.line);
    CHECK_NUMBER(2, table_row(&t, field));
    check_field("", 0);
    check_field("", 1);
    CHECK_NUMBER(3, t.line);
    CHECK_NUMBER(1, table_row(&t, field));
    check_field("last", 0);
    CHECK_NUMBER(0, table_row(&t, field));
    CHECK(!t.bad);
}

static void quotes_hold_separators_lines_and_quotes(void)
{
    struct table t = table_of(text("\"a;\n\"\"b\"\"\";2\n3;4"), ';');
    CHECK_NUMBER(2, table_row(&t, field));
    check_field("a;\n\"b\"", 0);
    check_field("2", 1);
    CHECK_NUMBER(2, table_row(&t, field));
    CHECK_NUMBER(3, t.line);
}

static void broken_quotes_are_bad(void)
{
    static const char *const bad[] = {"\"a", "\"a\"b,c", "a\"b", "\"a\"\"", "1,\"", "\"\"\""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct table t = table_of(text(bad[i]), ',');
        CHECK_NUMBER(0, table_row(&t, field));
        CHECK(t.bad);
        CHECK_NUMBER(0, table_row(&t, field)); /* and stays so */
    }
}

static void a_row_has_at_most_so_many_fields(void)
{
    static char row[TABLE_FIELDS_MAX + 1];
    memset(row, ',', TABLE_FIELDS_MAX);
    struct table t = table_of((struct view){(const uint8_t *)row, TABLE_FIELDS_MAX - 1}, ',');
    CHECK_NUMBER(TABLE_FIELDS_MAX, table_row(&t, field));
    t = table_of((struct view){(const uint8_t *)row, TABLE_FIELDS_MAX}, ',');
    CHECK_NUMBER(0, table_row(&t, field));
    CHECK(t.bad);
}

static void lines_are_passed_over_as_they_stand(void)
{
    struct table t = table_of(text("\"odd\nx"), ',');
    table_skip(&t);
    CHECK_NUMBER(1, table_row(&t, field));
    CHECK_NUMBER(2, t.line);
    table_skip(&t);
    CHECK_NUMBER(0, table_row(&t, field));
}

static void long_texts_and_zero_bytes_are_no_strings(void)
{
    char got[TABLE_TEXT_MAX] = "?";
    uint8_t odd[TABLE_TEXT_MAX];
    memset(odd, 'x', sizeof odd);
    CHECK(!table_text(got, (struct view){odd, sizeof odd}));
    CHECK(got[0] == 0);
    CHECK(table_text(got, (struct view){odd, sizeof odd - 1}));
    CHECK_NUMBER(TABLE_TEXT_MAX - 1, strlen(got));
    odd[3] = 0;
    CHECK(!table_text(got, (struct view){odd, 8}));
}

static void numbers_are_decimal_and_finite(void)
{
    double x = 0;
    CHECK(table_number(&x, "-1.5e2"));
    CHECK_CLOSE(-150, x, 0);
    CHECK(table_number(&x, ".7"));
    static const char *const bad[] = {"", "x", "0x10", "nan", "inf", "1e999", "1 2", "-", "1.2.3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CHECK(!table_number(&x, bad[i]));
    CHECK_CLOSE(0.7, x, 0);
}

int main(void)
{
    RUN(rows_and_fields_are_separated);
    RUN(quotes_hold_separators_lines_and_quotes);
    RUN(broken_quotes_are_bad);
    RUN(a_row_has_at_most_so_many_fields);
    RUN(lines_are_passed_over_as_they_stand);
    RUN(long_texts_and_zero_bytes_are_no_strings);
    RUN(numbers_are_decimal_and_finite);
    return check_done();
}
