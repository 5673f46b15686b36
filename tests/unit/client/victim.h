/* SPDX-License-Identifier: Apache-2.0 */
/* One site among others, and a coordinator (or peers) who lie in exactly one thing. */
#ifndef TESTS_UNIT_CLIENT_VICTIM_H
#define TESTS_UNIT_CLIENT_VICTIM_H

#include "tests/lib/forge.h"

#define VICTIM 0
#define VICTIM_RING_SITES 10

/* Five sites, one of which may collude; thresholds are 4, minimum m + c = 3. Site 4 is not in
 * segment 1. */
void victim_open(struct arena *a);
/* Ten sites on a ring, each with six neighbours, of whom four rebuild a seed; two may drop out. */
void victim_open_ring(struct arena *a);

/* Eight sites of which three may drop out, all in both segments: their noise has three parts that
 * can be taken away. */
void victim_open_noise(struct arena *a);

/* Play the world of five, or for SESSION_POSITIONS that of ten, until the victim is in a phase. */
void victim_until(struct arena *a, enum session_phase phase);

/* Idle, without secrets. */
bool victim_rests(const struct session *s);

/* How many entries of a kind the victim has written. */
size_t victim_memories(const struct arena *a, enum memory_kind kind);

/* Play a round of a world, in which a filter changes letters, until the victim refuses one; check
 * that it then rests and has told the coordinator why. Returns why, or REASON_NONE. */
enum reason victim_refusal(void (*open)(struct arena *), arena_filter *filter, void *context);

/* Why the victim refuses a letter of a kind whose content was changed. Checks that shares had left
 * before only if it is the result. */
enum reason victim_forged(void (*open)(struct arena *), enum msg_kind kind,
                          void (*change)(struct arena *, void *));

#define REFUSED(reason, kind, change)                                                              \
    CHECK_NUMBER(REASON_##reason, victim_forged(victim_open, MSG_##kind, change))
#define REFUSED_ON_RING(reason, kind, change)                                                      \
    CHECK_NUMBER(REASON_##reason, victim_forged(victim_open_ring, MSG_##kind, change))

#define REFUSED_WITH_NOISE(reason, kind, change)                                                   \
    CHECK_NUMBER(REASON_##reason, victim_forged(victim_open_noise, MSG_##kind, change))

/* A copy of bytes that outlives the change; until the next one. */
struct view victim_keep(const struct buffer *bytes);

#endif
