/* SPDX-License-Identifier: Apache-2.0 */
/* Frames without sockets: carried from one table to the other by hand, or made up. */
#ifndef TESTS_UNIT_PROTOCOL_HAND_H
#define TESTS_UNIT_PROTOCOL_HAND_H

#include "protocol/frame.h"

#define HAND_LARGE (3 * FRAME_PAYLOAD_MAX + 5)
#define HAND_STALL_MS 1000

/* Messages and a pool of 4 MiB, a queue of four. */
extern const struct frame_settings hand_settings;

/* Make the bytes of messages; first of all. */
void hand_init(void);

/* A table whose peers are all up. */
struct frames *hand_table(size_t n_peers, uint64_t first_id);

/* Messages are random bytes; a seed says where one begins in them. */
struct blob *hand_blob(uint64_t seed, size_t n);
enum status hand_send(struct frames *f, size_t peer, uint64_t seed, size_t n);
bool hand_is(struct view message, uint64_t seed, size_t n);

/* A frame that nobody may have meant, in a buffer that is emptied before. */
struct view hand_frame(struct buffer *b, enum frame_kind kind, uint64_t id);
struct view hand_offer(struct buffer *b, uint64_t id, uint32_t total, uint32_t cut);
struct view hand_data(struct buffer *b, uint64_t id, uint32_t offset, size_t n);
struct view hand_grant(struct buffer *b, uint64_t id, uint32_t from, uint32_t to);

/* Whether the next frame has this kind, for this peer; whether there is none. */
bool hand_says(struct frames *f, size_t peer, enum frame_kind kind);
bool hand_silent(struct frames *f);

/* Carry one frame from a to b, who has a as peer `from`. */
enum status hand_carry(struct frames *a, struct frames *b, size_t from, struct view *message);
/* Carry all frames both ways between two tables of one peer until b has a message or both are
 * silent. */
struct view hand_carry_all(struct frames *a, struct frames *b);

#endif
