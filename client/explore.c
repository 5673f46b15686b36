/* SPDX-License-Identifier: Apache-2.0 */
#include "client/explore.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/vector.h"
#include "client/submit.h"

/* Lanes that add up apart, so that the additions need not wait for each other. */
#define LANES 16

VECTOR_CLONES static float sum_squares(const float *value, size_t n)
{
    float lane[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++) lane[k] += value[i + k] * value[i + k];
    for (; i < n; i++) sum += value[i] * value[i];
    for (size_t k = 0; k < LANES; k++) sum += lane[k];
    return sum;
}

void explore_units(float *out, const struct layout *layout, const float *value)
{
    memset(out, 0, layout_units(layout) * sizeof *out);
    for (uint32_t t = 0; t < layout->n_tensors; t++) {
        const struct tensor *tensor = &layout->tensor[t];
        if (tensor->group == LAYOUT_NONE) continue;
        float *unit = out + layout_unit_first(layout, tensor->group);
        const float *row = value + tensor->offset;
        for (uint32_t r = 0; r < tensor->rows; r++, row += tensor->cols)
            unit[r] += sum_squares(row, tensor->cols);
    }
}

/* What an exploration contributes for one gradient or displacement. */
struct squares {
    const struct layout *layout;
    bool units;
    size_t n;
    float *value; /* secret */
};

static void squares_free(struct squares *squares)
{
    if (squares->value != NULL) secret_wipe(squares->value, squares->n * sizeof *squares->value);
    free(squares->value);
}

static enum status add(struct grid_sum *sum, struct squares *squares, const float *value,
                       double clip, const struct grid *grid, struct rng *rng)
{
    if (squares->units)
        explore_units(squares->value, squares->layout, value);
    else
        for (size_t i = 0; i < squares->n; i++) squares->value[i] = value[i] * value[i];
    const struct update update = {.n = squares->n, .value = squares->value};
    return submit_contribution(sum, NULL, &update, clip, grid, rng);
}

enum status explore_run(struct encoded *out, struct local *local, const struct plan *plan,
                        struct rng *rng)
{
    if (local->model.layout.n != local->full.n) return STATUS_RANGE;
    const double clip = local->study->privacy.exploration_clip;
    AUTO(squares_free)
    struct squares squares = {.layout = &local->full,
                              .units = local->study->pruning.mode != STUDY_PRUNING_PAPER};
    squares.n = squares.units ? layout_units(&local->full) : local->full.n;
    squares.value = calloc(squares.n, sizeof *squares.value);
    if (squares.value == NULL) return STATUS_NOMEM;
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    TRY(grid_sum_new(&sum, squares.n, &plan->grid, local->study->privacy.rounding));
    if (local->study->privacy.unit == STUDY_SITE) {
        TRY(local_epochs(local, plan->step_number, rng));
        TRY(add(&sum, &squares, local->grad, clip, &plan->grid, rng));
    } else {
        const size_t n = local_sample(local, plan->sampling, rng);
        for (size_t i = 0; i < n; i++) {
            local_gradient(local, local->pick[i]);
            TRY(add(&sum, &squares, local->grad, clip, &plan->grid, rng));
        }
    }
    return grid_seal(out, &sum, &plan->grid, NULL);
}
