/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static char folder[] = "/tmp/veilsum-file-XXXXXX";
static char path[64], beside[80];

static struct view text(const char *s)
{
    return (struct view){(const uint8_t *)s, strlen(s)};
}

static bool holds(const char *want)
{
    AUTO(buffer_free) struct buffer got = {0};
    return file_read(&got, path, 100) == STATUS_OK && got.n == strlen(want) &&
           memcmp(got.at, want, got.n) == 0;
}

static void what_was_written_is_read(void)
{
    CHECK_OK(file_write(path, text("one"), 0600));
    CHECK(holds("one"));
    CHECK_OK(file_write(path, text("another"), 0600));
    CHECK(holds("another"));
    CHECK(access(beside, F_OK) != 0);
}

static void large_files_arrive_whole(void)
{
    AUTO(buffer_free) struct buffer out = {0}, in = {0};
    for (uint32_t i = 0; i < 50000; i++) write_u32(&out, i * i);
    CHECK_OK(file_write(path, buffer_view(&out), 0600));
    CHECK_OK(file_read(&in, path, out.n));
    CHECK_NUMBER(out.n, in.n);
    CHECK_BYTES(out.at, in.at, out.n);
}

static void reading_appends(void)
{
    AUTO(buffer_free) struct buffer in = {0};
    write_u8(&in, 'x');
    CHECK_OK(file_write(path, text("yz"), 0600));
    CHECK_OK(file_read(&in, path, 2));
    CHECK_NUMBER(3, in.n);
    CHECK_BYTES("xyz", in.at, 3);
}

static void a_file_has_the_mode_that_was_asked_for(void)
{
    struct stat info = {0};
    const mode_t before = umask(022);
    for (size_t i = 0; i < 2; i++) {
        const unsigned mode = (const unsigned[]){0600, 0644}[i];
        CHECK_OK(file_write(path, text("x"), mode));
        CHECK(stat(path, &info) == 0);
        CHECK_NUMBER(mode, info.st_mode & 07777);
    }
    (void)umask(before);
}

static void the_limit_is_kept_and_the_output_untouched(void)
{
    AUTO(buffer_free) struct buffer in = {0};
    write_u8(&in, 'x');
    CHECK_OK(file_write(path, text("four"), 0600));
    CHECK_OK(file_read(&in, path, 4));
    CHECK_STATUS(STATUS_RANGE, file_read(&in, path, 3));
    CHECK_NUMBER(5, in.n);
    CHECK_OK(in.status);
}

static void what_is_no_file_is_refused(void)
{
    AUTO(buffer_free) struct buffer in = {0};
    CHECK_STATUS(STATUS_IO, file_read(&in, "/nowhere/file", 9));
    CHECK_STATUS(STATUS_IO, file_read(&in, folder, 9));
    CHECK_STATUS(STATUS_IO, file_read(&in, "/dev/null", 9));
    CHECK_NUMBER(0, in.n);
}

static void a_write_that_fails_leaves_the_old_file(void)
{
    CHECK_OK(file_write(path, text("old"), 0600));
    CHECK(mkdir(beside, 0700) == 0);
    CHECK_STATUS(STATUS_IO, file_write(path, text("new"), 0600));
    CHECK(rmdir(beside) == 0);
    CHECK(holds("old"));
    CHECK_STATUS(STATUS_IO, file_write("/nowhere/file", text("new"), 0600));
    CHECK_STATUS(STATUS_IO, file_write(folder, text("new"), 0600));
}

/* What a crash left beside the file neither stops the next write nor is followed elsewhere. */
static void a_leftover_is_replaced(void)
{
    char other[80];
    (void)snprintf(other, sizeof other, "%s/other", folder);
    CHECK(symlink(other, beside) == 0);
    CHECK_OK(file_write(path, text("new"), 0600));
    CHECK(holds("new"));
    CHECK(access(other, F_OK) != 0);
}

static void long_paths_are_refused(void)
{
    char name[FILE_PATH_MAX] = {0}, out[8] = "old";
    memset(name, 'a', sizeof name - 1);
    CHECK_STATUS(STATUS_RANGE, file_write(name, text("x"), 0600));
    CHECK_OK(file_path(out, sizeof out, "abc", "def"));
    CHECK(strcmp(out, "abc/def") == 0);
    CHECK_STATUS(STATUS_RANGE, file_path(out, sizeof out, "abc", "defg"));
}

static void running_out_of_memory_leaves_the_bytes(void)
{
    AUTO(buffer_free) struct buffer big = {0};
    for (uint32_t i = 0; i < 20000; i++) write_u32(&big, i);
    CHECK_OK(file_write(path, buffer_view(&big), 0600));
    OOM_EACH {
        AUTO(buffer_free) struct buffer in = {0};
        enum status status = file_read(&in, path, big.n);
        oom_stop();
        if (status == STATUS_OK) continue;
        CHECK_STATUS(STATUS_NOMEM, status);
        CHECK_NUMBER(0, in.n);
    }
}

int main(void)
{
    if (mkdtemp(folder) == NULL) return 1;
    (void)snprintf(path, sizeof path, "%s/file", folder);
    (void)snprintf(beside, sizeof beside, "%s.new", path);
    RUN(what_was_written_is_read);
    RUN(large_files_arrive_whole);
    RUN(reading_appends);
    RUN(a_file_has_the_mode_that_was_asked_for);
    RUN(the_limit_is_kept_and_the_output_untouched);
    RUN(what_is_no_file_is_refused);
    RUN(a_write_that_fails_leaves_the_old_file);
    RUN(a_leftover_is_replaced);
    RUN(long_paths_are_refused);
    RUN(running_out_of_memory_leaves_the_bytes);
    (void)unlink(path);
    (void)rmdir(folder);
    return check_done();
}
