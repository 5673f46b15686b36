/* SPDX-License-Identifier: Apache-2.0 */
/* Try every event in every state of a small world, each state once. A fork is the undo: worlds need
 * no copy function. Checks that fail in a child are counted and the way to them is printed. */
#ifndef TESTS_LIB_EXPLORE_H
#define TESTS_LIB_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPLORE_DEPTH_MAX 64
#define EXPLORE_EVENTS_MAX 64

struct event {
    char name[24];
    uint32_t what, which; /* the world's own */
};

struct world {
    void *self;
    /* The events that are possible now; returns their number. */
    size_t (*events)(const void *self, struct event event[static EXPLORE_EVENTS_MAX]);
    /* Let one happen, and CHECK what must hold after it. */
    void (*apply)(void *self, const struct event *event);
    /* Equal for states with the same future. */
    uint64_t (*key)(const void *self);
    /* Whether it is a state that must be reached. */
    bool (*goal)(const void *self);
};

struct explored {
    size_t states, events, goals;
    size_t cut; /* states at the depth limit that have events */
    size_t violations;
};

/* All states within `depth` events of the present one. */
struct explored explore(const struct world *world, unsigned depth);

#endif
