/* SPDX-License-Identifier: Apache-2.0 */
/* SOCKS5: what a server is asked, and which of its answers count. */
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/proxy.h"
#include "tests/lib/check.h"
#include "tests/unit/protocol/server.h"

static void a_socks_server_carries_a_session(void)
{
    struct server s = {.visits = 1, .socks = true};
    struct passage p = {0};
    server_start(&s);
    passage_open(&p, &s, "socks5://", NULL);
    passage_carries(&p);
    CHECK(s.carried > 6 << 20);
    passage_close(&p);
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
        const int client = server_dial(proxy_port(proxy));
        const int arrived = accept(target.at, NULL, NULL);
        CHECK(server_say(client, "word", 4) && recv(arrived, bytes, 4, MSG_WAITALL) == 4);
        CHECK_BYTES("word", bytes, 4);
        CHECK(server_say(arrived, "echo", 4) && recv(client, bytes, 4, MSG_WAITALL) == 4);
        CHECK_BYTES("echo", bytes, 4);
        CHECK_BYTES(row[i].begins, s.request, sizeof row[i].begins);
        close(client);
        close(arrived);
        proxy_free(&proxy);
        server_stop(&s);
        server_stop(&target);
    }
}

/* Whether the proxy lets a client through whose server changes one byte of what it says. */
static bool passes(const char *host, uint8_t at, uint8_t to)
{
    struct server s = {.visits = 1, .socks = true, .spoilt = {at, to}}, target = {.silent = true};
    struct proxy *proxy = NULL;
    char address[48], name[48], byte;
    server_start(&s);
    server_start(&target);
    snprintf(address, sizeof address, "socks5://127.0.0.1:%u", s.port);
    snprintf(name, sizeof name, "%s:%u", host, target.port);
    CHECK_OK(proxy_start(&proxy, address, name, NULL));
    const int client = server_dial(proxy_port(proxy));
    bool closed = false;
    while (!proxy_through(proxy) && !closed) {
        struct pollfd item = {client, POLLIN, 0};
        closed = poll(&item, 1, 1) == 1;
    }
    CHECK(!closed || recv(client, &byte, 1, 0) <= 0);
    close(client);
    proxy_free(&proxy);
    server_stop(&s);
    server_stop(&target);
    return !closed;
}

/* RFC 1928, sections 3 and 6: method; version, reply, reserved, type of address. */
static void an_answer_against_the_rules_is_none(void)
{
    static const uint8_t row[][2] = {{1, 4}, {2, 1}, {2, 2}, {2, 255}, {3, 4}, {4, 1}, {4, 2},
                                     {4, 8}, {4, 9}, {5, 1}, {6, 0},   {6, 2}, {6, 5}, {6, 255}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        CHECK(!passes("127.0.0.1", row[i][0], row[i][1]));
    CHECK(!passes("localhost", 7, 0)); /* a name of no length */
    CHECK(passes("127.0.0.1", 7, 10)); /* where the server goes out is its own affair */
    CHECK(passes("localhost", 8, 'x'));
}

static void a_socks_server_that_refuses_is_told(void)
{
    struct server s = {.visits = 100, .socks = true, .spoilt = {4, 2}};
    struct passage p = {0};
    server_start(&s);
    passage_open(&p, &s, "socks5://", NULL);
    passage_fails(&p);
    passage_close(&p);
    server_stop(&s);
}

int main(void)
{
    ends_init();
    RUN(a_socks_server_carries_a_session);
    RUN(a_socks_server_is_told_every_form_of_address);
    RUN(an_answer_against_the_rules_is_none);
    RUN(a_socks_server_that_refuses_is_told);
    return check_done();
}
