/* SPDX-License-Identifier: Apache-2.0 */
#include "client/explore.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/vector.h"
#include "client/submit.h"

VECTOR_CLONES static void squares(float *out, const float *value, size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = value[i] * value[i];
}

VECTOR_CLONES static void products(float *out, const float *weight, const float *value, size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = weight[i] * value[i];
}

static void magnitudes(float *out, size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = fabsf(out[i]);
}

void explore_score(float *out, float *term, const struct layout *layout, const struct study *study,
                   const float *weight, const float *value)
{
    const enum study_score score = study->pruning.score;
    const bool units = study->pruning.mode != STUDY_PRUNING_PAPER;
    const size_t n = layout->n, scores = units ? layout_units(layout) : n;
    if (score == STUDY_SCORE_SNIP || score == STUDY_SCORE_TAYLOR)
        products(term, weight, value, n);
    else if (score == STUDY_SCORE_AGREEMENT)
        memcpy(term, value, n * sizeof *term);
    else
        squares(term, value, n);
    if (score == STUDY_SCORE_SNIP) magnitudes(term, n);
    if (units)
        layout_sum_units(out, layout, term);
    else
        memcpy(out, term, n * sizeof *out);
    if (score == STUDY_SCORE_TAYLOR) squares(out, out, scores);
}

/* What an exploration contributes for one gradient or displacement. */
struct scores {
    const struct local *local;
    size_t n, n_terms;
    float *value; /* n; secret */
    float *term;  /* n_terms; secret */
};

static void scores_free(struct scores *scores)
{
    if (scores->value != NULL) secret_wipe(scores->value, scores->n * sizeof *scores->value);
    if (scores->term != NULL) secret_wipe(scores->term, scores->n_terms * sizeof *scores->term);
    free(scores->value);
    free(scores->term);
}

static enum status add(struct grid_sum *sum, struct scores *scores, double clip,
                       const struct grid *grid, struct rng *rng)
{
    const struct local *local = scores->local;
    explore_score(scores->value, scores->term, &local->full, local->study, local->weight,
                  local->grad);
    const struct update update = {.n = scores->n, .value = scores->value};
    return submit_contribution(sum, NULL, &update, clip, grid, rng);
}

/* Put the mean of all records' negative gradients into local->grad, by way of term. */
static void mean_gradient(struct local *local, float *term)
{
    const size_t n = local->full.n;
    memset(term, 0, n * sizeof *term);
    for (uint32_t i = 0; i < local->data.n; i++) {
        local_gradient(local, i);
        for (size_t k = 0; k < n; k++) term[k] += local->grad[k];
    }
    for (size_t k = 0; k < n; k++) local->grad[k] = term[k] / (float)local->data.n;
}

enum status explore_move(struct local *local, float *term, uint32_t trained, struct rng *rng)
{
    if (local->study->pruning.score != STUDY_SCORE_GRADIENT)
        return local_epochs(local, trained, rng);
    mean_gradient(local, term);
    return STATUS_OK;
}

enum status explore_run(struct encoded *out, struct local *local, const struct plan *plan,
                        struct rng *rng)
{
    if (local->model.layout.n != local->full.n) return STATUS_RANGE;
    const struct study *study = local->study;
    const double clip = study->privacy.exploration_clip;
    const bool units = study->pruning.mode != STUDY_PRUNING_PAPER;
    AUTO(scores_free)
    struct scores scores = {.local = local,
                            .n = units ? layout_units(&local->full) : local->full.n,
                            .n_terms = local->full.n};
    scores.value = calloc(scores.n, sizeof *scores.value);
    scores.term = calloc(scores.n_terms, sizeof *scores.term);
    if (scores.value == NULL || scores.term == NULL) return STATUS_NOMEM;
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    TRY(grid_sum_new(&sum, scores.n, &plan->grid, study->privacy.rounding));
    if (study->privacy.unit == STUDY_SITE) {
        TRY(explore_move(local, scores.term, 0, rng));
        TRY(add(&sum, &scores, clip, &plan->grid, rng));
    } else {
        const size_t n = local_sample(local, plan->sampling, rng);
        for (size_t i = 0; i < n; i++) {
            local_gradient(local, local->pick[i]);
            TRY(add(&sum, &scores, clip, &plan->grid, rng));
        }
    }
    return grid_seal(out, &sum, &plan->grid, NULL);
}
