/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/outbox.h"

#include <stdlib.h>

void outbox_free(struct outbox *out)
{
    for (size_t i = 0; i < out->n_letters; i++) blob_free(&out->letter[i].bytes);
    for (size_t i = 0; i < out->n_entries; i++) buffer_free(&out->entry[i]);
    free(out->letter);
    free(out->entry);
    free(out->note);
    *out = (struct outbox){0};
}

enum status outbox_send_again(struct outbox *out, uint32_t to, struct blob *bytes)
{
    struct letter *letter = realloc(out->letter, (out->n_letters + 1) * sizeof *letter);
    if (letter == NULL) return STATUS_NOMEM;
    out->letter = letter;
    out->letter[out->n_letters++] = (struct letter){.to = to, .bytes = blob_share(bytes)};
    return STATUS_OK;
}

enum status outbox_send(struct outbox *out, uint32_t to, struct buffer *bytes)
{
    AUTO(blob_free) struct blob *blob = NULL;
    TRY(blob_of(&blob, bytes));
    return outbox_send_again(out, to, blob);
}

enum status outbox_journal(struct outbox *out, struct buffer *entry)
{
    AUTO(buffer_free) struct buffer mine = *entry;
    *entry = (struct buffer){0};
    TRY(mine.status);
    struct buffer *entries = realloc(out->entry, (out->n_entries + 1) * sizeof *entries);
    if (entries == NULL) return STATUS_NOMEM;
    out->entry = entries;
    out->entry[out->n_entries++] = mine;
    mine = (struct buffer){0};
    return STATUS_OK;
}

enum status outbox_note(struct outbox *out, uint32_t site, enum reason reason)
{
    struct note *note = realloc(out->note, (out->n_notes + 1) * sizeof *note);
    if (note == NULL) return STATUS_NOMEM;
    out->note = note;
    out->note[out->n_notes++] = (struct note){.site = site, .reason = reason};
    return STATUS_OK;
}
