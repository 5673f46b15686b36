/* SPDX-License-Identifier: Apache-2.0 */
/* From a booth to trials: which canaries are in, by fair coins, and how they score. */
#include <math.h>
#include <stdlib.h>

#include "dp/pld.h"
#include "lab/trial.h"

/* Before each so many rounds one is played without canaries. */
#define QUIET_EVERY 8
/* How much the grid of the losses may add to epsilon, relatively. */
#define CLAIM_EXCESS 1e-6

enum status trial_claim_of(struct trial_claim *out, const struct booth *booth, double confidence)
{
    const struct release r = booth_release(booth);
    const double delta = booth->schedule.delta, norm2 = (double)r.norm2;
    const double noise = (double)r.sigma * sqrt((double)r.n_shares);
    struct account account = {0};
    TRY(account_add(&account, &r, 1));
    const double variance = lattice_sum_continuous((double)r.sigma, r.n_shares);
    const struct mechanism loss = {.kind = MECHANISM_GAUSSIAN,
                                   .noise = sqrt(variance / norm2),
                                   .shift = 1,
                                   .shares = 1,
                                   .sampling = r.sampling,
                                   .times = 1};
    struct trial_claim claim = {
        .epsilon_account = account_epsilon(&account, delta),
        .level = {.delta = booth->study.privacy.delta, .confidence = confidence},
        .noise = noise,
        .mu = booth->reach / noise,
        .sampling = r.sampling,
        .release = r};
    TRY(pld_epsilon(&claim.epsilon, &loss, 1, delta, CLAIM_EXCESS));
    *out = claim;
    return STATUS_OK;
}

void trials_free(struct trials *trials)
{
    free(trials->included);
    for (int s = 0; s < SCORE_COUNT; s++) free(trials->score[s]);
    *trials = (struct trials){0};
}

static enum status trials_new(struct trials *out, uint32_t n, uint32_t n_canaries)
{
    AUTO(trials_free)
    struct trials trials = {.n = n, .n_canaries = n_canaries};
    trials.included = calloc(n, sizeof *trials.included);
    for (int s = 0; s < SCORE_COUNT; s++) {
        trials.score[s] = calloc(n, sizeof *trials.score[s]);
        if (trials.score[s] == NULL) return STATUS_NOMEM;
    }
    if (trials.included == NULL) return STATUS_NOMEM;
    *out = trials;
    trials = (struct trials){0};
    return STATUS_OK;
}

static void free_doubles(double **x)
{
    free(*x);
}

/* One round's canaries: their coins, and their scores beside those of a quiet round. */
static enum status play_round(const struct trials *out, size_t at, struct booth *booth,
                              const double *quiet)
{
    bool *included = out->included + at;
    for (uint32_t j = 0; j < out->n_canaries; j++) included[j] = rng_below(&booth->rng, 2) == 1;
    TRY(booth_play(booth, included));
    TRY(booth_score(booth, false, out->score[SCORE_SUM] + at));
    TRY(booth_score(booth, true, out->score[SCORE_ALIKE] + at));
    for (uint32_t j = 0; j < out->n_canaries; j++)
        out->score[SCORE_DIFFERENCE][at + j] = out->score[SCORE_SUM][at + j] - quiet[j];
    return STATUS_OK;
}

enum status trial_play(struct trials *out, struct booth *booth, uint32_t trials)
{
    const uint32_t k = booth->n_canaries, rounds = (trials + k - 1) / k;
    AUTO(trials_free) struct trials played = {0};
    AUTO(free_doubles) double *quiet = calloc(k, sizeof *quiet);
    if (quiet == NULL) return STATUS_NOMEM;
    TRY(trials_new(&played, rounds * k, k));
    for (uint32_t i = 0; i < rounds; i++) {
        if (i % QUIET_EVERY == 0) {
            TRY(booth_play(booth, NULL));
            TRY(booth_score(booth, false, quiet));
        }
        TRY(play_round(&played, (size_t)i * k, booth, quiet));
    }
    *out = played;
    played = (struct trials){0};
    return STATUS_OK;
}
