/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "protocol/link_end.h"

#define CURVE_OVERHEAD_BYTES 64
/* libzmq counts what left a queue in steps of half the queue. */
#define QUEUE_FRAMES (2 * FRAME_FLIGHT_MAX)

enum status link_errno(void)
{
    return errno == ENOMEM ? STATUS_NOMEM : STATUS_IO;
}

enum status link_set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0 ? STATUS_OK : STATUS_IO;
}

enum status link_set_bytes(void *socket, int option, const void *value, size_t n)
{
    return zmq_setsockopt(socket, option, value, n) == 0 ? STATUS_OK : STATUS_IO;
}

enum status link_socket_new(struct link *link, int type)
{
    const struct link_settings *s = &link->settings;
    link->socket = zmq_socket(link->context, type);
    if (link->socket == NULL) return link_errno();
    const int64_t most = FRAME_BYTES_MAX + CURVE_OVERHEAD_BYTES;
    TRY(link_set_bytes(link->socket, ZMQ_MAXMSGSIZE, &most, sizeof most));
    TRY(link_set_int(link->socket, ZMQ_SNDHWM, QUEUE_FRAMES));
    TRY(link_set_int(link->socket, ZMQ_RCVHWM, QUEUE_FRAMES));
    TRY(link_set_int(link->socket, ZMQ_LINGER, (int)s->linger_ms));
    TRY(link_set_int(link->socket, ZMQ_IPV6, 1));
    TRY(link_set_int(link->socket, ZMQ_TCP_KEEPALIVE, 1));
    TRY(link_set_int(link->socket, ZMQ_HEARTBEAT_IVL, (int)s->beat_ms));
    TRY(link_set_int(link->socket, ZMQ_HEARTBEAT_TIMEOUT, 3 * (int)s->beat_ms));
    return link_set_bytes(link->socket, ZMQ_CURVE_SECRETKEY, link->secret, LINK_KEY_BYTES);
}

enum status link_monitor_new(struct link *link, int events)
{
    char address[32];
    snprintf(address, sizeof address, "inproc://monitor-%u", link->monitors++);
    if (zmq_socket_monitor(link->socket, address, events) != 0) return link_errno();
    link->monitor = zmq_socket(link->context, ZMQ_PAIR);
    if (link->monitor == NULL) return link_errno();
    TRY(link_set_int(link->monitor, ZMQ_LINGER, 0));
    TRY(link_set_int(link->monitor, ZMQ_RCVHWM, 0)); /* a full queue would hold libzmq's thread */
    return zmq_connect(link->monitor, address) == 0 ? STATUS_OK : link_errno();
}

void link_sockets_close(struct link *link)
{
    if (link->socket != NULL) {
        zmq_socket_monitor(link->socket, NULL, 0);
        zmq_close(link->socket);
    }
    if (link->monitor != NULL) zmq_close(link->monitor);
    link->socket = link->monitor = NULL;
}

size_t link_receive(void *socket, zmq_msg_t *part, size_t most)
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

bool link_monitor_read(struct link *link, int *event, int *value)
{
    zmq_msg_t part[2];
    for (size_t i = 0; i < 2; i++) zmq_msg_init(&part[i]);
    const bool found = link->monitor != NULL && link_receive(link->monitor, part, 2) > 0;
    if (found) {
        uint16_t kind;
        uint32_t detail;
        const uint8_t *at = zmq_msg_data(&part[0]);
        REQUIRE(zmq_msg_size(&part[0]) == sizeof kind + sizeof detail);
        memcpy(&kind, at, sizeof kind);
        memcpy(&detail, at + sizeof kind, sizeof detail);
        *event = kind;
        *value = (int)detail;
    }
    for (size_t i = 0; i < 2; i++) zmq_msg_close(&part[i]);
    return found;
}

/* The body is made first: a route without a body could not be taken back. */
enum status link_send_frame(struct link *link, struct link_peer *peer, struct view frame)
{
    zmq_msg_t body;
    if (zmq_msg_init_size(&body, frame.n) != 0) return STATUS_NOMEM;
    if (frame.n > 0) memcpy(zmq_msg_data(&body), frame.at, frame.n);
    if ((link->listens &&
         zmq_send(link->socket, peer->route, peer->route_n, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) ||
        zmq_msg_send(&body, link->socket, ZMQ_DONTWAIT) < 0) {
        const enum status status = errno == EAGAIN ? STATUS_STATE : link_errno();
        zmq_msg_close(&body);
        return status;
    }
    peer->out += frame.n;
    return STATUS_OK;
}
