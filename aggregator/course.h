/* SPDX-License-Identifier: Apache-2.0 */
/* The course of a study: which step comes next, and what an opened sum does to the public state.
 * Everything here is post-processing of private sums. */
#ifndef AGGREGATOR_COURSE_H
#define AGGREGATOR_COURSE_H

#include "aggregator/refine.h"
#include "aggregator/round.h"
#include "protocol/schedule.h"
#include "protocol/state.h"

struct course {
    const struct study *study;
    struct layout layout;
    struct schedule schedule;
    struct state state; /* what the next plan names */
    float *velocity;    /* layout.n: heavy-ball momentum */
    struct refine refine;
    bool explored;      /* or there is nothing to explore */
    uint32_t trained;   /* training rounds done */
    uint32_t evaluated; /* evaluations done */
};

/* Begin with the study's initial weights (layout.n; copied) for n enrolled sites, pruned already
 * where the study explores nothing (prune_start). out refers to the
 * study and to itself: it must not be moved.
 * STATUS_RANGE from layout_of and schedule_of, which says why; STATUS_NOMEM. */
MUST_USE enum status course_new(struct course *out, const struct study *study, uint32_t n,
                                const float *weight, struct settings_error *why);
void course_free(struct course *course);

bool course_done(const struct course *course);

/* The plan of the next round but for session, round number and the manifest, study and previous
 * hashes. As schedule_plan. */
MUST_USE enum status course_plan(struct plan *out, const struct course *course,
                                 const struct bits *cohort);

/* What the sum of a segment is divided by, public: the contributions that were expected of its
 * members, sampling * records as if every site of the cohort had equally many (unit patient), or
 * its members among the survivors, in allocation mode private no fewer than min_holders (unit
 * site). */
double course_divisor(const struct study *study, const struct round *round, uint32_t segment);

/* Take the sums of a round in PHASE_DONE: the exploration gives the keep set, a training round one
 * step of heavy ball on the kept weights that it was about,
 *   v = momentum v + mean;  w = w + rate_t v;  rate_t = rate (1 - decay t / count),
 * where mean is the sum over course_divisor. The last segment of a round that counts gives the next
 * clip: clip_next with 1/2 + sum / (2 bit divisor) for the share. Coordinates that the round was
 * not about, sealed segments, and blocks that the plan did not serve stay as they are, momentum and
 * all. An evaluation
 * (evaluation.h) changes nothing but what comes next. What is pruned is chosen anew when it is due
 * (refine.h).
 * STATUS_NOMEM  nothing changed, but where a training round ends with a refinement: the course is
 *               over then.
 * STATUS_RANGE  the training diverged: a weight is not finite any more, and the course is over. */
MUST_USE enum status course_apply(struct course *course, const struct round *round);

#endif
