/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that do not change any more and that several owners share: a letter on its way, the model
 * that goes to every site. Freed with the last owner. One thread only. */
#ifndef BASE_BLOB_H
#define BASE_BLOB_H

#include "base/bytes.h"

struct blob;

/* Move a buffer's bytes into a blob with one owner; the buffer is emptied also on failure.
 * STATUS_NOMEM  also when the buffer itself had run out of memory while it was written. */
MUST_USE enum status blob_of(struct blob **out, struct buffer *bytes);

/* One owner more; NULL stays NULL. */
struct blob *blob_share(struct blob *blob);

/* Give up ownership; *blob becomes NULL. */
void blob_free(struct blob **blob);

/* Borrowed until the last owner frees it; empty for NULL. */
struct view blob_view(const struct blob *blob);

#endif
