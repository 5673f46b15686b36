/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "protocol/settings.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

#define WORD 7

struct all {
    uint32_t whole, n_list, list[4], set, n_words;
    double real, tiny, endless;
    bool truth;
    unsigned choice;
    char text[WORD + 1], words[3][WORD + 1];
};

static const char *const names[] = {"red", "green", "blue", NULL};

#define ROW(section, key, kind, member, ...)                                                       \
    {                                                                                              \
        section, key, kind, offsetof(struct all, member), 0, WORD, __VA_ARGS__                     \
    }
static const struct setting row[] = {
    ROW(NULL, "whole", SETTING_UINT, whole, NULL, 0, 0),
    ROW("a", "real", SETTING_REAL, real, NULL, 0, 0),
    ROW("a", "tiny", SETTING_REAL, tiny, NULL, 0, 0),
    {"a", "endless", SETTING_REAL, offsetof(struct all, endless), 0, (double)INFINITY, NULL, 0, 0},
    ROW("b", "truth", SETTING_BOOL, truth, NULL, 0, 0),
    ROW("b", "choice", SETTING_CHOICE, choice, names, 0, 0),
    ROW("c", "text", SETTING_TEXT, text, NULL, 0, 0),
    ROW("c", "list", SETTING_UINTS, list, NULL, offsetof(struct all, n_list), 4),
    ROW("c", "words", SETTING_TEXTS, words, NULL, offsetof(struct all, n_words), 3),
    ROW("c", "set", SETTING_SET, set, names, 0, 3),
};
static const size_t n_rows = sizeof row / sizeof *row;
static const struct all nothing;
static const struct all full = {.whole = 7,
                                .real = 0.1,
                                .tiny = 1e-5,
                                .endless = (double)INFINITY,
                                .truth = true,
                                .choice = 2,
                                .text = "a \"b\\",
                                .n_list = 3,
                                .list = {1, 0, 5},
                                .n_words = 2,
                                .words = {"x: y", "#"},
                                .set = 5};

static struct settings_error why;

static void what_is_written_is_read_back(void)
{
    AUTO(buffer_free) struct buffer text = {0};
    struct all back = {0};
    settings_write(&text, &full, &nothing, row, n_rows);
    CHECK_OK(text.status);
    CHECK_OK(settings_parse(&back, row, n_rows, buffer_view(&text), &why));
    CHECK_BYTES(&full, &back, sizeof back);
}

static void numbers_have_as_few_digits_as_they_need(void)
{
    static const char want[] = "whole: 7\na: {real: 0.1, tiny: 1e-05, endless: .inf}\n";
    AUTO(buffer_free) struct buffer text = {0};
    settings_write(&text, &full, &nothing, row, 4);
    CHECK_NUMBER(sizeof want - 1, text.n);
    CHECK_BYTES(want, text.at, sizeof want - 1);
    const double odd[] = {1.0 / 3, 0.1 + 0.2, 6.99999999999999911};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        AUTO(buffer_free) struct buffer one = {0};
        const struct all in = {.real = odd[i]};
        struct all back = {0};
        settings_write(&one, &in, &nothing, row, n_rows);
        CHECK_OK(settings_parse(&back, row, n_rows, buffer_view(&one), &why));
        CHECK_BYTES(&in.real, &back.real, sizeof back.real);
    }
}

static void what_does_not_differ_is_not_written(void)
{
    AUTO(buffer_free) struct buffer text = {0};
    settings_write(&text, &full, &full, row, n_rows);
    CHECK_NUMBER(0, text.n);
    struct all other = full;
    other.list[2] = 6;
    static const char want[] = "c: {list: [1, 0, 5]}\n";
    settings_write(&text, &full, &other, row, n_rows);
    CHECK_NUMBER(sizeof want - 1, text.n);
    CHECK_BYTES(want, text.at, sizeof want - 1);
}

static void a_list_that_begins_another_is_written(void)
{
    AUTO(buffer_free) struct buffer text = {0};
    struct all shorter = full;
    shorter.n_list = 2;
    static const char want[] = "c: {list: [1, 0]}\n";
    settings_write(&text, &shorter, &full, row, n_rows);
    CHECK_NUMBER(sizeof want - 1, text.n);
    CHECK_BYTES(want, text.at, sizeof want - 1);
}

static void texts_of_a_list_have_bounds(void)
{
    struct all out = {0};
    static const char *const wrong[] = {"c: {words: [\"12345678\"]}\n",
                                        "c: {words: [a, b, c, d]}\n"};
    static const enum status status[] = {STATUS_RANGE, STATUS_FORMAT};
    for (size_t i = 0; i < 2; i++)
        CHECK_STATUS(status[i],
                     settings_parse(&out, row, n_rows,
                                    (struct view){(const uint8_t *)wrong[i], strlen(wrong[i])},
                                    &why));
    CHECK_NUMBER(0, out.n_words);
}

static void out_of_memory_is_kept(void)
{
    OOM_EACH {
        AUTO(buffer_free) struct buffer text = {0};
        settings_write(&text, &full, &nothing, row, n_rows);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, text.status);
    }
}

int main(void)
{
    RUN(what_is_written_is_read_back);
    RUN(numbers_have_as_few_digits_as_they_need);
    RUN(what_does_not_differ_is_not_written);
    RUN(a_list_that_begins_another_is_written);
    RUN(texts_of_a_list_have_bounds);
    RUN(out_of_memory_is_kept);
    return check_done();
}
