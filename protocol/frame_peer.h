/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of protocol/frame.h: the two halves of a peer. frame_out.c and frame_in.c have one each,
 * frame.c puts them together. */
#ifndef PROTOCOL_FRAME_PEER_H
#define PROTOCOL_FRAME_PEER_H

#include "crypto/hash.h"
#include "protocol/frame.h"

/* What an offer says. The hash binds the message, so that bytes of two messages never mix. */
struct frame_name {
    uint64_t id; /* no two messages of a link have the same */
    uint32_t total;
    uint32_t
        cut; /* bytes of the head: head and tail are hashed apart, a tail for many peers once */
    struct hash hash;
};

enum frame_out_stage { OUT_NEW, OUT_OFFERED, OUT_GRANTED };

/* Messages to a peer; the stage is that of the first. */
struct frame_out {
    struct parcel *first, *last;
    size_t n;
    enum frame_out_stage stage;
    uint32_t sent, limit;
};

enum frame_in_stage {
    IN_NONE,
    IN_WAITS,  /* offered, has no place yet */
    IN_PLACED, /* bytes come */
    IN_KEPT,   /* the connection broke: bytes wait for the same offer */
    IN_LOST,   /* the place was taken away; what was granted may still come */
};

/* The message of a peer that is under way to us. */
struct frame_in {
    enum frame_in_stage stage;
    struct frame_name name;
    uint8_t *bytes;      /* PLACED and KEPT: total bytes, owned */
    uint32_t got, limit; /* both are whole payloads, or total */
    uint64_t turn;       /* WAITS: lowest first */
    uint64_t moved_ms;   /* PLACED and KEPT: of the last byte */
    uint64_t placed_ms;  /* PLACED and KEPT: when it got its place */
    bool say_grant, say_done, say_revoke;
    uint64_t done_id;
    bool any;
    struct frame_name last; /* delivered; set when any */
};

struct frame_peer {
    bool up, listed;
    size_t next; /* of the ready list */
    struct frame_out out;
    struct frame_in in;
};

struct frames {
    struct frame_settings settings;
    uint64_t now_ms, told_ms;
    uint64_t next_id, next_turn;
    uint64_t pool; /* bytes of places, and lent */
    size_t n_waits;
    uint8_t *lent;
    uint32_t lent_n;
    size_t ready, ready_last; /* peers that may have something to say; n_peers: none */
    size_t n_queued;          /* messages to all peers */
    struct blob *tail;        /* the last one hashed, while anything is queued */
    struct hash tail_hash;
    struct buffer frame; /* its room holds any frame */
    size_t n_peers;
    struct frame_peer peer[];
};

/* The hash of a message whose tail has this hash. */
struct hash frame_hash(struct view head, const struct hash *tail);
struct hash frame_tail_hash(struct view tail);
/* Bytes of the payload at offset: whole payloads, but for the last. */
uint32_t frame_payload(uint32_t total, uint32_t offset);
/* The peer has something to say. */
void frame_wake(struct frames *f, struct frame_peer *peer);

/* Each writes one frame to f->frame, or returns false. */
bool frame_out_next(struct frames *f, struct frame_out *out);
bool frame_in_next(struct frames *f, struct frame_in *in);

/* A connection ended or began. */
void frame_out_cut(struct frame_out *out);
void frame_in_cut(struct frames *f, struct frame_in *in);
/* Also forget the message. */
void frame_out_clear(struct frames *f, struct frame_out *out);
void frame_in_clear(struct frames *f, struct frame_in *in);

/* False: against the rules. */
bool frame_out_granted(struct frame_out *out, struct reader *r);
bool frame_out_done(struct frames *f, struct frame_out *out, struct reader *r);
bool frame_out_revoked(struct frame_out *out, struct reader *r);
bool frame_in_offer(struct frames *f, struct frame_in *in, struct reader *r, struct view *message);
bool frame_in_data(struct frames *f, struct frame_in *in, struct reader *r, struct view *message);

/* Take back what was lent. */
void frame_in_return(struct frames *f);
/* Give places to who waits. */
void frame_in_settle(struct frames *f);

#endif
