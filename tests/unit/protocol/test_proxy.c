/* SPDX-License-Identifier: Apache-2.0 */
/* A small HTTP proxy and a small SOCKS5 server, both real, on the loopback; a CURVE session through
 * each. */
#include "protocol/proxy.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/kx.h"
#include "protocol/link.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static uint8_t secret[2][LINK_KEY_BYTES]; /* site, coordinator */
static struct link_key public[2];

/* A proxy that serves `visits` connections, one after the other. */
struct server {
    int at;
    uint16_t port;
    bool socks, silent;
    int visits;
    const char *wants;  /* text that the request must have, or it answers 407 */
    const char *answer; /* instead of the usual one */
    char request[1024];
    atomic_size_t carried;
    pthread_t thread;
};

static int dial_local(uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0) return fd;
    close(fd);
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

static bool say(int fd, const void *text, size_t n)
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
    const int target = dial_local((uint16_t)port);
    if (say(visitor, answer, strlen(answer)) && strstr(answer, " 200 ") != NULL && target >= 0)
        relay(s, visitor, target);
    if (target >= 0) close(target);
}

static void visit_socks(struct server *s, int visitor)
{
    uint8_t in[262];
    if (recv(visitor, in, 3, MSG_WAITALL) != 3 || in[0] != 5) return;
    if (!say(visitor, (const uint8_t[]){5, 0}, 2) || recv(visitor, in, 5, MSG_WAITALL) != 5) return;
    const size_t n = in[3] == 1 ? 10 : in[3] == 4 ? 22 : 7u + in[4]; /* IPv4, IPv6, name */
    if (recv(visitor, in + 5, n - 5, MSG_WAITALL) != (ssize_t)(n - 5)) return;
    memcpy(s->request, in, n);
    const int target = dial_local((uint16_t)(in[n - 2] << 8 | in[n - 1]));
    in[1] = s->answer == NULL ? 0 : 2; /* the answer has the form of the request */
    if (say(visitor, in, n) && in[1] == 0 && target >= 0) relay(s, visitor, target);
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

static void server_start(struct server *s)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    s->at = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(s->at, (struct sockaddr *)&address, n) == 0 && listen(s->at, 5) == 0 &&
          getsockname(s->at, (struct sockaddr *)&address, &n) == 0);
    s->port = ntohs(address.sin_port);
    if (!s->silent) CHECK(pthread_create(&s->thread, NULL, serve, s) == 0);
}

static void server_stop(struct server *s)
{
    shutdown(s->at, SHUT_RDWR);
    if (!s->silent) pthread_join(s->thread, NULL);
    close(s->at);
}

/* A coordinator, and a site that comes through the proxy. */
struct ends {
    struct link *server, *site;
};

static void ends_open(struct ends *e, const struct server *s, const char *scheme,
                      const char *credentials)
{
    char endpoint[64], proxy[64];
    const struct link_settings quick = {.retry_ms = 20, .attempt_ms = 2000, .linger_ms = 100};
    CHECK_OK(link_listen(&e->server, "tcp://127.0.0.1:*", secret[1], 1, public, &quick));
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", link_port(e->server));
    snprintf(proxy, sizeof proxy, "%s127.0.0.1:%u", scheme, s->port);
    struct link_settings settings = quick;
    settings.proxy = proxy;
    settings.proxy_credentials = credentials;
    if (s->silent) settings.attempt_ms = 100;
    CHECK_OK(link_connect(&e->site, endpoint, secret[0], public[1].bytes, &settings));
}

static void ends_close(struct ends *e)
{
    link_free(&e->site);
    link_free(&e->server);
}

/* What the site and the coordinator meet next, within some seconds. */
static enum link_event_kind meet(struct ends *e, struct link *at, enum link_event_kind kind,
                                 struct link_event *event)
{
    for (int i = 0; i < 4000; i++) {
        struct link_event other;
        link_poll(at == e->site ? e->server : e->site, 1, &other);
        link_poll(at, 1, event);
        if (event->kind == kind) break;
    }
    return event->kind;
}

static void expect_session(struct ends *e)
{
    static uint8_t bytes[3 << 20];
    struct link_event event;
    struct buffer copy = {0};
    AUTO(blob_free) struct blob *blob = NULL;
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 31 + i / 256);
    write_bytes(&copy, bytes, sizeof bytes);
    CHECK_OK(blob_of(&blob, &copy));
    CHECK_NUMBER(LINK_UP, meet(e, e->site, LINK_UP, &event));
    CHECK_OK(link_send(e->site, 0, blob, NULL));
    CHECK_NUMBER(LINK_MESSAGE, meet(e, e->server, LINK_MESSAGE, &event));
    CHECK(event.message.n == sizeof bytes && memcmp(event.message.at, bytes, sizeof bytes) == 0);
    CHECK_OK(link_send(e->server, 0, blob, NULL));
    CHECK_NUMBER(LINK_MESSAGE, meet(e, e->site, LINK_MESSAGE, &event));
    CHECK(event.message.n == sizeof bytes && memcmp(event.message.at, bytes, sizeof bytes) == 0);
}

static void expect_trouble(struct ends *e)
{
    struct link_event event;
    for (int i = 0; i < 2; i++) {
        CHECK_NUMBER(LINK_TROUBLE, meet(e, e->site, LINK_TROUBLE, &event));
        CHECK_NUMBER(REASON_NET_PROXY, event.reason);
    }
}

static void an_http_proxy_carries_a_session(void)
{
    struct server s = {.visits = 1};
    struct ends e = {0};
    server_start(&s);
    ends_open(&e, &s, "http://", NULL);
    expect_session(&e);
    CHECK(s.carried > 6 << 20);
    CHECK(strstr(s.request, "Proxy-Authorization") == NULL);
    ends_close(&e);
    server_stop(&s);
}

/* A file with these bytes and this mode; the name is static. */
static const char *credentials_file(const char *text, mode_t mode)
{
    static char name[] = "/tmp/veilsum-proxy-XXXXXX";
    memcpy(strrchr(name, '-') + 1, "XXXXXX", 6);
    const int fd = mkstemp(name);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
          fchmod(fd, mode) == 0 && close(fd) == 0);
    return name;
}

static void credentials_open_a_proxy_that_asks_for_them(void)
{
    /* RFC 7617, section 2 */
    struct server s = {.visits = 1,
                       .wants = "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"};
    const char *file = credentials_file("Aladdin:open sesame\n", 0600);
    struct ends e = {0};
    server_start(&s);
    ends_open(&e, &s, "http://", file);
    expect_session(&e);
    ends_close(&e);
    server_stop(&s);
    unlink(file);
}

static void a_proxy_that_refuses_is_told(void)
{
    static const char *const answer[] = {
        NULL, /* 407, for want of credentials */
        "HTTP/1.1 503 Unavailable\r\n\r\n",
        "HTTP/1.1 2000 No\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof answer / sizeof answer[0]; i++) {
        struct server s = {.visits = 100, .wants = i == 0 ? "Basic" : NULL, .answer = answer[i]};
        struct ends e = {0};
        server_start(&s);
        ends_open(&e, &s, "http://", NULL);
        expect_trouble(&e);
        ends_close(&e);
        server_stop(&s);
    }
}

static void a_proxy_that_is_not_there_is_told(void)
{
    static const char *const scheme[] = {"http://", "socks5://"};
    for (size_t i = 0; i < 2; i++) {
        struct server s = {.silent = true};
        struct ends e = {0};
        server_start(&s);
        server_stop(&s);
        ends_open(&e, &s, scheme[i], NULL);
        expect_trouble(&e);
        ends_close(&e);
    }
}

static void a_proxy_that_says_nothing_is_told(void)
{
    static const char *const scheme[] = {"http://", "socks5://"};
    for (size_t i = 0; i < 2; i++) {
        struct server s = {.silent = true};
        struct ends e = {0};
        server_start(&s);
        ends_open(&e, &s, scheme[i], NULL);
        expect_trouble(&e);
        ends_close(&e);
        server_stop(&s);
    }
}

static void a_socks_server_carries_a_session(void)
{
    struct server s = {.visits = 1, .socks = true};
    struct ends e = {0};
    server_start(&s);
    ends_open(&e, &s, "socks5://", NULL);
    expect_session(&e);
    CHECK(s.carried > 6 << 20);
    ends_close(&e);
    server_stop(&s);
}

/* Addresses go as such, a name is the server's to look up. */
static void a_socks_server_is_told_every_form_of_address(void)
{
    static const struct {
        const char *host;
        uint8_t begins[6];
    } row[] = {{"127.0.0.1", {5, 1, 0, 1, 127, 0}},
               {"[::1]", {5, 1, 0, 4, 0, 0}},
               {"localhost", {5, 1, 0, 3, 9, 'l'}}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct server s = {.visits = 1, .socks = true}, target = {.silent = true};
        struct proxy *proxy = NULL;
        char address[48], to[48], bytes[4] = "";
        server_start(&s);
        server_start(&target);
        snprintf(address, sizeof address, "socks5://127.0.0.1:%u", s.port);
        snprintf(to, sizeof to, "%s:%u", row[i].host, target.port);
        CHECK_OK(proxy_start(&proxy, address, to, NULL));
        const int client = dial_local(proxy_port(proxy));
        const int arrived = accept(target.at, NULL, NULL);
        CHECK(say(client, "word", 4) && recv(arrived, bytes, 4, MSG_WAITALL) == 4);
        CHECK_BYTES("word", bytes, 4);
        CHECK(say(arrived, "echo", 4) && recv(client, bytes, 4, MSG_WAITALL) == 4);
        CHECK_BYTES("echo", bytes, 4);
        CHECK_BYTES(row[i].begins, s.request, sizeof row[i].begins);
        close(client);
        close(arrived);
        proxy_free(&proxy);
        server_stop(&s);
        server_stop(&target);
    }
}

static void a_socks_server_that_refuses_is_told(void)
{
    struct server s = {.visits = 100, .socks = true, .answer = "no"};
    struct ends e = {0};
    server_start(&s);
    ends_open(&e, &s, "socks5://", NULL);
    expect_trouble(&e);
    ends_close(&e);
    server_stop(&s);
}

/* Behind a proxy that lets it through, a site still learns what is wrong with its coordinator. */
static void the_coordinator_s_faults_are_told_through_a_proxy(void)
{
    struct server s = {.visits = 100};
    struct ends e = {0};
    struct link_event event;
    server_start(&s);
    const struct link_key right = public[1];
    public[1] = public[0];
    ends_open(&e, &s, "http://", NULL);
    public[1] = right;
    CHECK_NUMBER(LINK_TROUBLE, meet(&e, e.site, LINK_TROUBLE, &event));
    CHECK_NUMBER(REASON_KEY_SERVER, event.reason);
    ends_close(&e);
    server_stop(&s);
}

/* What stands behind a head's end belongs to the target, and the end of one side is passed on when
 * its bytes are. */
static void bytes_pass_unchanged_to_their_end(void)
{
    struct server s = {.visits = 1, .answer = "HTTP/1.0 200 OK\r\n\r\nfirst words"};
    struct proxy *proxy = NULL;
    char address[48];
    server_start(&s);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    const int target = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(target, (struct sockaddr *)&at, n) == 0 && listen(target, 1) == 0 &&
          getsockname(target, (struct sockaddr *)&at, &n) == 0);
    char to[32], bytes[32] = "";
    snprintf(address, sizeof address, "http://127.0.0.1:%u/", s.port);
    snprintf(to, sizeof to, "127.0.0.1:%u", ntohs(at.sin_port));
    CHECK_OK(proxy_start(&proxy, address, to, NULL));
    CHECK(!proxy_through(proxy));
    const int client = dial_local(proxy_port(proxy));
    const int arrived = accept(target, NULL, NULL);
    CHECK(recv(client, bytes, 11, MSG_WAITALL) == 11 && strcmp(bytes, "first words") == 0);
    CHECK(proxy_through(proxy));
    CHECK(say(client, "last words", 10));
    close(client);
    CHECK(recv(arrived, bytes, 10, MSG_WAITALL) == 10 && memcmp(bytes, "last words", 10) == 0);
    CHECK(recv(arrived, bytes, 1, 0) == 0);
    close(arrived);
    close(target);
    proxy_free(&proxy);
    CHECK(proxy == NULL);
    server_stop(&s);
}

static void bad_arguments_are_refused(void)
{
    static const char *const server[] = {
        "",           "host:1",          "ftp://host:1",      "http://host",     "http://host:",
        "http://:1",  "http://host:x1",  "http://[]:80",      "http://host:1x/", "socks5://host",
        "socks5:///", "socks://host:80", "http://host:123456"};
    struct proxy *proxy = NULL;
    for (size_t i = 0; i < sizeof server / sizeof server[0]; i++)
        CHECK_STATUS(STATUS_RANGE, proxy_start(&proxy, server[i], "host:1", NULL));
    CHECK_STATUS(STATUS_RANGE, proxy_start(&proxy, "http://host:1", "", NULL));
    CHECK_STATUS(STATUS_RANGE, proxy_start(&proxy, "http://host:1", "a\r\nX: b", NULL));
    CHECK_STATUS(STATUS_RANGE, proxy_start(&proxy, "socks5://host:1", "host:1", "/no/file"));
    CHECK(proxy == NULL);
}

static void bad_credentials_are_refused(void)
{
    static const struct {
        const char *text;
        mode_t mode;
        enum status status;
    } row[] = {{"user:word", 0640, STATUS_AUTH},
               {"user:word", 0604, STATUS_AUTH},
               {"", 0600, STATUS_FORMAT},
               {"no colon", 0600, STATUS_FORMAT},
               {"user:two\nlines", 0600, STATUS_FORMAT}};
    struct proxy *proxy = NULL;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        const char *file = credentials_file(row[i].text, row[i].mode);
        CHECK_STATUS(row[i].status, proxy_start(&proxy, "http://host:1", "host:1", file));
        unlink(file);
    }
    char much[300];
    memset(much, ':', sizeof much);
    much[sizeof much - 1] = '\0';
    const char *file = credentials_file(much, 0600);
    CHECK_STATUS(STATUS_FORMAT, proxy_start(&proxy, "http://host:1", "host:1", file));
    unlink(file);
    CHECK_STATUS(STATUS_IO, proxy_start(&proxy, "http://host:1", "host:1", file));
    CHECK(proxy == NULL);
}

static void out_of_memory_leaves_nothing(void)
{
    const char *file = credentials_file("user:word", 0600);
    OOM_EACH {
        struct proxy *proxy = NULL;
        const enum status status = proxy_start(&proxy, "http://host:1", "host:1", file);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((status == STATUS_OK) == (proxy != NULL));
        proxy_free(&proxy);
    }
    unlink(file);
}

int main(void)
{
    for (size_t i = 0; i < 2; i++) {
        memset(secret[i], (int)i + 1, LINK_KEY_BYTES);
        kx_transport_public(public[i].bytes, secret[i]);
    }
    RUN(an_http_proxy_carries_a_session);
    RUN(credentials_open_a_proxy_that_asks_for_them);
    RUN(a_proxy_that_refuses_is_told);
    RUN(a_proxy_that_is_not_there_is_told);
    RUN(a_proxy_that_says_nothing_is_told);
    RUN(a_socks_server_carries_a_session);
    RUN(a_socks_server_is_told_every_form_of_address);
    RUN(a_socks_server_that_refuses_is_told);
    RUN(the_coordinator_s_faults_are_told_through_a_proxy);
    RUN(bytes_pass_unchanged_to_their_end);
    RUN(bad_arguments_are_refused);
    RUN(bad_credentials_are_refused);
    RUN(out_of_memory_leaves_nothing);
    return check_done();
}
