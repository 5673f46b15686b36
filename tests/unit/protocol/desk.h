/* SPDX-License-Identifier: Apache-2.0 */
/* Where a study is planned and plans are checked. */
#ifndef TESTS_UNIT_PROTOCOL_DESK_H
#define TESTS_UNIT_PROTOCOL_DESK_H

#include "protocol/schedule.h"

enum { DESK_SITES = 5, DESK_WIDE = 600 };

/* A study with noise, as it runs at DESK_SITES sites, everything kept, all sites in the cohort. */
struct desk {
    struct study study;
    struct layout layout;
    struct schedule schedule;
    struct bits keep, cohort;
    double clip; /* of the state */
};

void desk_open(struct desk *desk, enum study_unit unit, enum study_pruning mode, double epsilon);
/* The same as it runs at DESK_WIDE sites, which share along a ring. */
void desk_open_wide(struct desk *desk);
void desk_close(struct desk *desk);

/* What schedule_plan makes, in the place of what out held; and what schedule_check says. */
void desk_plan(struct plan *out, const struct desk *desk, enum step step, uint32_t number);
enum reason desk_check(const struct desk *desk, const struct plan *plan);

#endif
