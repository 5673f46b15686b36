/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/solo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dp/clip.h"

enum status solo_new(struct solo *out, const struct study *study, struct dataset *data,
                     const float *initial, const float *backbone, uint64_t seed)
{
    struct solo *solo = out;
    *solo = (struct solo){.study = study};
    TRY(local_new(&solo->local, study, data));
    solo->local.backbone = backbone;
    const size_t n = solo->local.full.n;
    TRY(state_new(&solo->state, n));
    memcpy(solo->state.weight, initial, n * sizeof *initial);
    solo->velocity = calloc(n, sizeof *solo->velocity);
    solo->sum = calloc(n, sizeof *solo->sum);
    rng_numbered(&solo->rng, seed);
    return solo->velocity == NULL || solo->sum == NULL ? STATUS_NOMEM : STATUS_OK;
}

void solo_free(struct solo *solo)
{
    local_free(&solo->local);
    state_free(&solo->state);
    free(solo->velocity);
    free(solo->sum);
    rng_wipe(&solo->rng);
    *solo = (struct solo){0};
}

static enum status add_sample(float *sum, struct local *local, struct rng *rng)
{
    const struct study *study = local->study;
    const size_t size = local->full.n, n = local_sample(local, study->privacy.sampling, rng);
    memset(sum, 0, size * sizeof *sum);
    for (size_t r = 0; r < n; r++) {
        struct clipped clipped = {0};
        local_gradient(local, local->pick[r]);
        const struct update update = {.n = size, .value = local->grad};
        TRY(clip_l2(&clipped, &update, study->privacy.clip));
        for (size_t i = 0; i < size; i++) sum[i] += clipped.factor * clipped.value[i];
    }
    return STATUS_OK;
}

/* Everything is kept, so that the loaded model is the whole one, coordinate by coordinate. */
enum status solo_contribution(float *sum, struct local *local, uint32_t trained, struct rng *rng)
{
    if (local->study->privacy.unit == STUDY_PATIENT) return add_sample(sum, local, rng);
    TRY(local_epochs(local, trained, rng));
    memcpy(sum, local->grad, local->full.n * sizeof *sum);
    return STATUS_OK;
}

static void step_sample(struct solo *solo)
{
    const struct study *study = solo->study;
    const float expected = (float)(study->privacy.sampling * (double)solo->local.data.n);
    const float momentum = (float)study->rounds.momentum;
    const float rate = (float)(study->rounds.learning_rate *
                               (1 - study->rounds.decay * solo->trained / study->rounds.count));
    for (size_t i = 0; i < solo->local.full.n; i++) {
        solo->velocity[i] = momentum * solo->velocity[i] + solo->sum[i] / expected;
        solo->state.weight[i] += rate * solo->velocity[i];
    }
}

enum status solo_round(struct solo *solo)
{
    TRY(local_load(&solo->local, &solo->state));
    TRY(solo_contribution(solo->sum, &solo->local, solo->trained, &solo->rng));
    const size_t n = solo->local.full.n;
    if (solo->study->privacy.unit == STUDY_PATIENT)
        step_sample(solo);
    else
        for (size_t i = 0; i < n; i++) solo->state.weight[i] += solo->sum[i];
    solo->trained++;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(solo->state.weight[i])) return STATUS_RANGE;
    return STATUS_OK;
}
