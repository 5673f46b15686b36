/* SPDX-License-Identifier: Apache-2.0 */
/* What both ends share: settings, the frames between libzmq and protocol/frame.h, and the watch
 * over connections that hoard. */
#include "protocol/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "base/command.h"
#include "base/secret.h"
#include "crypto/rng.h"
#include "protocol/link_end.h"

#define WATCH_MS 1000
#define HOARD_MAX (4 * FRAME_WINDOW) /* of a message that shows no end */
#define BEAT_BYTES 256               /* more than the heartbeats of both ends */

void link_free(struct link **link)
{
    struct link *l = *link;
    if (l == NULL) return;
    if (l->frame != NULL) zmq_msg_close(l->frame);
    free(l->frame);
    link_sockets_close(l);
    if (l->zap != NULL) zmq_close(l->zap);
    while (l->context != NULL && zmq_ctx_term(l->context) != 0 && errno == EINTR) continue;
    if (l->timer >= 0) close(l->timer);
    proxy_free(&l->proxy); /* after the frames that linger have left through it */
    frame_free(&l->frames);
    conn_free(&l->conns);
    secret_wipe(l->secret, sizeof l->secret);
    free(l->enrolled);
    free(l->peer);
    free(l);
    *link = NULL;
}

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value == 0 ? otherwise : value;
}

static struct link_settings with_defaults(const struct link_settings *settings)
{
    struct link_settings s = *settings;
    s.message_bytes = or_default(s.message_bytes, 64 << 20);
    s.pool_bytes = s.pool_bytes == 0 ? 256 << 20 : s.pool_bytes;
    if (s.pool_bytes < s.message_bytes) s.pool_bytes = s.message_bytes;
    s.stall_ms = or_default(s.stall_ms, 30000);
    s.queue = or_default(s.queue, 256);
    s.retry_ms = or_default(s.retry_ms, 500);
    s.attempt_ms = or_default(s.attempt_ms, 20000);
    s.beat_ms = or_default(s.beat_ms, 10000);
    s.linger_ms = or_default(s.linger_ms, 1000);
    return s;
}

static bool settings_ok(const struct link_settings *s)
{
    const uint32_t day_ms = 86400000;
    return s->message_bytes <= LINK_MESSAGE_BYTES_MOST && s->queue <= 1 << 20 &&
           s->stall_ms <= day_ms && s->retry_ms <= day_ms && s->attempt_ms <= day_ms &&
           s->beat_ms <= day_ms && s->linger_ms <= day_ms;
}

static enum status frames_new(struct link *link)
{
    const struct link_settings *s = &link->settings;
    const struct frame_settings settings = {.message_bytes = s->message_bytes,
                                            .queue = s->queue,
                                            .stall_ms = s->stall_ms,
                                            .pool_bytes = s->pool_bytes};
    struct rng rng = {0};
    rng_system(&rng);
    const uint64_t first_id = rng_u64(&rng);
    rng_wipe(&rng);
    return frame_new(&link->frames, link->n_peers, &settings, first_id);
}

/* What both ends have before they have sockets. */
enum status link_new(struct link **out, const char *endpoint,
                     const uint8_t secret[static LINK_KEY_BYTES], size_t n_peers,
                     const struct link_settings *settings)
{
    const struct link_settings s = with_defaults(settings);
    if (!settings_ok(&s) || n_peers == 0 || n_peers > LINK_PEERS_MAX ||
        strncmp(endpoint, LINK_TCP, strlen(LINK_TCP)) != 0 || strlen(endpoint) > LINK_ENDPOINT_MAX)
        return STATUS_RANGE;

    AUTO(link_free) struct link *link = calloc(1, sizeof *link);
    if (link == NULL) return STATUS_NOMEM;
    link->settings = s;
    link->settings.proxy = link->settings.proxy_credentials = NULL; /* the caller's to free */
    link->timer = -1;
    link->frame = malloc(sizeof *link->frame);
    if (link->frame == NULL) return STATUS_NOMEM;
    zmq_msg_init(link->frame);
    memcpy(link->endpoint, endpoint, strlen(endpoint) + 1);
    memcpy(link->secret, secret, LINK_KEY_BYTES);
    link->peer = calloc(n_peers, sizeof link->peer[0]);
    if (link->peer == NULL) return STATUS_NOMEM;
    link->n_peers = n_peers;
    for (size_t i = 0; i < n_peers; i++) link->peer[i].fd = -1;
    TRY(frames_new(link));
    link->context = zmq_ctx_new();
    if (link->context == NULL) return link_errno();
    *out = link;
    link = NULL;
    return STATUS_OK;
}

static bool is_up(const struct link *link, const struct link_peer *peer)
{
    return !peer->deaf &&
           (link->listens ? peer->fd >= 0 : link->stage == STAGE_UP && !link->failed);
}

/* End a peer's connection; it may come back with a new one. */
static void drop(struct link *link, size_t i)
{
    struct link_peer *peer = &link->peer[i];
    peer->deaf = true;
    frame_down(link->frames, i);
    if (!link->listens)
        link_attempt_fail(link, REASON_FORMAT);
    else if (peer->fd >= 0)
        conn_shut(peer->fd);
}

void link_fault(struct link *link, size_t i)
{
    link->peer[i].faults++;
    drop(link, i);
}

/* Frames for a connection that has ended are dropped: the next one begins anew. */
void link_pump(struct link *link)
{
    size_t i = 0;
    struct view frame = {0};
    while (frame_next(link->frames, &i, &frame)) {
        if (!is_up(link, &link->peer[i])) continue;
        const enum status status = link_send_frame(link, &link->peer[i], frame);
        if (status == STATUS_STATE)
            link_fault(link, i); /* asks for more than it reads */
        else if (status != STATUS_OK)
            drop(link, i);
    }
}

/* The frame moves to where the caller may see a message in it. */
void link_take(struct link *link, size_t i, zmq_msg_t *body, struct link_event *event)
{
    zmq_msg_move(link->frame, body);
    const struct view frame = {zmq_msg_data(link->frame), zmq_msg_size(link->frame)};
    struct view message = {0};
    link->peer[i].in += frame.n;
    if (frame_take(link->frames, i, frame, &message) != STATUS_OK)
        link_fault(link, i);
    else if (message.n > 0)
        *event = (struct link_event){.kind = LINK_MESSAGE, .peer = i, .message = message};
    link_pump(link);
}

/* Whether it is time to look for connections that hoard. */
static bool watch_due(struct link *link, uint64_t *spared)
{
    const uint64_t now = command_now_ms(), passed = now - link->watched_ms;
    if (passed < WATCH_MS) return false;
    link->watched_ms = now;
    *spared = passed * BEAT_BYTES / link->settings.beat_ms;
    return true;
}

/* All frames are read: what TCP brought and did not become one belongs to a message of too many
 * parts. */
static void watch(struct link *link)
{
    uint64_t spared = 0;
    if (!watch_due(link, &spared)) return;
    for (int fd = 0; (size_t)fd < link->conns.n; fd++) {
        if (!conn_hoards(&link->conns, fd, HOARD_MAX, spared)) continue;
        const size_t i = conn_find(&link->conns, fd)->peer;
        if (i < link->n_peers && link->peer[i].fd == fd)
            link_fault(link, i);
        else
            conn_shut(fd);
    }
}

/* How long to wait for the network at most, so that what time changes is seen. */
static int patience(const struct link *link, int timeout_ms)
{
    const bool waiting = frame_waiting(link->frames);
    const int most = waiting ? (int)(link->settings.stall_ms / 4 + 1) : WATCH_MS;
    return timeout_ms < 0 || timeout_ms > most ? most : timeout_ms;
}

void link_poll(struct link *link, int timeout_ms, struct link_event *event)
{
    void (*step)(struct link *, struct link_event *) =
        link->listens ? link_listen_step : link_connect_step;
    zmq_msg_close(link->frame);
    zmq_msg_init(link->frame);
    *event = (struct link_event){.kind = LINK_NOTHING};
    frame_tick(link->frames, command_now_ms());
    link_pump(link);
    step(link, event);
    if (event->kind != LINK_NOTHING) return;
    watch(link);
    if (timeout_ms == 0) return;

    zmq_pollitem_t item[3] = {{.fd = link->timer, .events = ZMQ_POLLIN}};
    int n = 1;
    if (link->zap != NULL) item[0].socket = link->zap;
    if (link->socket != NULL) item[n++] = (zmq_pollitem_t){link->socket, 0, ZMQ_POLLIN, 0};
    if (link->monitor != NULL) item[n++] = (zmq_pollitem_t){link->monitor, 0, ZMQ_POLLIN, 0};
    /* a signal or the time: nothing */
    if (zmq_poll(item, n, patience(link, timeout_ms)) > 0) step(link, event);
}

enum status link_send(struct link *link, size_t peer, struct blob *head, struct blob *tail)
{
    if (!link->listens) peer = 0;
    REQUIRE(peer < link->n_peers);
    if (!is_up(link, &link->peer[peer])) return STATUS_IO;
    TRY(frame_send(link->frames, peer, head, tail));
    link_pump(link);
    return STATUS_OK;
}

bool link_idle(const struct link *link, size_t peer)
{
    return frame_idle(link->frames, link->listens ? peer : 0);
}

uint64_t link_faults(const struct link *link, size_t peer)
{
    REQUIRE(peer < link->n_peers);
    return link->peer[peer].faults;
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
