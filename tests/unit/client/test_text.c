/* SPDX-License-Identifier: Apache-2.0 */
#include "client/data/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static const char play[] = "Dramatis personae are not read: here.\n"
                           "\n"
                           "ROMEO:\nabcde\n"
                           "\n"
                           "JULIET:\nfgh:\nIJ\n"
                           "\n"
                           "ROMEO:\nkl\n";
static const struct text_how pairs = {.length = 2, .stride = 3};
static const struct text_how spoken = {.length = 2, .stride = 3, .speakers = true};

static struct view view_of(const char *text)
{
    return (struct view){(const uint8_t *)text, strlen(text)};
}

/* Whether record i is these characters, the last one its label. */
static bool is(const struct dataset *data, size_t i, const char *want)
{
    bool same = i < data->n && strlen(want) == data->width + 1u;
    for (size_t k = 0; same && k <= data->width; k++) {
        const uint8_t got = k < data->width ? data->pixel[i * data->width + k] : data->label[i];
        same = got < TEXT_CHARACTERS && TEXT_ALPHABET[got] == want[k];
    }
    return same;
}

static void every_character_has_one_number(void)
{
    CHECK_NUMBER(TEXT_CHARACTERS, strlen(TEXT_ALPHABET));
    for (int c = 0; c < 128; c++) {
        const char *first = strchr(TEXT_ALPHABET, c);
        const bool want = c == '\n' || (c >= ' ' && c < 127);
        if (c > 0) CHECK((first != NULL) == want);
        if (want && first != NULL) CHECK(strchr(first + 1, c) == NULL);
    }
    /* What the 80 characters of LEAF begin and end with. */
    CHECK(TEXT_ALPHABET[0] == '\n' && TEXT_ALPHABET[79] == '}' && TEXT_ALPHABET[80] == '#');
}

static void records_are_windows_and_the_character_after_them(void)
{
    AUTO(dataset_free) struct dataset data = {0};
    struct data_error why = {{0}};
    const struct text_how how = {.length = 3, .stride = 1};
    CHECK_OK(text_parse(&data, view_of("to be\n"), &how, &why));
    CHECK(data.key == NULL);
    CHECK(data.n == 3 && data.channels == 1 && data.height == 1 && data.width == 3);
    CHECK(is(&data, 0, "to b") && is(&data, 1, "o be") && is(&data, 2, " be\n"));
    /* "t" has the largest number. */
    CHECK_NUMBER(strchr(TEXT_ALPHABET, 't') - TEXT_ALPHABET + 1, data.classes);
}

static void no_character_is_in_two_records_that_begin_a_length_and_one_apart(void)
{
    AUTO(dataset_free) struct dataset data = {0};
    struct data_error why = {{0}};
    CHECK_OK(text_parse(&data, view_of("abcdefgh"), &pairs, &why));
    CHECK(data.n == 2 && is(&data, 0, "abc") && is(&data, 1, "def"));
    CHECK_NUMBER(strchr(TEXT_ALPHABET, 'f') - TEXT_ALPHABET + 1, data.classes);
}

static void what_one_speaker_says_is_one_text(void)
{
    AUTO(dataset_free) struct dataset data = {0};
    struct data_error why = {{0}};
    CHECK_OK(text_parse(&data, view_of(play), &spoken, &why));
    /* Juliet says "fgh:\nIJ\n\n" and Romeo "abcde\n\nkl\n". A colon within a speech names nobody.
     */
    CHECK_NUMBER(6, data.n);
    const char *const want[] = {"fgh", ":\nI", "J\n\n", "abc", "de\n", "\nkl"};
    for (size_t i = 0; i < 6; i++) {
        CHECK(is(&data, i, want[i]));
        CHECK_NUMBER(i >= 3, data.key == NULL ? 9 : data.key[i]);
    }
}

static void names_that_begin_alike_are_two(void)
{
    AUTO(dataset_free) struct dataset data = {0};
    struct data_error why = {{0}};
    CHECK_OK(text_parse(&data, view_of("AB:\nxyz\n\nA:\nuvw\n"), &spoken, &why));
    CHECK(data.n == 2 && is(&data, 0, "uvw") && is(&data, 1, "xyz"));
    CHECK(data.key != NULL && data.key[0] == 0 && data.key[1] == 1);
}

static void refused(struct view text, const struct text_how *how, enum status status,
                    const char *words)
{
    struct dataset data = {.n = 77};
    struct data_error why = {{0}};
    CHECK_STATUS(status, text_parse(&data, text, how, &why));
    CHECK(strstr(why.text, words) != NULL);
    CHECK(data.n == 77 && data.pixel == NULL && data.key == NULL);
}

static void bytes_outside_the_alphabet_are_refused_with_their_line(void)
{
    refused(view_of("abc\nde\tf"), &pairs, STATUS_FORMAT, "line 2 has byte 0x09");
    refused(view_of("a\r\nb"), &pairs, STATUS_FORMAT, "line 1 has byte 0x0d");
    refused(view_of("\n\n\xc3\xa4"), &pairs, STATUS_FORMAT, "line 3 has byte 0xc3");
    refused((struct view){(const uint8_t *)"abc\0def", 7}, &pairs, STATUS_FORMAT, "0x00");
    refused(view_of("A:\nabcdef\n\nB:\nu\x7f\n"), &spoken, STATUS_FORMAT, "line 5");
}

static void texts_without_a_record_are_refused(void)
{
    refused((struct view){0}, &pairs, STATUS_FORMAT, "as long as");
    refused(view_of("ab"), &pairs, STATUS_FORMAT, "as long as");
    refused(view_of("A:\na\n\nB:\nb\n"), &(struct text_how){3, 1, true}, STATUS_FORMAT,
            "as long as");
    refused((struct view){0}, &spoken, STATUS_FORMAT, "nobody speaks");
    refused(view_of("to be or not to be\nA:\nabc\n"), &spoken, STATUS_FORMAT, "nobody speaks");
}

static void sizes_out_of_range_are_refused(void)
{
    const struct text_how bad[] = {{0, 1, false}, {TEXT_LENGTH_MAX + 1, 1, false}, {2, 0, false}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused(view_of("abcdefgh"), &bad[i], STATUS_RANGE, "characters");
    /* Too long to be looked at. */
    refused((struct view){(const uint8_t *)"a", TEXT_BYTES_MAX + 1u}, &pairs, STATUS_RANGE,
            "longer");
}

static void too_many_records_are_refused(void)
{
    const size_t n = DATA_RECORDS_MAX + 2;
    uint8_t *text = malloc(n);
    REQUIRE(text != NULL);
    memset(text, 'a', n);
    refused((struct view){text, n}, &(struct text_how){1, 1, false}, STATUS_RANGE, "2^24");
    free(text);
}

static void too_many_speakers_are_refused(void)
{
    AUTO(buffer_free) struct buffer text = {0};
    char line[32];
    for (unsigned s = 0; s <= TEXT_SPEAKERS_MAX; s++) {
        const int n = snprintf(line, sizeof line, "%u:\nabc\n\n", s);
        write_bytes(&text, line, (size_t)n);
    }
    CHECK_OK(text.status);
    refused(buffer_view(&text), &spoken, STATUS_RANGE, "speak");
}

static void files_are_read_and_missing_ones_named(void)
{
    char path[] = "/tmp/veilsum-text-XXXXXX";
    const int file = mkstemp(path);
    REQUIRE(file >= 0 && write(file, play, sizeof play - 1) == (ssize_t)sizeof play - 1);
    REQUIRE(close(file) == 0);
    AUTO(dataset_free) struct dataset data = {0};
    struct data_error why = {{0}};
    CHECK_OK(text_read(&data, path, &pairs, &why));
    CHECK_NUMBER((sizeof play - 1) / 3, data.n);
    REQUIRE(unlink(path) == 0);
    struct dataset none = {0};
    CHECK_STATUS(STATUS_IO, text_read(&none, path, &pairs, &why));
    CHECK(strstr(why.text, path) != NULL && none.pixel == NULL);
}

static void memory_may_end_anywhere(void)
{
    OOM_EACH {
        struct dataset data = {0};
        struct data_error why = {{0}};
        enum status status = text_parse(&data, view_of(play), &spoken, &why);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
        CHECK((status == STATUS_OK) == (data.pixel != NULL && data.key != NULL));
        CHECK((status == STATUS_OK) == (why.text[0] == 0));
        dataset_free(&data);
    }
}

int main(void)
{
    RUN(every_character_has_one_number);
    RUN(records_are_windows_and_the_character_after_them);
    RUN(no_character_is_in_two_records_that_begin_a_length_and_one_apart);
    RUN(what_one_speaker_says_is_one_text);
    RUN(names_that_begin_alike_are_two);
    RUN(bytes_outside_the_alphabet_are_refused_with_their_line);
    RUN(texts_without_a_record_are_refused);
    RUN(sizes_out_of_range_are_refused);
    RUN(too_many_records_are_refused);
    RUN(too_many_speakers_are_refused);
    RUN(files_are_read_and_missing_ones_named);
    RUN(memory_may_end_anywhere);
    return check_done();
}
