/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that lose power at their N-th fsync (tests/flow/power.c), which is told by its
 * environment:
 *   POWER_FOLDER  what it watches; only an fsync of something in there counts
 *   POWER_AT      N; 0 or missing: never
 *   POWER_HOW     before: with nothing of the N-th fsync; after: with all of it; kill: the process
 *                 dies before it, but the machine goes on, so that every write stays
 *   POWER_COUNT   a file outside that holds the number of fsyncs so far
 *
 * A test is its own victim: crash_everywhere starts the program again as `TEST act FOLDER`, and
 * main begins with
 *   if (argc == 3) return act(argv[2]); */
#ifndef TESTS_LIB_CRASH_H
#define TESTS_LIB_CRASH_H

#include <stddef.h>

enum crash_how { CRASH_NOT, CRASH_BEFORE, CRASH_AFTER, CRASH_KILL };

struct crash {
    const char *folder; /* as the victim left it */
    size_t at;          /* of which fsync it died */
    enum crash_how how;
    size_t steps; /* how often it came to say crash_step */
};
/* Checks what must hold after a crash, and after none. */
typedef void crash_verify(const struct crash *crash);

/* Let the program act undisturbed, then once for every fsync of that and every way to fail, each
 * time in an empty folder, and verify what is left. */
void crash_everywhere(const char *act, crash_verify *verify);

/* Said by the victim: what it did is not to be lost. An fsync of a file of its own follows, so that
 * there is a moment to fail. */
void crash_step(void);

#endif
