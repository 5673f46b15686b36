/* SPDX-License-Identifier: Apache-2.0 */
/* A course without sites, whose rounds are done as soon as they are planned. */
#ifndef TESTS_UNIT_AGGREGATOR_TUTOR_H
#define TESTS_UNIT_AGGREGATOR_TUTOR_H

#include "aggregator/course.h"

#define TUTOR_SITES 5
#define TUTOR_MOST 2000 /* coordinates */

/* The weights that a course begins with. */
void tutor_weights(float weight[static TUTOR_MOST]);
void tutor_start(struct course *course, const struct study *study);

/* A round of the course's next plan that is done: `survivors` sites, sums of (i + 1) * unit. */
void tutor_finish(struct round *round, const struct course *course, size_t survivors, int32_t unit);
/* Finish a round of all sites and apply it. */
void tutor_apply(struct course *course, int32_t unit);

#endif
