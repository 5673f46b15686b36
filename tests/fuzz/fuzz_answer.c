/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: what proxy.c makes of a proxy's answer, HTTP or, when the first byte is 5, SOCKS5; a
 * SOCKS5 answer begins with that byte. Nothing of what follows the answer is lost: it is the
 * target's. */
#include "protocol/proxy.c"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX 20000 /* fits into a socket */

/* The rest of the input is what was read ahead, then what the socket still has. */
static void check_rest(const struct tunnel_way *way, int server, struct view rest)
{
    static uint8_t left[INPUT_MAX];
    const size_t ahead = way->to - way->from;
    const ssize_t n = recv(server, left, sizeof left, MSG_DONTWAIT);
    REQUIRE(n >= 0 && ahead + (size_t)n == rest.n);
    if (ahead > 0) REQUIRE(memcmp(way->bytes + way->from, rest.at, ahead) == 0);
    if (n > 0) REQUIRE(memcmp(left, rest.at + ahead, (size_t)n) == 0);
}

/* Where the first empty line ends. */
static size_t http_head(struct view in)
{
    size_t n = 4;
    while (n <= in.n && memcmp(in.at + n - 4, "\r\n\r\n", 4) != 0) n++;
    return n;
}

static size_t socks_head(struct view in)
{
    const size_t address = in.at[5] == SOCKS_NAME ? 1u + in.at[6] : in.at[5] == SOCKS_IPV6 ? 16 : 4;
    return 2 + 4 + address + 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX) return 0;
    static struct proxy p;
    p = (struct proxy){.socks = size > 0 && data[0] == 5, .request_n = 3};
    int client[2], server[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, client) == 0);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, server) == 0);
    p.stop = client[1];
    REQUIRE(size == 0 || send(server[1], data, size, 0) == (ssize_t)size);
    REQUIRE(shutdown(server[1], SHUT_WR) == 0);

    struct tunnel_way *way = &p.tunnel.way[1];
    const struct view in = {data, size};
    if (p.socks ? ask_socks(&p, client[0], server[0]) : ask_http(&p, client[0], server[0], way)) {
        const size_t head = p.socks ? socks_head(in) : http_head(in);
        REQUIRE(head <= size && (p.socks || memcmp(data, "HTTP/1.", 7) == 0));
        check_rest(way, server[0], (struct view){data + head, size - head});
    }
    for (int i = 0; i < 2; i++) {
        close(client[i]);
        close(server[i]);
    }
    return 0;
}
