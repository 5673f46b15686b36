/* SPDX-License-Identifier: Apache-2.0 */
/* Messages over ZeroMQ with CURVE: encrypted, both ends known by their transport keys, reconnecting
 * by itself. One struct for both ends; the only file with sockets of ZeroMQ.
 *
 * A peer is known by the key that it proved to hold, never by a name that it chose. Messages arrive
 * whole, verified, in order and once, however often the connection breaks, as long as both links
 * live (protocol/frame.h); LINK_UP says when a connection begins.
 *
 * Memory per peer: what link_send was given until the peer has acknowledged it, in shares of the
 * caller's blobs; FRAME_WINDOW bytes on their way; as much on their way to us; what a hostile peer
 * can add is in protocol/SPEC.md. Over all peers: pool_bytes for messages that are not whole yet.
 */
#ifndef PROTOCOL_LINK_H
#define PROTOCOL_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"

#define LINK_KEY_BYTES 32
#define LINK_PEERS_MAX 4096
#define LINK_MESSAGE_BYTES_MOST (1 << 30)
#define LINK_FILES_SPARE 64 /* open files that link_listen leaves to the rest of the program */

struct link;

/* A public transport key. */
struct link_key {
    uint8_t bytes[LINK_KEY_BYTES];
};

/* A member that is 0 has the value in brackets. */
struct link_settings {
    uint32_t message_bytes; /* [64 MiB] largest message sent or accepted */
    uint64_t pool_bytes;    /* [256 MiB] for partial messages; at least message_bytes is taken */
    uint32_t stall_ms;      /* [30000] a partial message that stands still for so long loses its
                             * place to one that waits */
    uint32_t queue;         /* [256] messages waiting for one peer */
    uint32_t retry_ms;      /* [500] before the second attempt to connect; doubled up to 32 times */
    uint32_t attempt_ms;    /* [20000] for one attempt to connect */
    uint32_t beat_ms;       /* [10000] heartbeat; three missed beats end a connection */
    uint32_t linger_ms;     /* [1000] link_free waits so long for frames to leave */
    /* Of link_connect: "http://host:port" (HTTP CONNECT) or "socks5://host:port". [none] */
    const char *proxy;
    /* File with "user:password" for an http proxy, readable by its owner only. [none] */
    const char *proxy_credentials;
};

/* Listen as the coordinator: "tcp://0.0.0.0:4710"; port 0 or * takes a free one. Only peers whose
 * public key is in the list get in; a peer's number is its place there. The list is copied.
 *
 * secret  the coordinator's transport key.
 *
 * STATUS_RANGE  not a tcp address, a setting out of range, no peers or too many, a key twice.
 * STATUS_IO     the address is taken or not of this machine; or the process may not have
 *               n_peers + LINK_FILES_SPARE open files (RLIMIT_NOFILE).
 * STATUS_NOMEM */
MUST_USE enum status link_listen(struct link **out, const char *endpoint,
                                 const uint8_t secret[static LINK_KEY_BYTES], size_t n_peers,
                                 const struct link_key *peer, const struct link_settings *settings);

/* Connect as a site and stay connected; returns at once. The coordinator is peer 0.
 *
 * secret  the site's transport key.
 * server  the coordinator's public key.
 *
 * STATUS_RANGE   not a tcp address, not a proxy's address or a setting out of range.
 * STATUS_AUTH    the credentials are readable by others.
 * STATUS_FORMAT  the credentials are not one line "user:password".
 * STATUS_IO      the system gives no socket or thread, or the credentials cannot be read.
 * STATUS_NOMEM */
MUST_USE enum status link_connect(struct link **out, const char *endpoint,
                                  const uint8_t secret[static LINK_KEY_BYTES],
                                  const uint8_t server[static LINK_KEY_BYTES],
                                  const struct link_settings *settings);

/* What has not been acknowledged is lost: poll until link_idle first, if it matters. */
void link_free(struct link **link);

/* Queue one message for a peer: the bytes of head, then of tail (NULL: none). Never waits; the link
 * takes a share of each blob until the peer has acknowledged the message.
 *
 * STATUS_RANGE  empty, or larger than message_bytes.
 * STATUS_STATE  the queue is full: poll, then try again.
 * STATUS_IO     the peer is not connected.
 * STATUS_NOMEM */
MUST_USE enum status link_send(struct link *link, size_t peer, struct blob *head,
                               struct blob *tail);

/* Whether the peer has acknowledged every message: nothing of ours waits to leave. */
bool link_idle(const struct link *link, size_t peer);

enum link_event_kind {
    LINK_NOTHING, /* the time is over, or a signal came */
    LINK_MESSAGE, /* a message of peer; may still come after its LINK_DOWN */
    LINK_UP,      /* peer connected; again without LINK_DOWN when a new connection replaced one */
    LINK_DOWN,    /* peer's connection ended and no newer one exists */
    LINK_TROUBLE, /* a client's attempt failed for this reason; it tries again by itself */
};

struct link_event {
    enum link_event_kind kind;
    size_t peer;
    struct view message; /* borrowed until the next link_poll or link_free */
    enum reason reason;  /* REASON_NET_REFUSED, _NET_NOTZMQ, _NET_PROXY, _KEY_SERVER or
                          * _KEY_PENDING */
};

/* Wait up to timeout_ms (0: do not, -1: without end) for one event. All reactions to the network
 * happen in here, so call it often. It may return LINK_NOTHING early. */
void link_poll(struct link *link, int timeout_ms, struct link_event *event);

/* Bytes of frames from and to a peer so far. */
uint64_t link_bytes_in(const struct link *link, size_t peer);
uint64_t link_bytes_out(const struct link *link, size_t peer);

/* How often a peer broke the transport's rules; each time cost it its connection. */
uint64_t link_faults(const struct link *link, size_t peer);

/* The port that link_listen took. */
uint16_t link_port(const struct link *link);

#endif
