/* SPDX-License-Identifier: Apache-2.0 */
/* A plan is what the study makes of its step and cohort, or it is refused. */
#include <math.h>
#include <string.h>

#include "protocol/schedule_grid.h"
#include "protocol/schedule_steps.h"

static bool segments_equal(const struct plan *a, const struct plan *b)
{
    if (a->n_segments != b->n_segments) return false;
    for (uint32_t l = 0; l < a->n_segments; l++)
        if (strcmp(a->segment[l].name, b->segment[l].name) != 0 ||
            a->segment[l].dim != b->segment[l].dim ||
            !bits_equal(&a->segment[l].members, &b->segment[l].members))
            return false;
    return true;
}

static bool params_equal(const struct params *a, const struct params *b)
{
    return a->n == b->n && a->c == b->c && a->t == b->t && a->quorum == b->quorum && a->m == b->m;
}

/* Who shares and pads with whom; the segments are equal otherwise. */
static bool graphs_equal(const struct plan *a, const struct plan *b)
{
    if (a->params.k != b->params.k) return false;
    for (uint32_t l = 0; l < a->n_segments; l++)
        if (a->segment[l].degree != b->segment[l].degree) return false;
    return true;
}

/* own becomes the plan with the bit and the noise of the one that is checked: privacy holds with
 * any bit, for the norm and so the noise that is due are those with it. */
static enum reason check_noise(const struct plan *plan, struct plan *own,
                               const struct schedule *schedule)
{
    const double off = fabs((double)plan->clip_bit - (double)own->clip_bit);
    if ((own->clip_bit == 0) != (plan->clip_bit == 0) || off > 1 + 1e-6 * own->clip_bit)
        return REASON_NOISE;
    schedule_set_bit(own, plan->clip_bit);
    uint32_t due = 0;
    if (schedule_due_noise(&due, schedule, own) != STATUS_OK) return REASON_RING;
    if ((double)plan->grid.sigma < (double)due * (1 - 1e-6)) return REASON_NOISE;
    if (plan->sampler != schedule_sampler(schedule->study, plan->grid.sigma)) return REASON_NOISE;
    if (plan->removable != own->removable) return REASON_NOISE;
    if (schedule_set_noise(own, schedule, plan->grid.sigma) != STATUS_OK) return REASON_RING;
    bool same = own->grid.scale == plan->grid.scale && own->grid.norm2 == plan->grid.norm2 &&
                own->grid.cap == plan->grid.cap && own->grid.bits == plan->grid.bits;
    return same ? REASON_NONE : REASON_RING;
}

static bool noise_is_due(const struct schedule *schedule, const struct plan *plan)
{
    uint32_t due = 0;
    return schedule_due_noise(&due, schedule, plan) == STATUS_OK &&
           (double)plan->grid.sigma >= (double)due * (1 - 1e-6);
}

enum reason schedule_check_alone(const struct schedule *schedule, const struct plan *plan)
{
    const struct study *study = schedule->study;
    if (plan->step_number >= schedule_steps(study, plan->step)) return REASON_STUDY;
    if (!params_equal(&plan->params, &schedule->params) ||
        bits_count(&plan->cohort) < plan->params.quorum)
        return REASON_THRESHOLD;
    if (plan->params.k != schedule->params.k) return REASON_GRAPH;
    if (plan->cipher != study->secagg.cipher) return REASON_CIPHER;
    const bool removes = study->privacy.dropouts == STUDY_XNOISE && plan->grid.sigma > 0;
    const size_t spare = bits_count(&plan->cohort) - plan->params.quorum;
    if (plan->sampling != schedule_sampling(study, plan->step) ||
        plan->sampler != schedule_sampler(study, plan->grid.sigma) ||
        plan->removable != (removes ? spare : 0))
        return REASON_NOISE;
    return noise_is_due(schedule, plan) ? REASON_NONE : REASON_NOISE;
}

enum reason schedule_check(const struct schedule *schedule, const struct plan *plan,
                           const struct bits *keep, double clip)
{
    const struct study *study = schedule->study;
    if (plan->step_number >= schedule_steps(study, plan->step)) return REASON_STUDY;
    if (!schedule_clip_allowed(schedule, clip)) return REASON_STUDY;
    AUTO(plan_free) struct plan own = {0};
    enum status status =
        schedule_plan(&own, schedule, plan->step, plan->step_number, keep, clip, &plan->cohort);
    if (status == STATUS_NOMEM) return REASON_MEMORY;
    if (status == STATUS_QUORUM || !params_equal(&plan->params, &schedule->params))
        return REASON_THRESHOLD;
    if (status != STATUS_OK) return REASON_RING;
    if (plan->cipher != own.cipher) return REASON_CIPHER;
    if (!segments_equal(plan, &own)) return REASON_SEGMENTS;
    if (!graphs_equal(plan, &own)) return REASON_GRAPH;
    if (plan->sampling != own.sampling) return REASON_NOISE;
    if (memcmp(plan->wait_ms, own.wait_ms, sizeof own.wait_ms) != 0 ||
        plan->release_ms != own.release_ms)
        return REASON_STUDY;
    return check_noise(plan, &own, schedule);
}
