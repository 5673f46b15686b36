/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between a coordinator and its sites in one process, over the programs' own transport
 * (protocol/link.h): a port of 127.0.0.1, a connection for each site, encrypted, both ends known by
 * their transport keys.
 *
 * One message is under way at a time, and is handed on when the other end has it whole and has said
 * so: what is played over a courier is what is played without, bit for bit. What it shows is that
 * the transport carries it; each end has threads and sockets of its own, but not a process.
 *
 * NULL is a courier, too: bytes stay in memory, nobody connects. */
#ifndef LAB_COURIER_H
#define LAB_COURIER_H

#include "base/blob.h"
#include "protocol/manifest.h"
#include "protocol/schedule.h"

/* Nothing moves for so long: the message is lost. */
#define COURIER_QUIET_MS 60000

/* What STATUS_IO of courier_open says to people. */
#define COURIER_NO_SOCKETS                                                                         \
    "no sockets for so many sites: raise the limit of open files (ulimit -n), or leave --real out"

/* Of the option --real, of whatever plays a study. */
#define COURIER_OPTION_HELP                                                                        \
    "Every message goes over the programs' encrypted transport, on 127.0.0.1; the outcome is the " \
    "same (memory)"

struct courier;

/* Listen for the members of a manifest, with the settings that the programs have. Raises the
 * process's limit of open files as far as it may.
 *
 * quiet_ms  before a message, or a site on its way, counts as lost.
 *
 * STATUS_IO     no socket, or more open files are needed than the process may have. STATUS_NOMEM.
 * STATUS_RANGE  a transport key stands in the manifest twice. */
MUST_USE enum status courier_open(struct courier **out, const struct manifest *manifest,
                                  const struct keyfile *coordinator,
                                  const struct schedule *schedule, uint32_t quiet_ms);
void courier_free(struct courier **courier);

/* Connect site v, if it is away, and wait until both ends know.
 * STATUS_IO, STATUS_NOMEM. */
MUST_USE enum status courier_join(struct courier *courier, uint32_t v, const struct keyfile *site);
/* End its connection, if it has one, and wait until the coordinator knows. STATUS_IO. */
MUST_USE enum status courier_leave(struct courier *courier, uint32_t v);

/* Carry a letter to site v, which is connected; it becomes what came out there, and is emptied on
 * failure. An empty letter is none.
 * STATUS_IO  it did not arrive. STATUS_NOMEM, STATUS_RANGE (too large). */
MUST_USE enum status courier_down(struct courier *courier, uint32_t v, struct buffer *letter);
/* Carry one of site v to the coordinator; out is borrowed until the courier is used again, or the
 * letter freed. Statuses of courier_down. */
MUST_USE enum status courier_up(struct courier *courier, uint32_t v, struct blob *letter,
                                struct view *out);

/* After STATUS_IO: what did not arrive and where, for people. Else empty. */
const char *courier_trouble(const struct courier *courier);

#endif
