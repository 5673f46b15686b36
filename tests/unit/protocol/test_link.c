/* SPDX-License-Identifier: Apache-2.0 */
/* Real sockets on the loopback; both ends in one thread, polled in turn. */
#include "protocol/link.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "crypto/kx.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

#define ANY_PORT "tcp://127.0.0.1:*"
#define FRAME_BYTES 4096

/* Keys 0 and 1 are sites, 2 is a stranger, 3 the coordinator. */
static uint8_t secret[4][LINK_KEY_BYTES];
static struct link_key public[4];
enum { STRANGER = 2, COORDINATOR = 3 };

static const struct link_settings quick = {
    .frame_bytes = FRAME_BYTES, .retry_ms = 20, .attempt_ms = 2000, .linger_ms = 100};

static struct link *listen_any(void)
{
    struct link *link = NULL;
    CHECK_OK(link_listen(&link, ANY_PORT, secret[COORDINATOR], 2, public, &quick));
    return link;
}

static struct link *connect_to(uint16_t port, size_t who, const struct link_settings *settings)
{
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", port);
    struct link *link = NULL;
    CHECK_OK(link_connect(&link, endpoint, secret[who], public[COORDINATOR].bytes, settings));
    return link;
}

/* Poll `at` for an event of this kind while the others are served too; false after four seconds. */
static bool wait_for(struct link *at, enum link_event_kind kind, struct link_event *event,
                     struct link *other, struct link *third)
{
    for (int i = 0; i < 2000; i++) {
        struct link_event ignored;
        if (other != NULL) link_poll(other, 1, &ignored);
        if (third != NULL) link_poll(third, 1, &ignored);
        link_poll(at, 1, event);
        if (event->kind == kind) return true;
    }
    return false;
}

/* Connect both ways: afterwards each end has had its LINK_UP. */
static struct link *join(struct link *server, size_t who)
{
    struct link_event event;
    struct link *site = connect_to(link_port(server), who, &quick);
    bool up = false, known = false;
    for (int i = 0; i < 2000 && !(up && known); i++) {
        link_poll(server, 1, &event);
        if (event.kind == LINK_UP) {
            known = true;
            CHECK_NUMBER(who, event.peer);
        }
        link_poll(site, 1, &event);
        up = up || event.kind == LINK_UP;
    }
    CHECK(up && known);
    return site;
}

static struct view view_of(const char *text)
{
    return (struct view){(const uint8_t *)text, strlen(text)};
}

static bool says(const struct link_event *event, const char *text)
{
    return event->frame.n == strlen(text) && memcmp(event->frame.at, text, event->frame.n) == 0;
}

static void right_keys_deliver_both_ways(void)
{
    AUTO(link_free) struct link *server = listen_any();
    AUTO(link_free) struct link *site = join(server, 1);
    struct link_event event;
    CHECK_OK(link_send(site, 0, view_of("up")));
    CHECK(wait_for(server, LINK_MESSAGE, &event, site, NULL));
    CHECK(says(&event, "up") && event.peer == 1);
    CHECK_OK(link_send(server, 1, view_of("down")));
    CHECK(wait_for(site, LINK_MESSAGE, &event, server, NULL));
    CHECK(says(&event, "down"));
    CHECK_NUMBER(2, link_bytes_in(server, 1));
    CHECK_NUMBER(4, link_bytes_out(server, 1));
    CHECK_NUMBER(4, link_bytes_in(site, 0));
    CHECK_NUMBER(2, link_bytes_out(site, 0));
    CHECK_NUMBER(0, link_bytes_in(server, 0));
}

static void frames_keep_their_order(void)
{
    AUTO(link_free) struct link *server = listen_any();
    AUTO(link_free) struct link *site = join(server, 0);
    struct link_event event;
    for (uint8_t i = 0; i < 100; i++) CHECK_OK(link_send(site, 0, (struct view){&i, 1}));
    for (uint8_t i = 0; i < 100; i++) {
        CHECK(wait_for(server, LINK_MESSAGE, &event, NULL, NULL));
        CHECK(event.frame.n == 1 && event.frame.at[0] == i);
    }
}

/* The reason of the first two attempts: it does not give up after one. */
static void expect_trouble(struct link *site, struct link *server, enum reason reason)
{
    struct link_event event;
    for (int attempt = 0; attempt < 2; attempt++) {
        CHECK(wait_for(site, LINK_TROUBLE, &event, server, NULL));
        CHECK_NUMBER(reason, event.reason);
        CHECK_STATUS(STATUS_IO, link_send(site, 0, view_of("x")));
    }
}

static void an_unlisted_key_is_pending_and_retries(void)
{
    AUTO(link_free) struct link *server = listen_any();
    AUTO(link_free) struct link *site = connect_to(link_port(server), STRANGER, &quick);
    expect_trouble(site, server, REASON_KEY_PENDING);
}

static void a_wrong_server_key_is_told(void)
{
    struct link *server = NULL;
    CHECK_OK(link_listen(&server, ANY_PORT, secret[STRANGER], 2, public, &quick));
    AUTO(link_free) struct link *site = connect_to(link_port(server), 0, &quick);
    expect_trouble(site, server, REASON_KEY_SERVER);
    link_free(&server);
}

static void nobody_listening_is_told(void)
{
    struct link *server = listen_any();
    uint16_t port = link_port(server);
    link_free(&server);
    AUTO(link_free) struct link *site = connect_to(port, 0, &quick);
    expect_trouble(site, NULL, REASON_NET_REFUSED);
}

static int plain_socket(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    int at = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(at, (struct sockaddr *)&address, n) == 0 && listen(at, 5) == 0 &&
          getsockname(at, (struct sockaddr *)&address, &n) == 0);
    *port = ntohs(address.sin_port);
    return at;
}

static void *serve_http(void *at)
{
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
    for (int i = 0; i < 2; i++) {
        int visitor = accept(*(int *)at, NULL, NULL);
        char request[64];
        if (read(visitor, request, sizeof request) > 0)
            CHECK(write(visitor, answer, sizeof answer - 1) > 0);
        close(visitor);
    }
    return NULL;
}

static void a_web_server_is_told(void)
{
    uint16_t port = 0;
    int at = plain_socket(&port);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, serve_http, &at) == 0);
    AUTO(link_free) struct link *site = connect_to(port, 0, &quick);
    expect_trouble(site, NULL, REASON_NET_NOTZMQ);
    pthread_join(thread, NULL);
    close(at);
}

static void a_server_that_says_nothing_is_told(void)
{
    uint16_t port = 0;
    int at = plain_socket(&port);
    struct link_settings hasty = quick;
    hasty.attempt_ms = 50;
    AUTO(link_free) struct link *site = connect_to(port, 0, &hasty);
    expect_trouble(site, NULL, REASON_NET_NOTZMQ);
    close(at);
}

static void an_oversized_frame_drops_its_sender_only(void)
{
    AUTO(link_free) struct link *server = listen_any();
    AUTO(link_free) struct link *good = join(server, 0);
    struct link_settings large = quick;
    large.frame_bytes = 4 * FRAME_BYTES;
    AUTO(link_free) struct link *bad = connect_to(link_port(server), 1, &large);
    struct link_event event;
    static const uint8_t much[4 * FRAME_BYTES] = {1};
    CHECK(wait_for(bad, LINK_UP, &event, server, NULL));
    CHECK_OK(link_send(bad, 0, (struct view){much, FRAME_BYTES}));
    CHECK(wait_for(server, LINK_MESSAGE, &event, NULL, NULL));
    CHECK_NUMBER(FRAME_BYTES, event.frame.n);
    CHECK_OK(link_send(bad, 0, (struct view){much, sizeof much}));
    CHECK(wait_for(server, LINK_DOWN, &event, NULL, NULL));
    CHECK_NUMBER(1, event.peer);
    CHECK(wait_for(bad, LINK_DOWN, &event, server, NULL));
    CHECK(wait_for(bad, LINK_UP, &event, server, NULL)); /* and may come back */
    CHECK_OK(link_send(good, 0, view_of("still here")));
    CHECK(wait_for(server, LINK_MESSAGE, &event, good, NULL));
    CHECK(says(&event, "still here"));
}

static void a_second_connection_replaces_the_first(void)
{
    AUTO(link_free) struct link *server = listen_any();
    AUTO(link_free) struct link *first = join(server, 0);
    AUTO(link_free) struct link *second = join(server, 0);
    struct link_event event;
    CHECK_OK(link_send(first, 0, view_of("from the first")));
    link_poll(server, 50, &event);
    CHECK_NUMBER(LINK_NOTHING, event.kind); /* nobody hears the first any more */
    CHECK_OK(link_send(server, 0, view_of("to the second")));
    CHECK(wait_for(second, LINK_MESSAGE, &event, server, NULL));
    CHECK(says(&event, "to the second"));
    link_free(&first); /* its end is not the peer's end */
    CHECK_OK(link_send(second, 0, view_of("from the second")));
    CHECK(wait_for(server, LINK_MESSAGE, &event, second, NULL));
    link_poll(server, 50, &event);
    CHECK_NUMBER(LINK_NOTHING, event.kind);
    CHECK_OK(link_send(server, 0, view_of("again")));
    CHECK(wait_for(second, LINK_MESSAGE, &event, server, NULL));
}

static void a_killed_peer_is_down_and_may_return(void)
{
    int pipes[2];
    CHECK(pipe(pipes) == 0);
    pid_t child = fork(); /* before there are threads */
    if (child == 0) {
        uint16_t port = 0;
        struct link_event event;
        if (read(pipes[0], &port, sizeof port) != sizeof port) _exit(1);
        struct link *site = connect_to(port, 0, &quick);
        for (;;) link_poll(site, -1, &event);
    }
    AUTO(link_free) struct link *server = listen_any();
    struct link_event event;
    uint16_t port = link_port(server);
    CHECK(write(pipes[1], &port, sizeof port) == sizeof port);
    CHECK(wait_for(server, LINK_UP, &event, NULL, NULL));
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    CHECK(wait_for(server, LINK_DOWN, &event, NULL, NULL));
    CHECK_NUMBER(0, event.peer);
    CHECK_STATUS(STATUS_IO, link_send(server, 0, view_of("gone")));
    AUTO(link_free) struct link *back = join(server, 0);
    CHECK_OK(link_send(server, 0, view_of("welcome")));
    CHECK(wait_for(back, LINK_MESSAGE, &event, server, NULL));
    close(pipes[0]);
    close(pipes[1]);
}

static void a_restarted_server_is_found_again(void)
{
    struct link *server = listen_any();
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", link_port(server));
    AUTO(link_free) struct link *site = join(server, 0);
    struct link_event event;
    CHECK_OK(link_send(server, 0, view_of("last words")));
    link_free(&server);
    CHECK(wait_for(site, LINK_MESSAGE, &event, NULL, NULL)); /* first what it said, then its end */
    CHECK(wait_for(site, LINK_DOWN, &event, NULL, NULL));
    CHECK_STATUS(STATUS_IO, link_send(site, 0, view_of("x")));
    CHECK_OK(link_listen(&server, endpoint, secret[COORDINATOR], 2, public, &quick));
    CHECK(wait_for(site, LINK_UP, &event, server, NULL));
    link_free(&server);
}

/* A site without our code: it takes the other site's number for its routing id. */
static void the_identity_is_the_key_not_a_chosen_name(void)
{
    AUTO(link_free) struct link *server = listen_any();
    AUTO(link_free) struct link *honest = join(server, 0);
    void *context = zmq_ctx_new(), *rogue = zmq_socket(context, ZMQ_DEALER);
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", link_port(server));
    zmq_setsockopt(rogue, ZMQ_ROUTING_ID, "0", 1);
    zmq_setsockopt(rogue, ZMQ_LINGER, &(int){0}, sizeof(int));
    zmq_setsockopt(rogue, ZMQ_CURVE_SERVERKEY, public[COORDINATOR].bytes, LINK_KEY_BYTES);
    zmq_setsockopt(rogue, ZMQ_CURVE_PUBLICKEY, public[1].bytes, LINK_KEY_BYTES);
    zmq_setsockopt(rogue, ZMQ_CURVE_SECRETKEY, secret[1], LINK_KEY_BYTES);
    CHECK(zmq_connect(rogue, endpoint) == 0);
    CHECK(zmq_send(rogue, "not greeted", 11, 0) == 11);
    CHECK(zmq_send(rogue, "", 0, 0) == 0);
    CHECK(zmq_send(rogue, "two", 3, ZMQ_SNDMORE) == 3 && zmq_send(rogue, "parts", 5, 0) == 5);
    CHECK(zmq_send(rogue, "hello", 5, 0) == 5);
    struct link_event event;
    CHECK(wait_for(server, LINK_UP, &event, NULL, NULL));
    CHECK_NUMBER(1, event.peer);
    CHECK(wait_for(server, LINK_MESSAGE, &event, NULL, NULL));
    CHECK_NUMBER(1, event.peer);
    CHECK(says(&event, "hello"));
    CHECK_OK(link_send(server, 0, view_of("for site 0 only")));
    CHECK(wait_for(honest, LINK_MESSAGE, &event, server, NULL));
    zmq_close(rogue);
    zmq_ctx_term(context);
}

static void a_full_queue_is_refused_not_waited_for(void)
{
    AUTO(link_free) struct link *server = listen_any();
    AUTO(link_free) struct link *site = join(server, 0);
    static const uint8_t frame[FRAME_BYTES] = {1};
    enum status status = STATUS_OK;
    for (int i = 0; i < 100000 && status == STATUS_OK; i++)
        status = link_send(site, 0, (struct view){frame, sizeof frame});
    CHECK_STATUS(STATUS_STATE, status);
}

static void frames_without_bytes_or_too_large_are_refused(void)
{
    AUTO(link_free) struct link *server = listen_any();
    AUTO(link_free) struct link *site = join(server, 0);
    static const uint8_t frame[FRAME_BYTES + 1] = {1};
    CHECK_STATUS(STATUS_RANGE, link_send(site, 0, (struct view){0}));
    CHECK_STATUS(STATUS_RANGE, link_send(site, 0, (struct view){frame, sizeof frame}));
    CHECK_STATUS(STATUS_RANGE, link_send(server, 0, (struct view){frame, sizeof frame}));
    CHECK_STATUS(STATUS_IO, link_send(server, 1, view_of("never came")));
}

static void bad_arguments_are_refused(void)
{
    struct link *link = NULL;
    const struct link_settings small = {.frame_bytes = 10};
    const struct link_key twice[2] = {{{1}}, {{1}}};
    const uint8_t *key = secret[COORDINATOR];
    CHECK_STATUS(STATUS_RANGE, link_listen(&link, "ipc:///tmp/x", key, 2, public, &quick));
    CHECK_STATUS(STATUS_RANGE, link_listen(&link, "tcp://nonsense", key, 2, public, &quick));
    CHECK_STATUS(STATUS_RANGE, link_listen(&link, ANY_PORT, key, 0, public, &quick));
    CHECK_STATUS(STATUS_RANGE, link_listen(&link, ANY_PORT, key, 2, twice, &quick));
    CHECK_STATUS(STATUS_RANGE, link_listen(&link, ANY_PORT, key, 2, public, &small));
    CHECK_STATUS(STATUS_RANGE, link_connect(&link, "tcp://nonsense", key, key, &quick));
    AUTO(link_free) struct link *server = listen_any();
    char taken[64];
    snprintf(taken, sizeof taken, "tcp://127.0.0.1:%u", link_port(server));
    CHECK_STATUS(STATUS_IO, link_listen(&link, taken, key, 2, public, &quick));
    CHECK(link == NULL);
}

static void ignore(int number)
{
    (void)number;
}

static void a_signal_ends_the_wait(void)
{
    AUTO(link_free) struct link *server = listen_any();
    struct link_event event;
    const struct sigaction action = {.sa_handler = ignore};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    const struct itimerval soon = {.it_value.tv_usec = 20000};
    CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
    link_poll(server, -1, &event);
    CHECK_NUMBER(LINK_NOTHING, event.kind);
}

static void out_of_memory_leaves_nothing(void)
{
    OOM_EACH {
        struct link *link = NULL;
        enum status status = link_listen(&link, ANY_PORT, secret[COORDINATOR], 2, public, &quick);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((status == STATUS_OK) == (link != NULL));
        link_free(&link);
    }
}

int main(void)
{
    for (size_t i = 0; i < 4; i++) {
        memset(secret[i], (int)i + 1, LINK_KEY_BYTES);
        kx_transport_public(public[i].bytes, secret[i]);
    }
    RUN(a_killed_peer_is_down_and_may_return);
    RUN(right_keys_deliver_both_ways);
    RUN(frames_keep_their_order);
    RUN(an_unlisted_key_is_pending_and_retries);
    RUN(a_wrong_server_key_is_told);
    RUN(nobody_listening_is_told);
    RUN(a_web_server_is_told);
    RUN(a_server_that_says_nothing_is_told);
    RUN(an_oversized_frame_drops_its_sender_only);
    RUN(a_second_connection_replaces_the_first);
    RUN(a_restarted_server_is_found_again);
    RUN(the_identity_is_the_key_not_a_chosen_name);
    RUN(a_full_queue_is_refused_not_waited_for);
    RUN(frames_without_bytes_or_too_large_are_refused);
    RUN(bad_arguments_are_refused);
    RUN(a_signal_ends_the_wait);
    RUN(out_of_memory_leaves_nothing);
    return check_done();
}
