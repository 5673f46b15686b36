/* SPDX-License-Identifier: Apache-2.0 */
#include "client/vote.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "client/explore.h"
#include "client/submit.h"
#include "protocol/schedule.h"

/* What is no number comes first: qsort needs one order of everything. */
static int by_value(const void *left, const void *right)
{
    const float a = *(const float *)left, b = *(const float *)right;
    const int order = !isnan(a) - !isnan(b);
    return order != 0 ? order : (a > b) - (a < b);
}

/* What is no number is neither above nor below: a vote is within its bound whatever the scores. */
void vote_of(float *score, float *sorted, const struct layout *layout)
{
    for (uint32_t g = 0; g < layout->n_groups; g++) {
        float *unit = score + layout_unit_first(layout, g);
        const size_t n = layout->group_units[g];
        memcpy(sorted, unit, n * sizeof *sorted);
        qsort(sorted, n, sizeof *sorted, by_value);
        const float low = sorted[(n - 1) / 2], high = sorted[n / 2];
        const float median = low + (high - low) / 2;
        for (size_t u = 0; u < n; u++) unit[u] = (float)((unit[u] > median) - (unit[u] < median));
    }
}

/* Scratch of a vote; all secret. */
struct ballot {
    size_t units, n;
    float *vote, *sorted; /* units */
    float *term;          /* n */
};

static void wipe(float *value, size_t n)
{
    if (value != NULL) secret_wipe(value, n * sizeof *value);
    free(value);
}

static void ballot_free(struct ballot *ballot)
{
    wipe(ballot->vote, ballot->units);
    wipe(ballot->sorted, ballot->units);
    wipe(ballot->term, ballot->n);
}

static enum status add(struct grid_sum *sum, struct ballot *ballot, const struct local *local,
                       const struct grid *grid, struct rng *rng)
{
    const struct study *study = local->study;
    explore_score(ballot->vote, ballot->term, &local->full, study, local->weight, local->grad);
    for (size_t u = 0; study->pruning.score == STUDY_SCORE_AGREEMENT && u < ballot->units; u++)
        ballot->vote[u] = fabsf(ballot->vote[u]);
    vote_of(ballot->vote, ballot->sorted, &local->full);
    const struct update update = {.n = ballot->units, .value = ballot->vote};
    return submit_contribution(sum, NULL, &update, schedule_vote_clip(&local->full), grid, rng);
}

enum status vote_run(struct encoded *out, struct local *local, const struct plan *plan,
                     struct rng *rng)
{
    if (local->model.layout.n != local->full.n) return STATUS_RANGE;
    const struct study *study = local->study;
    AUTO(ballot_free)
    struct ballot ballot = {.units = layout_units(&local->full), .n = local->full.n};
    ballot.vote = calloc(ballot.units, sizeof *ballot.vote);
    ballot.sorted = calloc(ballot.units, sizeof *ballot.sorted);
    ballot.term = calloc(ballot.n, sizeof *ballot.term);
    if (ballot.vote == NULL || ballot.sorted == NULL || ballot.term == NULL) return STATUS_NOMEM;
    AUTO(grid_sum_free) struct grid_sum sum = {0};
    TRY(grid_sum_new(&sum, ballot.units, &plan->grid, study->privacy.rounding));
    if (study->privacy.unit == STUDY_SITE) {
        const uint32_t trained = (plan->step_number + 1) * study->pruning.refine_every;
        TRY(explore_move(local, ballot.term, trained, rng));
        TRY(add(&sum, &ballot, local, &plan->grid, rng));
    } else {
        const size_t n = local_sample(local, plan->sampling, rng);
        for (size_t i = 0; i < n; i++) {
            local_gradient(local, local->pick[i]);
            TRY(add(&sum, &ballot, local, &plan->grid, rng));
        }
    }
    return grid_seal(out, &sum, &plan->grid, NULL);
}
