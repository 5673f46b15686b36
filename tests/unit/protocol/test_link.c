/* SPDX-License-Identifier: Apache-2.0 */
/* Real sockets on the loopback; both ends in one thread, polled in turn. */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/unit/protocol/ends.h"

static void right_keys_deliver_both_ways(void)
{
    AUTO(link_free) struct link *server = ends_listen(2, &ends_quick);
    AUTO(link_free) struct link *site = ends_join(server, 1, &ends_quick);
    struct link_event event;
    CHECK_OK(ends_say(site, 0, "up"));
    CHECK(ends_wait(server, LINK_MESSAGE, &event, site));
    CHECK(ends_said(&event, "up") && event.peer == 1);
    CHECK_OK(ends_say(server, 1, "down"));
    CHECK(ends_wait(site, LINK_MESSAGE, &event, server));
    CHECK(ends_said(&event, "down"));
    CHECK(link_bytes_in(server, 1) > 2 && link_bytes_out(server, 1) > 4);
    CHECK(link_bytes_in(site, 0) > 4 && link_bytes_out(site, 0) > 2);
    CHECK_NUMBER(0, link_bytes_in(server, 0));
}

static void messages_keep_their_order(void)
{
    AUTO(link_free) struct link *server = ends_listen(2, &ends_quick);
    AUTO(link_free) struct link *site = ends_join(server, 0, &ends_quick);
    struct link_event event;
    for (uint8_t i = 0; i < 100; i++) CHECK_OK(ends_send(site, 0, &i, 1));
    for (uint8_t i = 0; i < 100; i++) {
        CHECK(ends_wait(server, LINK_MESSAGE, &event, site));
        CHECK(event.message.n == 1 && event.message.at[0] == i);
    }
}

/* The reason of the first two attempts: it does not give up after one. */
static void expect_trouble(struct link *site, struct link *server, enum reason reason)
{
    struct link_event event;
    for (int attempt = 0; attempt < 2; attempt++) {
        CHECK(ends_wait(site, LINK_TROUBLE, &event, server));
        CHECK_NUMBER(reason, event.reason);
        CHECK_STATUS(STATUS_IO, ends_say(site, 0, "x"));
    }
}

static void an_unlisted_key_is_pending_and_retries(void)
{
    AUTO(link_free) struct link *server = ends_listen(2, &ends_quick);
    AUTO(link_free) struct link *site = ends_connect(link_port(server), STRANGER, &ends_quick);
    expect_trouble(site, server, REASON_KEY_PENDING);
}

static void a_wrong_server_key_is_told(void)
{
    struct link *server = NULL;
    CHECK_OK(
        link_listen(&server, ENDS_ANY_PORT, ends_secret[STRANGER], 2, ends_public, &ends_quick));
    AUTO(link_free) struct link *site = ends_connect(link_port(server), 0, &ends_quick);
    expect_trouble(site, server, REASON_KEY_SERVER);
    link_free(&server);
}

static void nobody_listening_is_told(void)
{
    struct link *server = ends_listen(2, &ends_quick);
    uint16_t port = link_port(server);
    link_free(&server);
    AUTO(link_free) struct link *site = ends_connect(port, 0, &ends_quick);
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
    AUTO(link_free) struct link *site = ends_connect(port, 0, &ends_quick);
    expect_trouble(site, NULL, REASON_NET_NOTZMQ);
    pthread_join(thread, NULL);
    close(at);
}

static void a_server_that_says_nothing_is_told(void)
{
    uint16_t port = 0;
    int at = plain_socket(&port);
    struct link_settings hasty = ends_quick;
    hasty.attempt_ms = 50;
    AUTO(link_free) struct link *site = ends_connect(port, 0, &hasty);
    expect_trouble(site, NULL, REASON_NET_NOTZMQ);
    close(at);
}

static void a_second_connection_replaces_the_first(void)
{
    AUTO(link_free) struct link *server = ends_listen(2, &ends_quick);
    AUTO(link_free) struct link *first = ends_join(server, 0, &ends_quick);
    AUTO(link_free) struct link *second = ends_join(server, 0, &ends_quick);
    struct link_event event;
    CHECK_OK(ends_say(first, 0, "from the first"));
    link_poll(server, 50, &event);
    CHECK_NUMBER(LINK_NOTHING, event.kind); /* nobody hears the first any more */
    CHECK_OK(ends_say(server, 0, "to the second"));
    CHECK(ends_wait(second, LINK_MESSAGE, &event, server));
    CHECK(ends_said(&event, "to the second"));
    link_free(&first); /* its end is not the peer's end */
    CHECK_OK(ends_say(second, 0, "from the second"));
    CHECK(ends_wait(server, LINK_MESSAGE, &event, second));
    link_poll(server, 50, &event);
    CHECK_NUMBER(LINK_NOTHING, event.kind);
    CHECK_OK(ends_say(server, 0, "again"));
    CHECK(ends_wait(second, LINK_MESSAGE, &event, server));
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
        struct link *site = ends_connect(port, 0, &ends_quick);
        for (;;) link_poll(site, -1, &event);
    }
    AUTO(link_free) struct link *server = ends_listen(2, &ends_quick);
    struct link_event event;
    uint16_t port = link_port(server);
    CHECK(write(pipes[1], &port, sizeof port) == sizeof port);
    CHECK(ends_wait(server, LINK_UP, &event, NULL));
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    CHECK(ends_wait(server, LINK_DOWN, &event, NULL));
    CHECK_NUMBER(0, event.peer);
    CHECK_STATUS(STATUS_IO, ends_say(server, 0, "gone"));
    AUTO(link_free) struct link *back = ends_join(server, 0, &ends_quick);
    CHECK_OK(ends_say(server, 0, "welcome"));
    CHECK(ends_wait(back, LINK_MESSAGE, &event, server));
    close(pipes[0]);
    close(pipes[1]);
}

static void a_restarted_server_is_found_again(void)
{
    struct link *server = ends_listen(2, &ends_quick);
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", link_port(server));
    AUTO(link_free) struct link *site = ends_join(server, 0, &ends_quick);
    struct link_event event;
    CHECK_OK(ends_say(server, 0, "last words"));
    link_free(&server);
    CHECK(ends_wait(site, LINK_MESSAGE, &event, NULL)); /* first what it said, then its end */
    CHECK(ends_wait(site, LINK_DOWN, &event, NULL));
    CHECK_STATUS(STATUS_IO, ends_say(site, 0, "x"));
    CHECK_OK(link_listen(&server, endpoint, ends_secret[COORDINATOR], 2, ends_public, &ends_quick));
    CHECK(ends_wait(site, LINK_UP, &event, server));
    link_free(&server);
}

/* A site without our code: it takes the other site's number for its routing id. */
static void a_full_queue_is_refused_not_waited_for(void)
{
    AUTO(link_free) struct link *server = ends_listen(2, &ends_quick);
    AUTO(link_free) struct link *site = ends_join(server, 0, &ends_quick);
    struct link_event event;
    CHECK(link_idle(site, 0));
    for (uint32_t i = 0; i < ends_quick.queue; i++) CHECK_OK(ends_say(site, 0, "x"));
    CHECK_STATUS(STATUS_STATE, ends_say(site, 0, "x"));
    CHECK(!link_idle(site, 0));
    for (uint32_t i = 0; i < ends_quick.queue; i++)
        CHECK(ends_wait(server, LINK_MESSAGE, &event, site));
    for (int i = 0; i < ENDS_PATIENCE && !link_idle(site, 0); i++) link_poll(site, 1, &event);
    CHECK(link_idle(site, 0));
    CHECK_OK(ends_say(site, 0, "x"));
}

static void messages_without_bytes_or_too_large_are_refused(void)
{
    AUTO(link_free) struct link *server = ends_listen(2, &ends_quick);
    AUTO(link_free) struct link *site = ends_join(server, 0, &ends_quick);
    static const uint8_t much[(2 << 20) + 1] = {1};
    CHECK_STATUS(STATUS_RANGE, link_send(site, 0, NULL, NULL));
    CHECK_STATUS(STATUS_RANGE, ends_send(site, 0, much, sizeof much));
    CHECK_STATUS(STATUS_RANGE, ends_send(server, 0, much, sizeof much));
    CHECK_OK(ends_send(site, 0, much, sizeof much - 1));
    CHECK_STATUS(STATUS_IO, ends_say(server, 1, "never came"));
}

static void bad_arguments_are_refused(void)
{
    struct link *link = NULL;
    const struct link_settings small = {.message_bytes = UINT32_MAX};
    const struct link_key twice[2] = {{{1}}, {{1}}};
    const uint8_t *key = ends_secret[COORDINATOR];
    CHECK_STATUS(STATUS_RANGE,
                 link_listen(&link, "ipc:///tmp/x", key, 2, ends_public, &ends_quick));
    CHECK_STATUS(STATUS_RANGE,
                 link_listen(&link, "tcp://nonsense", key, 2, ends_public, &ends_quick));
    CHECK_STATUS(STATUS_RANGE, link_listen(&link, ENDS_ANY_PORT, key, 0, ends_public, &ends_quick));
    CHECK_STATUS(STATUS_RANGE, link_listen(&link, ENDS_ANY_PORT, key, 2, twice, &ends_quick));
    CHECK_STATUS(STATUS_RANGE, link_listen(&link, ENDS_ANY_PORT, key, 2, ends_public, &small));
    CHECK_STATUS(STATUS_RANGE, link_connect(&link, "tcp://nonsense", key, key, &ends_quick));
    AUTO(link_free) struct link *server = ends_listen(2, &ends_quick);
    char taken[64];
    snprintf(taken, sizeof taken, "tcp://127.0.0.1:%u", link_port(server));
    CHECK_STATUS(STATUS_IO, link_listen(&link, taken, key, 2, ends_public, &ends_quick));
    struct link_settings with = ends_quick;
    with.proxy = "ftp://x:1";
    CHECK_STATUS(STATUS_RANGE, link_connect(&link, taken, key, key, &with));
    with.proxy = "socks5://nowhere";
    CHECK_STATUS(STATUS_RANGE, link_connect(&link, taken, key, key, &with));
    with.proxy = "http://nowhere";
    CHECK_STATUS(STATUS_RANGE, link_connect(&link, taken, key, key, &with));
    CHECK(link == NULL);
}

static void too_few_open_files_are_told(void)
{
    struct rlimit before, few;
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    few = before;
    few.rlim_cur = LINK_FILES_SPARE + 1;
    struct link *link = NULL;
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    CHECK_STATUS(STATUS_IO, link_listen(&link, ENDS_ANY_PORT, ends_secret[COORDINATOR], 2,
                                        ends_public, &ends_quick));
    CHECK(link == NULL && setrlimit(RLIMIT_NOFILE, &before) == 0);
}

static void ignore(int number)
{
    (void)number;
}

static void a_signal_ends_the_wait(void)
{
    AUTO(link_free) struct link *server = ends_listen(2, &ends_quick);
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
        enum status status = link_listen(&link, ENDS_ANY_PORT, ends_secret[COORDINATOR], 2,
                                         ends_public, &ends_quick);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((status == STATUS_OK) == (link != NULL));
        link_free(&link);
    }
}

int main(void)
{
    ends_init();
    RUN(a_killed_peer_is_down_and_may_return);
    RUN(right_keys_deliver_both_ways);
    RUN(messages_keep_their_order);
    RUN(an_unlisted_key_is_pending_and_retries);
    RUN(a_wrong_server_key_is_told);
    RUN(nobody_listening_is_told);
    RUN(a_web_server_is_told);
    RUN(a_server_that_says_nothing_is_told);
    RUN(a_second_connection_replaces_the_first);
    RUN(a_restarted_server_is_found_again);
    RUN(a_full_queue_is_refused_not_waited_for);
    RUN(messages_without_bytes_or_too_large_are_refused);
    RUN(bad_arguments_are_refused);
    RUN(too_few_open_files_are_told);
    RUN(a_signal_ends_the_wait);
    RUN(out_of_memory_leaves_nothing);
    return check_done();
}
