/* SPDX-License-Identifier: Apache-2.0 */
#include "client/train.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "client/submit.h"

/* What pruning left of a gradient or displacement, segment after segment: coordinates that it set
 * to zero are zero in every contribution. */
struct kept {
    size_t n;
    uint32_t *index; /* n: where in the model */
    float *value;    /* n; secret */
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

static enum status kept_new(struct kept *kept, const struct local *local, const struct plan *plan,
                            const struct hash *roster)
{
    const struct bits *set = &local->shrunk.kept;
    kept->n = bits_count(set);
    kept->index = calloc(kept->n, sizeof *kept->index);
    kept->value = calloc(kept->n, sizeof *kept->value);
    if (kept->index == NULL || kept->value == NULL) return STATUS_NOMEM;
    for (size_t i = 0, at = 0; i < set->n; i++)
        if (bits_has(set, i)) kept->index[at++] = (uint32_t)i;
    if (!schedule_rotates(local->study, plan->step)) return STATUS_OK;
    size_t n = 0;
    for (uint32_t l = 0; l < schedule_layers(plan); l++, kept->n_rotates++) {
        TRY(schedule_rotate(&kept->rotate[l], plan, l, roster));
        n += kept->rotate[l].n;
    }
    return n == kept->n ? STATUS_OK : STATUS_RANGE;
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
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    TRY(grid_sum_new(&sum, kept.n, &grid, study->privacy.rounding));
    if (study->privacy.unit == STUDY_SITE) {
        TRY(local_epochs(local, plan->step_number, rng));
        TRY(add(&sum, &kept, local, &grid, rng));
    } else {
        const size_t n = local_sample(local, plan->sampling, rng);
        for (size_t i = 0; i < n; i++) {
            local_gradient(local, local->pick[i]);
            TRY(add(&sum, &kept, local, &grid, rng));
        }
    }
    if (plan->clip_bit == 0) return grid_seal(out, &sum, &grid, NULL);
    AUTO(encoded_free) struct encoded vector = {0};
    TRY(grid_seal(&vector, &sum, &grid, NULL));
    return append_count(out, &vector, kept.within, plan);
}
