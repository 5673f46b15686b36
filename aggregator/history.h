/* SPDX-License-Identifier: Apache-2.0 */
/* The signed results of a study so far, so that a site that missed some can follow the transcript
 * from where it stood. */
#ifndef AGGREGATOR_HISTORY_H
#define AGGREGATOR_HISTORY_H

#include "protocol/msg.h"

struct history {
    uint32_t n;
    uint32_t room;           /* allocated, in results */
    struct hash *transcript; /* after result i; owned */
    size_t *end;             /* of result i in blobs; owned */
    struct buffer blobs;
};

void history_free(struct history *history);

/* STATUS_NOMEM  history is as before. */
MUST_USE enum status history_add(struct history *history, const struct result *result,
                                 struct view result_bytes);

/* Transcript after the last result; zeros before the first. */
struct hash history_last(const struct history *history);

/* The results that come after a transcript, as blobs; all of them when it is not known. Returns how
 * many. Borrowed from history until the next history_add. */
uint32_t history_since(const struct history *history, const struct hash *transcript,
                       struct view *results);

#endif
