/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum status folder_new(char out[static FILE_PATH_MAX], const char *parent, const char *name)
{
    char path[FILE_PATH_MAX];
    const int n = snprintf(path, sizeof path, "%s/%s-XXXXXX", parent, name);
    if (n < 0 || (size_t)n >= sizeof path) return STATUS_RANGE;
    if (mkdtemp(path) == NULL) return STATUS_IO;
    memcpy(out, path, (size_t)n + 1);
    return STATUS_OK;
}

const char *folder_parent(void)
{
    const char *parent = getenv("TMPDIR");
    return parent == NULL ? "/tmp" : parent;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

void folder_remove(const char *path)
{
    (void)nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
