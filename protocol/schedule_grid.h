/* SPDX-License-Identifier: Apache-2.0 */
/* How a plan comes to its grid: for schedule*.c alone. */
#ifndef PROTOCOL_SCHEDULE_GRID_H
#define PROTOCOL_SCHEDULE_GRID_H

#include "protocol/schedule.h"

/* Contributions of a round that are expected of n sites. */
double schedule_contributions(const struct study *study, uint32_t n);

/* Coordinates of all segments. */
uint64_t schedule_dimension(const struct plan *plan);

/* Whether the contributions' bits are summed up in one coordinate more. */
bool schedule_counts(const struct schedule *schedule, enum step step);

/* Whether the clip adapts and this one may come of it; 0 is the study's. */
bool schedule_clip_allowed(const struct schedule *schedule, double clip);

/* By table where the study says so and there is one for this sigma. */
enum noise_sampler schedule_sampler(const struct study *study, uint32_t sigma);

/* Grid, bit and noise of a plan that has its step, cohort and segments.
 * STATUS_RANGE  no grid has room, or nothing is kept. */
MUST_USE enum status schedule_set_grid(struct plan *plan, const struct schedule *schedule,
                                       double clip);

/* Another bit: vector and bit are one release, so that the norm bound is that of both. */
void schedule_set_bit(struct plan *plan, uint32_t bit);

/* The noise that is due to a plan whose norm bound is set. STATUS_RANGE as account_share. */
MUST_USE enum status schedule_due_noise(uint32_t *sigma, const struct schedule *schedule,
                                        const struct plan *plan);

/* Noise of sigma.
 * STATUS_RANGE  the ring has no room for it, or the caps not for all bits. */
MUST_USE enum status schedule_set_noise(struct plan *plan, const struct schedule *schedule,
                                        uint32_t sigma);

#endif
