/* SPDX-License-Identifier: Apache-2.0 */
/* The budget ledger: a file of signed entries, each with the hash of the one before, that several
 * studies on the same data may share. Nothing is ever changed or taken out. A release is reserved
 * at its worst before its noise is drawn, and counts until it is known how it ended.
 *
 * What keeps it true: an entry is on disk before the call that made it returns; judging and writing
 * are one transaction, so that two studies cannot both take the last of a budget; only the key that
 * opened a study writes for it, so that a stranger's entry can add cost and never take it away. An
 * end that is cut off is seen by whoever remembers a later head. */
#ifndef PROTOCOL_LEDGER_H
#define PROTOCOL_LEDGER_H

#include "base/db.h"
#include "protocol/books.h"

/* A ledger up to its n-th entry. */
struct ledger_head {
    uint64_t n;
    struct hash hash;
};

struct ledger {
    struct db *db;
    const uint8_t *identity; /* own signing seed; secret; borrowed; NULL: only to be read */
    struct ledger_head head;
    struct books books; /* up to head */
};

/* The first entry that does not hold, and what is wrong with it. */
struct ledger_fault {
    uint64_t number;
    const char *what; /* static storage; NULL: none */
};

/* What opens a study's account, and its data set's if that is new (protocol/terms.h). */
struct terms {
    struct ledger_entry set;   /* LEDGER_OPEN; number, previous, time and signer are the ledger's */
    struct ledger_entry study; /* LEDGER_STUDY */
};

/* All calls that return a status: those of db_open, and STATUS_FORMAT when an entry does not hold;
 * then nothing was written, and fault has the entry if the call has one. */

/* Open or create the file, and check every entry, its place in the chain and its signature. */
MUST_USE enum status ledger_open(struct ledger *out, const char *path, const uint8_t *identity,
                                 struct ledger_fault *fault);
void ledger_close(struct ledger *ledger);

/* Check one more entry and add it to the books, of a ledger that is in no file (zero to begin with;
 * ledger_close frees it). STATUS_FORMAT  it does not hold; ledger is as before. */
MUST_USE enum status ledger_take(struct ledger *ledger, struct view bytes, struct view signature,
                                 struct ledger_fault *fault);

/* STATUS_STATE  the ledger does not go on from this head: it is another one, or its end is cut off.
 */
MUST_USE enum status ledger_follows(const struct ledger *ledger, const struct ledger_head *head);

/* Open the accounts of a study, unless they are open: then they are as they were opened.
 * STATUS_STATE  the study was opened by another key, or the data set for another unit. */
MUST_USE enum status ledger_enter(struct ledger *ledger, const struct terms *terms,
                                  uint64_t time_s);

/* Whether a release would be within the limits now. STATUS_BUDGET  it would not; why says which it
 * crosses. STATUS_STATE  there is no such study. */
MUST_USE enum status ledger_bears(struct ledger *ledger, const struct hash *manifest,
                                  const struct release *worst, const struct books_limits *limits,
                                  struct books_refusal *why);

/* Reserve a release, whose noise may be drawn afterwards.
 * STATUS_BUDGET  it would cross a limit; why says which.
 * STATUS_STATE   the study is not this key's, or the round is reserved. In both cases nothing was
 *                written. */
MUST_USE enum status ledger_reserve(struct ledger *ledger, const struct hash *manifest,
                                    uint32_t round, enum step step, const struct release *worst,
                                    const struct books_limits *limits, uint64_t time_s,
                                    struct books_refusal *why);

/* Say what became of a reserved release: the noise shares that there were, or that it never left.
 * STATUS_STATE  it is not reserved, not this key's, or has fewer shares than its worst case. */
MUST_USE enum status ledger_settle(struct ledger *ledger, const struct hash *manifest,
                                   uint32_t round, uint32_t n_shares, uint64_t time_s);
MUST_USE enum status ledger_void(struct ledger *ledger, const struct hash *manifest, uint32_t round,
                                 uint64_t time_s);

#endif
