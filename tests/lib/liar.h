/* SPDX-License-Identifier: Apache-2.0 */
/* One site that lies, among those that a round can do without it: what the round answers. */
#ifndef TESTS_LIB_LIAR_H
#define TESTS_LIB_LIAR_H

#include "tests/lib/forge.h"

#define LIAR 1

/* Two segments of 3 and 2 elements, bits 32, one site may collude. Complete: five sites, t = T = 4.
 * Ring: nine sites, T = 7, k = 6, t = 4. Noise: eight sites, t = T = 5, noise in four parts of
 * which three can be taken away. */
enum liar_world { LIAR_COMPLETE, LIAR_RING, LIAR_NOISE, LIAR_WORLDS };
void liar_open(struct arena *a, enum liar_world world);

/* The liar's letter of a kind is changed (tests/lib/forge.h): check what the round answers and
 * notes about it, and that it ends well. */
typedef void liar_change(struct arena *a, void *content);
void liar_tries(enum liar_world world, enum msg_kind kind, liar_change *change, enum status answer,
                enum reason blamed);

/* In both worlds. Blamed: its message was taken, to its disadvantage. */
#define BLAMED(reason, kind, change)                                                               \
    (liar_tries(LIAR_COMPLETE, MSG_##kind, change, STATUS_OK, REASON_##reason),                    \
     liar_tries(LIAR_RING, MSG_##kind, change, STATUS_OK, REASON_##reason),                        \
     liar_tries(LIAR_NOISE, MSG_##kind, change, STATUS_OK, REASON_##reason))
/* Refused: nothing changed, it may send the right one yet. */
#define REFUSED(status, kind, change)                                                              \
    (liar_tries(LIAR_COMPLETE, MSG_##kind, change, STATUS_##status, REASON_NONE),                  \
     liar_tries(LIAR_RING, MSG_##kind, change, STATUS_##status, REASON_NONE),                      \
     liar_tries(LIAR_NOISE, MSG_##kind, change, STATUS_##status, REASON_NONE))

/* Give the round a message by hand. */
enum status liar_tell(struct arena *a, uint32_t from, const struct buffer *bytes);

/* Step until a letter of a kind from a site is under way; append a copy of it. */
void liar_catch(struct arena *a, enum msg_kind kind, uint32_t from, struct buffer *out);

/* A filter that loses letters of a kind from the sites whose bit is set. */
struct silence {
    enum msg_kind kind;
    uint32_t sites;
};
bool liar_silence(struct arena *a, struct flight *flight);

#endif
