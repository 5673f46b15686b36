/* SPDX-License-Identifier: Apache-2.0 */
/* A whole little study through the shipping state machines: one process, no sockets. */
#ifndef TESTS_FLOW_SCHOOL_H
#define TESTS_FLOW_SCHOOL_H

#include "aggregator/course.h"
#include "client/local.h"
#include "tests/flow/reference.h"
#include "tests/lib/arena.h"

#define SCHOOL_SITES REFERENCE_SITES

/* What a site has beside its session. */
struct school_desk {
    const struct study *study;
    const struct layout *layout;
    struct schedule schedule;
    struct local local;
    struct state state;
    struct noised put_in;
    struct account spent; /* worst case, as the site itself reckons */
};

struct school {
    struct study study;
    struct arena arena;
    struct course course;
    struct school_desk desk[SCHOOL_SITES];
    struct bits cohort;
    struct buffer state; /* of the round in progress */
};

void school_open(struct school *school, const struct study *study);
void school_close(struct school *school);

/* One round; the sites of the bit mask `lost` fall silent when they should send their input. */
void school_round(struct school *school, uint32_t lost);

/* Let the clip of a study adapt. */
void school_adapt(struct study *study);
/* A study on a ring of 18 bits: turned, and rounded by chance. */
void school_narrow(struct study *study, enum study_unit unit);

#endif
