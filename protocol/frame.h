/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of any size over frames of bounded size, with credit: a state machine without sockets
 * and without a clock, for all peers of one link. Byte layouts: protocol/SPEC.md, "Transport".
 *
 * In each direction one message of a peer is under way at a time: offered, sent as far as the
 * receiver granted, acknowledged. So messages keep their order, a broken connection is taken up at
 * the offset that the receiver names, and nothing is delivered twice.
 *
 * Memory. Sending: what the caller queued (blobs are shared, at most `queue` per peer) and one
 * frame. Receiving: messages under way take at most pool_bytes over all peers, the one that is lent
 * to the caller included; who came first gets a place first. */
#ifndef PROTOCOL_FRAME_H
#define PROTOCOL_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/bytes.h"
#include "base/status.h"

#define FRAME_PAYLOAD_MAX (256 << 10) /* of a message's bytes in one frame */
#define FRAME_SMALL_MAX (64 << 10)    /* a message up to here travels inside its offer */
#define FRAME_WINDOW (1 << 20)        /* most bytes granted ahead of what has come */
#define FRAME_HEAD_MAX 64
#define FRAME_BYTES_MAX (FRAME_PAYLOAD_MAX + FRAME_HEAD_MAX)
/* Frames under way to a peer that keeps the rules, both its messages and answers to ours. */
#define FRAME_FLIGHT_MAX 16

/* A peer that broke the rules is neither heard nor answered before its next frame_up. */
enum frame_kind {
    FRAME_OFFER = 1, /* here is a message; a small one is inside */
    FRAME_GRANT,     /* send these bytes of it */
    FRAME_DATA,      /* bytes */
    FRAME_DONE,      /* delivered: forget it */
    FRAME_REVOKE,    /* others waited too long: its place is lost, offer again */
};

struct frame_settings {
    uint32_t message_bytes; /* largest message, at least 1 */
    uint32_t queue;         /* messages that wait for a peer, at least 1 */
    uint32_t stall_ms;      /* without a byte for so long, a place is lost to who waits;
                             * so it is when the message creeps (SPEC.md, section 12) */
    uint64_t pool_bytes;    /* at least message_bytes */
};

struct frames;

/* All peers are away at first.
 *
 * first_id  random: by its numbers a restarted peer is told from its former self.
 * STATUS_NOMEM */
MUST_USE enum status frame_new(struct frames **out, size_t n_peers,
                               const struct frame_settings *settings, uint64_t first_id);
void frame_free(struct frames **frames);

/* Queue one message: the bytes of head, then of tail (NULL: none). A share of each is kept until
 * the peer has acknowledged the message, over any number of connections.
 *
 * STATUS_RANGE  empty, or larger than message_bytes.
 * STATUS_IO     the peer is away, or broke the rules.
 * STATUS_STATE  `queue` messages wait already.
 * STATUS_NOMEM */
MUST_USE enum status frame_send(struct frames *frames, size_t peer, struct blob *head,
                                struct blob *tail);

/* Whether the peer has acknowledged everything. */
bool frame_idle(const struct frames *frames, size_t peer);

/* A new connection of the peer begins, also in the place of an older one; or none is left. */
void frame_up(struct frames *frames, size_t peer);
void frame_down(struct frames *frames, size_t peer);

/* The next frame to send, and to whom; false when there is none. Peers take turns. The frame is
 * borrowed until the next call of any function here. */
MUST_USE bool frame_next(struct frames *frames, size_t *peer, struct view *frame);

/* Take a frame that came from a peer. When it completes a message, out is the message, borrowed
 * from the frame or until the next frame_take or frame_tick; otherwise out is empty.
 *
 * STATUS_FORMAT  the peer broke the rules; what it was sending is dropped. out is empty. */
MUST_USE enum status frame_take(struct frames *frames, size_t peer, struct view frame,
                                struct view *out);

/* Time goes on: gives free places to who waits, takes them from who stalls. A jump of now_ms while
 * nobody called is nobody's stall. */
void frame_tick(struct frames *frames, uint64_t now_ms);

/* Whether somebody waits for a place, so that frame_tick is needed without any frame. */
bool frame_waiting(const struct frames *frames);

/* Bytes that messages under way hold now. */
uint64_t frame_pool_bytes(const struct frames *frames);

#endif
