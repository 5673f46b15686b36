/* SPDX-License-Identifier: Apache-2.0 */
/* What a state machine wants done: entries for the journal, messages, notes for the log. The driver
 * makes all journal entries durable before it sends the first message, and clears the outbox. */
#ifndef PROTOCOL_OUTBOX_H
#define PROTOCOL_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/reason.h"

#define OUTBOX_SERVER UINT32_MAX /* the address that sites use */

struct letter {
    uint32_t to;        /* member number, or OUTBOX_SERVER */
    struct blob *bytes; /* owned */
};

/* One fact worth a log line; never carries data of a site. */
struct note {
    uint32_t site; /* whom it is about; OUTBOX_SERVER: nobody in particular */
    enum reason reason;
};

struct outbox {
    size_t n_letters, n_notes, n_entries;
    struct letter *letter;
    struct note *note;
    struct buffer *entry; /* journal entries, in order */
};

void outbox_free(struct outbox *out);

/* Move bytes into a letter; bytes is emptied also on failure.
 * STATUS_NOMEM  also when the buffer itself had run out of memory while it was written. */
MUST_USE enum status outbox_send(struct outbox *out, uint32_t to, struct buffer *bytes);
/* Send bytes that somebody else keeps, too. */
MUST_USE enum status outbox_send_again(struct outbox *out, uint32_t to, struct blob *bytes);
MUST_USE enum status outbox_journal(struct outbox *out, struct buffer *entry);
MUST_USE enum status outbox_note(struct outbox *out, uint32_t site, enum reason reason);

#endif
