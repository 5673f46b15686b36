/* SPDX-License-Identifier: Apache-2.0 */
/* What a site must not forget: where it stood in each session, and what its patients have spent.
 * SQLite; every entry is on disk before the call returns. A release counts from the moment when its
 * masked input may have left, also when the round failed afterwards. */
#ifndef CLIENT_JOURNAL_H
#define CLIENT_JOURNAL_H

#include "client/session.h"
#include "dp/account.h"

struct journal;

/* As db_open. */
MUST_USE enum status journal_open(struct journal **out, const char *path);
void journal_close(struct journal **journal);

/* Last round that was begun and transcript after the last result; 0 and zeros when new. */
MUST_USE enum status journal_restore(const struct journal *journal, uint32_t *last_round,
                                     struct hash *transcript);

/* Store a session's journal entry. */
MUST_USE enum status journal_entry(struct journal *journal, struct view entry);

/* Reserve what the round releases in the worst case, before noise is drawn. */
MUST_USE enum status journal_reserve(struct journal *journal, uint32_t round, enum step step,
                                     const struct release *worst);
/* The round's result is known: so many noise shares were really there. */
MUST_USE enum status journal_settle(struct journal *journal, uint32_t round, uint32_t n_shares);

/* All releases so far: worst case where no result is known. *releases counts them. */
MUST_USE enum status journal_account(const struct journal *journal, struct account *account,
                                     uint32_t *releases);

#endif
