/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/conn.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#define OVERHEAD_MAX 256 /* more than ZMTP and CURVE add to a frame */

void conn_free(struct conns *conns)
{
    free(conns->at);
    *conns = (struct conns){0};
}

enum status conn_open(struct conns *conns, int fd)
{
    REQUIRE(fd >= 0);
    const size_t i = (size_t)fd;
    if (i >= conns->n) {
        const size_t n = 2 * i + 16; /* the system bounds descriptors */
        struct conn *at = realloc(conns->at, n * sizeof *at);
        if (at == NULL) return STATUS_NOMEM;
        for (size_t k = conns->n; k < n; k++) at[k] = (struct conn){.peer = CONN_NOBODY};
        *conns = (struct conns){.n = n, .at = at};
    }
    conns->at[i] = (struct conn){.open = true, .peer = CONN_NOBODY};
    return STATUS_OK;
}

struct conn *conn_find(struct conns *conns, int fd)
{
    if (fd < 0 || (size_t)fd >= conns->n || !conns->at[fd].open) return NULL;
    return &conns->at[fd];
}

size_t conn_close(struct conns *conns, int fd)
{
    struct conn *conn = conn_find(conns, fd);
    if (conn == NULL) return CONN_NOBODY;
    conn->open = false;
    return conn->peer;
}

static uint64_t bytes_received(int fd)
{
    struct tcp_info info = {0};
    socklen_t n = sizeof info;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0 ? info.tcpi_bytes_received : 0;
}

void conn_read(struct conns *conns, int fd, size_t n)
{
    struct conn *conn = conn_find(conns, fd);
    if (conn != NULL) conn->fresh += n + OVERHEAD_MAX;
}

/* What is taken for known is never more than what came, so nothing can be saved up. */
bool conn_hoards(struct conns *conns, int fd, uint64_t most, uint64_t spared)
{
    struct conn *conn = conn_find(conns, fd);
    if (conn == NULL) return false;
    const uint64_t came = bytes_received(fd), known = conn->known + conn->fresh + spared;
    conn->known = known < came ? known : came;
    conn->fresh = 0;
    return came - conn->known > most;
}

void conn_shut(int fd)
{
    (void)shutdown(fd, SHUT_RDWR);
}
