/* SPDX-License-Identifier: Apache-2.0 */
/* A round whose course a string of bytes decides: for fuzzing. Four bytes are one event: what,
 * which letter or party, where in the letter, what is put there. Three sites and a complete graph;
 * the highest bit of the first byte makes it five sites on a ring. */
#ifndef TESTS_LIB_DRIVE_H
#define TESTS_LIB_DRIVE_H

#include "tests/lib/arena.h"

enum drive_what {
    DRIVE_GIVE,
    DRIVE_GIVE_MORE, /* twice as likely */
    DRIVE_LOSE,
    DRIVE_DOUBLE,
    DRIVE_ALTER,        /* change a byte, deliver */
    DRIVE_ALTER_SIGNED, /* change a byte, sign again, deliver */
    DRIVE_CUT_SIGNED,   /* shorten by some bytes, sign again, deliver */
    DRIVE_DEADLINE,
    DRIVE_GREET, /* a site's connection begins anew */
    DRIVE_COUNT
};

/* Let the bytes decide, then let everything run down. up: letters of sites may be altered, else
 * those of the coordinator to site 0. Stops the program when a promise is broken. */
void drive(struct view bytes, bool up);

#endif
