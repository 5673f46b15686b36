/* SPDX-License-Identifier: Apache-2.0 */
/* Letters that their rightful signers signed, but with other content: what a hostile coordinator or
 * site can send. The arena owns all keys. */
#ifndef TESTS_LIB_FORGE_H
#define TESTS_LIB_FORGE_H

#include "tests/lib/arena.h"

/* Alter what a letter of this kind from or to the site says. The change gets the struct of the
 * kind: struct plan (MSG_PLAN, inside MSG_OPENING), struct header (inside MSG_SHARES), struct
 * digest (inside MSG_MASKED), struct forged_survivors, else the struct that the kind's reader
 * makes. */
struct forgery {
    enum msg_kind kind;
    uint32_t site;
    void (*change)(struct arena *a, void *content);
    bool done; /* a letter was altered */
};

struct forged_survivors {
    struct survivors statement;
    struct witness witness;
};

/* An arena_filter whose context is a struct forgery. */
bool forge(struct arena *a, struct flight *flight);

/* The kind of a letter. */
enum msg_kind flight_kind(const struct flight *flight);

/* Whether the letter is the first of a kind from or to the site. */
bool flight_is(const struct flight *flight, enum msg_kind kind, uint32_t site);

/* A statement as a reader is told it, with the root over the survivors' digests (signed; one per
 * member, empty for others) and what it asks to see of them. */
void forge_survivors(const struct arena *a, struct buffer *out, struct survivors *statement,
                     const struct view *digest, uint32_t reader);

/* A quorum of all sites' signatures on a statement, whatever they think of it. */
void forge_quorum(const struct arena *a, struct buffer *out, const struct hash *statement);

#endif
