/* SPDX-License-Identifier: Apache-2.0 */
/* Frames over ZeroMQ with CURVE: encrypted, both ends known by their transport keys, reconnecting
 * by itself. One struct for both ends; the only file with sockets.
 *
 * A peer is known by the key that it proved to hold, never by a name that it chose. Frames of one
 * connection arrive whole and in order; what was under way when a connection broke is lost, and
 * LINK_UP says when to begin again. */
#ifndef PROTOCOL_LINK_H
#define PROTOCOL_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"

#define LINK_KEY_BYTES 32
#define LINK_PEERS_MAX 4096
#define LINK_FRAME_BYTES_LEAST 1024
#define LINK_FRAME_BYTES_MOST (1 << 30)

struct link;

/* A public transport key. */
struct link_key {
    uint8_t bytes[LINK_KEY_BYTES];
};

/* A member that is 0 has the value in brackets. */
struct link_settings {
    uint32_t frame_bytes; /* [4 MiB] largest frame sent or received; a larger one costs the sender
                           * its connection */
    uint32_t queue;       /* [256] frames waiting per peer and direction */
    uint32_t retry_ms;    /* [500] before the second attempt to connect; doubled up to 32 times */
    uint32_t attempt_ms;  /* [20000] for one attempt to connect */
    uint32_t beat_ms;     /* [10000] heartbeat; three missed beats end a connection */
    uint32_t linger_ms;   /* [1000] link_free waits so long for frames to leave */
};

/* Listen as the coordinator: "tcp://0.0.0.0:4710"; port 0 or * takes a free one. Only peers whose
 * public key is in the list get in; a peer's number is its place there. The list is copied.
 *
 * secret  the coordinator's transport key.
 *
 * STATUS_RANGE  not a tcp address, a setting out of range, no peers or too many, a key twice.
 * STATUS_IO     the address is taken or not of this machine.
 * STATUS_NOMEM */
MUST_USE enum status link_listen(struct link **out, const char *endpoint,
                                 const uint8_t secret[static LINK_KEY_BYTES], size_t n_peers,
                                 const struct link_key *peer, const struct link_settings *settings);

/* Connect as a site and stay connected; returns at once. The coordinator is peer 0.
 *
 * secret  the site's transport key.
 * server  the coordinator's public key.
 *
 * STATUS_RANGE  not a tcp address or a setting out of range.
 * STATUS_IO     the system gives no socket.
 * STATUS_NOMEM */
MUST_USE enum status link_connect(struct link **out, const char *endpoint,
                                  const uint8_t secret[static LINK_KEY_BYTES],
                                  const uint8_t server[static LINK_KEY_BYTES],
                                  const struct link_settings *settings);

void link_free(struct link **link);

/* Queue a frame for a peer; never waits.
 *
 * STATUS_RANGE  the frame is empty or larger than frame_bytes.
 * STATUS_STATE  the queue is full: poll, then try again.
 * STATUS_IO     the peer is not connected. */
MUST_USE enum status link_send(struct link *link, size_t peer, struct view frame);

enum link_event_kind {
    LINK_NOTHING, /* the time is over, or a signal came */
    LINK_MESSAGE, /* a frame of peer; may still come after its LINK_DOWN */
    LINK_UP,      /* peer connected; again without LINK_DOWN when a new connection replaced one */
    LINK_DOWN,    /* peer's connection ended and no newer one exists */
    LINK_TROUBLE, /* a client's attempt failed for this reason; it tries again by itself */
};

struct link_event {
    enum link_event_kind kind;
    size_t peer;
    struct view frame;  /* borrowed until the next link_poll or link_free */
    enum reason reason; /* REASON_NET_REFUSED, _NET_NOTZMQ, _KEY_SERVER or _KEY_PENDING */
};

/* Wait up to timeout_ms (0: do not, -1: without end) for one event. All reactions to the network
 * happen in here, so call it often. It may return LINK_NOTHING early. */
void link_poll(struct link *link, int timeout_ms, struct link_event *event);

/* Bytes of frames from and to a peer so far. */
uint64_t link_bytes_in(const struct link *link, size_t peer);
uint64_t link_bytes_out(const struct link *link, size_t peer);

/* The port that link_listen took. */
uint16_t link_port(const struct link *link);

#endif
