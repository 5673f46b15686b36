/* SPDX-License-Identifier: Apache-2.0 */
/* Power failures for tests: a library to preload, whose calls stand before those of the C library.
 * At a chosen fsync it puts back all that the disk need not have yet (tests/flow/disk.h), and kills
 * its process. Files of stdio and what is written through mmap are not seen.
 * POWER_FOLDER, POWER_AT, POWER_HOW and POWER_COUNT in the environment: tests/lib/crash.h. */
#undef _FILE_OFFSET_BITS /* it would give open the name open64 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/flow/disk.h"

#define SEEN __attribute__((visibility("default")))

static int count_fd = -1;
static long syncs, at;
static enum { BEFORE, AFTER, KILL } how;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void unlock(pthread_mutex_t **held)
{
    if (*held != NULL) (void)pthread_mutex_unlock(*held);
}

/* Holds the mutex until the end of the block. */
#define LOCKED                                                                                     \
    __attribute__((cleanup(unlock))) pthread_mutex_t *held_ =                                      \
        (pthread_mutex_lock(&mutex), &mutex);                                                      \
    (void)held_

__attribute__((constructor)) static void begin(void)
{
    const char *where = getenv("POWER_FOLDER"), *count = getenv("POWER_COUNT");
    const char *number = getenv("POWER_AT"), *mode = getenv("POWER_HOW");
    if (where == NULL || realpath(where, disk_folder) == NULL) return;
    if (number != NULL) at = strtol(number, NULL, 10);
    how = mode == NULL || strcmp(mode, "before") == 0 ? BEFORE
          : strcmp(mode, "after") == 0                ? AFTER
                                                      : KILL;
    if (count != NULL)
        count_fd = (int)syscall(SYS_openat, AT_FDCWD, count,
                                O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

_Noreturn static void fail_power(void)
{
    if (how != KILL) disk_restore();
    for (;;) (void)kill(getpid(), SIGKILL);
}

static int sync_one(long number, int fd)
{
    char path[PATH_MAX];
    if (disk_folder[0] == 0 || !disk_path_of(fd, path) || !disk_watches(path))
        return (int)syscall(number, fd);
    LOCKED;
    syncs++;
    char text[32];
    const int n = snprintf(text, sizeof text, "%ld\n", syncs);
    if (count_fd >= 0) (void)syscall(SYS_pwrite64, count_fd, text, n, 0);
    if (syncs == at && how != AFTER) fail_power();
    disk_synced(fd); /* the machine itself does not fail: what the disk has does not matter */
    if (syncs == at) fail_power();
    return 0;
}

SEEN int fsync(int fd)
{
    return sync_one(SYS_fsync, fd);
}

SEEN int fdatasync(int fd)
{
    return sync_one(SYS_fdatasync, fd);
}

static int open_one(int dir, const char *name, int flags, mode_t mode)
{
    LOCKED;
    char path[PATH_MAX];
    struct stat info;
    const bool ours = (flags & (O_CREAT | O_TRUNC)) != 0 && disk_absolute(dir, name, path);
    const bool was = ours && lstat(path, &info) == 0;
    if (was && (flags & O_TRUNC) != 0 && (flags & O_EXCL) == 0 && S_ISREG(info.st_mode)) {
        const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
        if (fd >= 0) disk_soil(fd); /* stays open, for its locks */
    }
    const int fd = (int)syscall(SYS_openat, dir, name, flags, mode);
    if (fd >= 0 && ours && !was) disk_change(path, "", &(struct image){0});
    return fd;
}

static mode_t mode_of(int flags, va_list *rest)
{
    return (flags & O_CREAT) != 0 ? va_arg(*rest, mode_t) : 0;
}

SEEN int open(const char *name, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = mode_of(flags, &rest);
    va_end(rest);
    return open_one(AT_FDCWD, name, flags, mode);
}

SEEN int openat(int dir, const char *name, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = mode_of(flags, &rest);
    va_end(rest);
    return open_one(dir, name, flags, mode);
}

SEEN int creat(const char *name, mode_t mode)
{
    return open_one(AT_FDCWD, name, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

SEEN ssize_t write(int fd, const void *bytes, size_t n)
{
    LOCKED;
    disk_soil(fd);
    return syscall(SYS_write, fd, bytes, n);
}

SEEN ssize_t writev(int fd, const struct iovec *part, int n)
{
    LOCKED;
    disk_soil(fd);
    return syscall(SYS_writev, fd, part, n);
}

SEEN ssize_t pwrite(int fd, const void *bytes, size_t n, off_t where)
{
    LOCKED;
    disk_soil(fd);
    return syscall(SYS_pwrite64, fd, bytes, n, where);
}

SEEN int ftruncate(int fd, off_t n)
{
    LOCKED;
    disk_soil(fd);
    return (int)syscall(SYS_ftruncate, fd, n);
}

SEEN int unlinkat(int dir, const char *name, int flags)
{
    LOCKED;
    char path[PATH_MAX];
    struct image old = {0};
    const bool ours = disk_absolute(dir, name, path);
    if (ours) old = disk_image(path);
    const int result = (int)syscall(SYS_unlinkat, dir, name, flags);
    if (result == 0 && old.exists) disk_change(path, "", &old);
    image_free(&old);
    return result;
}

SEEN int unlink(const char *name)
{
    return unlinkat(AT_FDCWD, name, 0);
}

SEEN int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    LOCKED;
    char source[PATH_MAX], target[PATH_MAX];
    struct image old = {0};
    const bool ours = disk_absolute(from_dir, from, source) && disk_absolute(to_dir, to, target);
    if (ours) old = disk_image(target);
    const int result = (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
    if (result == 0 && ours) disk_change(target, source, &old);
    image_free(&old);
    return result;
}

SEEN int rename(const char *from, const char *to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

SEEN int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    LOCKED;
    char path[PATH_MAX];
    const bool ours = disk_absolute(to_dir, to, path);
    const int result = (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
    if (result == 0 && ours) disk_change(path, "", &(struct image){0});
    return result;
}

SEEN int link(const char *from, const char *to)
{
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* The same under the names of a 64-bit off_t. */
#define SAME(name, as) SEEN __attribute__((alias(#as))) __typeof__(as) name
SAME(open64, open);
SAME(openat64, openat);
SAME(creat64, creat);
SAME(pwrite64, pwrite);
