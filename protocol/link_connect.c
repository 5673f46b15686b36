/* SPDX-License-Identifier: Apache-2.0 */
/* A site's end: a DEALER for each attempt to connect. libzmq's own reconnecting is off: it gives up
 * after a refused key, so every attempt is a new socket here, with one rule of back-off. How an
 * attempt fares is read from a socket monitor. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <zmq.h>

#include "crypto/kx.h"
#include "protocol/link_end.h"

#define BACKOFF_DOUBLINGS 5
#define CONNECT_EVENTS                                                                             \
    (ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED |                             \
     ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |                        \
     ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)

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
    TRY(link_socket_new(link, ZMQ_DEALER));
    TRY(link_set_int(link->socket, ZMQ_RECONNECT_IVL, -1));
    /* our timer ends it, with a better reason */
    TRY(link_set_int(link->socket, ZMQ_HANDSHAKE_IVL, 0));
    TRY(link_set_bytes(link->socket, ZMQ_CURVE_PUBLICKEY, own, sizeof own));
    TRY(link_set_bytes(link->socket, ZMQ_CURVE_SERVERKEY, link->server, sizeof link->server));
    TRY(link_monitor_new(link, CONNECT_EVENTS));
    if (zmq_connect(link->socket, link->endpoint) != 0)
        return errno == EINVAL ? STATUS_RANGE : link_errno();
    TRY(link_send_frame(link, &link->peer[0], (struct view){0}));
    link->stage = STAGE_DIAL;
    link->failed = link->peer[0].deaf = false;
    timer_set(link, link->settings.attempt_ms);
    return STATUS_OK;
}

/* libzmq connects to a thread of ours, which goes through the proxy. */
static enum status proxy_set(struct link *link, const struct link_settings *settings)
{
    TRY(proxy_start(&link->proxy, settings->proxy, link->endpoint + strlen(LINK_TCP),
                    settings->proxy_credentials));
    snprintf(link->endpoint, sizeof link->endpoint, LINK_TCP "127.0.0.1:%u",
             proxy_port(link->proxy));
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
    if (settings->proxy != NULL) TRY(proxy_set(link, settings));
    TRY(attempt_start(link));
    *out = link;
    link = NULL;
    return STATUS_OK;
}

void link_attempt_fail(struct link *link, enum reason why)
{
    if (link->failed) return;
    link->failed = true;
    link->why = link->proxy != NULL && !proxy_through(link->proxy) ? REASON_NET_PROXY : why;
}

/* Close the attempt, plan the next one and say what happened. */
static void attempt_end(struct link *link, struct link_event *event)
{
    bool was_up = link->stage == STAGE_UP;
    *event = (struct link_event){.kind = was_up ? LINK_DOWN : LINK_TROUBLE,
                                 .reason = was_up ? REASON_NONE : link->why};
    if (link->socket != NULL)
        (void)zmq_setsockopt(link->socket, ZMQ_LINGER, &(int){0}, sizeof(int));
    link_sockets_close(link);
    conn_free(&link->conns);
    frame_down(link->frames, 0);
    unsigned doublings = link->failures < BACKOFF_DOUBLINGS ? link->failures : BACKOFF_DOUBLINGS;
    link->failures = was_up ? 0 : link->failures + 1;
    link->stage = STAGE_DIAL;
    link->failed = false;
    timer_set(link, (uint64_t)link->settings.retry_ms << doublings);
}

/* What an attempt that broke off without a better hint tells. */
static enum reason reason_now(const struct link *link)
{
    return link->stage == STAGE_SHAKE ? REASON_NET_NOTZMQ : REASON_NET_REFUSED;
}

static void timer_step(struct link *link)
{
    uint64_t times = 0;
    if (read(link->timer, &times, sizeof times) != sizeof times) return;
    if (link->socket != NULL)
        link_attempt_fail(link, reason_now(link));
    else if (attempt_start(link) != STATUS_OK)
        link_attempt_fail(link, REASON_NET_REFUSED);
}

static void connect_note(struct link *link, int what, int value)
{
    switch (what) {
    case ZMQ_EVENT_CONNECTED:
        if (link->stage == STAGE_DIAL) link->stage = STAGE_SHAKE;
        if (conn_open(&link->conns, value) != STATUS_OK) conn_shut(value);
        break;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        if (link->stage < STAGE_GREET) link->stage = STAGE_GREET;
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        link_attempt_fail(link, REASON_KEY_PENDING);
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: /* it cannot read what is sealed to another key */
        link_attempt_fail(link, REASON_KEY_SERVER);
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        link_attempt_fail(link, REASON_NET_NOTZMQ);
        break;
    default: /* closed or disconnected */
        link_attempt_fail(link, reason_now(link));
        break;
    }
}

static bool connect_read(struct link *link, struct link_event *event)
{
    AUTO(zmq_msg_close) zmq_msg_t body = {0};
    zmq_msg_init(&body);
    const size_t n = link->socket == NULL ? 0 : link_receive(link->socket, &body, 1);
    if (n == 0) return false;
    conn_read(&link->conns, zmq_msg_get(&body, ZMQ_SRCFD), zmq_msg_size(&body));
    if (link->peer[0].deaf) return true;
    if (n > 1) {
        link_fault(link, 0);
    } else if (link->stage == STAGE_UP) {
        link_take(link, 0, &body, event);
    } else if (zmq_msg_size(&body) == 0) {
        link->stage = STAGE_UP;
        link->failures = 0;
        timer_set(link, 0);
        *event = (struct link_event){.kind = LINK_UP};
        frame_up(link->frames, 0);
        link_pump(link);
    }
    return true;
}

/* An attempt that failed is only closed when nothing is left to read from it: what a coordinator
 * sent before it went away still counts. */
void link_connect_step(struct link *link, struct link_event *event)
{
    int what = 0, value = 0;
    timer_step(link);
    while (link_monitor_read(link, &what, &value)) connect_note(link, what, value);
    while (event->kind == LINK_NOTHING && connect_read(link, event)) continue;
    if (event->kind == LINK_NOTHING && link->failed) attempt_end(link, event);
}
