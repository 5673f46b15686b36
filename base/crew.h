/* SPDX-License-Identifier: Apache-2.0 */
/* Work that is divided among threads. */
#ifndef BASE_CREW_H
#define BASE_CREW_H

#include <stddef.h>

#define CREW_MAX 64

/* Call work once for each of n <= CREW_MAX parts, elements of `bytes` bytes one after the other,
 * each on a thread of its own, and return when all are done. What no thread can be had for, the
 * caller's does: it always does the first. */
void crew_run(void (*work)(void *part), void *parts, size_t bytes, size_t n);

#endif
