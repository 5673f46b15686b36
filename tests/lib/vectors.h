/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of a file of vectors, below the first, which says what they are. */
#ifndef TESTS_LIB_VECTORS_H
#define TESTS_LIB_VECTORS_H

#include <stdbool.h>
#include <stdio.h>

struct vectors {
    FILE *file;
    char line[8192];
};

void vectors_open(struct vectors *v, const char *path);
/* Read the next line; after the last the file is closed. Fails where there is no file, and where a
 * line is longer. */
bool vectors_next(struct vectors *v);

#endif
