/* SPDX-License-Identifier: Apache-2.0 */
/* Marks for secrets: wiped after use, compared in constant time, and known to memcheck in the
 * constant-time tests (where SECRET makes the bytes "undefined" and a branch on them an error). */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#ifdef VEILSUM_MEMCHECK
#include <valgrind/memcheck.h>
#define SECRET(pointer, bytes) VALGRIND_MAKE_MEM_UNDEFINED((pointer), (bytes))
#define PUBLIC(pointer, bytes) VALGRIND_MAKE_MEM_DEFINED((pointer), (bytes))
#else
#define SECRET(pointer, bytes) ((void)(pointer), (void)(bytes))
#define PUBLIC(pointer, bytes) ((void)(pointer), (void)(bytes))
#endif

/* Overwrite with zeros in a way the compiler keeps; NULL with 0 bytes is fine. */
void secret_wipe(void *at, size_t bytes);

/* Tell whether n bytes are equal. Time depends on n alone. */
bool secret_equal(const void *a, const void *b, size_t n);

#endif
