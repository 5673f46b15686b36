/* SPDX-License-Identifier: Apache-2.0 */
/* A small HTTP proxy and a small SOCKS5 server, both real, on the loopback; and the two ends of a
 * link that leads through one. */
#ifndef TESTS_UNIT_PROTOCOL_SERVER_H
#define TESTS_UNIT_PROTOCOL_SERVER_H

#include <stdatomic.h>

#include "tests/unit/protocol/ends.h"

/* A proxy that serves `visits` connections, one after the other. */
struct server {
    int at;
    uint16_t port;
    bool socks, silent; /* silent: accepts and says nothing */
    int visits;
    const char *wants;  /* text that the request must have, or it answers 407 */
    const char *answer; /* of HTTP: instead of the usual one */
    struct {
        uint8_t at, to; /* of all that SOCKS says: byte number `at`, counted from 1, is changed */
    } spoilt;
    char request[1024];
    atomic_size_t carried;
    pthread_t thread;
};

void server_start(struct server *s);
void server_stop(struct server *s);

/* So many times from now on a proxy cannot take a connection, for want of descriptors; goes down.
 * Link with -Wl,--wrap=accept4. */
extern atomic_uint server_starves;

/* A connection to a port of this machine; -1 when there is none. */
int server_dial(uint16_t port);
bool server_say(int fd, const void *text, size_t n);

/* A coordinator, and a site that comes through the proxy. */
struct passage {
    struct link *coordinator, *site;
};
/* scheme: "http://" or "socks5://" */
void passage_open(struct passage *p, const struct server *s, const char *scheme,
                  const char *credentials);
void passage_close(struct passage *p);

/* Both ends meet, and send each other 3 MiB. */
void passage_carries(struct passage *p);
/* The site is told, again and again, that the proxy is at fault. */
void passage_fails(struct passage *p);

#endif
