/* SPDX-License-Identifier: Apache-2.0 */
/* Power failures for tests: a library to preload, whose calls stand before those of the C library.
 * Of every file below a folder it knows the bytes of the last fsync, of the folders the names as of
 * theirs. At a chosen fsync it puts all of that back, which is the least that a disk may keep, and
 * kills its process. Files of stdio and what is written through mmap are not seen.
 * POWER_FOLDER, POWER_AT, POWER_HOW and POWER_COUNT in the environment: tests/lib/crash.h. */
#undef _FILE_OFFSET_BITS /* it would give open the name open64 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SEEN __attribute__((visibility("default")))
#define FILES_MAX 512
#define CHANGES_MAX 1024

struct image {
    bool exists;
    mode_t mode;
    size_t n;
    uint8_t *at; /* owned */
};

/* A file that was written to. Its descriptor stays open: closing it would give up the process's
 * locks on the file, and the number of its inode could come again. */
static struct file {
    dev_t dev;
    ino_t ino;
    int fd;
    bool dirty;
    struct image synced; /* while dirty */
} file[FILES_MAX];
static size_t n_files;

/* A name that appeared, moved or went and whose folder was not synced since. Undone by moving it
 * back or removing it, and by putting back what it stood for. */
static struct change {
    char to[PATH_MAX], from[PATH_MAX]; /* from is empty but for a move */
    struct image old;
} change[CHANGES_MAX];
static size_t n_changes;

static char folder[PATH_MAX]; /* empty: nothing is watched */
static int count_fd = -1;
static long syncs, at;
static enum { BEFORE, AFTER, KILL } how;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

_Noreturn static void fail(const char *what)
{
    (void)dprintf(2, "power: %s\n", what);
    abort();
}

static void need(bool holds, const char *what)
{
    if (!holds) fail(what);
}

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
    if (where == NULL || realpath(where, folder) == NULL) return;
    if (number != NULL) at = strtol(number, NULL, 10);
    how = mode == NULL || strcmp(mode, "before") == 0 ? BEFORE
          : strcmp(mode, "after") == 0                ? AFTER
                                                      : KILL;
    if (count != NULL)
        count_fd = (int)syscall(SYS_openat, AT_FDCWD, count,
                                O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static bool watched(const char *path)
{
    const size_t n = strlen(folder);
    return n > 0 && strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == 0);
}

static bool path_of(int fd, char path[static PATH_MAX])
{
    char link[64];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(link, path, PATH_MAX - 1);
    if (n < 0) return false;
    path[n] = 0;
    return true;
}

/* The absolute path of a name that may not exist yet; false when it is not watched. */
static bool absolute(int dir, const char *name, char out[static PATH_MAX])
{
    if (folder[0] == 0) return false;
    char whole[PATH_MAX] = "", parent[PATH_MAX];
    if (name[0] != '/' && dir != AT_FDCWD && !path_of(dir, whole)) return false;
    const size_t n = strlen(whole);
    if ((size_t)snprintf(whole + n, sizeof whole - n, "%s%s", n > 0 ? "/" : "", name) >=
        sizeof whole - n)
        return false;
    char *slash = strrchr(whole, '/');
    if (slash != NULL) *slash = 0;
    const char *stem = slash == NULL ? whole : slash + 1;
    const char *before = slash == NULL ? "." : slash == whole ? "/" : whole;
    if (realpath(before, parent) == NULL || !watched(parent)) return false;
    return (size_t)snprintf(out, PATH_MAX, "%s/%s", parent, stem) < PATH_MAX;
}

/* --- the bytes of files ----------------------------------------------------------------------- */

static void image_read(struct image *out, int fd)
{
    struct stat info;
    need(fstat(fd, &info) == 0, "fstat");
    *out = (struct image){.exists = true, .mode = info.st_mode & 07777, .n = (size_t)info.st_size};
    out->at = malloc(out->n + 1);
    need(out->at != NULL, "memory");
    for (size_t done = 0; done < out->n;) {
        const ssize_t got = pread(fd, out->at + done, out->n - done, (off_t)done);
        need(got > 0, "pread");
        done += (size_t)got;
    }
}

static void image_write(const struct image *image, int fd)
{
    need(syscall(SYS_ftruncate, fd, 0) == 0, "ftruncate");
    for (size_t done = 0; done < image->n;) {
        const long put = syscall(SYS_pwrite64, fd, image->at + done, image->n - done, done);
        need(put > 0, "pwrite");
        done += (size_t)put;
    }
}

static void image_free(struct image *image)
{
    free(image->at);
    *image = (struct image){0};
}

static struct file *file_find(const struct stat *info)
{
    for (size_t i = 0; i < n_files; i++)
        if (file[i].dev == info->st_dev && file[i].ino == info->st_ino) return &file[i];
    return NULL;
}

/* The file behind a descriptor; NULL when it is none that is watched. */
static struct file *file_of(int fd)
{
    struct stat info;
    char path[PATH_MAX];
    if (folder[0] == 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return NULL;
    struct file *known = file_find(&info);
    if (known != NULL) return known;
    if (!path_of(fd, path) || !watched(path)) return NULL;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const int own = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    need(own >= 0 && n_files < FILES_MAX, "too many files");
    file[n_files] = (struct file){.dev = info.st_dev, .ino = info.st_ino, .fd = own};
    return &file[n_files++];
}

/* Before a file is changed. */
static void soil(int fd)
{
    struct file *changed = file_of(fd);
    if (changed == NULL || changed->dirty) return;
    image_read(&changed->synced, changed->fd);
    changed->dirty = true;
}

/* --- the names in folders --------------------------------------------------------------------- */

/* What a disk has of the file that a name stands for. */
static struct image name_image(const char *path)
{
    struct image image = {0};
    struct stat info;
    if (lstat(path, &info) != 0 || !S_ISREG(info.st_mode)) return image;
    const struct file *known = file_find(&info);
    if (known != NULL && known->dirty) {
        image = known->synced;
        image.at = malloc(image.n + 1);
        need(image.at != NULL, "memory");
        memcpy(image.at, known->synced.at, image.n);
        return image;
    }
    const int fd =
        known != NULL ? known->fd : (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    need(fd >= 0, "open");
    image_read(&image, fd);
    if (known == NULL) (void)close(fd);
    return image;
}

static void change_add(const char *to, const char *from, struct image *old)
{
    need(n_changes < CHANGES_MAX, "too many changes of names");
    struct change *made = &change[n_changes++];
    (void)snprintf(made->to, sizeof made->to, "%s", to);
    (void)snprintf(made->from, sizeof made->from, "%s", from);
    made->old = *old;
    *old = (struct image){0};
}

static void change_undo(const struct change *made)
{
    if (made->from[0] != 0)
        (void)syscall(SYS_renameat2, AT_FDCWD, made->to, AT_FDCWD, made->from, 0);
    else
        (void)syscall(SYS_unlinkat, AT_FDCWD, made->to, 0);
    if (!made->old.exists) return;
    const int fd = (int)syscall(SYS_openat, AT_FDCWD, made->to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    need(fd >= 0, "open");
    image_write(&made->old, fd);
    (void)fchmod(fd, made->old.mode);
}

static bool lies_in(const char *path, const char *parent)
{
    const size_t n = strlen(parent);
    return strncmp(path, parent, n) == 0 && path[n] == '/' && strchr(path + n + 1, '/') == NULL;
}

/* --- failure ---------------------------------------------------------------------------------- */

/* The shared memory of a SQLite journal is not written to disk at all. */
static void drop_shm(void)
{
    DIR *dir = opendir(folder);
    need(dir != NULL, "opendir");
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        const size_t n = strlen(entry->d_name);
        if (n > 4 && strcmp(entry->d_name + n - 4, "-shm") == 0)
            (void)syscall(SYS_unlinkat, dirfd(dir), entry->d_name, 0);
    }
}

_Noreturn static void fail_power(void)
{
    if (how != KILL) {
        for (size_t i = 0; i < n_files; i++)
            if (file[i].dirty) image_write(&file[i].synced, file[i].fd);
        while (n_changes > 0) change_undo(&change[--n_changes]);
        drop_shm();
    }
    for (;;) (void)kill(getpid(), SIGKILL);
}

static void synced(int fd)
{
    struct stat info;
    char path[PATH_MAX];
    struct file *clean = file_of(fd);
    if (clean != NULL) {
        clean->dirty = false;
        image_free(&clean->synced);
    } else if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode) && path_of(fd, path)) {
        size_t left = 0;
        for (size_t i = 0; i < n_changes; i++)
            if (lies_in(change[i].to, path))
                image_free(&change[i].old);
            else
                change[left++] = change[i];
        n_changes = left;
    }
}

static int sync_one(long number, int fd)
{
    char path[PATH_MAX];
    if (folder[0] == 0 || !path_of(fd, path) || !watched(path)) return (int)syscall(number, fd);
    LOCKED;
    syncs++;
    char text[32];
    const int n = snprintf(text, sizeof text, "%ld\n", syncs);
    if (count_fd >= 0) (void)syscall(SYS_pwrite64, count_fd, text, n, 0);
    if (syncs == at && how != AFTER) fail_power();
    synced(fd); /* the machine itself does not fail: what the disk has does not matter */
    if (syncs == at) fail_power();
    return 0;
}

/* --- the calls -------------------------------------------------------------------------------- */

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
    const bool ours = (flags & (O_CREAT | O_TRUNC)) != 0 && absolute(dir, name, path);
    const bool was = ours && lstat(path, &info) == 0;
    if (was && (flags & O_TRUNC) != 0 && (flags & O_EXCL) == 0 && S_ISREG(info.st_mode)) {
        const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
        if (fd >= 0) soil(fd); /* stays open, for its locks */
    }
    const int fd = (int)syscall(SYS_openat, dir, name, flags, mode);
    if (fd >= 0 && ours && !was) change_add(path, "", &(struct image){0});
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
    soil(fd);
    return syscall(SYS_write, fd, bytes, n);
}

SEEN ssize_t writev(int fd, const struct iovec *part, int n)
{
    LOCKED;
    soil(fd);
    return syscall(SYS_writev, fd, part, n);
}

SEEN ssize_t pwrite(int fd, const void *bytes, size_t n, off_t where)
{
    LOCKED;
    soil(fd);
    return syscall(SYS_pwrite64, fd, bytes, n, where);
}

SEEN int ftruncate(int fd, off_t n)
{
    LOCKED;
    soil(fd);
    return (int)syscall(SYS_ftruncate, fd, n);
}

SEEN int unlinkat(int dir, const char *name, int flags)
{
    LOCKED;
    char path[PATH_MAX];
    struct image old = {0};
    const bool ours = absolute(dir, name, path);
    if (ours) old = name_image(path);
    const int result = (int)syscall(SYS_unlinkat, dir, name, flags);
    if (result == 0 && old.exists) change_add(path, "", &old);
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
    const bool ours = absolute(from_dir, from, source) && absolute(to_dir, to, target);
    if (ours) old = name_image(target);
    const int result = (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
    if (result == 0 && ours) change_add(target, source, &old);
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
    const bool ours = absolute(to_dir, to, path);
    const int result = (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
    if (result == 0 && ours) change_add(path, "", &(struct image){0});
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
SAME(ftruncate64, ftruncate);
