/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that do n pieces of work which know nothing of each other. */
#ifndef BASE_CREW_H
#define BASE_CREW_H

#include <stdint.h>

#define CREW_MAX 64

typedef void crew_work(void *context, uint32_t i);

/* Do work 0 .. n-1, each once and whole, by up to `threads` threads (0 counts as 1), and return
 * when all is done. Which thread does which, and when, is anybody's guess. */
void crew_run(crew_work *work, void *context, uint32_t n, unsigned threads);

#endif
