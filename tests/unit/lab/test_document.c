/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/document.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "lab/folder.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static struct view bytes(const char *text)
{
    return (struct view){(const uint8_t *)text, strlen(text)};
}

static json_t *parsed(const char *text)
{
    json_t *d = NULL;
    CHECK_OK(document_parse(&d, bytes(text)));
    return d;
}

static void members_are_found_by_their_path(void)
{
    json_t *d = parsed("{\"a\": {\"b\": {\"c\": 2.5}}, \"n\": 7, \"t\": true, \"s\": \"x\"}");
    CHECK_CLOSE(2.5, document_number(d, "a.b.c"), 0);
    CHECK_NUMBER(7, document_count(d, "n"));
    CHECK(document_true(d, "t") && !document_true(d, "n"));
    char text[8];
    document_text(text, sizeof text, d, "s");
    CHECK(strcmp(text, "x") == 0);
    document_free(&d);
    CHECK(d == NULL);
}

static void what_is_missing_or_beyond_reason_is_no_number(void)
{
    json_t *d = parsed("{\"huge\": 1e300, \"text\": \"1\", \"null\": null, \"list\": [1, 2, 3]}");
    CHECK(isnan(document_number(d, "absent")) && isnan(document_number(d, "absent.more")));
    CHECK(isnan(document_number(d, "huge")) && isnan(document_number(d, "text")));
    CHECK(isnan(document_number(d, "null")) && isnan(document_number(NULL, "x")));
    CHECK_NUMBER(0, document_count(d, "huge"));
    CHECK_NUMBER(2, document_length(d, "list", 2));
    CHECK_NUMBER(0, document_length(d, "text", 2));
    char text[4] = "old";
    document_text(text, sizeof text, d, "list");
    CHECK(text[0] == 0);
    char path[200];
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = 0;
    CHECK(document_at(d, path) == NULL);
    document_free(&d);
}

static void texts_are_cut_at_whole_characters(void)
{
    char text[6];
    document_cut(text, sizeof text, "abcde");
    CHECK(strcmp(text, "abcde") == 0);
    document_cut(text, sizeof text, "abcdef");
    CHECK(strcmp(text, "abcde") == 0);
    document_cut(text, sizeof text, "abcd\xC3\xA4z");
    CHECK(strcmp(text, "abcd") == 0);
    document_cut(text, sizeof text, "ab\xE2\x88\x9Ez");
    CHECK(strcmp(text, "ab\xE2\x88\x9E") != 0 || strlen(text) == 5);
}

static void other_things_than_objects_are_refused(void)
{
    static const char *const bad[] = {"", "[1]", "{", "7", "{} {}", "{\"a\": 1e999}"};
    json_t *d = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_STATUS(STATUS_FORMAT, document_parse(&d, bytes(bad[i])));
    CHECK_STATUS(STATUS_RANGE,
                 document_parse(&d, (struct view){(const uint8_t *)"{}", DOCUMENT_BYTES_MAX + 1}));
    CHECK(d == NULL);
}

static void files_are_read_or_refused(void)
{
    char folder[FILE_PATH_MAX], path[FILE_PATH_MAX];
    json_t *d = NULL;
    CHECK_OK(folder_new(folder, folder_parent(), "document"));
    CHECK_OK(file_path(path, sizeof path, folder, "d.json"));
    CHECK_STATUS(STATUS_IO, document_read(&d, path));
    CHECK_OK(file_write(path, bytes("{\"a\": 1}"), 0600));
    OOM_EACH {
        const enum status status = document_read(&d, path);
        oom_stop();
        if (status == STATUS_OK) {
            CHECK_NUMBER(1, document_count(d, "a"));
            document_free(&d);
        } else {
            CHECK_STATUS(STATUS_NOMEM, status);
            CHECK(d == NULL);
        }
    }
    folder_remove(folder);
}

int main(void)
{
    RUN(members_are_found_by_their_path);
    RUN(what_is_missing_or_beyond_reason_is_no_number);
    RUN(texts_are_cut_at_whole_characters);
    RUN(other_things_than_objects_are_refused);
    RUN(files_are_read_or_refused);
    return check_done();
}
