/* SPDX-License-Identifier: Apache-2.0 */
/* The least that a disk may keep of a folder: of every file the bytes of its last fsync, of every
 * folder the names as of its last. For power.c, which says what happens; not for several threads.
 */
#ifndef TESTS_FLOW_DISK_H
#define TESTS_FLOW_DISK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* All below it is watched; empty: nothing is. */
extern char disk_folder[PATH_MAX];

bool disk_watches(const char *path);
bool disk_path_of(int fd, char path[static PATH_MAX]);
/* The absolute path of a name that may not exist yet; false when it is not watched. */
bool disk_absolute(int dir, const char *name, char out[static PATH_MAX]);

struct image {
    bool exists;
    mode_t mode;
    size_t n;
    uint8_t *at; /* owned */
};
void image_free(struct image *image);

/* What the disk has of the file that a name stands for; its owner frees it. */
struct image disk_image(const char *path);

/* Before a file is changed. */
void disk_soil(int fd);
/* After a name appeared, or went (old: what it stood for), or was moved (from: not empty). old is
 * moved. */
void disk_change(const char *to, const char *from, struct image *old);
/* A file or a folder was synced. */
void disk_synced(int fd);

/* Put everything back to what the disk has. */
void disk_restore(void);

#endif
