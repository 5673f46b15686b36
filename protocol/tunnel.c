/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/tunnel.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#define FLUSH_MS 200

/* Read into a way; false when the connection failed. */
static bool fill(struct tunnel_way *way, int source)
{
    if (way->from == way->to) way->from = way->to = 0;
    const ssize_t n = recv(source, way->bytes + way->to, TUNNEL_BYTES - way->to, 0);
    if (n > 0) way->to += (size_t)n;
    if (n == 0) way->ended = true;
    return n >= 0 || errno == EAGAIN || errno == EINTR;
}

static bool drain(struct tunnel_way *way, int sink)
{
    const ssize_t n = send(sink, way->bytes + way->from, way->to - way->from, MSG_NOSIGNAL);
    if (n > 0) way->from += (size_t)n;
    return n >= 0 || errno == EAGAIN || errno == EINTR;
}

/* What to wait for at side i; a side with nothing to wait for is left out (-1). */
static struct pollfd wanted_of(const struct tunnel *t, int i)
{
    const struct tunnel_way *in = &t->way[i], *out = &t->way[1 - i];
    const bool reads = !in->ended && (in->to < TUNNEL_BYTES || in->from == in->to);
    const bool writes = out->from < out->to;
    const int events = (reads ? POLLIN : 0) | (writes ? POLLOUT : 0);
    return (struct pollfd){events == 0 ? -1 : t->side[i], (short)events, 0};
}

/* Move what can be moved at side i. */
static bool move(struct tunnel *t, int i, const struct pollfd *found)
{
    struct tunnel_way *in = &t->way[i], *out = &t->way[1 - i];
    const bool broken = (found->revents & (POLLERR | POLLNVAL)) != 0;
    const bool reads = (found->events & POLLIN) != 0 && (found->revents & (POLLIN | POLLHUP)) != 0;
    if (broken || (reads && !fill(in, t->side[i]))) return false;
    if ((found->revents & POLLOUT) != 0 && !drain(out, t->side[i])) return false;
    return (found->revents & POLLHUP) == 0 || reads;
}

static bool is_over(const struct tunnel_way *way)
{
    return way->ended && way->from == way->to;
}

void tunnel_run(struct tunnel *t, int stop, int next)
{
    bool stops = false;
    while (!is_over(&t->way[0]) || (!stops && !is_over(&t->way[1]))) {
        struct pollfd item[4] = {{stops ? -1 : stop, POLLIN, 0},
                                 {t->way[0].ended ? next : -1, POLLIN, 0},
                                 wanted_of(t, 0),
                                 wanted_of(t, 1)};
        const int n = poll(item, 4, stops ? FLUSH_MS : -1);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0 || item[1].revents != 0) return;
        stops = stops || item[0].revents != 0;
        if (!move(t, 0, &item[2]) || !move(t, 1, &item[3])) return;
        for (int i = 0; i < 2; i++)
            if (is_over(&t->way[i])) shutdown(t->side[1 - i], SHUT_WR);
    }
}
