/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/history.h"

#include <stdlib.h>

void history_free(struct history *history)
{
    free(history->transcript);
    free(history->end);
    buffer_free(&history->blobs);
    *history = (struct history){0};
}

/* Twice as much each time, so that a long study does not copy all of it every round. */
static enum status make_room(struct history *history)
{
    if (history->n < history->room) return STATUS_OK;
    const size_t room = history->room == 0 ? 16 : 2 * (size_t)history->room;
    struct hash *transcript = realloc(history->transcript, room * sizeof *transcript);
    if (transcript == NULL) return STATUS_NOMEM;
    history->transcript = transcript;
    size_t *end = realloc(history->end, room * sizeof *end);
    if (end == NULL) return STATUS_NOMEM;
    history->end = end;
    history->room = (uint32_t)room;
    return STATUS_OK;
}

enum status history_add(struct history *history, const struct result *result,
                        struct view result_bytes)
{
    TRY(make_room(history));
    const size_t before = history->blobs.n;
    write_blob(&history->blobs, result_bytes.at, result_bytes.n);
    if (history->blobs.status != STATUS_OK) {
        history->blobs.n = before;
        history->blobs.status = STATUS_OK;
        return STATUS_NOMEM;
    }
    history->transcript[history->n] = result_transcript(result);
    history->end[history->n++] = history->blobs.n;
    return STATUS_OK;
}

struct hash history_last(const struct history *history)
{
    return history->n == 0 ? (struct hash){0} : history->transcript[history->n - 1];
}

uint32_t history_since(const struct history *history, const struct hash *transcript,
                       struct view *results)
{
    /* From the back: a site that is up to date is found at once. */
    uint32_t known = history->n;
    while (known > 0 && !hash_equal(&history->transcript[known - 1], transcript)) known--;
    const size_t start = known == 0 ? 0 : history->end[known - 1];
    *results = (struct view){.at = history->blobs.at == NULL ? NULL : history->blobs.at + start,
                             .n = history->blobs.n - start};
    return history->n - known;
}
