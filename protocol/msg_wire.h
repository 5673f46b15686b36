/* SPDX-License-Identifier: Apache-2.0 */
/* What all message writers and readers share: the prefix and the signature. Private to msg_*.c. */
#ifndef PROTOCOL_MSG_WIRE_H
#define PROTOCOL_MSG_WIRE_H

#include "protocol/msg.h"

/* "SA1" and the kind. */
void wire_begin(struct buffer *out, enum msg_kind kind);
/* Append the signature over out's bytes from `start` on. */
void wire_sign(struct buffer *out, size_t start, const uint8_t *identity);

/* Check prefix and kind, and for signed messages (sender not NULL) the signature; leave the reader
 * at the body. STATUS_FORMAT, STATUS_AUTH. */
MUST_USE enum status wire_open(struct reader *body, struct view in, enum msg_kind kind,
                               const uint8_t *sender);

void write_hash(struct buffer *out, const struct hash *hash);
void read_hash(struct reader *r, struct hash *hash);
void write_path(struct buffer *out, const struct merkle_path *path);
void read_path(struct reader *r, struct merkle_path *path);
/* One byte per site: whether its view is there, then the blob. */
void write_views(struct buffer *out, const struct view *view, uint32_t n);
void read_views(struct reader *r, struct view *view, uint32_t n, size_t limit);

/* Longest signed advert, header or digest. */
#define WIRE_HEAD_MAX 4096u

#endif
