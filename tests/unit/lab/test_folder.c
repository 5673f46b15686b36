/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/folder.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/lib/check.h"

static void a_folder_is_ours_alone_and_goes_with_all_that_is_in_it(void)
{
    char path[FILE_PATH_MAX], inner[FILE_PATH_MAX], file[FILE_PATH_MAX];
    struct stat info;
    CHECK_OK(folder_new(path, folder_parent(), "veilsum-test"));
    CHECK(stat(path, &info) == 0 && (info.st_mode & 0777) == 0700);
    CHECK_OK(file_path(inner, sizeof inner, path, "inner"));
    CHECK(mkdir(inner, 0700) == 0);
    CHECK_OK(file_path(file, sizeof file, inner, "file"));
    CHECK_OK(file_write(file, (struct view){(const uint8_t *)"x", 1}, 0600));
    folder_remove(path);
    CHECK(stat(path, &info) != 0);
}

static void a_place_that_is_not_there_is_refused(void)
{
    char path[FILE_PATH_MAX] = "before", name[FILE_PATH_MAX];
    CHECK_STATUS(STATUS_IO, folder_new(path, "/absent/place", "x"));
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = 0;
    CHECK_STATUS(STATUS_RANGE, folder_new(path, "/tmp", name));
    CHECK(strcmp(path, "before") == 0);
}

static void temporary_files_go_where_the_user_says(void)
{
    CHECK(setenv("TMPDIR", "/some/where", 1) == 0);
    CHECK(strcmp(folder_parent(), "/some/where") == 0);
    CHECK(unsetenv("TMPDIR") == 0);
    CHECK(strcmp(folder_parent(), "/tmp") == 0);
}

int main(void)
{
    RUN(a_folder_is_ours_alone_and_goes_with_all_that_is_in_it);
    RUN(a_place_that_is_not_there_is_refused);
    RUN(temporary_files_go_where_the_user_says);
    return check_done();
}
