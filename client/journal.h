/* SPDX-License-Identifier: Apache-2.0 */
/* What a site must not forget: where it stood in each session, and what its patients have spent.
 * SQLite; every entry is on disk before the call returns. A release counts from the moment when its
 * masked input may have left, also when the round failed afterwards. */
#ifndef CLIENT_JOURNAL_H
#define CLIENT_JOURNAL_H

#include "client/session.h"
#include "dp/account.h"
#include "protocol/participation.h"

struct journal;

/* As db_open. */
MUST_USE enum status journal_open(struct journal **out, const char *path);
void journal_close(struct journal **journal);

/* Tie the journal to the manifest whose budget it keeps. first: pinning, which begins a new journal
 * or finds one of the same manifest; otherwise it must have been tied before, so that a lost
 * journal is not taken for an empty one. STATUS_STATE  it is tied to another manifest, or to none.
 */
MUST_USE enum status journal_bind(struct journal *journal, const struct hash *manifest, bool first);

/* Last round that was begun and transcript after the last result; 0 and zeros when new. */
MUST_USE enum status journal_restore(const struct journal *journal, uint32_t *last_round,
                                     struct hash *transcript);

/* Store a session's journal entry. */
MUST_USE enum status journal_entry(struct journal *journal, struct view entry);

/* Reserve what the round releases in the worst case, before noise is drawn. */
MUST_USE enum status journal_reserve(struct journal *journal, uint32_t round, enum step step,
                                     const struct release *worst);
/* Store the entry of a round's result, and that so many noise shares were really there: together or
 * not at all. */
MUST_USE enum status journal_result(struct journal *journal, struct view entry, uint32_t n_shares);

/* Store the entry of a confirmation and the survivor set that it confirms: together or not at all.
 */
MUST_USE enum status journal_confirm(struct journal *journal, struct view entry,
                                     const struct bits *survivors);
/* Add all survivor sets that were confirmed. STATUS_FORMAT  one is not of past->n sites. */
MUST_USE enum status journal_past(const struct journal *journal, struct participation *past);

/* All releases so far: worst case where no result is known. *releases counts them. */
MUST_USE enum status journal_account(const struct journal *journal, struct account *account,
                                     uint32_t *releases);

#endif
