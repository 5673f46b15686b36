/* SPDX-License-Identifier: Apache-2.0 */
#include "client/train.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "client/submit.h"
#include "protocol/allocate.h"

/* What this site gives of a gradient or displacement: of its own segments, one after the other,
 * what pruning left and the round is about. All other coordinates are no part of a contribution. */
struct kept {
    size_t n, room;
    uint32_t *index; /* n: where in the model */
    float *value;    /* n; secret */
    bool whole;      /* index is 0, 1, 2, ... to the end of the model, and nothing is turned */
    int64_t within;  /* contributions within the clip less those that were not; secret */
    uint32_t n_rotates;
    struct rotate rotate[MSG_SEGMENTS_MAX];
};

static void kept_free(struct kept *kept)
{
    for (uint32_t l = 0; l < kept->n_rotates; l++) rotate_free(&kept->rotate[l]);
    if (kept->value != NULL) secret_wipe(kept->value, kept->n * sizeof *kept->value);
    free(kept->value);
    free(kept->index);
    *kept = (struct kept){0};
}

/* One more of the plan's segments, in which this site has a part. */
static enum status keep_segment(struct kept *kept, const struct local *local,
                                const struct plan *plan, uint32_t l, const struct hash *roster)
{
    const struct layout *layout = &local->model.layout;
    const struct bits *set = &local->shrunk.kept;
    const uint32_t s = schedule_layer(layout, plan, l);
    if (s == LAYOUT_NONE) return STATUS_RANGE;
    const uint64_t left = layout_segment_size(layout, s, set);
    const uint64_t size = left == 0 ? 0 : schedule_size(local->study, plan->step, left);
    if (size == 0 || size != plan->segment[l].dim || size > kept->room - kept->n)
        return STATUS_RANGE;
    struct pick pick;
    schedule_pick(&pick, plan, l, left, roster);
    const uint64_t first = layout_segment_first(layout, s);
    const uint64_t end = first + layout_segment_size(layout, s, NULL);
    for (uint64_t i = first; i < end; i++)
        if (bits_has(set, i) && pick_next(&pick)) kept->index[kept->n++] = (uint32_t)i;
    if (!schedule_rotates(local->study, plan->step)) return STATUS_OK;
    TRY(schedule_rotate(&kept->rotate[kept->n_rotates], plan, l, roster));
    kept->n_rotates++;
    return STATUS_OK;
}

static enum status kept_new(struct kept *kept, const struct local *local, const struct plan *plan,
                            const struct hash *roster)
{
    kept->room = bits_count(&local->shrunk.kept);
    kept->index = calloc(kept->room, sizeof *kept->index);
    kept->value = calloc(kept->room, sizeof *kept->value);
    if (kept->index == NULL || kept->value == NULL) return STATUS_NOMEM;
    for (uint32_t l = 0; l < schedule_layers(plan); l++)
        if (bits_has(&plan->segment[l].members, local->self))
            TRY(keep_segment(kept, local, plan, l, roster));
    kept->whole = kept->n == local->model.layout.n && kept->n_rotates == 0;
    for (size_t i = 0; i < kept->n && kept->whole; i++) kept->whole = kept->index[i] == i;
    return kept->n > 0 ? STATUS_OK : STATUS_RANGE;
}

/* What this site holds of a transformer: the blocks of its own segments. */
static enum status choose_blocks(const struct local *local, const struct plan *plan)
{
    if (local->study->allocation.mode == STUDY_ALLOCATION_NONE) return STATUS_OK;
    AUTO(bits_free) struct bits blocks = {0};
    TRY(bits_new(&blocks, local->model.spec.depth));
    for (uint32_t l = 0; l < plan->n_segments; l++) {
        const uint32_t block = allocate_block(plan->segment[l].name);
        if (block < blocks.n && bits_has(&plan->segment[l].members, local->self))
            bits_set(&blocks, block);
    }
    model_work_choose(local->work, &blocks);
    return STATUS_OK;
}

/* Turned before it is clipped, which is the same to a norm, so that the clip sees what is rounded.
 */
static enum status add(struct grid_sum *sum, struct kept *kept, const struct local *local,
                       const struct grid *grid, struct rng *rng)
{
    for (size_t i = 0; i < kept->n; i++) kept->value[i] = local->grad[kept->index[i]];
    float *at = kept->value;
    for (uint32_t l = 0; l < kept->n_rotates; at += kept->rotate[l++].n)
        rotate_forth(&kept->rotate[l], at);
    const struct update update = {.n = kept->n, .value = kept->value};
    return submit_contribution(sum, &kept->within, &update, local->clip, grid, rng);
}

/* The first records of a draw, at least one; *done: how many. */
static enum status add_records(struct grid_sum *sum, struct kept *kept, struct local *local,
                               const uint32_t *record, size_t n, const struct grid *grid,
                               struct rng *rng, size_t *done)
{
    if (!kept->whole) {
        local_gradient(local, *record);
        *done = 1;
        return add(sum, kept, local, grid, rng);
    }
    *done = local_group(local, record, n);
    for (size_t i = 0; i < *done; i++) {
        const struct update update = local_descent(local, i);
        TRY(submit_contribution(sum, &kept->within, &update, local->clip, grid, rng));
    }
    return STATUS_OK;
}

/* What counts the contributions within the clip comes last, saturated as every coordinate is. */
static enum status append_count(struct encoded *out, const struct encoded *vector, int64_t within,
                                const struct plan *plan)
{
    const int64_t sum = within * plan->clip_bit, cap = plan->grid.cap;
    TRY(encoded_new(out, vector->n + 1));
    memcpy(out->value, vector->value, vector->n * sizeof *out->value);
    out->value[vector->n] = (int32_t)(sum > cap ? cap : sum < -cap ? -cap : sum);
    return STATUS_OK;
}

enum status train_run(struct encoded *out, struct local *local, const struct plan *plan,
                      const struct hash *roster, struct rng *rng)
{
    const struct study *study = local->study;
    const struct grid grid = schedule_grid(plan);
    AUTO(kept_free) struct kept kept = {0};
    TRY(kept_new(&kept, local, plan, roster));
    TRY(choose_blocks(local, plan));
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    TRY(grid_sum_new(&sum, kept.n, &grid, study->privacy.rounding));
    if (study->privacy.unit == STUDY_SITE) {
        TRY(local_epochs(local, plan->step_number, rng));
        TRY(add(&sum, &kept, local, &grid, rng));
    } else {
        const size_t n = local_sample(local, plan->sampling, rng);
        for (size_t i = 0, done = 0; i < n; i += done)
            TRY(add_records(&sum, &kept, local, local->pick + i, n - i, &grid, rng, &done));
    }
    if (plan->clip_bit == 0) return grid_seal(out, &sum, &grid, NULL);
    AUTO(encoded_free) struct encoded vector = {0};
    TRY(grid_seal(&vector, &sum, &grid, NULL));
    return append_count(out, &vector, kept.within, plan);
}
