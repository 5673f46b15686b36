/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/vectors.h"

#include <string.h>

#include "tests/lib/check.h"

void vectors_open(struct vectors *v, const char *path)
{
    v->file = fopen(path, "r");
    CHECK(v->file != NULL);
    CHECK(v->file != NULL && fgets(v->line, sizeof v->line, v->file) != NULL);
}

bool vectors_next(struct vectors *v)
{
    if (v->file == NULL) return false;
    const bool more = fgets(v->line, sizeof v->line, v->file) != NULL;
    if (more)
        CHECK(strchr(v->line, '\n') != NULL);
    else
        CHECK(feof(v->file) != 0 && fclose(v->file) == 0);
    return more;
}
