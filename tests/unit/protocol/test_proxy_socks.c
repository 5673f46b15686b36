/* SPDX-License-Identifier: Apache-2.0 */
/* SOCKS5: what a server is asked, and which of its answers count. */
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

static void a_socks_server_that_refuses_is_told(void)
{
    struct server s = {.visits = 100, .socks = true, .answer = "no"};
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
    RUN(a_socks_server_that_refuses_is_told);
    return check_done();
}
