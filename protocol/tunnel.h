/* SPDX-License-Identifier: Apache-2.0 */
/* Carry bytes between two connected sockets, both ways, with a bounded buffer for each. */
#ifndef PROTOCOL_TUNNEL_H
#define PROTOCOL_TUNNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TUNNEL_BYTES (64 << 10)

/* One direction: bytes [from, to) have been read and not yet written. */
struct tunnel_way {
    size_t from, to;
    bool ended; /* its source has no more */
    uint8_t bytes[TUNNEL_BYTES];
};

/* way[i] leads from side[i] to the other. */
struct tunnel {
    int side[2];
    struct tunnel_way way[2];
};

/* Carry until both sides have ended or one breaks; the end of one side is passed on when all its
 * bytes are. Both sockets are non-blocking, and the caller's to close.
 *
 * stop  readable: let out what side 0 has sent, as long as that moves, then return.
 * next  readable after the end of side 0: return, somebody else waits. */
void tunnel_run(struct tunnel *tunnel, int stop, int next);

#endif
