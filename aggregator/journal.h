/* SPDX-License-Identifier: Apache-2.0 */
/* What the coordinator must not forget. A round is a function of its inputs (aggregator/round.h),
 * so that its journal is their list: the plan, then, phase by phase, what was taken; when a round
 * has ended, its result and what follows from it take their place. SQLite; every call that changes
 * something does it as a whole or not at all, and it is on disk before the call returns. */
#ifndef AGGREGATOR_JOURNAL_H
#define AGGREGATOR_JOURNAL_H

#include "protocol/trail.h"

/* No blob in a journal is longer. */
#define JOURNAL_BYTES_MAX ((size_t)1 << 28)

struct journal;

enum journal_kind {
    JOURNAL_MESSAGE = 1, /* of a site; of a masked input only the signed digest */
    JOURNAL_GONE,        /* the site's connection was lost; no bytes */
    JOURNAL_DEADLINE,    /* the phase's time was over; no site, no bytes */
    JOURNAL_OUT,         /* the site is out of the round; no bytes */
    JOURNAL_BACK,        /* the site's connection is there again; no bytes */
    JOURNAL_KINDS
};

struct journal_input {
    enum journal_kind kind;
    uint32_t site;
    struct buffer bytes; /* owned by whoever has the input */
};

/* All calls that return a status: the statuses of db_open, and
 * STATUS_RANGE   bytes are longer than JOURNAL_BYTES_MAX, or there is no plan; nothing was changed.
 * STATUS_FORMAT  the journal is damaged; the file is left as it is. */

/* Open or create the journal of a study. STATUS_STATE  it belongs to another manifest. */
MUST_USE enum status journal_open(struct journal **out, const char *path,
                                  const struct hash *manifest);
void journal_close(struct journal **journal);

/* A round begins, before anybody hears of its plan.
 * STATUS_STATE  a round is open, or its number is not above that of the last. */
MUST_USE enum status journal_begin(struct journal *journal, uint32_t round, struct view plan);

/* A phase ends, before anybody hears of it: what was taken in it, in order.
 * totals  hash of the running sums once all inputs are in, else NULL; the sums are a file of the
 *         caller's, which is on disk before.
 * STATUS_STATE  no round is open, or it has totals. */
MUST_USE enum status journal_inputs(struct journal *journal, size_t n,
                                    const struct journal_input *input, const struct hash *totals);

/* The open round ends, and its inputs are deleted.
 * result  signed; empty when the round failed.
 * course  all that the study's next rounds depend on; takes the place of the last one.
 * shown   what an auditor will be shown of the round (protocol/trail_round.h).
 * STATUS_STATE  no round is open. */
MUST_USE enum status journal_end(struct journal *journal, struct view result, struct view course,
                                 const struct pen *pen, struct view shown);

/* Once the ledger says what it cost, the last ended round ends in what an auditor will be shown,
 * unless it did; before any round has ended nothing happens.
 * n and server as in trail_round_read. */
MUST_USE enum status journal_settled(struct journal *journal, uint32_t n, const uint8_t *server,
                                     const struct pen *pen);

/* What a coordinator that starts again must know; owned. */
struct journal_past {
    uint32_t last_round;  /* that was begun; 0: none */
    struct buffer course; /* empty: no round has ended */
    size_t n_results;     /* of all rounds that did not fail, in order */
    struct buffer *result;
    struct buffer plan; /* of the open round; empty: none is open, and what follows is empty */
    size_t n_inputs;
    struct journal_input *input; /* in order */
    bool has_totals;
    struct hash totals;
};
void journal_past_free(struct journal_past *past);

/* out is untouched on failure. */
MUST_USE enum status journal_restore(const struct journal *journal, struct journal_past *out);

#endif
