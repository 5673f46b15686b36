/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP CONNECT (RFC 9110, 9.3.6) with the Basic scheme (RFC 7617), and SOCKS5 (RFC 1928) without
 * credentials: libzmq 4.3.4 knows SOCKS5 but aborts when its proxy does not answer. No clock: who
 * waits for the connection closes it when it has waited enough. */
#include "protocol/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/secret.h"
#include "protocol/tunnel.h"

#define CREDENTIALS_MAX 255
#define REQUEST_MAX 1500
#define ANSWER_MAX 8192
#define DIAL_MS 5000 /* for one of several addresses of a name */
#define PAUSE_MS 100 /* after a connection that could not be taken */

/* Kinds of addresses in SOCKS5. */
enum { SOCKS_IPV4 = 1, SOCKS_NAME = 3, SOCKS_IPV6 = 4 };

struct address {
    char host[PROXY_NAME_MAX + 1], service[6];
};

struct proxy {
    bool socks;
    struct address server;
    uint8_t request[REQUEST_MAX]; /* to connect to the target; secret */
    size_t request_n;
    int listener, stop;
    uint16_t port;
    atomic_bool through;
    bool runs;
    pthread_t thread;
    struct tunnel tunnel; /* the thread's */
};

static void file_close(const int *file)
{
    if (*file >= 0) close(*file);
}

/* The thread */

/* Wait until fd can do what events say; false when that will not be: the program stops, the client
 * has gone, or the time is over. */
static bool wait_for(const struct proxy *p, int client, int fd, short events, int ms)
{
    struct pollfd item[3] = {{p->stop, POLLIN, 0}, {client, POLLRDHUP, 0}, {fd, events, 0}};
    int n = -1;
    while ((n = poll(item, 3, ms)) < 0 && errno == EINTR) continue;
    return n > 0 && item[0].revents == 0 && item[1].revents == 0;
}

static bool dial_address(const struct proxy *p, int client, int fd, const struct addrinfo *to)
{
    if (connect(fd, to->ai_addr, to->ai_addrlen) == 0) return true;
    if (errno != EINPROGRESS || !wait_for(p, client, fd, POLLOUT, DIAL_MS)) return false;
    int fault = 0;
    socklen_t n = sizeof fault;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &n) == 0 && fault == 0;
}

/* A connection to the proxy, or -1. */
static int dial(const struct proxy *p, int client)
{
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    if (getaddrinfo(p->server.host, p->server.service, &wanted, &list) != 0) return -1;
    int found = -1;
    for (const struct addrinfo *to = list; to != NULL && found < 0; to = to->ai_next) {
        const int fd =
            socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, to->ai_protocol);
        if (fd >= 0 && dial_address(p, client, fd, to))
            found = fd;
        else
            file_close(&fd);
    }
    freeaddrinfo(list);
    return found;
}

static bool send_all(const struct proxy *p, int client, int server, const uint8_t *bytes, size_t n)
{
    for (size_t at = 0; at < n;) {
        if (!wait_for(p, client, server, POLLOUT, -1)) return false;
        const ssize_t sent = send(server, bytes + at, n - at, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
        if (sent > 0) at += (size_t)sent;
    }
    return true;
}

/* Read up to n bytes, at least one; 0 when that will not be. */
static size_t read_some(const struct proxy *p, int client, int server, uint8_t *out, size_t n)
{
    while (wait_for(p, client, server, POLLIN, -1)) {
        const ssize_t came = recv(server, out, n, 0);
        if (came > 0) return (size_t)came;
        if (came == 0 || (errno != EAGAIN && errno != EINTR)) return 0;
    }
    return 0;
}

static bool read_all(const struct proxy *p, int client, int server, uint8_t *out, size_t n)
{
    for (size_t at = 0; at < n;) {
        const size_t came = read_some(p, client, server, out + at, n - at);
        if (came == 0) return false;
        at += came;
    }
    return true;
}

static bool answer_is_yes(const char *answer)
{
    return strncmp(answer, "HTTP/1.", 7) == 0 && (answer[7] == '0' || answer[7] == '1') &&
           strncmp(answer + 8, " 200", 4) == 0 && (answer[12] == ' ' || answer[12] == '\r');
}

/* What follows the head of the answer is the target's and stays in way. */
static bool ask_http(const struct proxy *p, int client, int server, struct tunnel_way *way)
{
    static const char end[4] = {'\r', '\n', '\r', '\n'};
    if (!send_all(p, client, server, p->request, p->request_n)) return false;
    while (way->to < ANSWER_MAX) {
        const size_t n = read_some(p, client, server, way->bytes + way->to, ANSWER_MAX - way->to);
        if (n == 0) return false;
        way->to += n;
        const uint8_t *found = memmem(way->bytes, way->to, end, sizeof end);
        if (found == NULL) continue;
        way->from = (size_t)(found - way->bytes) + sizeof end;
        return way->from > 13 && answer_is_yes((const char *)way->bytes);
    }
    return false;
}

static bool ask_socks(const struct proxy *p, int client, int server)
{
    static const uint8_t greeting[3] = {5, 1, 0}; /* one method: no credentials */
    uint8_t in[4], bound[UINT8_MAX + 2];
    if (!send_all(p, client, server, greeting, sizeof greeting) ||
        !read_all(p, client, server, in, 2) || in[0] != 5 || in[1] != 0 ||
        !send_all(p, client, server, p->request, p->request_n) ||
        !read_all(p, client, server, in, 4) || in[0] != 5 || in[1] != 0 || in[2] != 0)
        return false;
    size_t n = in[3] == SOCKS_IPV4 ? 4 : in[3] == SOCKS_IPV6 ? 16 : 0; /* where it goes out */
    if (in[3] == SOCKS_NAME && read_all(p, client, server, bound, 1)) n = bound[0];
    return n > 0 && read_all(p, client, server, bound, n + 2);
}

static void carry(struct proxy *p, int client)
{
    struct tunnel *t = &p->tunnel;
    AUTO(file_close) const int server = dial(p, client);
    if (server < 0) return;
    for (int i = 0; i < 2; i++) {
        t->way[i].from = t->way[i].to = 0;
        t->way[i].ended = false;
    }
    t->side[0] = client;
    t->side[1] = server;
    p->through = p->socks ? ask_socks(p, client, server) : ask_http(p, client, server, &t->way[1]);
    if (p->through) tunnel_run(t, p->stop, p->listener);
}

static void *serve(void *argument)
{
    struct proxy *p = argument;
    for (;;) {
        struct pollfd item[2] = {{p->stop, POLLIN, 0}, {p->listener, POLLIN, 0}};
        if (poll(item, 2, -1) < 0) continue; /* a signal */
        if (item[0].revents != 0) return NULL;
        AUTO(file_close)
        const int client = accept4(p->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (client < 0) { /* gone again; or it stays there while descriptors are short */
            (void)poll(item, 1, PAUSE_MS);
            continue;
        }
        p->through = false;
        carry(p, client);
    }
}

/* Starting and stopping */

/* Split "host:port" or "[host]:port"; a closing slash is let go. */
static bool split_address(struct address *out, const char *text)
{
    const size_t all = strlen(text), n = all > 0 && text[all - 1] == '/' ? all - 1 : all;
    const char *colon = memrchr(text, ':', n);
    if (colon == NULL || n > PROXY_NAME_MAX) return false;
    const bool quoted = text[0] == '[' && colon > text + 1 && colon[-1] == ']';
    const char *host = text + (quoted ? 1 : 0);
    const size_t host_n = (size_t)(colon - host) - (quoted ? 1 : 0);
    const size_t service_n = n - (size_t)(colon + 1 - text);
    if (host_n == 0 || service_n == 0 || service_n >= sizeof out->service ||
        strspn(colon + 1, "0123456789") < service_n)
        return false;
    memcpy(out->host, host, host_n);
    memcpy(out->service, colon + 1, service_n);
    return true;
}

/* A target stands in a line of text: only what an address can have. */
static bool target_ok(const char *target)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789.-_:[]%";
    const size_t n = strlen(target);
    return n > 0 && n <= PROXY_NAME_MAX && strspn(target, allowed) == n;
}

/* "user:password" of one line, without its end. */
static bool credentials_ok(const struct buffer *text)
{
    if (text->n == 0 || text->n > CREDENTIALS_MAX || memchr(text->at, ':', text->n) == NULL)
        return false;
    for (size_t i = 0; i < text->n; i++)
        if (text->at[i] < 0x20 || text->at[i] == 0x7f) return false;
    return true;
}

static enum status read_credentials(struct buffer *out, const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0) return STATUS_IO;
    if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) return STATUS_AUTH;
    const enum status status = file_read(out, path, CREDENTIALS_MAX + 2);
    if (status == STATUS_RANGE) return STATUS_FORMAT;
    TRY(status);
    while (out->n > 0 && (out->at[out->n - 1] == '\n' || out->at[out->n - 1] == '\r')) out->n--;
    return credentials_ok(out) ? STATUS_OK : STATUS_FORMAT;
}

static void request_add(struct proxy *p, const void *bytes, size_t n)
{
    REQUIRE(n <= REQUEST_MAX - p->request_n);
    memcpy(p->request + p->request_n, bytes, n);
    p->request_n += n;
}

static void request_add_text(struct proxy *p, const char *text)
{
    request_add(p, text, strlen(text));
}

static enum status request_http(struct proxy *p, const char *target, const char *credentials)
{
    AUTO(buffer_wipe) struct buffer text = {0}, basic = {0};
    if (credentials != NULL) TRY(read_credentials(&text, credentials));
    write_base64(&basic, text.at, text.n);
    TRY(basic.status);
    request_add_text(p, "CONNECT ");
    request_add_text(p, target);
    request_add_text(p, " HTTP/1.1\r\nHost: ");
    request_add_text(p, target);
    if (text.n > 0) {
        request_add_text(p, "\r\nProxy-Authorization: Basic ");
        request_add(p, basic.at, basic.n);
    }
    request_add_text(p, "\r\n\r\n");
    return STATUS_OK;
}

/* A name is the proxy's to look up. */
static void request_socks(struct proxy *p, const struct address *target)
{
    const size_t n = strlen(target->host);
    const unsigned long port = strtoul(target->service, NULL, 10);
    uint8_t ip[16];
    request_add(p, (const uint8_t[]){5, 1, 0}, 3); /* version 5, CONNECT */
    if (inet_pton(AF_INET, target->host, ip) == 1) {
        request_add(p, (const uint8_t[]){SOCKS_IPV4}, 1);
        request_add(p, ip, 4);
    } else if (inet_pton(AF_INET6, target->host, ip) == 1) {
        request_add(p, (const uint8_t[]){SOCKS_IPV6}, 1);
        request_add(p, ip, 16);
    } else {
        request_add(p, (const uint8_t[]){SOCKS_NAME, (uint8_t)n}, 2);
        request_add(p, target->host, n);
    }
    request_add(p, (const uint8_t[]){(uint8_t)(port >> 8), (uint8_t)port}, 2);
}

static enum status make_request(struct proxy *p, const char *server, const char *target,
                                const char *credentials)
{
    static const char http[] = "http://", socks[] = "socks5://";
    struct address to = {0};
    p->socks = strncmp(server, socks, strlen(socks)) == 0;
    const char *scheme = p->socks ? socks : http;
    if (strncmp(server, scheme, strlen(scheme)) != 0 ||
        !split_address(&p->server, server + strlen(scheme)) || !target_ok(target) ||
        !split_address(&to, target) || (p->socks && credentials != NULL))
        return STATUS_RANGE;
    if (!p->socks) return request_http(p, target, credentials);
    request_socks(p, &to);
    return STATUS_OK;
}

static enum status listen_locally(struct proxy *p)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (p->listener < 0 || bind(p->listener, (struct sockaddr *)&address, n) != 0 ||
        listen(p->listener, 4) != 0 ||
        getsockname(p->listener, (struct sockaddr *)&address, &n) != 0)
        return STATUS_IO;
    p->port = ntohs(address.sin_port);
    return STATUS_OK;
}

/* The thread leaves the program's signals to the others. */
static enum status run_thread(struct proxy *p)
{
    sigset_t all, before;
    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) return STATUS_IO;
    p->runs = pthread_create(&p->thread, NULL, serve, p) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return p->runs ? STATUS_OK : STATUS_IO;
}

enum status proxy_start(struct proxy **out, const char *server, const char *target,
                        const char *credentials)
{
    AUTO(proxy_free) struct proxy *p = calloc(1, sizeof *p);
    if (p == NULL) return STATUS_NOMEM;
    p->listener = p->stop = -1;
    TRY(make_request(p, server, target, credentials));
    p->stop = eventfd(0, EFD_CLOEXEC);
    if (p->stop < 0) return STATUS_IO;
    TRY(listen_locally(p));
    TRY(run_thread(p));
    *out = p;
    p = NULL;
    return STATUS_OK;
}

void proxy_free(struct proxy **proxy)
{
    struct proxy *p = *proxy;
    if (p == NULL) return;
    if (p->runs) {
        REQUIRE(eventfd_write(p->stop, 1) == 0);
        pthread_join(p->thread, NULL);
    }
    file_close(&p->listener);
    file_close(&p->stop);
    secret_wipe(p->request, sizeof p->request);
    free(p);
    *proxy = NULL;
}

uint16_t proxy_port(const struct proxy *proxy)
{
    return proxy->port;
}

bool proxy_through(const struct proxy *proxy)
{
    return proxy->through;
}
