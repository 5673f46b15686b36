/* SPDX-License-Identifier: Apache-2.0 */
/* What the study's tests do not reach: where a line is found. */
#include "protocol/settings.h"

#include <string.h>

#include "tests/lib/check.h"

static unsigned line_of(const char *text, const char *section, const char *key)
{
    return settings_line((struct view){(const uint8_t *)text, strlen(text)}, section, key);
}

static void a_key_is_found_in_its_section(void)
{
    static const char text[] = "a:\n"
                               "  x: 1\n"
                               "\n"
                               "b:   # y: not here\n"
                               "  # x: nor here\n"
                               "  max_x: 3\n"
                               "  x : 4\n"
                               "c: {x: 5, \"y\": 6}\n"
                               "d: 7";
    CHECK_NUMBER(2, line_of(text, "a", "x"));
    CHECK_NUMBER(7, line_of(text, "b", "x"));
    CHECK_NUMBER(6, line_of(text, "b", "max_x"));
    CHECK_NUMBER(8, line_of(text, "c", "x"));
    CHECK_NUMBER(8, line_of(text, "c", "y"));
    CHECK_NUMBER(9, line_of(text, NULL, "d"));
}

static void an_absent_key_gives_its_section(void)
{
    CHECK_NUMBER(2, line_of("a: 1\nb:\n  x: 1\nc: {y: 1}\n", "b", "y"));
    CHECK_NUMBER(2, line_of("a: 1\nb:\n  x: 1\n", "b", NULL));
    CHECK_NUMBER(0, line_of("a: 1\n", "b", "x"));
    CHECK_NUMBER(0, line_of("a: 1\n", NULL, "b"));
    CHECK_NUMBER(0, line_of("", "a", "b"));
}

static void a_word_inside_another_is_not_the_key(void)
{
    CHECK_NUMBER(2, line_of("epsilon_max: 1\nepsilon: 2\n", NULL, "epsilon"));
    CHECK_NUMBER(2, line_of("max_epsilon: 1\nepsilon: 2\n", NULL, "epsilon"));
    CHECK_NUMBER(0, line_of("note: epsilon\n", NULL, "epsilon"));
}

int main(void)
{
    RUN(a_key_is_found_in_its_section);
    RUN(an_absent_key_gives_its_section);
    RUN(a_word_inside_another_is_not_the_key);
    return check_done();
}
