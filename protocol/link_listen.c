/* SPDX-License-Identifier: Apache-2.0 */
/* The coordinator's end: one ROUTER. Whom to let in (ZAP, RFC 27) is answered in the caller's
 * thread, and the answer names the peer in every frame of the connection. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <zmq.h>

#include "protocol/link_end.h"

#define DOMAIN "veilsum"
#define LISTEN_EVENTS (ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED)

/* Who may come in, sorted by key. */
struct link_enrolled {
    struct link_key key;
    size_t peer;
};

static int compare_keys(const void *a, const void *b)
{
    const struct link_enrolled *x = a, *y = b;
    return memcmp(x->key.bytes, y->key.bytes, LINK_KEY_BYTES);
}

/* STATUS_RANGE: a key stands twice. */
static enum status enrol(struct link *link, const struct link_key *key)
{
    link->enrolled = calloc(link->n_peers, sizeof *link->enrolled);
    if (link->enrolled == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < link->n_peers; i++)
        link->enrolled[i] = (struct link_enrolled){.key = key[i], .peer = i};
    qsort(link->enrolled, link->n_peers, sizeof *link->enrolled, compare_keys);
    for (size_t i = 1; i < link->n_peers; i++)
        if (compare_keys(&link->enrolled[i - 1], &link->enrolled[i]) == 0) return STATUS_RANGE;
    return STATUS_OK;
}

/* The peer of a key; n_peers for a stranger's. */
static size_t peer_of_key(const struct link *link, const void *key)
{
    struct link_enrolled wanted = {0};
    memcpy(wanted.key.bytes, key, LINK_KEY_BYTES);
    const struct link_enrolled *found =
        bsearch(&wanted, link->enrolled, link->n_peers, sizeof wanted, compare_keys);
    return found == NULL ? link->n_peers : found->peer;
}

/* Each peer takes a descriptor. */
static bool files_suffice(size_t n_peers)
{
    struct rlimit limit = {0};
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= n_peers + LINK_FILES_SPARE;
}

static enum status bind_endpoint(struct link *link)
{
    if (zmq_bind(link->socket, link->endpoint) != 0)
        return errno == EINVAL ? STATUS_RANGE : link_errno();
    char bound[LINK_ENDPOINT_MAX + 1] = "";
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
    TRY(enrol(link, peer));
    if (!files_suffice(n_peers)) return STATUS_IO;
    link->zap = zmq_socket(link->context, ZMQ_REP);
    if (link->zap == NULL) return link_errno();
    TRY(link_set_int(link->zap, ZMQ_LINGER, 0));
    if (zmq_bind(link->zap, "inproc://zeromq.zap.01") != 0) return link_errno();
    TRY(link_socket_new(link, ZMQ_ROUTER));
    TRY(link_set_int(link->socket, ZMQ_CURVE_SERVER, 1));
    TRY(link_set_int(link->socket, ZMQ_HANDSHAKE_IVL, (int)link->settings.attempt_ms));
    TRY(link_set_int(link->socket, ZMQ_BACKLOG, LINK_PEERS_MAX)); /* they come back all at once */
    TRY(link_set_bytes(link->socket, ZMQ_ZAP_DOMAIN, DOMAIN, strlen(DOMAIN)));
    TRY(link_set_int(link->socket, ZMQ_ROUTER_MANDATORY, 1)); /* a send to nobody is an error */
    TRY(link_monitor_new(link, LISTEN_EVENTS));
    TRY(bind_endpoint(link));
    *out = link;
    link = NULL;
    return STATUS_OK;
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
    size_t n = link_receive(link->zap, ask.at, 7);
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

/* The peer that proved its key on the connection a message came from. Without an answer of ours
 * there is no user, so even a connection that had escaped the question would be nobody's. */
static size_t peer_of_message(const struct link *link, zmq_msg_t *message)
{
    const char *user = zmq_msg_gets(message, "User-Id");
    return user == NULL ? link->n_peers : strtoul(user, NULL, 10);
}

/* A connection's first frame is empty, and is answered with an empty one: so both ends know that
 * the other is there, and a newer connection of a peer takes the place of an older. */
static bool greet(struct link *link, size_t i, zmq_msg_t *route, int fd)
{
    struct conn *conn = conn_find(&link->conns, fd);
    struct link_peer newer = link->peer[i];
    newer.route_n = zmq_msg_size(route);
    if (conn == NULL || newer.route_n > LINK_ROUTE_MAX) return false;
    memcpy(newer.route, zmq_msg_data(route), newer.route_n);
    newer.fd = fd;
    newer.deaf = newer.leaving = false;
    if (link_send_frame(link, &newer, (struct view){0}) != STATUS_OK)
        return false; /* gone already */
    link->peer[i] = newer;
    conn->peer = i;
    frame_up(link->frames, i);
    link_pump(link);
    return true;
}

/* Whether a frame is of a peer's latest connection, whose last frames come after its end. */
static bool is_current(const struct link_peer *peer, zmq_msg_t *route, int fd, size_t n)
{
    return zmq_msg_size(route) == peer->route_n &&
           memcmp(zmq_msg_data(route), peer->route, peer->route_n) == 0 &&
           (peer->fd == fd || (peer->leaving && n > 0));
}

/* Take the next message off the ROUTER; false when none waits. event stays LINK_NOTHING when the
 * message was not for the caller. */
static bool listen_read(struct link *link, struct link_event *event)
{
    AUTO(parts_free) struct parts part = {0};
    parts_init(&part);
    const size_t n = link_receive(link->socket, part.at, 2);
    if (n == 0) return false;
    zmq_msg_t *route = &part.at[0], *body = &part.at[1];
    const int fd = zmq_msg_get(body, ZMQ_SRCFD);
    const size_t i = peer_of_message(link, body);
    conn_read(&link->conns, fd, zmq_msg_size(body));
    if (i >= link->n_peers) return true;
    struct link_peer *peer = &link->peer[i];
    if (!is_current(peer, route, fd,
                    zmq_msg_size(body))) { /* a new connection, or one that was replaced */
        if (n == 2 && zmq_msg_size(body) == 0 && greet(link, i, route, fd))
            *event = (struct link_event){.kind = LINK_UP, .peer = i};
        return true;
    }
    if (peer->deaf) return true;
    if (n == 2)
        link_take(link, i, body, event);
    else
        link_fault(link, i);
    return true;
}

/* The monitor goes first. It tells of a connection's end before the system gives its descriptor to
 * a newer one, so a descriptor always means the connection it is taken for. */
static bool listen_note(struct link *link, struct link_event *event)
{
    int what = 0, fd = 0;
    while (link_monitor_read(link, &what, &fd)) {
        if (what == ZMQ_EVENT_ACCEPTED && conn_open(&link->conns, fd) != STATUS_OK) conn_shut(fd);
        if (what != ZMQ_EVENT_DISCONNECTED) continue;
        const size_t i = conn_close(&link->conns, fd);
        if (i >= link->n_peers || link->peer[i].fd != fd) continue;
        link->peer[i].fd = -1;
        link->peer[i].leaving = true;
        link->n_leaving++;
        *event = (struct link_event){.kind = LINK_DOWN, .peer = i};
        return true;
    }
    return false;
}

/* All frames are read: who is away gives up its place in line. */
static void listen_settle(struct link *link)
{
    for (size_t i = 0; link->n_leaving > 0 && i < link->n_peers; i++) {
        if (link->peer[i].leaving) frame_down(link->frames, i);
        link->peer[i].leaving = false;
    }
    link->n_leaving = 0;
}

void link_listen_step(struct link *link, struct link_event *event)
{
    while (zap_answer(link)) continue;
    if (listen_note(link, event)) return;
    while (event->kind == LINK_NOTHING && listen_read(link, event)) continue;
    if (event->kind == LINK_NOTHING) listen_settle(link);
}
