/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/forget.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

void forget_db(const char *path)
{
    static const char *const tail[] = {"", "-wal", "-shm"};
    char name[PATH_MAX];
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, tail[i]);
        (void)unlink(name);
    }
}
