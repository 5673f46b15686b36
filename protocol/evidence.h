/* SPDX-License-Identifier: Apache-2.0 */
/* What one party hands to an auditor: who takes part, the study, its trail and its ledger
 * (protocol/SPEC.md, section 15). One file without secrets; its bytes are all that an audit needs.
 */
#ifndef PROTOCOL_EVIDENCE_H
#define PROTOCOL_EVIDENCE_H

#include "protocol/trail.h"

#define EVIDENCE_BYTES_MAX ((size_t)1 << 30)
#define EVIDENCE_STUDY_MAX (1u << 20)

struct evidence_line {
    struct view bytes, signature;
};

struct evidence {
    struct view manifest, study; /* as the files are; borrowed, as all views here */
    size_t n_trail, n_ledger;
    struct evidence_line *trail, *ledger; /* in order; owned */
};
void evidence_free(struct evidence *evidence);

/* Append what a party's folder holds, which is left as it is. A site's policy says where its ledger
 * is. *lacks is the name of the file that stands against it.
 * STATUS_IO, STATUS_RANGE, STATUS_FORMAT  it is missing, too large, or something else.
 * STATUS_NOMEM. */
MUST_USE enum status evidence_collect(struct buffer *out, const char *folder, const char **lacks);

/* The same into a file that others may read. */
MUST_USE enum status evidence_export(const char *path, const char *folder, const char **lacks);

/* STATUS_FORMAT, STATUS_NOMEM; out is untouched. Nothing but the form is checked. */
MUST_USE enum status evidence_read(struct evidence *out, struct view in);

#endif
