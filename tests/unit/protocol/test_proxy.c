/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions through a proxy, and what a site is told of one that fails. */
#include "protocol/proxy.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/unit/protocol/server.h"

static void an_http_proxy_carries_a_session(void)
{
    struct server s = {.visits = 1};
    struct passage p = {0};
    server_start(&s);
    passage_open(&p, &s, "http://", NULL);
    passage_carries(&p);
    CHECK(s.carried > 6 << 20);
    CHECK(strstr(s.request, "Proxy-Authorization") == NULL);
    passage_close(&p);
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
    struct passage p = {0};
    server_start(&s);
    passage_open(&p, &s, "http://", file);
    passage_carries(&p);
    passage_close(&p);
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
        struct passage p = {0};
        server_start(&s);
        passage_open(&p, &s, "http://", NULL);
        passage_fails(&p);
        passage_close(&p);
        server_stop(&s);
    }
}

static void a_proxy_that_is_not_there_is_told(void)
{
    static const char *const scheme[] = {"http://", "socks5://"};
    for (size_t i = 0; i < 2; i++) {
        struct server s = {.silent = true};
        struct passage p = {0};
        server_start(&s);
        server_stop(&s);
        passage_open(&p, &s, scheme[i], NULL);
        passage_fails(&p);
        passage_close(&p);
    }
}

static void a_proxy_that_says_nothing_is_told(void)
{
    static const char *const scheme[] = {"http://", "socks5://"};
    for (size_t i = 0; i < 2; i++) {
        struct server s = {.silent = true};
        struct passage p = {0};
        server_start(&s);
        passage_open(&p, &s, scheme[i], NULL);
        passage_fails(&p);
        passage_close(&p);
        server_stop(&s);
    }
}

/* Behind a proxy that lets it through, a site still learns what is wrong with its coordinator. */
static void the_coordinator_s_faults_are_told_through_a_proxy(void)
{
    struct server s = {.visits = 100};
    struct passage p = {0};
    struct link_event event;
    server_start(&s);
    const struct link_key right = ends_public[COORDINATOR];
    ends_public[COORDINATOR] = ends_public[0];
    passage_open(&p, &s, "http://", NULL);
    ends_public[COORDINATOR] = right;
    CHECK(ends_wait(p.site, LINK_TROUBLE, &event, p.coordinator));
    CHECK_NUMBER(REASON_KEY_SERVER, event.reason);
    passage_close(&p);
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
    const int client = server_dial(proxy_port(proxy));
    const int arrived = accept(target, NULL, NULL);
    CHECK(recv(client, bytes, 11, MSG_WAITALL) == 11 && strcmp(bytes, "first words") == 0);
    CHECK(proxy_through(proxy));
    CHECK(server_say(client, "last words", 10));
    close(client);
    CHECK(recv(arrived, bytes, 10, MSG_WAITALL) == 10 && memcmp(bytes, "last words", 10) == 0);
    CHECK(recv(arrived, bytes, 1, 0) == 0);
    close(arrived);
    close(target);
    proxy_free(&proxy);
    CHECK(proxy == NULL);
    server_stop(&s);
}

/* A connection that cannot be taken stays there; asking for it at once, again and again, would keep
 * the processor from whoever could give descriptors back. */
static void without_descriptors_a_proxy_waits(void)
{
    struct server s = {.visits = 1};
    struct passage p = {0};
    const unsigned plenty = 100000;
    server_starves = plenty;
    server_start(&s);
    passage_open(&p, &s, "http://", NULL);
    while (server_starves > plenty - 3) poll(NULL, 0, 10);
    CHECK(server_starves > plenty - 1000);
    server_starves = 0;
    passage_carries(&p);
    passage_close(&p);
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
    ends_init();
    RUN(an_http_proxy_carries_a_session);
    RUN(credentials_open_a_proxy_that_asks_for_them);
    RUN(a_proxy_that_refuses_is_told);
    RUN(a_proxy_that_is_not_there_is_told);
    RUN(a_proxy_that_says_nothing_is_told);
    RUN(the_coordinator_s_faults_are_told_through_a_proxy);
    RUN(bytes_pass_unchanged_to_their_end);
    RUN(without_descriptors_a_proxy_waits);
    RUN(bad_arguments_are_refused);
    RUN(bad_credentials_are_refused);
    RUN(out_of_memory_leaves_nothing);
    return check_done();
}
