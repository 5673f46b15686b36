/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/protocol/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/check.h"

int server_dial(uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0) return fd;
    close(fd);
    return -1;
}

atomic_uint server_starves;

int __real_accept4(int fd, struct sockaddr *address, socklen_t *n, int flags);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *n, int flags);

int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *n, int flags)
{
    if (server_starves == 0) return __real_accept4(fd, address, n, flags);
    server_starves--;
    errno = EMFILE;
    return -1;
}

static void relay(struct server *s, int a, int b)
{
    static const size_t room = 4096;
    uint8_t bytes[4096];
    for (;;) {
        struct pollfd item[2] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
        if (poll(item, 2, 5000) <= 0) return;
        for (int i = 0; i < 2; i++) {
            if (item[i].revents == 0) continue;
            const ssize_t n = recv(item[i].fd, bytes, room, 0);
            if (n <= 0) return;
            s->carried += (size_t)n;
            for (ssize_t at = 0; at < n;) {
                const ssize_t k = send(item[1 - i].fd, bytes + at, (size_t)(n - at), MSG_NOSIGNAL);
                if (k <= 0) return;
                at += k;
            }
        }
    }
}

bool server_say(int fd, const void *text, size_t n)
{
    return send(fd, text, n, MSG_NOSIGNAL) == (ssize_t)n;
}

static void visit_http(struct server *s, int visitor)
{
    size_t n = 0;
    memset(s->request, 0, sizeof s->request);
    while (strstr(s->request, "\r\n\r\n") == NULL) {
        const ssize_t k = recv(visitor, s->request + n, sizeof s->request - 1 - n, 0);
        if (k <= 0) return;
        n += (size_t)k;
    }
    unsigned port = 0;
    if (sscanf(s->request, "CONNECT 127.0.0.1:%u HTTP/1.1", &port) != 1) return;
    const char *answer = s->answer != NULL ? s->answer : "HTTP/1.1 200 OK\r\nVia: me\r\n\r\n";
    if (s->wants != NULL && strstr(s->request, s->wants) == NULL)
        answer = "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n";
    const int target = server_dial((uint16_t)port);
    if (server_say(visitor, answer, strlen(answer)) && strstr(answer, " 200 ") != NULL &&
        target >= 0)
        relay(s, visitor, target);
    if (target >= 0) close(target);
}

static void visit_socks(struct server *s, int visitor)
{
    uint8_t in[262], method[2] = {5, 0};
    const size_t at = s->spoilt.at;
    if (recv(visitor, in, 3, MSG_WAITALL) != 3 || in[0] != 5) return;
    if (at >= 1 && at <= 2) method[at - 1] = s->spoilt.to;
    if (!server_say(visitor, method, 2) || recv(visitor, in, 5, MSG_WAITALL) != 5) return;
    const size_t n = in[3] == 1 ? 10 : in[3] == 4 ? 22 : 7u + in[4]; /* IPv4, IPv6, name */
    if (recv(visitor, in + 5, n - 5, MSG_WAITALL) != (ssize_t)(n - 5)) return;
    memcpy(s->request, in, n);
    const int target = server_dial((uint16_t)(in[n - 2] << 8 | in[n - 1]));
    in[1] = 0; /* the answer has the form of the request */
    if (at > 2) in[at - 3] = s->spoilt.to;
    if (server_say(visitor, in, n) && in[1] == 0 && target >= 0) relay(s, visitor, target);
    if (target >= 0) close(target);
}

static void *serve(void *argument)
{
    struct server *s = argument;
    for (int i = 0; i < s->visits; i++) {
        const int visitor = accept(s->at, NULL, NULL);
        if (visitor < 0) break;
        (s->socks ? visit_socks : visit_http)(s, visitor);
        close(visitor);
    }
    return NULL;
}

void server_start(struct server *s)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    s->at = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(s->at, (struct sockaddr *)&address, n) == 0 && listen(s->at, 5) == 0 &&
          getsockname(s->at, (struct sockaddr *)&address, &n) == 0);
    s->port = ntohs(address.sin_port);
    if (!s->silent) CHECK(pthread_create(&s->thread, NULL, serve, s) == 0);
}

void server_stop(struct server *s)
{
    shutdown(s->at, SHUT_RDWR);
    if (!s->silent) pthread_join(s->thread, NULL);
    close(s->at);
}

/* --- a coordinator and a site ----------------------------------------------------------------- */

void passage_open(struct passage *p, const struct server *s, const char *scheme,
                  const char *credentials)
{
    char proxy[64];
    struct link_settings settings = {.retry_ms = 20, .attempt_ms = 2000, .linger_ms = 100};
    p->coordinator = ends_listen(1, &settings);
    snprintf(proxy, sizeof proxy, "%s127.0.0.1:%u", scheme, s->port);
    settings.proxy = proxy;
    settings.proxy_credentials = credentials;
    if (s->silent) settings.attempt_ms = 100;
    p->site = ends_connect(link_port(p->coordinator), 0, &settings);
}

void passage_close(struct passage *p)
{
    link_free(&p->site);
    link_free(&p->coordinator);
}

/* A message that one end sends, as the other receives it. */
static void carry(struct link *from, struct link *to)
{
    static uint8_t bytes[3 << 20];
    struct link_event event;
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 31 + i / 256);
    CHECK_OK(ends_send(from, 0, bytes, sizeof bytes));
    CHECK(ends_wait(to, LINK_MESSAGE, &event, from));
    CHECK(event.message.n == sizeof bytes && memcmp(event.message.at, bytes, sizeof bytes) == 0);
}

void passage_carries(struct passage *p)
{
    struct link_event event;
    CHECK(ends_wait(p->site, LINK_UP, &event, p->coordinator));
    carry(p->site, p->coordinator);
    carry(p->coordinator, p->site);
}

void passage_fails(struct passage *p)
{
    struct link_event event;
    for (int i = 0; i < 2; i++) {
        CHECK(ends_wait(p->site, LINK_TROUBLE, &event, p->coordinator));
        CHECK_NUMBER(REASON_NET_PROXY, event.reason);
    }
}
