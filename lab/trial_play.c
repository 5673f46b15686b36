/* SPDX-License-Identifier: Apache-2.0 */
/* From a booth to trials: which canaries are in, by fair coins, and how they score. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

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
        .idle = (double)booth->n_idle / booth->n_canaries,
        .release = r};
    TRY(pld_epsilon(&claim.epsilon, &loss, 1, delta, CLAIM_EXCESS));
    *out = claim;
    return STATUS_OK;
}

void trials_free(struct trials *trials)
{
    free(trials->included);
    for (int s = 0; s < SCORE_COUNT; s++) {
        free(trials->score[s]);
        free(trials->idle[s]);
    }
    *trials = (struct trials){0};
}

static enum status trials_new(struct trials *out, uint32_t rounds, const struct booth *booth)
{
    AUTO(trials_free)
    struct trials trials = {
        .n = rounds * booth->n_canaries, .n_canaries = booth->n_canaries, .n_idle = booth->n_idle};
    trials.included = calloc(trials.n, sizeof *trials.included);
    for (int s = 0; s < SCORE_COUNT; s++) {
        trials.score[s] = calloc(trials.n, sizeof *trials.score[s]);
        trials.idle[s] = calloc((size_t)rounds * booth->n_idle + 1, sizeof *trials.idle[s]);
        if (trials.score[s] == NULL || trials.idle[s] == NULL) return STATUS_NOMEM;
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

static void keep(const struct trials *out, enum trial_score s, uint32_t round, const double *seen)
{
    const size_t k = out->n_canaries, idle = out->n_idle;
    memcpy(out->score[s] + round * k, seen, k * sizeof *seen);
    memcpy(out->idle[s] + round * idle, seen + k, idle * sizeof *seen);
}

/* One round's canaries: their coins, and their scores beside those of a quiet round. */
static enum status play_round(const struct trials *out, uint32_t round, struct booth *booth,
                              const double *quiet, double *seen)
{
    bool *included = out->included + (size_t)round * out->n_canaries;
    for (uint32_t j = 0; j < out->n_canaries; j++) included[j] = rng_below(&booth->rng, 2) == 1;
    TRY(booth_play(booth, included));
    TRY(booth_score(booth, true, seen));
    keep(out, SCORE_ALIKE, round, seen);
    TRY(booth_score(booth, false, seen));
    keep(out, SCORE_SUM, round, seen);
    for (uint32_t j = 0; j < out->n_canaries + out->n_idle; j++) seen[j] -= quiet[j];
    keep(out, SCORE_DIFFERENCE, round, seen);
    return STATUS_OK;
}

enum status trial_play(struct trials *out, struct booth *booth, uint32_t trials)
{
    const uint32_t k = booth->n_canaries, rounds = (trials + k - 1) / k;
    AUTO(trials_free) struct trials played = {0};
    AUTO(free_doubles) double *quiet = calloc(k + booth->n_idle, sizeof *quiet);
    AUTO(free_doubles) double *seen = calloc(k + booth->n_idle, sizeof *seen);
    if (quiet == NULL || seen == NULL) return STATUS_NOMEM;
    TRY(trials_new(&played, rounds, booth));
    for (uint32_t i = 0; i < rounds; i++) {
        if (i % QUIET_EVERY == 0) {
            TRY(booth_play(booth, NULL));
            TRY(booth_score(booth, false, quiet));
        }
        TRY(play_round(&played, i, booth, quiet, seen));
    }
    *out = played;
    played = (struct trials){0};
    return STATUS_OK;
}
