/* SPDX-License-Identifier: Apache-2.0 */
/* The coordinator's memory: what it writes down before it sends, and how it goes on after a crash.
 * The journal holds what is small; the model, its momentum and a round's running totals are files
 * beside it, named by their hashes in the journal, in this machine's byte order. */
#ifndef AGGREGATOR_RESUME_H
#define AGGREGATOR_RESUME_H

#include "aggregator/course.h"
#include "aggregator/history.h"
#include "aggregator/journal.h"

/* What a study has been through, beside its model. */
struct tale {
    uint32_t last_round;  /* that was begun */
    uint32_t failures;    /* rounds that failed, one after the other */
    uint32_t burnt;       /* rounds that cost budget and gave nothing */
    uint32_t model_round; /* whose files hold the model; 0: still the initial one */
    struct bits banned;   /* sites that were convicted; manifest.n bits; owned */
    struct history history;
};
void tale_free(struct tale *tale);

struct resume {
    const char *folder; /* borrowed */
    struct journal *journal;
    size_t n;
    struct journal_input *input; /* of the phase so far; owned */
};

/* Open the folder's journal. As journal_open. */
MUST_USE enum status resume_open(struct resume *out, const char *folder,
                                 const struct manifest *manifest);
void resume_close(struct resume *resume);

/* Bring back what was journaled: course and tale as the last ended round left them, and the open
 * round as its last ended phase left it (round is empty when none is open).
 *
 * course, tale  begun anew; untouched where nothing was journaled.
 * STATUS_FORMAT  the journal or a file beside it is damaged. STATUS_IO, STATUS_NOMEM. */
MUST_USE enum status resume_restore(struct resume *resume, struct course *course, struct tale *tale,
                                    struct round *round, const struct round_config *config,
                                    uint64_t now_ms);

/* A round was started and nothing of it was sent. */
MUST_USE enum status resume_begin(struct resume *resume, const struct round *round);

/* Remember an input that the round took; it is on disk after resume_phase.
 * bytes  of a message; empty otherwise. STATUS_NOMEM. */
MUST_USE enum status resume_note(struct resume *resume, enum journal_kind kind, uint32_t site,
                                 struct view bytes);

/* The phase changed and the round goes on: on disk before any letter of the new phase leaves.
 * collected: the inputs are in, their totals have to be kept. */
MUST_USE enum status resume_phase(struct resume *resume, const struct round *round, bool collected);

/* The round is over, and course and tale are what came of it. state: the model's bytes, as the next
 * plan names them; after an opened round they are stored as state-N. pen: of the entry in the
 * coordinator's trail. */
MUST_USE enum status resume_end(struct resume *resume, const struct round *round,
                                const struct course *course, struct tale *tale, struct view state,
                                const struct pen *pen);

/* The ledger says what the last round that ended cost: the round ends in the trail. As
 * journal_settled. */
MUST_USE enum status resume_settled(struct resume *resume, const struct manifest *manifest,
                                    const struct pen *pen);

#endif
