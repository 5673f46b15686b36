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
/* A byte that is 0 or 1. */
bool read_flag(struct reader *r);
void write_path(struct buffer *out, const struct merkle_path *path);
void read_path(struct reader *r, struct merkle_path *path);
/* Per view a flag and, where it is not empty, a blob. Reading fills in what is there: view is
 * zeroed before. */
void write_views(struct buffer *out, const struct view *view, uint32_t n);
void read_views(struct reader *r, struct view *view, uint32_t n, size_t limit);

/* u64 size, then the 64-bit words. */
void wire_hash_bits(struct hash_state *state, const struct bits *bits);

/* Longest signed advert, header or digest. */
#define WIRE_HEAD_MAX 4096u

#endif
