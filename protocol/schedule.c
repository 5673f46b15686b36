/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/schedule.h"

#include <math.h>
#include <string.h>

#include "protocol/allocate.h"
#include "protocol/removal.h"
#include "protocol/schedule_grid.h"
#include "protocol/schedule_steps.h"

/* A round number has 32 bits: more sums than that cannot be opened, failed rounds included. */
static double delta_left(const struct schedule *schedule)
{
    const struct study *study = schedule->study;
    if (isinf(study->privacy.epsilon)) return study->privacy.delta; /* no noise */
    const double dim = (double)schedule->layout->n + (schedule->clip.noise > 0 ? 1 : 0);
    const double samples = 0x1p32 * (double)schedule->params.n * dim;
    return study->privacy.delta -
           noise_delta(study->privacy.sampler, samples, study->privacy.epsilon);
}

static struct clip_goal clip_of(const struct study *study, uint32_t n)
{
    struct clip_goal goal = {.first = study->privacy.clip};
    if (!study->privacy.adaptive_clip) return goal;
    goal.quantile = study->privacy.clip_quantile;
    goal.rate = study->privacy.clip_rate;
    goal.noise = study->privacy.clip_count_noise;
    if (!(goal.noise > 0)) goal.noise = schedule_contributions(study, n) / 20;
    return goal;
}

static enum status calibrate(struct schedule *schedule, struct settings_error *why)
{
    const struct study *study = schedule->study;
    const double epsilon = study->privacy.epsilon, delta = study->privacy.delta;
    schedule->delta = delta_left(schedule);
    const bool explores = schedule_steps(study, STEP_EXPLORE) > 0;
    const struct account_goal goal = {.epsilon = epsilon,
                                      .delta = schedule->delta,
                                      .sampling = schedule_sampling(study, STEP_TRAIN),
                                      .rounds = study->rounds.count,
                                      .exploration_ratio =
                                          explores ? study->privacy.exploration_ratio : 0,
                                      .evaluations = schedule_steps(study, STEP_EVALUATE),
                                      .evaluation_ratio = study->evaluation.ratio,
                                      .votes = schedule_steps(study, STEP_VOTE),
                                      .vote_ratio = study->pruning.refine_ratio};
    if (!(schedule->delta > 0) ||
        account_calibrate(&schedule->z, &schedule->order, &goal) != STATUS_OK)
        return settings_refuse(why, "privacy", "epsilon", "epsilon: no noise meets %g at delta %g",
                               epsilon, delta);
    const double count = schedule->clip.noise;
    uint32_t bit = 0;
    if (count > 0 && clip_bit(&bit, 1, schedule->z, &schedule->clip) != STATUS_OK)
        return settings_refuse(
            why, "privacy", "clip_count_noise",
            "clip_count_noise: the clip's count to within %.4g contributions costs "
            "all of epsilon; use %.4g or more, a larger epsilon, or for a "
            "twentieth of the round more than %.0f contributions in it",
            count, schedule->z / 2 * 1.001, ceil(10 * schedule->z));
    struct grid grid = {0};
    if (goal.evaluations > 0 && schedule_evaluation_grid(&grid, schedule) != STATUS_OK)
        return settings_refuse(why, "secagg", "bits",
                               "bits: %u are too few for the noise of an evaluation",
                               study->secagg.bits);
    return STATUS_OK;
}

enum status schedule_of(struct schedule *out, const struct study *study,
                        const struct layout *layout, uint32_t n, struct settings_error *why)
{
    const uint32_t quorum = study->sites.threshold;
    struct schedule schedule = {.study = study,
                                .layout = layout,
                                .params = {.n = n,
                                           .c = study->sites.colluding,
                                           .t = quorum,
                                           .quorum = quorum,
                                           .m = study->sites.min_contributors},
                                .clip = clip_of(study, n)};
    struct params *params = &schedule.params;
    if ((n > PARAMS_COMPLETE_MAX &&
         params_ring(&params->k, &params->t, n, params->c, quorum) != STATUS_OK) ||
        !params_sound(params))
        return settings_refuse(why, "sites", "threshold", "threshold: %u is unsound for %u sites",
                               quorum, n);
    if (study->privacy.dropouts == STUDY_XNOISE &&
        (params->k > 0 || n - quorum > XNOISE_REMOVABLE_MAX))
        return settings_refuse(why, "privacy", "dropouts",
                               "dropouts: xnoise does not allow for %u of %u sites dropping out",
                               n - quorum, n);
    TRY(calibrate(&schedule, why));
    *out = schedule;
    return STATUS_OK;
}

static enum status add_segment(struct plan *plan, const char *name, uint64_t dim,
                               const struct bits *members)
{
    if (plan->n_segments == MSG_SEGMENTS_MAX) return STATUS_RANGE;
    struct segment *segment = &plan->segment[plan->n_segments];
    *segment = (struct segment){
        .dim = dim, .degree = params_segment_degree(&plan->params, (uint32_t)bits_count(members))};
    memcpy(segment->name, name, strlen(name));
    TRY(bits_copy(&segment->members, members));
    plan->n_segments++;
    return STATUS_OK;
}

static enum status add_layer(struct plan *plan, const struct study *study,
                             const struct layout *layout, uint32_t s, const struct bits *keep,
                             const struct bits *members)
{
    const uint64_t kept = layout_segment_size(layout, s, keep);
    if (kept == 0) return STATUS_OK;
    return add_segment(plan, layout->segment[s], schedule_size(study, plan->step, kept), members);
}

/* Of blocks those that are served, with the sites that hold them. */
static enum status add_layers(struct plan *plan, const struct study *study,
                              const struct layout *layout, const struct bits *keep)
{
    const uint32_t blocks = allocate_blocks(layout);
    if (blocks == 0) return STATUS_RANGE;
    AUTO(allocation_free) struct allocation allocation = {0};
    TRY(allocate_of(&allocation, study, blocks, plan->step_number, &plan->cohort));
    if (bits_count(&allocation.sharer) < study->allocation.min_holders) return STATUS_QUORUM;
    for (uint32_t s = 0; s < layout->n_segments; s++) {
        const uint32_t b = allocate_block(layout->segment[s]);
        const struct bits *members = b == LAYOUT_NONE ? &allocation.sharer : &allocation.holder[b];
        if (bits_count(members) > 0) TRY(add_layer(plan, study, layout, s, keep, members));
    }
    return STATUS_OK;
}

/* The exploration travels by groups of units (private, and votes) or by layers (paper: every
 * parameter), the training by layers, kept coordinates or a share of them. A layer without kept
 * coordinates has no segment, nor has a block that is not served. An evaluation is counts by class.
 */
static enum status add_segments(struct plan *plan, const struct study *study,
                                const struct layout *layout, const struct bits *keep)
{
    if (plan->step == STEP_EVALUATE)
        return add_segment(plan, "evaluation", (uint64_t)COUNT_KINDS * study->model.spec.classes,
                           &plan->cohort);
    const bool units = plan->step == STEP_VOTE ||
                       (plan->step == STEP_EXPLORE && study->pruning.mode != STUDY_PRUNING_PAPER);
    if (units) {
        for (uint32_t g = 0; g < layout->n_groups; g++)
            TRY(add_segment(plan, layout->segment[layout->group_segment[g]], layout->group_units[g],
                            &plan->cohort));
        return STATUS_OK;
    }
    if (plan->step == STEP_TRAIN && study->allocation.mode != STUDY_ALLOCATION_NONE)
        return add_layers(plan, study, layout, keep);
    for (uint32_t s = 0; s < layout->n_segments; s++)
        TRY(add_layer(plan, study, layout, s, keep, &plan->cohort));
    return STATUS_OK;
}

uint32_t schedule_layer(const struct layout *layout, const struct plan *plan, uint32_t segment)
{
    for (uint32_t s = 0; s < layout->n_segments; s++)
        if (strcmp(layout->segment[s], plan->segment[segment].name) == 0) return s;
    return LAYOUT_NONE;
}

uint64_t schedule_part(const struct plan *plan, uint32_t site)
{
    uint64_t dim = 0;
    for (uint32_t l = 0; l < plan->n_segments; l++)
        if (bits_has(&plan->segment[l].members, site)) dim += plan->segment[l].dim;
    return dim;
}

/* When so many of the cohort are honest and survive, how many of them each opened segment has: the
 * others may all be members of one segment, and so may the corrupt ones. And none opens without
 * m + c survivors. */
static uint32_t least_honest(const struct plan *plan, uint32_t honest)
{
    const uint32_t gone = (uint32_t)bits_count(&plan->cohort) - honest;
    uint32_t least = honest;
    for (uint32_t l = 0; l < plan->n_segments; l++) {
        const uint32_t members = (uint32_t)bits_count(&plan->segment[l].members);
        uint32_t left = members > gone ? members - gone : 0;
        if (left < plan->params.m) left = plan->params.m;
        if (left < least) least = left;
    }
    return least;
}

uint32_t schedule_certain(const struct plan *plan)
{
    return least_honest(plan, params_honest(&plan->params));
}

struct release schedule_release(const struct plan *plan, uint32_t n_shares)
{
    /* Of removable noise only that of the certain ones stays in the sum. */
    const uint32_t certain = schedule_certain(plan);
    if (plan->removable > 0 && n_shares > certain) n_shares = certain;
    return (struct release){.norm2 = plan->grid.norm2,
                            .sigma = plan->grid.sigma,
                            .n_shares = n_shares,
                            .dim = schedule_dimension(plan),
                            .sampling = plan->sampling,
                            .removable = plan->removable};
}

/* So fine that rounding its norm up is not seen. */
#define WORST_SIGMA 0x1p20

struct release schedule_worst(const struct schedule *schedule, const struct plan *plan)
{
    /* Whoever knows fewer shares than conspirators gains by each that is certain: as many as can
     * be, though another step may have thinner blocks. */
    struct release worst = schedule_release(plan, schedule_certain(plan));
    worst.n_shares = params_honest(&plan->params);
    if (worst.sigma == 0) return worst;
    /* A share is at least z sqrt(norm2 / n_shares), raised by a relative 1e-9 (account_share), so
     * norm2 / (n_shares sigma^2) is below (1 - 1e-9) / z^2 in every plan. */
    const double norm = WORST_SIGMA / schedule_step_multiplier(schedule, plan->step);
    const double norm2 = ceil(norm * norm * worst.n_shares * (1 - 1e-9));
    worst.sigma = norm2 < 0x1p62 ? (uint32_t)WORST_SIGMA : 0;
    worst.norm2 = norm2 < 0x1p62 ? (uint64_t)norm2 : UINT64_MAX;
    return worst;
}

double schedule_multiplier(const struct plan *plan, uint32_t n_survivors)
{
    const double kept = (double)removal_kept(plan, n_survivors);
    const uint32_t honest = least_honest(plan, n_survivors - plan->params.c);
    return sqrt(kept * honest / (double)plan->grid.norm2) * (1 - 1e-9);
}

uint32_t schedule_message_bytes(const struct schedule *schedule)
{
    /* An opening has weights and keep set, and for a site that is new the result of every round; a
     * masked input is no larger. Roster and inbox have an advert or a hash of each site; shares,
     * inbox and unmask, for each holder, a header, what was sealed for it and a path, or a bundle.
     */
    const struct layout *layout = schedule->layout;
    const struct params *params = &schedule->params;
    const uint64_t model = layout->n * sizeof(float) + layout->n / 8;
    const uint64_t results = ((uint64_t)schedule->study->rounds.count + 1) * 256;
    const uint64_t site = 512;
    const bool removes = schedule->study->privacy.dropouts == STUDY_XNOISE;
    const uint64_t removable = removes ? params->n - params->quorum : 0;
    const uint64_t holder = 512 + 4 * (2 + LAYOUT_SEGMENTS_MAX + removable) * HASH_BYTES;
    const uint64_t holders = params->k > 0 ? params->k : params->n;
    const uint64_t bytes = model + results + params->n * site + holders * holder + (4u << 20);
    return bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes;
}

enum noise_sampler schedule_sampler(const struct study *study, uint32_t sigma)
{
    return sigma <= NOISE_TABLE_SIGMA_MAX ? study->privacy.sampler : NOISE_EXACT;
}

/* Rounding its parts up may make too much of little noise, where a little more can be divided
 * (dp/xnoise.h). At most 9 in a row are refused, and none above 15, wherever that was tried. */
#define RAISED_MAX 16

static enum status set_removable(struct plan *plan, const struct schedule *schedule)
{
    if (schedule->study->privacy.dropouts != STUDY_XNOISE || plan->grid.sigma == 0)
        return STATUS_OK;
    plan->removable = (uint32_t)bits_count(&plan->cohort) - plan->params.quorum;
    struct xnoise parts;
    enum status status = removal_parts(&parts, plan);
    for (uint32_t raised = 0; status == STATUS_RANGE && raised < RAISED_MAX; raised++) {
        TRY(schedule_set_noise(plan, schedule, plan->grid.sigma + 1));
        status = removal_parts(&parts, plan);
    }
    return status;
}

bool schedule_clip_allowed(const struct schedule *schedule, double clip)
{
    return clip == 0 || (schedule->clip.noise > 0 && clip_near(clip, &schedule->clip));
}

enum status schedule_plan(struct plan *out, const struct schedule *schedule, enum step step,
                          uint32_t step_number, const struct bits *keep, double clip,
                          const struct bits *cohort)
{
    const struct study *study = schedule->study;
    if (!schedule_clip_allowed(schedule, clip)) return STATUS_RANGE;
    AUTO(plan_free)
    struct plan plan = {.step = step,
                        .step_number = step_number,
                        .cipher = study->secagg.cipher,
                        .params = schedule->params};
    if (bits_count(cohort) < plan.params.quorum) return STATUS_QUORUM;
    plan.sampling = schedule_sampling(study, step);
    plan.wait_ms[WAIT_KEYS] = study->deadlines.keys_ms;
    plan.wait_ms[WAIT_POSITIONS] = study->deadlines.positions_ms;
    plan.wait_ms[WAIT_SHARES] = study->deadlines.shares_ms;
    plan.wait_ms[WAIT_INPUT] = study->deadlines.input_ms;
    plan.wait_ms[WAIT_CONFIRM] = study->deadlines.confirm_ms;
    plan.wait_ms[WAIT_UNMASK] = study->deadlines.unmask_ms;
    plan.release_ms = study->deadlines.release_ms;
    TRY(bits_copy(&plan.cohort, cohort));
    TRY(add_segments(&plan, study, schedule->layout, keep));
    if (schedule_counts(schedule, step)) TRY(add_segment(&plan, "clip", 1, &plan.cohort));
    TRY(schedule_set_grid(&plan, schedule, clip));
    plan.sampler = schedule_sampler(study, plan.grid.sigma);
    TRY(set_removable(&plan, schedule));
    *out = plan;
    plan = (struct plan){0};
    return STATUS_OK;
}
