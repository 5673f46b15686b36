/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_fd(int *fd)
{
    if (*fd >= 0) (void)close(*fd);
}

enum status file_read(struct buffer *out, const char *path, size_t limit)
{
    AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return STATUS_IO;
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return STATUS_IO;
    if (info.st_size < 0 || (uint64_t)info.st_size > limit) return STATUS_RANGE;
    AUTO(buffer_wipe) struct buffer in = {0};
    buffer_reserve(&in, (size_t)info.st_size);
    uint8_t block[16384];
    for (;;) {
        ssize_t got = read(fd, block, sizeof block);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return STATUS_IO;
        if (got == 0) break;
        if ((size_t)got > limit - in.n) return STATUS_RANGE;
        write_bytes(&in, block, (size_t)got);
        TRY(in.status);
    }
    if (out->n == 0 && out->status == STATUS_OK) {
        buffer_free(out);
        *out = in;
        in = (struct buffer){0};
        return STATUS_OK;
    }
    write_bytes(out, in.at, in.n);
    return out->status;
}

static enum status write_all(int fd, struct view bytes)
{
    while (bytes.n > 0) {
        ssize_t put = write(fd, bytes.at, bytes.n);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return STATUS_IO;
        bytes.at += put;
        bytes.n -= (size_t)put;
    }
    return STATUS_OK;
}

static enum status sync_folder(const char *path)
{
    char folder[FILE_PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');
    if (slash != NULL) {
        size_t n = slash == path ? 1 : (size_t)(slash - path);
        memcpy(folder, path, n);
        folder[n] = 0;
    }
    AUTO(close_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0 ? STATUS_OK : STATUS_IO;
}

enum status file_write(const char *path, struct view bytes, unsigned mode)
{
    return file_write_parts(path, 1, &bytes, mode);
}

enum status file_write_parts(const char *path, size_t n, const struct view *part, unsigned mode)
{
    char beside[FILE_PATH_MAX];
    int length = snprintf(beside, sizeof beside, "%s.new", path);
    if (length < 0 || (size_t)length >= sizeof beside) return STATUS_RANGE;
    (void)unlink(beside);
    AUTO(close_fd) int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    if (fd < 0) return STATUS_IO;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < n && status == STATUS_OK; i++) status = write_all(fd, part[i]);
    if (status != STATUS_OK || fsync(fd) != 0 || rename(beside, path) != 0) {
        (void)unlink(beside);
        return STATUS_IO;
    }
    return sync_folder(path);
}

enum status file_path(char *out, size_t n, const char *dir, const char *name)
{
    int length = snprintf(out, n, "%s/%s", dir, name);
    return length >= 0 && (size_t)length < n ? STATUS_OK : STATUS_RANGE;
}
