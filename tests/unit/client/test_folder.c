/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "client/data/image.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/unit/client/picture.h"

static const struct data_shape small = {1, 2, 2};

static void put(const char *path, uint8_t value, bool jpeg)
{
    uint8_t pixel[16];
    memset(pixel, value, sizeof pixel);
    AUTO(buffer_free)
    struct buffer bytes = jpeg ? picture_jpeg(pixel, 1, 4, 4) : picture_png(pixel, 1, 4, 4);
    REQUIRE(file_write(path, buffer_view(&bytes), 0600) == STATUS_OK);
}

/* Three classes, of which "b" is empty; and hidden files. */
static void build(void)
{
    REQUIRE(mkdir("set", 0700) == 0 && mkdir("set/c", 0700) == 0 && mkdir("set/a", 0700) == 0 &&
            mkdir("set/b", 0700) == 0 && mkdir("set/.git", 0700) == 0);
    put("set/c/2.png", 30, false);
    put("set/c/10.JPG", 40, true);
    put("set/a/x.png", 50, false);
    put("set/a/.hidden", 60, false);
}

static void remove_all(void)
{
    static const char *const path[] = {"set/c/2.png", "set/c/10.JPG", "set/a/x.png",
                                       "set/a/.hidden"};
    for (size_t i = 0; i < 4; i++) REQUIRE(unlink(path[i]) == 0);
    REQUIRE(rmdir("set/a") == 0 && rmdir("set/b") == 0 && rmdir("set/c") == 0 &&
            rmdir("set/.git") == 0 && rmdir("set") == 0);
}

static void classes_and_files_come_in_the_order_of_their_names(void)
{
    AUTO(dataset_free) struct dataset data = {0};
    struct data_error why = {{0}};
    CHECK_OK(folder_read(&data, "set", &small, &why));
    REQUIRE(data.pixel != NULL);
    CHECK_NUMBER(3, data.n);
    CHECK_NUMBER(3, data.classes);
    CHECK_BYTES(((const uint8_t[]){0, 2, 2}), data.label, 3);
    CHECK_NUMBER(4, dataset_floats(&data));
    CHECK_NUMBER(50, data.pixel[0]);
    CHECK_NUMBER(40, data.pixel[4]);
    CHECK_NUMBER(30, data.pixel[8]);
}

static void check_refused(enum status want, const char *words, const char *folder,
                          const struct data_shape *shape)
{
    struct dataset data = {.n = 77};
    struct data_error why = {{0}};
    CHECK_STATUS(want, folder_read(&data, folder, shape, &why));
    CHECK(data.n == 77 && data.pixel == NULL && data.label == NULL);
    CHECK(strstr(why.text, words) != NULL);
}

static void what_is_no_image_or_no_folder_is_refused_by_name(void)
{
    check_refused(STATUS_IO, "absent", "absent", &small);
    check_refused(STATUS_FORMAT, "no images", "set/.git", &small);
    check_refused(STATUS_IO, "10.JPG", "set/c", &small); /* files instead of classes */
    check_refused(STATUS_RANGE, "not 2", "set", &(struct data_shape){2, 2, 2});
    check_refused(STATUS_RANGE, "4 GiB", "set", &(struct data_shape){1, 65535, 65535});
    const struct view text = {(const uint8_t *)"patients", 8};
    REQUIRE(file_write("set/b/notes.txt", text, 0600) == STATUS_OK);
    check_refused(STATUS_FORMAT, "set/b/notes.txt: the file is neither", "set", &small);
    REQUIRE(unlink("set/b/notes.txt") == 0 && mkdir("set/b/more", 0700) == 0);
    check_refused(STATUS_IO, "set/b/more", "set", &small);
    REQUIRE(rmdir("set/b/more") == 0);
}

static void more_classes_than_labels_have_are_refused(void)
{
    REQUIRE(mkdir("many", 0700) == 0);
    char name[32];
    for (int i = 0; i < 257; i++) {
        (void)snprintf(name, sizeof name, "many/%d", i);
        REQUIRE(mkdir(name, 0700) == 0);
    }
    check_refused(STATUS_RANGE, "256", "many", &small);
    for (int i = 0; i < 257; i++) {
        (void)snprintf(name, sizeof name, "many/%d", i);
        REQUIRE(rmdir(name) == 0);
    }
    REQUIRE(rmdir("many") == 0);
}

static void memory_may_end_anywhere(void)
{
    OOM_EACH {
        AUTO(dataset_free) struct dataset data = {0};
        struct data_error why = {{0}};
        const enum status status = folder_read(&data, "set", &small, &why);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
        CHECK((status == STATUS_OK) == (data.pixel != NULL));
    }
}

int main(void)
{
    char folder[] = "/tmp/veilsum-folder-XXXXXX";
    REQUIRE(mkdtemp(folder) != NULL && chdir(folder) == 0);
    build();
    RUN(classes_and_files_come_in_the_order_of_their_names);
    RUN(what_is_no_image_or_no_folder_is_refused_by_name);
    RUN(more_classes_than_labels_have_are_refused);
    RUN(memory_may_end_anywhere);
    remove_all();
    REQUIRE(rmdir(folder) == 0);
    return check_done();
}
