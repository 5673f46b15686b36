/* SPDX-License-Identifier: Apache-2.0 */
/* From trials to bounds. Whatever is chosen, is chosen by half of the trials, and the other half is
 * counted: the score, the threshold, and where records are sampled the canaries that are looked at.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lab/trial_step.h"

/* Canaries of one run, and the part of them that is guessed. */
#define ONE_RUN_CANARIES 2000u
#define ONE_RUN_FDP_CANARIES 20000u
#define GUESSED_PART 10u

static const struct {
    const char *name, *holds;
    bound_of_trials *bound;
} methods[METHOD_COUNT] = {
    [METHOD_GDP] = {"gdp", "mechanisms that are mu-GDP for some mu, such as Gaussian noise",
                    bound_gdp},
    [METHOD_CLOPPER_PEARSON] = {"clopper-pearson", "every mechanism", bound_clopper_pearson},
    [METHOD_RATE] = {"rate", "noise as planned, whatever the rate at which records are drawn",
                     NULL},
    [METHOD_ONE_RUN] = {"one-run", "every mechanism", NULL},
    [METHOD_ONE_RUN_FDP] = {"one-run-fdp",
                            "mechanisms that are mu-GDP for some mu, such as Gaussian noise", NULL},
};

const char *trial_method_name(enum trial_method method)
{
    return methods[method].name;
}

const char *trial_method_holds(enum trial_method method)
{
    return methods[method].holds;
}

bool trial_holds(enum trial_method method, const struct trial_claim *claim)
{
    if (method == METHOD_GDP || method == METHOD_ONE_RUN_FDP) return claim->sampling >= 1;
    return method != METHOD_RATE || claim->sampling < 1;
}

bound_of_trials *trial_bound_of(enum trial_method method)
{
    return methods[method].bound;
}

/* --- many runs ---------------------------------------------------------------------------------
 */

/* Scores of what was in, or out: at even places those that choose, at odd places those
 * that are counted. */
struct side {
    uint32_t n;
    double *score;
};

static void side_free(struct side *side)
{
    free(side->score);
}

static void free_bools(bool **x)
{
    free(*x);
}

/* Places of a sampled round are always the same, so rounds take turns; else all take turns. */
static bool chooses(const struct trials *t, uint32_t i, bool sampled)
{
    const uint32_t round = i / t->n_canaries;
    return (sampled ? round : round + i % t->n_canaries) % 2 == 0;
}

static enum status side_of(struct side *out, const struct trials *t, enum trial_score s, bool in,
                           bool sampled, const bool *favourite)
{
    const uint32_t idle = in ? 0 : t->n / t->n_canaries * t->n_idle;
    AUTO(side_free)
    struct side side = {.score = calloc((size_t)t->n + idle + 1, 2 * sizeof(double))};
    if (side.score == NULL) return STATUS_NOMEM;
    uint32_t n[2] = {0};
    for (uint32_t i = 0; i < t->n; i++) {
        if (t->included[i] != in || !favourite[i % t->n_canaries]) continue;
        const uint32_t odd = chooses(t, i, sampled) ? 0 : 1;
        side.score[2 * n[odd]++ + odd] = t->score[s][i];
    }
    for (uint32_t i = 0; i < idle; i++) {
        const uint32_t odd = (i / t->n_idle + i % t->n_idle) % 2;
        side.score[2 * n[odd]++ + odd] = t->idle[s][i];
    }
    side.n = 2 * (n[0] < n[1] ? n[0] : n[1]);
    *out = side;
    side = (struct side){0};
    return STATUS_OK;
}

struct spot {
    uint32_t canary;
    double sum;
};

static void free_spots(struct spot **x)
{
    free(*x);
}

static int by_sum(const void *a, const void *b)
{
    const struct spot *x = a, *y = b;
    if (x->sum != y->sum) return x->sum > y->sum ? -1 : 1;
    return x->canary < y->canary ? -1 : x->canary > y->canary;
}

/* All canaries; or those that stood out most when they were in, by the rounds that choose. */
static enum status choose_places(bool *favourite, const struct trials *t, bool sampled)
{
    const uint32_t k = t->n_canaries,
                   keep = sampled ? (k + TRIAL_FAVOURITE_PART - 1) / TRIAL_FAVOURITE_PART : k;
    AUTO(free_spots) struct spot *spot = calloc(k, sizeof *spot);
    if (spot == NULL) return STATUS_NOMEM;
    for (uint32_t j = 0; j < k; j++) spot[j].canary = j;
    for (uint32_t i = 0; sampled && i < t->n; i++)
        if (t->included[i] && chooses(t, i, sampled)) spot[i % k].sum += t->score[SCORE_SUM][i];
    qsort(spot, k, sizeof *spot, by_sum);
    for (uint32_t j = 0; j < keep; j++) favourite[spot[j].canary] = true;
    return STATUS_OK;
}

/* The places that choose, packed. */
static void pack(struct side *side)
{
    for (uint32_t i = 0; i < side->n / 2; i++) side->score[i] = side->score[2 * (size_t)i];
    side->n /= 2;
}

/* One score's bound: by the trials that are counted, or as the trials that choose see it. */
static enum status split(struct bound_trials *counts, double *epsilon, bool choosing,
                         bound_of_trials *bound, const struct trials *t, enum trial_score score,
                         const struct trial_claim *claim, const bool *favourite)
{
    const bool sampled = claim->sampling < 1;
    AUTO(side_free) struct side negative = {0}, positive = {0};
    TRY(side_of(&negative, t, score, false, sampled, favourite));
    TRY(side_of(&positive, t, score, true, sampled, favourite));
    if (choosing) {
        pack(&negative);
        pack(&positive);
    }
    TRY(bound_split(counts, negative.score, negative.n, positive.score, positive.n, bound,
                    &claim->level));
    return bound(epsilon, counts, &claim->level);
}

static enum status measure_split(struct trial_bound *out, const struct trials *t,
                                 const struct trial_claim *claim, const bool *favourite)
{
    bound_of_trials *bound = methods[out->method].bound;
    double best = -1;
    for (enum trial_score s = 0; s < SCORE_COUNT; s++) {
        double epsilon = 0;
        struct bound_trials unused;
        TRY(split(&unused, &epsilon, true, bound, t, s, claim, favourite));
        if (epsilon > best) out->score = s;
        best = fmax(best, epsilon);
    }
    return split(&out->trials, &out->epsilon, false, bound, t, out->score, claim, favourite);
}

/* Of the places that choose. */
static struct trial_law law_of(const struct side *side)
{
    struct trial_law law = {.n = side->n / 2};
    double squares = 0;
    for (uint32_t i = 0; i < side->n; i += 2) law.mean += side->score[i] / law.n;
    for (uint32_t i = 0; i < side->n; i += 2)
        squares += (side->score[i] - law.mean) * (side->score[i] - law.mean);
    law.deviation = sqrt(squares / law.n);
    return law;
}

/* Of the places that are counted. */
static uint32_t count_above(const struct side *side, double threshold)
{
    uint32_t n = 0;
    for (uint32_t i = 1; i < side->n; i += 2) n += side->score[i] >= threshold;
    return n;
}

static enum status measure_fit(struct trial_bound *out, const struct trials *t,
                               const struct trial_claim *claim, const bool *favourite)
{
    double best = -2; /* below that of a shift so far down that no threshold was tried: -1 */
    for (enum trial_score s = 0; s < SCORE_COUNT; s++) {
        AUTO(side_free) struct side negative = {0}, positive = {0};
        double epsilon = 0, threshold = 0;
        TRY(side_of(&negative, t, s, false, false, favourite));
        TRY(side_of(&positive, t, s, true, false, favourite));
        if (negative.n < 4 || positive.n < 4) return STATUS_RANGE;
        const struct trial_law absent = law_of(&negative), present = law_of(&positive);
        TRY(trial_fit(&epsilon, &threshold, out->method, claim, &absent, &present));
        if (epsilon <= best) continue;
        best = epsilon;
        out->score = s;
        out->trials =
            (struct bound_trials){count_above(&negative, threshold), absent.n,
                                  present.n - count_above(&positive, threshold), present.n};
    }
    return methods[out->method].bound(&out->epsilon, &out->trials, &claim->level);
}

static enum status measure_rate(struct trial_bound *out, const struct trials *t,
                                const struct trial_claim *claim, const bool *favourite)
{
    double threshold = 0;
    TRY(trial_threshold(&threshold, claim, t->n));
    threshold *= claim->noise;
    struct bound_trials counts = {0};
    for (uint32_t i = 0; i < t->n; i++) {
        if (chooses(t, i, true) || !favourite[i % t->n_canaries]) continue;
        const bool above = t->score[SCORE_SUM][i] >= threshold;
        *(t->included[i] ? &counts.positives : &counts.negatives) += 1;
        counts.false_positives += !t->included[i] && above;
        counts.false_negatives += t->included[i] && !above;
    }
    if (counts.negatives == 0 || counts.positives == 0) return STATUS_RANGE;
    out->trials = counts;
    out->rate = trial_rate(&counts, claim);
    return trial_rate_epsilon(&out->epsilon, claim, out->rate);
}

static enum status measure_trials(struct trial_bound *out, const struct trials *t,
                                  const struct trial_claim *claim)
{
    AUTO(free_bools) bool *favourite = calloc(t->n_canaries, sizeof *favourite);
    if (favourite == NULL) return STATUS_NOMEM;
    TRY(choose_places(favourite, t, claim->sampling < 1));
    if (out->method == METHOD_RATE) return measure_rate(out, t, claim, favourite);
    return (out->method == METHOD_GDP ? measure_fit : measure_split)(out, t, claim, favourite);
}

/* --- one run -----------------------------------------------------------------------------------
 */

/* Rounds that share no records are one run: each record has a part in one of them alone. */
static enum status measure_run(struct trial_bound *out, const struct trials *t,
                               const struct trial_claim *claim)
{
    const bool fdp = out->method == METHOD_ONE_RUN_FDP;
    const uint32_t most = fdp ? ONE_RUN_FDP_CANARIES : ONE_RUN_CANARIES;
    const uint32_t n = t->n < most ? t->n : most, guesses = n / GUESSED_PART & ~1u;
    TRY(bound_guess(&out->run, t->score[SCORE_SUM], t->included, n, guesses));
    return (fdp ? bound_one_run_fdp : bound_one_run)(&out->epsilon, &out->run, &claim->level);
}

enum status trial_measure(struct trial_bound *out, enum trial_method method,
                          const struct trials *trials, const struct trial_claim *claim)
{
    struct trial_bound bound = {.method = method};
    const bool one_run = method == METHOD_ONE_RUN || method == METHOD_ONE_RUN_FDP;
    TRY((one_run ? measure_run : measure_trials)(&bound, trials, claim));
    *out = bound;
    return STATUS_OK;
}
