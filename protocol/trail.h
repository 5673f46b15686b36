/* SPDX-License-Identifier: Apache-2.0 */
/* What a party can show afterwards of each round (protocol/SPEC.md, section 15): a table of signed
 * entries, each with the hash of the one before and with the head of the party's ledger, so that
 * nothing of either can be changed, taken out or put in afterwards without that key, and nothing
 * but the end be cut off. A round that a party began ends in its trail, so that an end that lacks
 * is seen. Nothing in it is secret or computed from records alone. */
#ifndef PROTOCOL_TRAIL_H
#define PROTOCOL_TRAIL_H

#include "base/db.h"
#include "protocol/ledger.h"

#define TRAIL_ENTRY_BYTES_MAX (1u << 26)

enum trail_kind {
    TRAIL_MEMORY = 1, /* a site remembers: an entry of its journal (client/session.h) */
    TRAIL_SENT,       /* a site sends a message of a round */
    TRAIL_ROUND,      /* the coordinator's round is over (trail_round.h) */
    TRAIL_END,        /* a round is over and its writer's ledger says what it cost */
    TRAIL_KINDS
};

struct trail_entry {
    uint64_t number;                   /* from 1 */
    struct hash previous;              /* of the entry before; zero for the first */
    uint64_t time_s;                   /* since 1970 by the writer's clock: for people */
    uint8_t signer[SIGN_PUBLIC_BYTES]; /* who wrote it */
    struct ledger_head ledger;         /* of the writer at that time */
    enum trail_kind kind;
    struct view body; /* borrowed */
};

/* The bytes of an entry, appended. */
void trail_entry_write(struct buffer *out, const struct trail_entry *entry);

/* STATUS_FORMAT  not the bytes of an entry; out is untouched. Its body is borrowed from in. */
MUST_USE enum status trail_entry_read(struct trail_entry *out, struct view in);

/* What the next entry names as the one before. */
struct hash trail_entry_hash(struct view bytes);

void trail_entry_sign(uint8_t signature[static SIGN_BYTES],
                      const uint8_t identity[static SIGN_SEED_BYTES], struct view bytes);
MUST_USE bool trail_entry_signed(const struct trail_entry *entry, struct view bytes,
                                 const uint8_t signature[static SIGN_BYTES]);

/* The body of TRAIL_SENT. */
struct trail_sent {
    uint32_t round;
    enum msg_kind kind;
    uint32_t bytes;
};
void trail_sent_write(struct buffer *out, const struct trail_sent *sent);
/* STATUS_FORMAT  out is untouched. */
MUST_USE enum status trail_sent_read(struct trail_sent *out, struct view in);

/* The body of TRAIL_END. */
struct trail_end {
    uint32_t round;
    enum reason why; /* REASON_NONE: it has a result; else why it has none */
};
void trail_end_write(struct buffer *out, const struct trail_end *end);
/* STATUS_FORMAT  out is untouched. */
MUST_USE enum status trail_end_read(struct trail_end *out, struct view in);

/* --- the table, in a database of its party -----------------------------------------------------
 */

#define TRAIL_SCHEMA                                                                               \
    "CREATE TABLE IF NOT EXISTS trail ("                                                           \
    " number INTEGER PRIMARY KEY, bytes BLOB NOT NULL, signature BLOB NOT NULL) STRICT;"

/* Whoever writes, and when. */
struct pen {
    const uint8_t *identity; /* own signing seed; secret; borrowed */
    uint64_t time_s;
    struct ledger_head ledger;
};

/* Add an entry; within the caller's change.
 * STATUS_FORMAT  the last entry is damaged. Else the statuses of db_run. */
MUST_USE enum status trail_add(struct db *db, const struct pen *pen, enum trail_kind kind,
                               struct view body);

/* Append the body of the last entry of a kind; none is an empty one.
 * STATUS_FORMAT  an entry is damaged. Else the statuses of db_ask. */
MUST_USE enum status trail_last(struct buffer *out, struct db *db, enum trail_kind kind);

#endif
