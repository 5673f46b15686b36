/* SPDX-License-Identifier: Apache-2.0 */
/* The open connections of a link by their file descriptors: whose each is, and how much TCP has
 * brought that libzmq keeps to itself. libzmq shows a message of many parts only when its last part
 * is there, and has no limit for it; so bytes that never become frames are counted here. */
#ifndef PROTOCOL_CONN_H
#define PROTOCOL_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define CONN_NOBODY SIZE_MAX

struct conn {
    bool open;
    size_t peer;    /* CONN_NOBODY before its greeting */
    uint64_t known; /* bytes of TCP that became frames, or need not */
    uint64_t fresh; /* more of them since the last conn_hoards */
};

/* Zero is empty. at has n entries, indexed by descriptor, owned. */
struct conns {
    size_t n;
    struct conn *at;
};

void conn_free(struct conns *conns);

/* A connection began. STATUS_NOMEM: it stays unknown. */
MUST_USE enum status conn_open(struct conns *conns, int fd);
/* It ended; returns whose it was. */
size_t conn_close(struct conns *conns, int fd);

/* The connection of this descriptor; NULL when none is known. */
struct conn *conn_find(struct conns *conns, int fd);

/* A frame of n bytes was read. */
void conn_read(struct conns *conns, int fd, size_t n);

/* Whether TCP has brought more than `most` bytes that did not become frames. Call it when all
 * frames are read.
 *
 * spared  bytes since the last call that need not become frames (heartbeats). */
bool conn_hoards(struct conns *conns, int fd, uint64_t most, uint64_t spared);

/* End it: the other side sees a closed connection. If libzmq has closed it in this very moment and
 * a newer one has its number, that one ends, and its peer connects again. */
void conn_shut(int fd);

#endif
