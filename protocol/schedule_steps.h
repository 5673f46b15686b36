/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between the steps of a study. Private to schedule*.c. */
#ifndef PROTOCOL_SCHEDULE_STEPS_H
#define PROTOCOL_SCHEDULE_STEPS_H

#include "dp/count.h"
#include "protocol/schedule.h"

/* Share of its records that a site draws: all of those that it holds out. */
double schedule_sampling(const struct study *study, enum step step);

/* Of the noise. */
double schedule_step_multiplier(const struct schedule *schedule, enum step step);

/* count_plan for the study's unit and ring. */
MUST_USE enum status schedule_count_grid(struct grid *out, const struct study *study,
                                         uint32_t certain, uint32_t n_sites, uint32_t sigma);

/* The same of an evaluation of all sites, with its noise: known before the first round and not
 * found out after the last. Its noise is the same for every cohort, and no other needs a wider
 * ring. */
MUST_USE enum status schedule_evaluation_grid(struct grid *out, const struct schedule *schedule);

#endif
