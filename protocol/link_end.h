/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of protocol/link.h. link.c has what both ends share, link_listen.c and link_connect.c have
 * one end each, link_socket.c what they ask of libzmq. */
#ifndef PROTOCOL_LINK_END_H
#define PROTOCOL_LINK_END_H

#include "protocol/conn.h"
#include "protocol/frame.h"
#include "protocol/link.h"
#include "protocol/proxy.h"

#define LINK_TCP "tcp://"
#define LINK_ENDPOINT_MAX 255
#define LINK_ROUTE_MAX 255

struct zmq_msg_t; /* of libzmq */

/* How far a site's attempt has come. It only moves forward: an event that is read after a frame of
 * the same connection, because both came while the monitor had just been read, is old news. */
enum link_stage { STAGE_DIAL, STAGE_SHAKE, STAGE_GREET, STAGE_UP };

struct link_peer {
    uint8_t route[LINK_ROUTE_MAX]; /* ROUTER's name of the latest connection */
    size_t route_n;
    int fd;       /* of that connection; -1 when it ended */
    bool deaf;    /* it broke the rules: nobody listens to this connection any more */
    bool leaving; /* it ended, and its last frames may still have to be read */
    uint64_t in, out, faults;
};

struct link {
    bool listens;
    struct link_settings settings;
    char endpoint[LINK_ENDPOINT_MAX + 1];
    uint8_t secret[LINK_KEY_BYTES], server[LINK_KEY_BYTES];
    void *context, *socket, *monitor; /* of libzmq */
    unsigned monitors;                /* made so far: each has its own address */
    struct zmq_msg_t *frame;          /* lent to the caller by the last link_poll; owned */
    size_t n_peers;
    struct link_peer *peer;
    struct frames *frames;
    struct conns conns;
    uint64_t watched_ms;
    uint16_t port;
    /* listening */
    void *zap; /* a socket: answers who may come in */
    struct link_enrolled *enrolled;
    size_t n_leaving;
    /* connecting */
    struct proxy *proxy;
    int timer; /* ends an attempt, or the pause before the next */
    enum link_stage stage;
    unsigned failures; /* in a row */
    bool failed;       /* the attempt is over; its last frames are being read */
    enum reason why;
};

/* link_socket.c */

/* What errno says after a call of libzmq: STATUS_NOMEM or STATUS_IO. */
enum status link_errno(void);
MUST_USE enum status link_set_int(void *socket, int option, int value);
MUST_USE enum status link_set_bytes(void *socket, int option, const void *value, size_t n);
/* Make link->socket, with the options that both ends have. */
MUST_USE enum status link_socket_new(struct link *link, int type);
/* Make link->monitor, for these events of link->socket. */
MUST_USE enum status link_monitor_new(struct link *link, int events);
void link_sockets_close(struct link *link);
/* Read one event of the monitor; false when there is none. */
bool link_monitor_read(struct link *link, int *event, int *value);

/* Read one whole message of up to `most` parts; the rest of a longer one is thrown away. Returns
 * the number of parts it had, or 0 when none was waiting. */
size_t link_receive(void *socket, struct zmq_msg_t *part, size_t most);

/* Hand one frame to libzmq. STATUS_STATE: more are waiting already than a peer leaves that keeps
 * the rules. */
MUST_USE enum status link_send_frame(struct link *link, struct link_peer *peer, struct view frame);

/* link.c */

MUST_USE enum status link_new(struct link **out, const char *endpoint,
                              const uint8_t secret[static LINK_KEY_BYTES], size_t n_peers,
                              const struct link_settings *settings);
/* A frame of peer i came; body is emptied. */
void link_take(struct link *link, size_t i, struct zmq_msg_t *body, struct link_event *event);
/* Let out what may go. */
void link_pump(struct link *link);
/* Peer i broke the rules: its connection ends. */
void link_fault(struct link *link, size_t i);

/* link_listen.c and link_connect.c: react to what has happened, until there is an event. */
void link_listen_step(struct link *link, struct link_event *event);
void link_connect_step(struct link *link, struct link_event *event);
/* The site's attempt is over, for this reason unless an earlier one is known. */
void link_attempt_fail(struct link *link, enum reason why);

#endif
