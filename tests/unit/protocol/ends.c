/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/protocol/ends.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypto/kx.h"
#include "tests/lib/check.h"

uint8_t ends_secret[ENDS_KEYS][LINK_KEY_BYTES];
struct link_key ends_public[ENDS_KEYS];
const struct link_settings ends_quick = {
    .message_bytes = 2 << 20, .queue = 120, .retry_ms = 20, .attempt_ms = 2000, .linger_ms = 100};

void ends_init(void)
{
    for (size_t i = 0; i < ENDS_KEYS; i++) {
        memset(ends_secret[i], (int)i + 1, LINK_KEY_BYTES);
        kx_transport_public(ends_public[i].bytes, ends_secret[i]);
    }
}

struct endpoint ends_endpoint(uint16_t port)
{
    struct endpoint endpoint;
    snprintf(endpoint.text, sizeof endpoint.text, "tcp://127.0.0.1:%u", port);
    return endpoint;
}

struct link *ends_listen(size_t n, const struct link_settings *settings)
{
    struct link *link = NULL;
    CHECK_OK(link_listen(&link, ENDS_ANY_PORT, ends_secret[COORDINATOR], n, ends_public, settings));
    return link;
}

struct link *ends_connect(uint16_t port, size_t who, const struct link_settings *settings)
{
    struct link *link = NULL;
    CHECK_OK(link_connect(&link, ends_endpoint(port).text, ends_secret[who],
                          ends_public[COORDINATOR].bytes, settings));
    return link;
}

bool ends_wait(struct link *at, enum link_event_kind kind, struct link_event *event,
               struct link *other)
{
    for (int i = 0; i < ENDS_PATIENCE; i++) {
        struct link_event ignored;
        if (other != NULL) link_poll(other, 1, &ignored);
        link_poll(at, 1, event);
        if (event->kind == kind) return true;
    }
    return false;
}

struct link *ends_join(struct link *server, size_t who, const struct link_settings *settings)
{
    struct link_event event;
    struct link *site = ends_connect(link_port(server), who, settings);
    bool up = false, known = false;
    for (int i = 0; i < ENDS_PATIENCE && !(up && known); i++) {
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

enum status ends_send(struct link *link, size_t peer, const void *bytes, size_t n)
{
    struct buffer copy = {0};
    AUTO(blob_free) struct blob *blob = NULL;
    write_bytes(&copy, bytes, n);
    CHECK_OK(blob_of(&blob, &copy));
    return link_send(link, peer, blob, NULL);
}

enum status ends_say(struct link *link, size_t peer, const char *text)
{
    return ends_send(link, peer, text, strlen(text));
}

bool ends_said(const struct link_event *event, const char *text)
{
    return event->message.n == strlen(text) &&
           memcmp(event->message.at, text, event->message.n) == 0;
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static bool send_all(int fd, const char *bytes, ssize_t n)
{
    for (ssize_t at = 0; at < n;) {
        const ssize_t k = send(fd, bytes + at, (size_t)(n - at), MSG_NOSIGNAL);
        if (k <= 0) return false;
        at += k;
    }
    return true;
}

static void relay_carry(struct relay *r, int client, int server)
{
    static char bytes[8192];
    for (size_t passed = 0;;) {
        const bool spent = r->budget > 0 && passed >= r->budget;
        struct pollfd item[3] = {{client, spent ? 0 : POLLIN, 0},
                                 {server, POLLIN, 0},
                                 {r->listener, 0, 0}}; /* hung up: relay_stop */
        if (spent && !r->holds) {
            r->budget = 0;
            return;
        }
        if (poll(item, 3, -1) <= 0 || item[2].revents != 0) return;
        for (int i = 0; i < 2; i++) {
            if (item[i].revents == 0) continue;
            const ssize_t n = recv(item[i].fd, bytes, sizeof bytes, 0);
            if (n <= 0 || !send_all(item[1 - i].fd, bytes, n)) return;
            if (i == 0) passed += (size_t)n;
        }
    }
}

static void *relay_serve(void *argument)
{
    struct relay *r = argument;
    for (;;) {
        const int client = accept(r->listener, NULL, NULL);
        if (client < 0) return NULL;
        const struct sockaddr_in to = loopback(r->to);
        const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(server, (const struct sockaddr *)&to, sizeof to) == 0)
            relay_carry(r, client, server);
        close(server);
        close(client);
    }
}

static int listen_local(uint16_t *port)
{
    struct sockaddr_in at = loopback(0);
    socklen_t n = sizeof at;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(fd, (struct sockaddr *)&at, n) == 0 && listen(fd, 5) == 0 &&
          getsockname(fd, (struct sockaddr *)&at, &n) == 0);
    *port = ntohs(at.sin_port);
    return fd;
}

void ends_tcp_pair(int pair[static 2])
{
    uint16_t port = 0;
    const int listener = listen_local(&port);
    const struct sockaddr_in to = loopback(port);
    pair[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(pair[1], (const struct sockaddr *)&to, sizeof to) == 0);
    pair[0] = accept(listener, NULL, NULL);
    CHECK(pair[0] >= 0 && close(listener) == 0);
}

void relay_start(struct relay *r)
{
    r->listener = listen_local(&r->port);
    CHECK(pthread_create(&r->thread, NULL, relay_serve, r) == 0);
}

void relay_stop(struct relay *r)
{
    shutdown(r->listener, SHUT_RDWR);
    pthread_join(r->thread, NULL);
    close(r->listener);
}
