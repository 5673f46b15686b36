/* SPDX-License-Identifier: Apache-2.0 */
/* Through a web proxy: a thread that listens on the loopback and carries one connection at a time
 * through the proxy (HTTP CONNECT or SOCKS5) to one target. It reads nothing of what it carries, so
 * a CURVE session stays between its two ends; whoever else on this machine finds the port reaches
 * the same target, which asks for a key. */
#ifndef PROTOCOL_PROXY_H
#define PROTOCOL_PROXY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

#define PROXY_NAME_MAX 255

struct proxy;

/* Start the thread.
 *
 * server       the proxy, "http://host:port" or "socks5://host:port".
 * target       "host:port", at most PROXY_NAME_MAX characters each.
 * credentials  NULL, or a file with one line "user:password" for the Basic scheme, of at most 255
 *              characters, readable by its owner only; not for SOCKS5. Wiped by proxy_free.
 *
 * STATUS_RANGE   an address is malformed, or credentials for SOCKS5.
 * STATUS_AUTH    credentials are readable by others.
 * STATUS_FORMAT  credentials are not "user:password".
 * STATUS_IO      credentials cannot be read; no socket or thread.
 * STATUS_NOMEM */
MUST_USE enum status proxy_start(struct proxy **out, const char *server, const char *target,
                                 const char *credentials);

/* Stop the thread, which ends the connection. Waits for a name that is being looked up. */
void proxy_free(struct proxy **proxy);

/* Where it listens on 127.0.0.1. */
uint16_t proxy_port(const struct proxy *proxy);

/* Whether the proxy has let the latest connection through to the target. */
bool proxy_through(const struct proxy *proxy);

#endif
