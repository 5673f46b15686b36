/* SPDX-License-Identifier: Apache-2.0 */
/* An enrolled site without our code: it has a key that gets it in, and keeps no rule. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include "protocol/frame.h"
#include "tests/lib/check.h"
#include "tests/unit/protocol/ends.h"

#define PART_BYTES (200 << 10)
#define REVOKES 200000

/* A DEALER that does not connect again by itself; monitor tells when its connection has ended. */
struct rogue {
    void *context, *socket, *monitor;
};

static struct rogue rogue_connect(uint16_t port, size_t who)
{
    struct rogue r = {.context = zmq_ctx_new()};
    r.socket = zmq_socket(r.context, ZMQ_DEALER);
    r.monitor = zmq_socket(r.context, ZMQ_PAIR);
    zmq_setsockopt(r.socket, ZMQ_ROUTING_ID, "0", 1); /* somebody else's number */
    zmq_setsockopt(r.socket, ZMQ_LINGER, &(int){0}, sizeof(int));
    zmq_setsockopt(r.socket, ZMQ_SNDHWM, &(int){0}, sizeof(int));
    /* Little room for what it does not read. */
    zmq_setsockopt(r.socket, ZMQ_RCVHWM, &(int){10}, sizeof(int));
    zmq_setsockopt(r.socket, ZMQ_RCVBUF, &(int){4096}, sizeof(int));
    zmq_setsockopt(r.socket, ZMQ_RECONNECT_IVL, &(int){-1}, sizeof(int));
    zmq_setsockopt(r.socket, ZMQ_CURVE_SERVERKEY, ends_public[COORDINATOR].bytes, LINK_KEY_BYTES);
    zmq_setsockopt(r.socket, ZMQ_CURVE_PUBLICKEY, ends_public[who].bytes, LINK_KEY_BYTES);
    zmq_setsockopt(r.socket, ZMQ_CURVE_SECRETKEY, ends_secret[who], LINK_KEY_BYTES);
    CHECK(zmq_socket_monitor(r.socket, "inproc://rogue", ZMQ_EVENT_DISCONNECTED) == 0 &&
          zmq_connect(r.monitor, "inproc://rogue") == 0 &&
          zmq_connect(r.socket, ends_endpoint(port).text) == 0);
    return r;
}

static void rogue_close(struct rogue *r)
{
    zmq_close(r->socket);
    zmq_close(r->monitor);
    zmq_ctx_term(r->context);
}

static void rogue_send(struct rogue *r, struct view frame, int flags)
{
    CHECK(zmq_send(r->socket, frame.at, frame.n, flags) == (int)frame.n);
}

/* Greet, and wait until the coordinator has heard it. */
static struct rogue rogue_join(struct link *server, size_t who)
{
    struct rogue r = rogue_connect(link_port(server), who);
    struct link_event event;
    rogue_send(&r, (struct view){0}, 0);
    CHECK(ends_wait(server, LINK_UP, &event, NULL));
    CHECK_NUMBER(who, event.peer);
    return r;
}

/* It reads meanwhile: libzmq does not look at a connection while nobody takes what it brought. */
static bool rogue_was_cut(struct rogue *r, long wait_ms)
{
    zmq_pollitem_t item[] = {{r->monitor, 0, ZMQ_POLLIN, 0}, {r->socket, 0, ZMQ_POLLIN, 0}};
    while (zmq_poll(item, 2, wait_ms) > 0) {
        if (item[0].revents != 0) return true;
        (void)zmq_recv(r->socket, NULL, 0, ZMQ_DONTWAIT);
    }
    return false;
}

/* The coordinator has cut rogue 1, and serves site 0 as before. */
static void expect_cut(struct link *server, struct rogue *r, struct link *honest)
{
    struct link_event event;
    CHECK(ends_wait(server, LINK_DOWN, &event, NULL));
    CHECK_NUMBER(1, event.peer);
    CHECK(link_faults(server, 1) <= 1);
    CHECK_NUMBER(0, link_faults(server, 0));
    CHECK(rogue_was_cut(r, 120000)); /* it has much to send before it sees it */
    CHECK_STATUS(STATUS_IO, ends_say(server, 1, "x"));
    CHECK_OK(ends_say(honest, 0, "still here"));
    CHECK(ends_wait(server, LINK_MESSAGE, &event, honest));
    CHECK(ends_said(&event, "still here"));
    rogue_close(r);
    struct rogue again = rogue_join(server, 1); /* it may come back */
    rogue_close(&again);
}

/* A coordinator without our code, at a port of its own: it has the key, and keeps no rule. */
static struct rogue rogue_listen(uint16_t *port)
{
    struct rogue r = {.context = zmq_ctx_new()};
    char endpoint[64];
    size_t n = sizeof endpoint;
    r.socket = zmq_socket(r.context, ZMQ_ROUTER);
    r.monitor = zmq_socket(r.context, ZMQ_PAIR);
    zmq_setsockopt(r.socket, ZMQ_LINGER, &(int){0}, sizeof(int));
    zmq_setsockopt(r.socket, ZMQ_CURVE_SERVER, &(int){1}, sizeof(int));
    zmq_setsockopt(r.socket, ZMQ_CURVE_SECRETKEY, ends_secret[COORDINATOR], LINK_KEY_BYTES);
    CHECK(zmq_bind(r.socket, ENDS_ANY_PORT) == 0 &&
          zmq_getsockopt(r.socket, ZMQ_LAST_ENDPOINT, endpoint, &n) == 0);
    unsigned number = 0;
    CHECK(sscanf(endpoint, "tcp://127.0.0.1:%u", &number) == 1);
    *port = (uint16_t)number;
    return r;
}

static void a_coordinator_against_the_rules_is_left(void)
{
    static const struct {
        const char *frame;
        int more;
    } row[] = {{"\7", 0}, {"two", ZMQ_SNDMORE}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        uint16_t port = 0;
        struct rogue r = rogue_listen(&port);
        AUTO(link_free) struct link *site = ends_connect(port, 0, &ends_quick);
        struct link_event event;
        uint8_t route[LINK_KEY_BYTES];
        int n = -1;
        for (int k = 0; k < 2000 && n < 0; k++) {
            link_poll(site, 1, &event);
            n = zmq_recv(r.socket, route, sizeof route, ZMQ_DONTWAIT);
        }
        CHECK(n > 0 && n <= (int)sizeof route && zmq_recv(r.socket, NULL, 0, 0) == 0);
        CHECK(zmq_send(r.socket, route, (size_t)n, ZMQ_SNDMORE) == n &&
              zmq_send(r.socket, "", 0, 0) == 0);
        CHECK(ends_wait(site, LINK_UP, &event, NULL));
        zmq_send(r.socket, route, (size_t)n, ZMQ_SNDMORE);
        zmq_send(r.socket, row[i].frame, strlen(row[i].frame), row[i].more);
        if (row[i].more != 0) zmq_send(r.socket, "parts", 5, 0);
        CHECK(ends_wait(site, LINK_DOWN, &event, NULL));
        CHECK_NUMBER(1, link_faults(site, 0));
        rogue_close(&r);
    }
}

/* A greeting of ZMTP 3.0 without CURVE (RFC 23), and then silence. */
static void a_coordinator_without_curve_is_told(void)
{
    static const uint8_t greeting[64] = {0xff, [9] = 0x7f, 3, 0, 'N', 'U', 'L', 'L'};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(listener, (struct sockaddr *)&address, n) == 0 && listen(listener, 1) == 0 &&
          getsockname(listener, (struct sockaddr *)&address, &n) == 0);
    AUTO(link_free) struct link *site = ends_connect(ntohs(address.sin_port), 0, &ends_quick);
    const int fd = accept(listener, NULL, NULL);
    CHECK(send(fd, greeting, sizeof greeting, MSG_NOSIGNAL) == sizeof greeting);
    struct link_event event;
    CHECK(ends_wait(site, LINK_TROUBLE, &event, NULL));
    CHECK_NUMBER(REASON_NET_NOTZMQ, event.reason);
    close(fd);
    close(listener);
}

static void the_identity_is_the_key_not_a_chosen_name(void)
{
    AUTO(link_free) struct link *server = ends_listen(2, &ends_quick);
    AUTO(link_free) struct link *honest = ends_join(server, 0, &ends_quick);
    struct rogue r = rogue_connect(link_port(server), 1);
    struct link_event event;
    rogue_send(&r, (struct view){(const uint8_t *)"not greeted", 11}, 0);
    rogue_send(&r, (struct view){0}, 0);
    CHECK(ends_wait(server, LINK_UP, &event, NULL));
    CHECK_NUMBER(1, event.peer);
    AUTO(frame_free) struct frames *frames = NULL;
    const struct frame_settings settings = {
        .message_bytes = 9, .queue = 1, .stall_ms = 1, .pool_bytes = 9};
    CHECK_OK(frame_new(&frames, 1, &settings, 1));
    frame_up(frames, 0);
    struct buffer bytes = {0};
    AUTO(blob_free) struct blob *hello = NULL;
    write_bytes(&bytes, "hello", 5);
    CHECK_OK(blob_of(&hello, &bytes));
    CHECK_OK(frame_send(frames, 0, hello, NULL));
    size_t peer = 0;
    struct view frame = {0};
    CHECK(frame_next(frames, &peer, &frame));
    rogue_send(&r, frame, 0);
    CHECK(ends_wait(server, LINK_MESSAGE, &event, NULL));
    CHECK_NUMBER(1, event.peer);
    CHECK(ends_said(&event, "hello"));
    CHECK_OK(ends_say(server, 0, "for site 0 only"));
    CHECK(ends_wait(honest, LINK_MESSAGE, &event, server));
    rogue_close(&r);
}

static void a_frame_against_the_rules_cuts_its_sender_only(void)
{
    static uint8_t large[FRAME_BYTES_MAX + 200];
    const struct view row[] = {{(const uint8_t *)"\7", 1}, /* no such kind */
                               {(const uint8_t *)"\1", 1}, /* cut short */
                               {(const uint8_t *)"", 0},   /* a second greeting */
                               {large, sizeof large}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        AUTO(link_free) struct link *server = ends_listen(2, &ends_quick);
        AUTO(link_free) struct link *honest = ends_join(server, 0, &ends_quick);
        struct rogue r = rogue_join(server, 1);
        rogue_send(&r, row[i], 0);
        expect_cut(server, &r, honest);
        CHECK_NUMBER(i < 3 ? 1 : 0, link_faults(server, 1)); /* libzmq refuses the last itself */
    }
}

static void a_message_of_parts_cuts_its_sender_only(void)
{
    AUTO(link_free) struct link *server = ends_listen(2, &ends_quick);
    AUTO(link_free) struct link *honest = ends_join(server, 0, &ends_quick);
    struct rogue r = rogue_join(server, 1);
    rogue_send(&r, (struct view){(const uint8_t *)"two", 3}, ZMQ_SNDMORE);
    rogue_send(&r, (struct view){(const uint8_t *)"parts", 5}, 0);
    expect_cut(server, &r, honest);
}

/* libzmq would keep all of it, out of sight. */
static void a_message_without_end_cuts_its_sender_only(void)
{
    static const uint8_t part[PART_BYTES];
    for (int greeted = 0; greeted < 2; greeted++) {
        AUTO(link_free) struct link *server = ends_listen(2, &ends_quick);
        AUTO(link_free) struct link *honest = ends_join(server, 0, &ends_quick);
        struct relay relay = {.to = link_port(server), .budget = 8 << 20, .holds = true};
        struct link_event event;
        relay_start(&relay); /* keeps the end of the message */
        struct rogue r = rogue_connect(relay.port, 1);
        if (greeted) rogue_send(&r, (struct view){0}, 0);
        for (int i = 0; i < 64; i++)
            rogue_send(&r, (struct view){part, sizeof part}, i < 63 ? ZMQ_SNDMORE : 0);
        if (greeted) CHECK(ends_wait(server, LINK_UP, &event, NULL));
        if (greeted) {
            expect_cut(server, &r, honest);
        } else {
            for (int i = 0; i < ENDS_PATIENCE && !rogue_was_cut(&r, 0); i++)
                link_poll(server, 1, &event);
            CHECK(rogue_was_cut(&r, 0));
            rogue_close(&r);
        }
        relay_stop(&relay);
    }
}

/* It has an offer repeated again and again, and does not read. */
static void who_asks_and_does_not_read_is_cut(void)
{
    AUTO(link_free) struct link *server = ends_listen(2, &ends_quick);
    AUTO(link_free) struct link *honest = ends_join(server, 0, &ends_quick);
    static const uint8_t much[1 << 20];
    AUTO(buffer_free) struct buffer revoke = {0};
    struct rogue r = rogue_join(server, 1);
    uint8_t offer[64] = {0};
    CHECK_OK(ends_send(server, 1, much, sizeof much));
    CHECK(zmq_recv(r.socket, offer, sizeof offer, 0) == 0); /* the greeting */
    CHECK(zmq_recv(r.socket, offer, sizeof offer, 0) == 1 + 8 + 4 + 4 + 32);
    write_u8(&revoke, FRAME_REVOKE);
    write_bytes(&revoke, offer + 1, 8);
    for (int i = 0; i < REVOKES; i++) rogue_send(&r, buffer_view(&revoke), 0);
    expect_cut(server, &r, honest);
    CHECK_NUMBER(1, link_faults(server, 1));
}

int main(void)
{
    ends_init();
    RUN(the_identity_is_the_key_not_a_chosen_name);
    RUN(a_coordinator_against_the_rules_is_left);
    RUN(a_coordinator_without_curve_is_told);
    RUN(a_frame_against_the_rules_cuts_its_sender_only);
    RUN(a_message_of_parts_cuts_its_sender_only);
    RUN(a_message_without_end_cuts_its_sender_only);
    RUN(who_asks_and_does_not_read_is_cut);
    return check_done();
}
