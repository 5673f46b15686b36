/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/course.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregator/prune.h"

/* Take over another keep set; what goes is at rest when it comes back. */
static void change_keep(struct course *course, struct bits keep)
{
    bits_free(&course->state.keep);
    course->state.keep = keep;
    state_prune(&course->state);
    for (size_t i = 0; i < keep.n; i++)
        if (!bits_has(&course->state.keep, i)) course->velocity[i] = 0;
}

/* All that is pruned comes back. */
static void keep_all(struct course *course)
{
    for (size_t i = 0; i < course->layout.n; i++)
        if (!bits_has(&course->state.keep, i)) course->state.weight[i] = course->refine.initial[i];
    bits_fill(&course->state.keep);
}

enum status course_new(struct course *out, const struct study *study, uint32_t n,
                       const float *weight, struct settings_error *why)
{
    AUTO(course_free) struct course course = {.study = study};
    TRY(layout_of(&course.layout, &study->model.spec));
    TRY(schedule_of(&course.schedule, study, &course.layout, n, why));
    TRY(state_new(&course.state, course.layout.n));
    memcpy(course.state.weight, weight, course.layout.n * sizeof *weight);
    TRY(refine_new(&course.refine, study, &course.layout, weight));
    course.velocity = calloc(course.layout.n, sizeof *course.velocity);
    if (course.velocity == NULL) return STATUS_NOMEM;
    course.explored = schedule_steps(study, STEP_EXPLORE) == 0;
    if (course.explored && study->pruning.mode != STUDY_PRUNING_NONE) {
        struct bits keep = {0};
        TRY(prune_start(&keep, study, &course.layout, weight));
        change_keep(&course, keep);
    }
    *out = course;
    course = (struct course){0};
    out->schedule.layout = &out->layout;
    return STATUS_OK;
}

void course_free(struct course *course)
{
    state_free(&course->state);
    refine_free(&course->refine);
    free(course->velocity);
    *course = (struct course){0};
}

bool course_done(const struct course *course)
{
    return course->explored && course->trained >= course->study->rounds.count &&
           course->evaluated >= schedule_steps(course->study, STEP_EVALUATE);
}

static enum step next_step(const struct course *course)
{
    if (!course->explored) return STEP_EXPLORE;
    if (course->evaluated < schedule_evaluations(course->study, course->trained))
        return STEP_EVALUATE;
    const bool due = schedule_refinements(course->study, course->trained) > course->refine.done;
    return due ? STEP_VOTE : STEP_TRAIN; /* prunefl refines within its training rounds */
}

enum status course_plan(struct plan *out, const struct course *course, const struct bits *cohort)
{
    const enum step step = next_step(course);
    const uint32_t number = step == STEP_EVALUATE ? course->evaluated
                            : step == STEP_VOTE   ? course->refine.done
                                                  : course->trained;
    return schedule_plan(out, &course->schedule, step, number, &course->state.keep,
                         course->state.clip, cohort);
}

/* The sums of all segments in order, in model units over the divisor; sealed ones are zero. */
static enum status decode(struct mean *out, const struct round *round, double divisor)
{
    size_t n = 0, at = 0;
    for (uint32_t l = 0; l < round->plan.n_segments; l++) n += round->plan.segment[l].dim;
    TRY(mean_new(out, n));
    for (uint32_t l = 0; l < round->plan.n_segments; l++) {
        struct mean part = {.n = round->plan.segment[l].dim, .value = out->value + at};
        at += part.n;
        if (bits_has(&round->opened_set, l))
            TRY(grid_decode(&part, &round->opened[l], &round->plan.grid, divisor));
    }
    return STATUS_OK;
}

static enum status apply_exploration(struct course *course, const struct round *round)
{
    AUTO(mean_free) struct mean guidance = {0};
    TRY(decode(&guidance, round, 1));
    for (size_t i = 0; course->study->pruning.score == STUDY_SCORE_AGREEMENT && i < guidance.n; i++)
        guidance.value[i] = fabsf(guidance.value[i]);
    struct bits keep = {0};
    TRY(prune_keep(&keep, course->study, &course->layout, guidance.value, course->state.weight));
    if (course->refine.n > 0) {
        const enum status status =
            prune_ranks(course->refine.value, &course->layout, guidance.value);
        if (status != STATUS_OK) bits_free(&keep);
        TRY(status);
    }
    change_keep(course, keep);
    course->explored = true;
    return STATUS_OK;
}

/* A layer whose segment stayed sealed keeps its guidance. */
static enum status apply_votes(struct course *course, const struct round *round)
{
    struct refine *refine = &course->refine;
    const struct layout *layout = &course->layout;
    const float share = (float)course->study->pruning.refine_share;
    AUTO(mean_free) struct mean votes = {0};
    TRY(decode(&votes, round, 1));
    TRY(prune_ranks(votes.value, layout, votes.value));
    for (uint32_t g = 0; g < layout->n_groups; g++)
        for (uint32_t k = 0, u = layout_unit_first(layout, g); k < layout->group_units[g];
             k++, u++) {
            const float part = bits_has(&round->opened_set, g) ? share : 0;
            votes.value[u] = (1 - part) * refine->value[u] + part * votes.value[u];
        }
    struct bits keep = {0};
    TRY(prune_keep(&keep, course->study, layout, votes.value, refine->initial));
    memcpy(refine->value, votes.value, refine->n * sizeof *refine->value);
    change_keep(course, keep);
    refine_forget(refine);
    return STATUS_OK;
}

/* What the count says of the clip; sealed, it says nothing. */
static enum status apply_count(struct course *course, const struct round *round)
{
    const struct plan *plan = &round->plan;
    const uint32_t last = plan->n_segments - 1;
    if (plan->clip_bit == 0 || !bits_has(&round->opened_set, last)) return STATUS_OK;
    struct grid grid = plan->grid;
    grid.scale = 2.0 * plan->clip_bit;
    float above_half = 0;
    struct mean mean = {.n = 1, .value = &above_half};
    TRY(grid_decode(&mean, &round->opened[last], &grid,
                    course_divisor(course->study, round, last)));
    course->state.clip = clip_next(schedule_clip(course->study, course->state.clip),
                                   0.5 + (double)above_half, &course->schedule.clip);
    return STATUS_OK;
}

/* One step on the next n of the coordinates that the round is about, from i on. Returns the
 * coordinate after them. */
static size_t step_kept(struct course *course, struct pick *pick, size_t i, size_t n,
                        const float *mean)
{
    const struct study *study = course->study;
    const float momentum = (float)study->rounds.momentum;
    const float rate = (float)(study->rounds.learning_rate *
                               (1 - study->rounds.decay * course->trained / study->rounds.count));
    const uint32_t every = study->pruning.refine_every;
    const uint32_t round = every > 0 ? course->trained % every + 1 : 1;
    for (size_t at = 0; at < n; i++) {
        if (!bits_has(&course->state.keep, i) || !pick_next(pick)) continue;
        refine_see(&course->refine, i, mean[at], round);
        course->velocity[i] = momentum * course->velocity[i] + mean[at++];
        course->state.weight[i] += rate * course->velocity[i];
    }
    return i;
}

/* What it takes to decode sums, made before a weight changes: room for a piece of a segment, as a
 * model's mean is never in memory as a whole; rotated segments are turned back in one piece. */
struct decoder {
    size_t n;
    float *value;
    uint32_t n_rotates;
    struct rotate rotate[MSG_SEGMENTS_MAX];
};

static void decoder_free(struct decoder *decoder)
{
    for (uint32_t l = 0; l < decoder->n_rotates; l++) rotate_free(&decoder->rotate[l]);
    free(decoder->value);
}

static enum status decoder_new(struct decoder *decoder, const struct study *study,
                               const struct round *round)
{
    decoder->n = 4096;
    const bool rotates = schedule_rotates(study, round->plan.step);
    for (uint32_t l = 0; rotates && l < schedule_layers(&round->plan); l++, decoder->n_rotates++) {
        TRY(schedule_rotate(&decoder->rotate[l], &round->plan, l, &round->roster_hash));
        if (decoder->rotate[l].n > decoder->n) decoder->n = decoder->rotate[l].n;
    }
    decoder->value = calloc(decoder->n, sizeof *decoder->value);
    return decoder->value == NULL ? STATUS_NOMEM : STATUS_OK;
}

static enum status step_segment(struct course *course, const struct decoder *decoder,
                                const struct round *round, uint32_t l)
{
    const uint32_t s = schedule_layer(&course->layout, &round->plan, l);
    REQUIRE(s != LAYOUT_NONE);
    const struct opened *opened = &round->opened[l];
    const double divisor = course_divisor(course->study, round, l);
    struct pick pick;
    schedule_pick(&pick, &round->plan, l,
                  layout_segment_size(&course->layout, s, &course->state.keep),
                  &round->roster_hash);
    size_t i = layout_segment_first(&course->layout, s);
    for (size_t at = 0, n = 0; at < opened->n; at += n) {
        n = opened->n - at < decoder->n ? opened->n - at : decoder->n;
        struct mean mean = {.n = n, .value = decoder->value};
        const struct opened piece = {.n = n, .value = opened->value + at};
        TRY(grid_decode(&mean, &piece, &round->plan.grid, divisor));
        if (l < decoder->n_rotates) rotate_back(&decoder->rotate[l], mean.value);
        i = step_kept(course, &pick, i, n, mean.value);
    }
    return STATUS_OK;
}

double course_divisor(const struct study *study, const struct round *round, uint32_t segment)
{
    const struct bits *members = &round->plan.segment[segment].members;
    if (study->privacy.unit == STUDY_PATIENT)
        return study->privacy.sampling * study->privacy.records * (double)bits_count(members) /
               (double)bits_count(&round->plan.cohort);
    const uint32_t least =
        study->allocation.mode == STUDY_ALLOCATION_PRIVATE ? study->allocation.min_holders : 1;
    const size_t survivors = bits_common(members, &round->survivors);
    return survivors < least ? least : (double)survivors;
}

/* After a round in which everything was released. */
static enum status refine_observed(struct course *course)
{
    const struct study *study = course->study;
    if (!course->refine.sees || schedule_refinements(study, course->trained) == course->refine.done)
        return STATUS_OK;
    struct bits keep = {0};
    TRY(prune_observed(&keep, study, &course->layout, course->refine.value,
                       course->refine.initial));
    change_keep(course, keep);
    refine_forget(&course->refine);
    return STATUS_OK;
}

static enum status apply_training(struct course *course, const struct round *round)
{
    const uint32_t layers = schedule_layers(&round->plan);
    AUTO(decoder_free) struct decoder decoder = {0};
    TRY(decoder_new(&decoder, course->study, round));
    for (uint32_t l = 0; l < layers; l++)
        if (bits_has(&round->opened_set, l)) TRY(step_segment(course, &decoder, round, l));
    for (size_t k = 0; k < course->layout.n; k++)
        if (!isfinite(course->state.weight[k])) return STATUS_RANGE;
    course->trained++;
    TRY(apply_count(course, round));
    return refine_observed(course);
}

static enum status apply(struct course *course, const struct round *round)
{
    switch (round->plan.step) {
    case STEP_EXPLORE:
        return apply_exploration(course, round);
    case STEP_EVALUATE:
        course->evaluated++;
        return STATUS_OK;
    case STEP_VOTE:
        return apply_votes(course, round);
    default:
        return apply_training(course, round);
    }
}

/* Whether the next step is to see what is pruned, too. */
static bool sees_all(const struct course *course)
{
    if (course_done(course)) return false;
    const uint32_t after = schedule_refinements(course->study, course->trained + 1);
    const enum step next = next_step(course);
    const bool prunefl = course->refine.sees && after > course->refine.done;
    return next == STEP_VOTE || (next == STEP_TRAIN && prunefl);
}

enum status course_apply(struct course *course, const struct round *round)
{
    REQUIRE(round->phase == PHASE_DONE);
    TRY(apply(course, round));
    if (sees_all(course)) keep_all(course);
    return STATUS_OK;
}
