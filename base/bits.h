/* SPDX-License-Identifier: Apache-2.0 */
/* A bit set of fixed size: rosters, survivors, keep sets. Bits past n are always zero. */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct bits {
    size_t n;
    uint64_t *word; /* (n + 63) / 64 words, owned */
};

/* Allocate n cleared bits. STATUS_NOMEM leaves out untouched. */
MUST_USE enum status bits_new(struct bits *out, size_t n);
MUST_USE enum status bits_copy(struct bits *out, const struct bits *in);
void bits_free(struct bits *bits);

/* Bug when i >= n. */
void bits_set(struct bits *bits, size_t i);
void bits_clear(struct bits *bits, size_t i);
void bits_fill(struct bits *bits);

/* False when i >= n, so that an index from the wire may be asked for. */
bool bits_has(const struct bits *bits, size_t i);

size_t bits_count(const struct bits *bits);
bool bits_equal(const struct bits *a, const struct bits *b);
/* Every bit of a is in b; false when the sizes differ. */
bool bits_subset(const struct bits *a, const struct bits *b);
/* How many bits both have; 0 when the sizes differ. */
size_t bits_common(const struct bits *a, const struct bits *b);

#endif
