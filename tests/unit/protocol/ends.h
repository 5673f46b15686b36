/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of links on the loopback, in one thread and polled in turn. Keys 0 to ENDS_SITES - 1
 * are sites, then come a stranger and the coordinator. */
#ifndef TESTS_UNIT_PROTOCOL_ENDS_H
#define TESTS_UNIT_PROTOCOL_ENDS_H

#include <pthread.h>

#include "protocol/link.h"

#define ENDS_ANY_PORT "tcp://127.0.0.1:*"
#define ENDS_SITES 40
/* Turns of about a millisecond before a test gives up: a minute. Threads of a busy machine may wait
 * for seconds. */
#define ENDS_PATIENCE 60000
enum { STRANGER = ENDS_SITES, COORDINATOR, ENDS_KEYS };

extern uint8_t ends_secret[ENDS_KEYS][LINK_KEY_BYTES];
extern struct link_key ends_public[ENDS_KEYS];
/* Short waits, and a queue of 120. */
extern const struct link_settings ends_quick;

/* Make the keys; first of all. */
void ends_init(void);

/* "tcp://127.0.0.1:port" */
struct endpoint {
    char text[64];
};
struct endpoint ends_endpoint(uint16_t port);

/* A coordinator for n sites. */
struct link *ends_listen(size_t n, const struct link_settings *settings);
struct link *ends_connect(uint16_t port, size_t who, const struct link_settings *settings);
/* Connect both ways: afterwards each end has had its LINK_UP. */
struct link *ends_join(struct link *server, size_t who, const struct link_settings *settings);

/* Poll `at` for an event of this kind while the other (or NULL) is served too; false when
 * patience is at its end. */
bool ends_wait(struct link *at, enum link_event_kind kind, struct link_event *event,
               struct link *other);

enum status ends_send(struct link *link, size_t peer, const void *bytes, size_t n);
enum status ends_say(struct link *link, size_t peer, const char *text);
bool ends_said(const struct link_event *event, const char *text);

/* Two ends of one TCP connection. */
void ends_tcp_pair(int pair[static 2]);

/* Somebody between: carries one connection at a time to another port, and after `budget` bytes of a
 * client either breaks it, once, or (holds) lets nothing pass any more. */
struct relay {
    uint16_t port, to;
    size_t budget;
    bool holds;
    int listener;
    pthread_t thread;
};
void relay_start(struct relay *relay);
void relay_stop(struct relay *relay);

#endif
