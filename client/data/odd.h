/* SPDX-License-Identifier: Apache-2.0 */
/* What is odd about a set of records: counts of what is often a mistake in an export. */
#ifndef CLIENT_DATA_ODD_H
#define CLIENT_DATA_ODD_H

#include <stdbool.h>

#include "client/data/data.h"

struct odd {
    size_t black;     /* records of which all pixels are 0 */
    size_t flat;      /* of one other value */
    size_t saturated; /* other records with half of the pixels or more at 255 */
    size_t keys;      /* different keys */
    size_t held[256]; /* records per label */
    size_t dead;      /* pixels that are the same in all records: features that say nothing */
};

struct odd odd_of(const struct dataset *data);

/* Records of the key that has most; 0 without keys. What protects one record protects them together
 * that much less. */
size_t odd_most_of_key(const struct dataset *data);

/* Which counts of labels to hide, for one that is told says who is in it: all below `least`, zeros
 * too; and where that is one alone, which the total would give away, the smallest other one.
 * hide has `classes` places. */
void odd_hide(bool *hide, const size_t *held, size_t classes, size_t least);

#endif
