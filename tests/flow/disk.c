/* SPDX-License-Identifier: Apache-2.0 */
#undef _FILE_OFFSET_BITS /* as in power.c */
#include "tests/flow/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILES_MAX 512
#define CHANGES_MAX 1024

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

char disk_folder[PATH_MAX];

_Noreturn static void fail(const char *what)
{
    (void)dprintf(2, "power: %s\n", what);
    abort();
}

static void need(bool holds, const char *what)
{
    if (!holds) fail(what);
}

bool disk_watches(const char *path)
{
    const size_t n = strlen(disk_folder);
    return n > 0 && strncmp(path, disk_folder, n) == 0 && (path[n] == '/' || path[n] == 0);
}

bool disk_path_of(int fd, char path[static PATH_MAX])
{
    char link[64];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(link, path, PATH_MAX - 1);
    if (n < 0) return false;
    path[n] = 0;
    return true;
}

bool disk_absolute(int dir, const char *name, char out[static PATH_MAX])
{
    if (disk_folder[0] == 0) return false;
    char whole[PATH_MAX] = "", parent[PATH_MAX];
    if (name[0] != '/' && dir != AT_FDCWD && !disk_path_of(dir, whole)) return false;
    const size_t n = strlen(whole);
    if ((size_t)snprintf(whole + n, sizeof whole - n, "%s%s", n > 0 ? "/" : "", name) >=
        sizeof whole - n)
        return false;
    char *slash = strrchr(whole, '/');
    if (slash != NULL) *slash = 0;
    const char *stem = slash == NULL ? whole : slash + 1;
    const char *before = slash == NULL ? "." : slash == whole ? "/" : whole;
    if (realpath(before, parent) == NULL || !disk_watches(parent)) return false;
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

void image_free(struct image *image)
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
    if (disk_folder[0] == 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return NULL;
    struct file *known = file_find(&info);
    if (known != NULL) return known;
    if (!disk_path_of(fd, path) || !disk_watches(path)) return NULL;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const int own = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    need(own >= 0 && n_files < FILES_MAX, "too many files");
    file[n_files] = (struct file){.dev = info.st_dev, .ino = info.st_ino, .fd = own};
    return &file[n_files++];
}

void disk_soil(int fd)
{
    struct file *changed = file_of(fd);
    if (changed == NULL || changed->dirty) return;
    image_read(&changed->synced, changed->fd);
    changed->dirty = true;
}

/* --- the names in folders --------------------------------------------------------------------- */

struct image disk_image(const char *path)
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

void disk_change(const char *to, const char *from, struct image *old)
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

/* The shared memory of a SQLite journal is not written to disk at all. */
static void drop_shm(void)
{
    DIR *dir = opendir(disk_folder);
    need(dir != NULL, "opendir");
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        const size_t n = strlen(entry->d_name);
        if (n > 4 && strcmp(entry->d_name + n - 4, "-shm") == 0)
            (void)syscall(SYS_unlinkat, dirfd(dir), entry->d_name, 0);
    }
}

void disk_restore(void)
{
    for (size_t i = 0; i < n_files; i++)
        if (file[i].dirty) image_write(&file[i].synced, file[i].fd);
    while (n_changes > 0) change_undo(&change[--n_changes]);
    drop_shm();
}

void disk_synced(int fd)
{
    struct stat info;
    char path[PATH_MAX];
    struct file *clean = file_of(fd);
    if (clean != NULL) {
        clean->dirty = false;
        image_free(&clean->synced);
    } else if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode) && disk_path_of(fd, path)) {
        size_t left = 0;
        for (size_t i = 0; i < n_changes; i++)
            if (lies_in(change[i].to, path))
                image_free(&change[i].old);
            else
                change[left++] = change[i];
        n_changes = left;
    }
}
