/* SPDX-License-Identifier: Apache-2.0 */
/* A coordinator who has the keys of all sites but one, and the letters it can make for that one
 * from what the site has accepted so far. */
#ifndef TESTS_EXHAUST_HOSTILE_H
#define TESTS_EXHAUST_HOSTILE_H

#include "tests/lib/forge.h"

#define SITES 3
#define SITE 0
#define PLANS 2

enum what {
    OPENING_1,
    OPENING_2,
    ROSTER_ALL,
    ROSTER_TWO,
    INBOX_ALL,
    INBOX_TWO,
    SURVIVORS_ALL,
    SURVIVORS_TWO,
    QUORUM_SAME,
    QUORUM_OTHER,
    RESULT,
    ABORT,
    DEADLINE,
    AGAIN, /* and the number of the kind */
};

/* What the site let out in one session: each letter once, or again with the same bytes. */
struct released {
    bool input, confirm, unmask;
    struct hash input_letter, confirm_letter, unmask_letter;
    struct hash confirm_hash;
    bool pair[SITES], self[SITES];
};

/* The first letter of a kind that was accepted, kept to be said again. */
struct kept {
    struct buffer bytes;
    uint8_t mark[4]; /* the plan and sets that it belongs to */
};

struct hostile {
    struct arena arena;
    struct plan plan[PLANS];
    struct buffer opening[PLANS];
    struct buffer shares[SITES]; /* as dealt last */
    struct buffer digest;        /* that the site signed last */
    struct kept kept[MSG_KIND_COUNT];
    struct released released[PLANS];
};

/* Append a letter; again: none. */
void hostile_write(struct hostile *h, enum what what, struct buffer *out);

#endif
