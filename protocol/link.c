/* SPDX-License-Identifier: Apache-2.0 */
/* ROUTER and DEALER with CURVE. Whom to let in (ZAP) is answered in the caller's thread; how a
 * connection fares is read from a socket monitor. libzmq's own reconnecting is off: it gives up
 * after a refused key, so every attempt is a new socket here, with one rule of back-off. */
#include "protocol/link.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <zmq.h>

#include "base/secret.h"
#include "crypto/kx.h"

#define DOMAIN "veilsum"
#define ENDPOINT_MAX 255
#define ROUTE_MAX 255
#define BACKOFF_DOUBLINGS 5
#define CURVE_OVERHEAD_BYTES 64
#define LISTEN_EVENTS ZMQ_EVENT_DISCONNECTED
#define CONNECT_EVENTS                                                                             \
    (ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED |                             \
     ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |                        \
     ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)

/* How far a client's attempt has come. libzmq queues the events of a connection before its frames
 * and the monitor is read first, so it only moves forward. */
enum stage { STAGE_DIAL, STAGE_SHAKE, STAGE_GREET, STAGE_UP };

struct peer {
    struct link_key key;      /* of the allow-list */
    uint8_t route[ROUTE_MAX]; /* ROUTER's name of the latest connection */
    size_t route_n;
    int fd; /* of that connection; -1 when it ended */
    uint64_t in, out;
};

struct link {
    bool listens;
    struct link_settings settings;
    char endpoint[ENDPOINT_MAX + 1];
    uint8_t secret[LINK_KEY_BYTES], server[LINK_KEY_BYTES];
    void *context, *socket, *monitor;
    unsigned monitors; /* made so far: each has its own address */
    zmq_msg_t frame;   /* lent to the caller by the last link_poll */
    size_t n_peers;
    struct peer *peer;
    uint16_t port;
    void *zap; /* listening: answers who may come in */
    int timer; /* connecting: ends an attempt, or the pause before the next */
    enum stage stage;
    unsigned failures; /* in a row */
    bool failed;       /* the attempt is over; its last frames are being read */
    enum reason why;
};

/* Errors of libzmq that are not the caller's reaction to choose. */
static enum status status_of_errno(void)
{
    return errno == ENOMEM ? STATUS_NOMEM : STATUS_IO;
}

static enum status set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0 ? STATUS_OK : STATUS_IO;
}

static enum status set_bytes(void *socket, int option, const void *value, size_t n)
{
    return zmq_setsockopt(socket, option, value, n) == 0 ? STATUS_OK : STATUS_IO;
}

static enum status socket_new(struct link *link, int type)
{
    const struct link_settings *s = &link->settings;
    link->socket = zmq_socket(link->context, type);
    if (link->socket == NULL) return status_of_errno();
    int64_t most = (int64_t)s->frame_bytes + CURVE_OVERHEAD_BYTES;
    TRY(set_bytes(link->socket, ZMQ_MAXMSGSIZE, &most, sizeof most));
    TRY(set_int(link->socket, ZMQ_SNDHWM, (int)s->queue));
    TRY(set_int(link->socket, ZMQ_RCVHWM, (int)s->queue));
    TRY(set_int(link->socket, ZMQ_LINGER, (int)s->linger_ms));
    TRY(set_int(link->socket, ZMQ_IPV6, 1));
    TRY(set_int(link->socket, ZMQ_TCP_KEEPALIVE, 1));
    TRY(set_int(link->socket, ZMQ_HEARTBEAT_IVL, (int)s->beat_ms));
    TRY(set_int(link->socket, ZMQ_HEARTBEAT_TIMEOUT, 3 * (int)s->beat_ms));
    return set_bytes(link->socket, ZMQ_CURVE_SECRETKEY, link->secret, LINK_KEY_BYTES);
}

static enum status monitor_new(struct link *link, int events)
{
    char address[32];
    snprintf(address, sizeof address, "inproc://monitor-%u", link->monitors++);
    if (zmq_socket_monitor(link->socket, address, events) != 0) return status_of_errno();
    link->monitor = zmq_socket(link->context, ZMQ_PAIR);
    if (link->monitor == NULL) return status_of_errno();
    TRY(set_int(link->monitor, ZMQ_LINGER, 0));
    return zmq_connect(link->monitor, address) == 0 ? STATUS_OK : status_of_errno();
}

static void sockets_close(struct link *link)
{
    if (link->socket != NULL) {
        zmq_socket_monitor(link->socket, NULL, 0);
        zmq_close(link->socket);
    }
    if (link->monitor != NULL) zmq_close(link->monitor);
    link->socket = link->monitor = NULL;
}

void link_free(struct link **link)
{
    struct link *l = *link;
    if (l == NULL) return;
    zmq_msg_close(&l->frame);
    sockets_close(l);
    if (l->zap != NULL) zmq_close(l->zap);
    while (l->context != NULL && zmq_ctx_term(l->context) != 0 && errno == EINTR) continue;
    if (l->timer >= 0) close(l->timer);
    secret_wipe(l->secret, sizeof l->secret);
    free(l->peer);
    free(l);
    *link = NULL;
}

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value == 0 ? otherwise : value;
}

/* What both ends have before they have sockets. */
static enum status link_new(struct link **out, const char *endpoint,
                            const uint8_t secret[static LINK_KEY_BYTES], size_t n_peers,
                            const struct link_settings *settings)
{
    const struct link_settings s = {
        .frame_bytes = or_default(settings->frame_bytes, 4 << 20),
        .queue = or_default(settings->queue, 256),
        .retry_ms = or_default(settings->retry_ms, 500),
        .attempt_ms = or_default(settings->attempt_ms, 20000),
        .beat_ms = or_default(settings->beat_ms, 10000),
        .linger_ms = or_default(settings->linger_ms, 1000),
    };
    const uint32_t day_ms = 86400000;
    if (s.frame_bytes < LINK_FRAME_BYTES_LEAST || s.frame_bytes > LINK_FRAME_BYTES_MOST ||
        s.queue > 1 << 20 || s.retry_ms > day_ms || s.attempt_ms > day_ms || s.beat_ms > day_ms ||
        s.linger_ms > day_ms || n_peers == 0 || n_peers > LINK_PEERS_MAX ||
        strncmp(endpoint, "tcp://", 6) != 0 || strlen(endpoint) > ENDPOINT_MAX)
        return STATUS_RANGE;

    AUTO(link_free) struct link *link = calloc(1, sizeof *link);
    if (link == NULL) return STATUS_NOMEM;
    link->settings = s;
    link->timer = -1;
    zmq_msg_init(&link->frame);
    memcpy(link->endpoint, endpoint, strlen(endpoint) + 1);
    memcpy(link->secret, secret, LINK_KEY_BYTES);
    link->peer = calloc(n_peers, sizeof *link->peer);
    if (link->peer == NULL) return STATUS_NOMEM;
    link->n_peers = n_peers;
    for (size_t i = 0; i < n_peers; i++) link->peer[i].fd = -1;
    link->context = zmq_ctx_new();
    if (link->context == NULL) return status_of_errno();
    *out = link;
    link = NULL;
    return STATUS_OK;
}

/* Listening */

static size_t peer_of_key(const struct link *link, const void *key)
{
    size_t i = 0;
    while (i < link->n_peers && memcmp(link->peer[i].key.bytes, key, LINK_KEY_BYTES) != 0) i++;
    return i;
}

static enum status bind_endpoint(struct link *link)
{
    if (zmq_bind(link->socket, link->endpoint) != 0)
        return errno == EINVAL ? STATUS_RANGE : status_of_errno();
    char bound[ENDPOINT_MAX + 1] = "";
    size_t n = sizeof bound;
    if (zmq_getsockopt(link->socket, ZMQ_LAST_ENDPOINT, bound, &n) != 0) return STATUS_IO;
    const char *colon = strrchr(bound, ':');
    REQUIRE(colon != NULL);
    link->port = (uint16_t)strtoul(colon + 1, NULL, 10);
    return STATUS_OK;
}

enum status link_listen(struct link **out, const char *endpoint,
                        const uint8_t secret[static LINK_KEY_BYTES], size_t n_peers,
                        const struct link_key *peer, const struct link_settings *settings)
{
    AUTO(link_free) struct link *link = NULL;
    TRY(link_new(&link, endpoint, secret, n_peers, settings));
    link->listens = true;
    for (size_t i = 0; i < n_peers; i++) {
        link->peer[i].key = peer[i];
        if (peer_of_key(link, peer[i].bytes) != i) return STATUS_RANGE;
    }
    link->zap = zmq_socket(link->context, ZMQ_REP);
    if (link->zap == NULL) return status_of_errno();
    TRY(set_int(link->zap, ZMQ_LINGER, 0));
    if (zmq_bind(link->zap, "inproc://zeromq.zap.01") != 0) return status_of_errno();
    TRY(socket_new(link, ZMQ_ROUTER));
    TRY(set_int(link->socket, ZMQ_CURVE_SERVER, 1));
    TRY(set_int(link->socket, ZMQ_HANDSHAKE_IVL, (int)link->settings.attempt_ms));
    TRY(set_bytes(link->socket, ZMQ_ZAP_DOMAIN, DOMAIN, strlen(DOMAIN)));
    TRY(set_int(link->socket, ZMQ_ROUTER_MANDATORY, 1)); /* a send to nobody is an error */
    TRY(monitor_new(link, LISTEN_EVENTS));
    TRY(bind_endpoint(link));
    *out = link;
    link = NULL;
    return STATUS_OK;
}

/* Read one whole message of up to `most` parts; the rest of a longer one is thrown away. Returns
 * the number of parts it had, or 0 when none was waiting. */
static size_t receive(void *socket, zmq_msg_t *part, size_t most)
{
    size_t n = 0;
    bool more = true;
    while (more) {
        zmq_msg_t spare;
        zmq_msg_init(&spare);
        zmq_msg_t *at = n < most ? &part[n] : &spare;
        if (zmq_msg_recv(at, socket, ZMQ_DONTWAIT) < 0) return 0;
        more = zmq_msg_more(at) != 0;
        zmq_msg_close(&spare);
        n++;
    }
    return n;
}

#define PARTS_MAX 7

struct parts {
    zmq_msg_t at[PARTS_MAX];
};

static void parts_init(struct parts *parts)
{
    for (size_t i = 0; i < PARTS_MAX; i++) zmq_msg_init(&parts->at[i]);
}

static void parts_free(struct parts *parts)
{
    for (size_t i = 0; i < PARTS_MAX; i++) zmq_msg_close(&parts->at[i]);
}

static bool part_is(zmq_msg_t *part, const char *text)
{
    return zmq_msg_size(part) == strlen(text) &&
           memcmp(zmq_msg_data(part), text, strlen(text)) == 0;
}

/* Answer one request of RFC 27: version, request, domain, address, identity, mechanism, key. */
static bool zap_answer(struct link *link)
{
    AUTO(parts_free) struct parts ask = {0};
    parts_init(&ask);
    size_t n = receive(link->zap, ask.at, 7);
    if (n == 0) return false;
    bool curve = n == 7 && part_is(&ask.at[0], "1.0") && part_is(&ask.at[2], DOMAIN) &&
                 part_is(&ask.at[5], "CURVE") && zmq_msg_size(&ask.at[6]) == LINK_KEY_BYTES;
    size_t peer = curve ? peer_of_key(link, zmq_msg_data(&ask.at[6])) : link->n_peers;
    bool known = peer < link->n_peers;
    char user[24] = "";
    if (known) snprintf(user, sizeof user, "%zu", peer);
    const char *status = known ? "200" : "400", *text = known ? "" : "unknown key";
    zmq_send(link->zap, "1.0", 3, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_msg_send(&ask.at[1], link->zap, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(link->zap, status, 3, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(link->zap, text, strlen(text), ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(link->zap, user, strlen(user), ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(link->zap, "", 0, ZMQ_DONTWAIT);
    return true;
}

/* Read one event of the monitor; false when there is none. */
static bool monitor_read(struct link *link, int *event, int *value)
{
    AUTO(parts_free) struct parts part = {0};
    parts_init(&part);
    if (link->monitor == NULL || receive(link->monitor, part.at, 2) == 0) return false;
    REQUIRE(zmq_msg_size(&part.at[0]) == 6);
    uint16_t kind;
    uint32_t detail;
    memcpy(&kind, zmq_msg_data(&part.at[0]), sizeof kind);
    memcpy(&detail, (const uint8_t *)zmq_msg_data(&part.at[0]) + sizeof kind, sizeof detail);
    *event = kind;
    *value = (int)detail;
    return true;
}

/* The peer that proved its key on the connection a message came from. Without an answer of ours
 * there is no user, so even a connection that had escaped the question would be nobody's. */
static size_t peer_of_message(const struct link *link, zmq_msg_t *message)
{
    const char *user = zmq_msg_gets(message, "User-Id");
    return user == NULL ? link->n_peers : strtoul(user, NULL, 10);
}

static enum status send_to(struct link *link, struct peer *peer, struct view frame)
{
    if (link->listens &&
        zmq_send(link->socket, peer->route, peer->route_n, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
        return errno == EAGAIN ? STATUS_STATE : STATUS_IO;
    if (zmq_send(link->socket, frame.at, frame.n, ZMQ_DONTWAIT) < 0)
        return errno == EAGAIN ? STATUS_STATE : status_of_errno();
    peer->out += frame.n;
    return STATUS_OK;
}

/* A connection's first frame is empty, and is answered with an empty one: so both ends know that
 * the other is there, and a newer connection of a peer takes the place of an older. */
static bool greet(struct link *link, struct peer *peer, zmq_msg_t *route, int fd)
{
    struct peer newer = *peer;
    newer.route_n = zmq_msg_size(route);
    if (newer.route_n > ROUTE_MAX) return false;
    memcpy(newer.route, zmq_msg_data(route), newer.route_n);
    newer.fd = fd;
    if (send_to(link, &newer, (struct view){0}) != STATUS_OK) return false; /* gone already */
    *peer = newer;
    return true;
}

static bool route_is(const struct peer *peer, zmq_msg_t *route)
{
    return zmq_msg_size(route) == peer->route_n &&
           memcmp(zmq_msg_data(route), peer->route, peer->route_n) == 0;
}

/* Take the next message off the ROUTER; false when none waits. event stays LINK_NOTHING when the
 * message was not for the caller. */
static bool listen_read(struct link *link, struct link_event *event)
{
    AUTO(parts_free) struct parts part = {0};
    parts_init(&part);
    size_t n = receive(link->socket, part.at, 2);
    if (n == 0) return false;
    zmq_msg_t *route = &part.at[0], *body = &part.at[1];
    size_t number = n == 2 ? peer_of_message(link, body) : link->n_peers;
    if (number >= link->n_peers) return true;
    struct peer *peer = &link->peer[number];
    bool current = route_is(peer, route);
    if (zmq_msg_size(body) == 0) {
        if (!current && greet(link, peer, route, zmq_msg_get(body, ZMQ_SRCFD)))
            *event = (struct link_event){.kind = LINK_UP, .peer = number};
        return true;
    }
    if (!current) return true; /* of a connection that was replaced */
    zmq_msg_move(&link->frame, body);
    *event = (struct link_event){
        .kind = LINK_MESSAGE,
        .peer = number,
        .frame = {zmq_msg_data(&link->frame), zmq_msg_size(&link->frame)},
    };
    peer->in += event->frame.n;
    return true;
}

/* The monitor goes first. It tells of a connection's end before the system gives its descriptor to
 * a newer one, so a descriptor always means the connection it is taken for. */
static void listen_step(struct link *link, struct link_event *event)
{
    while (zap_answer(link)) continue;
    int what = 0, fd = 0;
    while (monitor_read(link, &what, &fd)) {
        for (size_t i = 0; i < link->n_peers; i++) {
            if (link->peer[i].fd != fd) continue;
            link->peer[i].fd = -1;
            *event = (struct link_event){.kind = LINK_DOWN, .peer = i};
            return;
        }
    }
    while (event->kind == LINK_NOTHING && listen_read(link, event)) continue;
}

/* Connecting */

static void timer_set(struct link *link, uint64_t ms)
{
    const struct itimerspec after = {
        .it_value = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000}};
    REQUIRE(timerfd_settime(link->timer, 0, &after, NULL) == 0);
}

static enum status attempt_start(struct link *link)
{
    uint8_t own[LINK_KEY_BYTES];
    kx_transport_public(own, link->secret);
    TRY(socket_new(link, ZMQ_DEALER));
    TRY(set_int(link->socket, ZMQ_RECONNECT_IVL, -1));
    TRY(set_int(link->socket, ZMQ_HANDSHAKE_IVL, 0)); /* our timer ends it, with a better reason */
    TRY(set_bytes(link->socket, ZMQ_CURVE_PUBLICKEY, own, sizeof own));
    TRY(set_bytes(link->socket, ZMQ_CURVE_SERVERKEY, link->server, sizeof link->server));
    TRY(monitor_new(link, CONNECT_EVENTS));
    if (zmq_connect(link->socket, link->endpoint) != 0)
        return errno == EINVAL ? STATUS_RANGE : status_of_errno();
    TRY(send_to(link, &link->peer[0], (struct view){0}));
    link->stage = STAGE_DIAL;
    link->failed = false;
    timer_set(link, link->settings.attempt_ms);
    return STATUS_OK;
}

enum status link_connect(struct link **out, const char *endpoint,
                         const uint8_t secret[static LINK_KEY_BYTES],
                         const uint8_t server[static LINK_KEY_BYTES],
                         const struct link_settings *settings)
{
    AUTO(link_free) struct link *link = NULL;
    TRY(link_new(&link, endpoint, secret, 1, settings));
    memcpy(link->server, server, LINK_KEY_BYTES);
    link->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (link->timer < 0) return STATUS_IO;
    TRY(attempt_start(link));
    *out = link;
    link = NULL;
    return STATUS_OK;
}

static void attempt_fail(struct link *link, enum reason why)
{
    if (link->failed) return;
    link->failed = true;
    link->why = why;
}

/* Close the attempt, plan the next one and say what happened. */
static void attempt_end(struct link *link, struct link_event *event)
{
    bool was_up = link->stage == STAGE_UP;
    *event = (struct link_event){.kind = was_up ? LINK_DOWN : LINK_TROUBLE,
                                 .reason = was_up ? REASON_NONE : link->why};
    if (link->socket != NULL) (void)set_int(link->socket, ZMQ_LINGER, 0);
    sockets_close(link);
    unsigned doublings = link->failures < BACKOFF_DOUBLINGS ? link->failures : BACKOFF_DOUBLINGS;
    link->failures = was_up ? 0 : link->failures + 1;
    link->stage = STAGE_DIAL;
    link->failed = false;
    timer_set(link, (uint64_t)link->settings.retry_ms << doublings);
}

/* What an attempt that broke off at a stage without a better hint tells. */
static enum reason reason_at(enum stage stage)
{
    return stage == STAGE_SHAKE ? REASON_NET_NOTZMQ : REASON_NET_REFUSED;
}

static void timer_step(struct link *link)
{
    uint64_t times = 0;
    if (read(link->timer, &times, sizeof times) != sizeof times) return;
    if (link->socket != NULL)
        attempt_fail(link, reason_at(link->stage));
    else if (attempt_start(link) != STATUS_OK)
        attempt_fail(link, REASON_NET_REFUSED);
}

static void connect_note(struct link *link, int what)
{
    switch (what) {
    case ZMQ_EVENT_CONNECTED:
        link->stage = STAGE_SHAKE;
        break;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        link->stage = STAGE_GREET;
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        attempt_fail(link, REASON_KEY_PENDING);
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: /* it cannot read what is sealed to another key */
        attempt_fail(link, REASON_KEY_SERVER);
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        attempt_fail(link, REASON_NET_NOTZMQ);
        break;
    default: /* closed or disconnected */
        attempt_fail(link, reason_at(link->stage));
        break;
    }
}

static bool connect_read(struct link *link, struct link_event *event)
{
    AUTO(parts_free) struct parts part = {0};
    parts_init(&part);
    size_t n = link->socket == NULL ? 0 : receive(link->socket, part.at, 1);
    if (n == 0) return false;
    if (n > 1) return true;
    if (zmq_msg_size(&part.at[0]) == 0) {
        if (link->stage == STAGE_UP) return true;
        link->stage = STAGE_UP;
        link->failures = 0;
        timer_set(link, 0);
        *event = (struct link_event){.kind = LINK_UP};
        return true;
    }
    zmq_msg_move(&link->frame, &part.at[0]);
    *event = (struct link_event){
        .kind = LINK_MESSAGE,
        .frame = {zmq_msg_data(&link->frame), zmq_msg_size(&link->frame)},
    };
    link->peer[0].in += event->frame.n;
    return true;
}

/* An attempt that failed is only closed when nothing is left to read from it: what a coordinator
 * sent before it went away still counts. */
static void connect_step(struct link *link, struct link_event *event)
{
    int what = 0, value = 0;
    timer_step(link);
    while (monitor_read(link, &what, &value)) connect_note(link, what);
    while (event->kind == LINK_NOTHING && connect_read(link, event)) continue;
    if (event->kind == LINK_NOTHING && link->failed) attempt_end(link, event);
}

/* Both */

void link_poll(struct link *link, int timeout_ms, struct link_event *event)
{
    void (*step)(struct link *, struct link_event *) = link->listens ? listen_step : connect_step;
    zmq_msg_close(&link->frame);
    zmq_msg_init(&link->frame);
    *event = (struct link_event){.kind = LINK_NOTHING};
    step(link, event);
    if (event->kind != LINK_NOTHING || timeout_ms == 0) return;

    zmq_pollitem_t item[3] = {{.fd = link->timer, .events = ZMQ_POLLIN}};
    int n = 1;
    if (link->zap != NULL) item[0].socket = link->zap;
    if (link->socket != NULL) item[n++] = (zmq_pollitem_t){link->socket, 0, ZMQ_POLLIN, 0};
    if (link->monitor != NULL) item[n++] = (zmq_pollitem_t){link->monitor, 0, ZMQ_POLLIN, 0};
    if (zmq_poll(item, n, timeout_ms) > 0) step(link, event); /* a signal or the time: nothing */
}

enum status link_send(struct link *link, size_t peer, struct view frame)
{
    if (!link->listens) peer = 0;
    REQUIRE(peer < link->n_peers);
    if (frame.n == 0 || frame.n > link->settings.frame_bytes) return STATUS_RANGE;
    bool up = link->listens ? link->peer[peer].fd >= 0 : link->stage == STAGE_UP && !link->failed;
    return up ? send_to(link, &link->peer[peer], frame) : STATUS_IO;
}

uint64_t link_bytes_in(const struct link *link, size_t peer)
{
    REQUIRE(peer < link->n_peers);
    return link->peer[peer].in;
}

uint64_t link_bytes_out(const struct link *link, size_t peer)
{
    REQUIRE(peer < link->n_peers);
    return link->peer[peer].out;
}

uint16_t link_port(const struct link *link)
{
    return link->port;
}
