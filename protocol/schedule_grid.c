/* SPDX-License-Identifier: Apache-2.0 */
/* Grid, noise, clip bit and rotation of a plan. */
#include "protocol/schedule_grid.h"

#include <math.h>

#include "protocol/schedule_steps.h"

/* Contributions of a round that are expected of n sites. */
double schedule_contributions(const struct study *study, uint32_t n)
{
    return study->privacy.unit == STUDY_PATIENT ? study->privacy.sampling * study->privacy.records
                                                : n;
}

uint64_t schedule_dimension(const struct plan *plan)
{
    uint64_t dim = 0;
    for (uint32_t l = 0; l < plan->n_segments; l++) dim += plan->segment[l].dim;
    return dim;
}

double schedule_clip(const struct study *study, double clip)
{
    return clip > 0 ? clip : study->privacy.clip;
}

double schedule_vote_clip(const struct layout *layout)
{
    return sqrt((double)layout_units(layout));
}

double schedule_step_clip(const struct schedule *schedule, enum step step, double clip)
{
    if (step == STEP_EXPLORE) return schedule->study->privacy.exploration_clip;
    if (step == STEP_VOTE) return schedule_vote_clip(schedule->layout);
    return schedule_clip(schedule->study, clip);
}

struct grid schedule_grid(const struct plan *plan)
{
    struct grid grid = plan->grid;
    grid.norm2 -= (uint64_t)plan->clip_bit * plan->clip_bit;
    return grid;
}

uint32_t schedule_layers(const struct plan *plan)
{
    return plan->n_segments - (plan->clip_bit > 0 ? 1 : 0);
}

/* Whether the contributions' bits are summed up in one coordinate more. */
bool schedule_counts(const struct schedule *schedule, enum step step)
{
    return step == STEP_TRAIN && schedule->clip.noise > 0;
}

/* Contributions that one site may make at most, but for a chance below exp(-72) (dp/SPEC.md). */
static double most_contributions(const struct schedule *schedule)
{
    if (schedule->study->privacy.unit == STUDY_SITE) return 1;
    const double expected = schedule_contributions(schedule->study, schedule->params.n);
    return expected + GRID_TAIL * sqrt(expected) + 48;
}

bool schedule_rotates(const struct study *study, enum step step)
{
    return step == STEP_TRAIN && study->privacy.rotation == STUDY_ROTATION_HADAMARD;
}

enum status schedule_rotate(struct rotate *out, const struct plan *plan, uint32_t segment,
                            const struct hash *roster)
{
    struct hash_state state;
    hash_start(&state, "rotate");
    hash_add(&state, roster->bytes, HASH_BYTES);
    hash_add_u64(&state, segment);
    const struct hash seed = hash_end(&state);
    return rotate_new(out, plan->segment[segment].dim, seed.bytes);
}

void schedule_pick(struct pick *out, const struct plan *plan, uint32_t segment, uint64_t kept,
                   const struct hash *roster)
{
    struct hash_state state;
    hash_start(&state, "pick");
    hash_add(&state, roster->bytes, HASH_BYTES);
    hash_add_u64(&state, segment);
    const struct hash seed = hash_end(&state);
    pick_start(out, kept, plan->segment[segment].dim, seed.bytes);
}

/* Contributions that a site's sum holds, by public numbers: its even part of the drawn records. */
static uint32_t crowd_of(const struct schedule *schedule)
{
    const uint32_t n = schedule->params.n;
    return (uint32_t)ceil(schedule_contributions(schedule->study, n) / n);
}

/* Over how many coordinates a contribution is spread: those of the shortest layer, before pruning,
 * so that a study that can be planned stays so. Pruning leaves fewer coordinates and with them a
 * smaller norm in grid units, which pays for less spread. */
static uint64_t spread_of(const struct plan *plan, const struct schedule *schedule)
{
    if (!schedule_rotates(schedule->study, plan->step)) return 1;
    uint64_t least = UINT64_MAX;
    for (uint32_t s = 0; s < schedule->layout->n_segments; s++) {
        const uint64_t n = layout_segment_size(schedule->layout, s, NULL);
        const uint64_t size = schedule_size(schedule->study, plan->step, n);
        if (size < least) least = size;
    }
    return rotate_spread(least);
}

/* The noise that is due to a plan whose norm bound is set. */
enum status schedule_due_noise(uint32_t *sigma, const struct schedule *schedule,
                               const struct plan *plan)
{
    return account_share(sigma, schedule_step_multiplier(schedule, plan->step), plan->grid.norm2,
                         schedule_certain(plan));
}

/* Vector and bit are one release: the norm bound is that of both. */
void schedule_set_bit(struct plan *plan, uint32_t bit)
{
    plan->grid.norm2 = schedule_grid(plan).norm2 + (uint64_t)bit * bit;
    plan->clip_bit = bit;
}

/* STATUS_RANGE  the ring has no room for this noise, or the caps not for all bits. */
enum status schedule_set_noise(struct plan *plan, const struct schedule *schedule, uint32_t sigma)
{
    const uint32_t n = (uint32_t)bits_count(&plan->cohort);
    TRY(grid_noise(&plan->grid, n, sigma));
    const bool counted = plan->clip_bit * most_contributions(schedule) <= plan->grid.cap;
    return counted && grid_fits(&plan->grid, n) ? STATUS_OK : STATUS_RANGE;
}

static enum status add_count(struct plan *plan, const struct schedule *schedule)
{
    uint32_t bit = 0, sigma = 0;
    TRY(clip_bit(&bit, plan->grid.norm2, schedule->z, &schedule->clip));
    schedule_set_bit(plan, bit);
    TRY(schedule_due_noise(&sigma, schedule, plan));
    return schedule_set_noise(plan, schedule, sigma);
}

/* Noise multiplier of the vector alone: what is left when the count has its part of the norm. */
static double vector_noise(const struct schedule *schedule, enum step step)
{
    if (!schedule_counts(schedule, step)) return schedule_step_multiplier(schedule, step);
    const double ratio = schedule->z / (2 * schedule->clip.noise);
    return schedule->z / sqrt(1 - ratio * ratio);
}

/* An evaluation counts in whole steps. */
static enum status set_count_grid(struct plan *plan, const struct schedule *schedule)
{
    const uint32_t n = (uint32_t)bits_count(&plan->cohort), certain = schedule_certain(plan);
    uint32_t sigma = 0;
    TRY(schedule_count_grid(&plan->grid, schedule->study, certain, n, 0));
    TRY(schedule_due_noise(&sigma, schedule, plan));
    return schedule_count_grid(&plan->grid, schedule->study, certain, n, sigma);
}

/* Grid and noise, which belong together: sigma follows from the norm bound, and how fine the grid
 * can be from the room that the noise leaves. The bit follows from what the vector has of the norm;
 * where the caps have no room for all bits, a coarser grid may. */
enum status schedule_set_grid(struct plan *plan, const struct schedule *schedule, double clip)
{
    if (plan->step == STEP_EVALUATE) return set_count_grid(plan, schedule);
    const struct study *study = schedule->study;
    const bool counted = schedule_counts(schedule, plan->step);
    const uint64_t dim = schedule_dimension(plan);
    struct grid_goal goal = {.clip = schedule_step_clip(schedule, plan->step, clip),
                             .dim = counted && dim > 0 ? dim - 1 : dim,
                             .n_sites = (uint32_t)bits_count(&plan->cohort),
                             .bits = study->secagg.bits,
                             .z = vector_noise(schedule, plan->step),
                             .rounding = study->privacy.rounding,
                             .crowd = crowd_of(schedule),
                             .spread = spread_of(plan, schedule)};
    if (goal.dim == 0) return STATUS_RANGE;
    goal.n_shares = schedule_certain(plan);
    for (;; goal.scale_max = plan->grid.scale / 2) {
        plan->clip_bit = 0;
        TRY(grid_plan(&plan->grid, &goal));
        if (!counted || add_count(plan, schedule) == STATUS_OK) return STATUS_OK;
    }
}
