/* SPDX-License-Identifier: Apache-2.0 */
/* What a site must not forget of a study: where it stood in each session, and up to where it knows
 * its ledger (client/budget.h). SQLite; every entry is on disk before the call returns. */
#ifndef CLIENT_JOURNAL_H
#define CLIENT_JOURNAL_H

#include "client/session.h"
#include "protocol/ledger.h"
#include "protocol/participation.h"
#include "protocol/trail.h"

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

/* Begin a change: what is stored from here on is on disk together when it is committed
 * (base/db.h), or not at all. */
MUST_USE enum status journal_change(struct db_change *out, struct journal *journal);

/* Store a session's journal entry. */
MUST_USE enum status journal_entry(struct journal *journal, struct view entry);

/* Add to what the site can show (protocol/trail.h), which stands in the journal's file. */
MUST_USE enum status journal_show(struct journal *journal, const struct pen *pen,
                                  enum trail_kind kind, struct view body);

/* The last round that ended in what the site can show; 0: none. */
MUST_USE enum status journal_shown_end(const struct journal *journal, uint32_t *round);

/* What there is of a round: its plan was accepted, its input may have left, its result is known.
 */
struct journal_round {
    bool planned, sent, ended;
    uint32_t n_survivors; /* of the result */
};
MUST_USE enum status journal_round(const struct journal *journal, uint32_t round,
                                   struct journal_round *out);
/* In how many rounds the input may have left. */
MUST_USE enum status journal_inputs(const struct journal *journal, uint32_t *rounds);

/* Remember that the ledger reaches so far; and how far it was known to reach: 0 when it was not. */
MUST_USE enum status journal_know(struct journal *journal, const struct ledger_head *head);
MUST_USE enum status journal_head(const struct journal *journal, struct ledger_head *out);

/* Store the entry of a confirmation and the survivor set that it confirms; within a change, for the
 * one without the other is wrong. */
MUST_USE enum status journal_confirm(struct journal *journal, struct view entry,
                                     const struct bits *survivors);
/* Add all survivor sets that were confirmed. STATUS_FORMAT  one is not of past->n sites. */
MUST_USE enum status journal_past(const struct journal *journal, struct participation *past);

#endif
