/* SPDX-License-Identifier: Apache-2.0 */
/* What so many trials can show, before they are played. */
#include <float.h>
#include <math.h>

#include "dp/tail.h"
#include "lab/trial_step.h"

/* 95 % of a normal law, for each of two rates. */
#define UNLUCKY 1.645
/* What an honest mechanism should show of its claim, and the effort that is made for it. */
#define SHOWN 0.9
#define TRIALS_LEAST 2500u
#define TRIALS_MOST (1u << 21)
#define ROUNDS_MOST 4000u

/* Thresholds that are tried, in deviations of the noise. */
#define THRESHOLD_LEAST (-2.0)
#define THRESHOLD_ABOVE 5.0
#define THRESHOLD_STEP 0.1
#define THRESHOLDS_MOST 200

/* Where noise is gone, its deviation counts as this part of what it should hide. */
#define EXACT 1e-6

struct world {
    enum trial_method method;
    const struct trial_claim *claim;
    double mu,
        spread; /* of a canary that is drawn: shift and deviation, in those of one that is out */
    double sampling, deviations;
    uint32_t in, out; /* that are counted */
};

static struct world world_of(enum trial_method method, const struct trial_claim *claim,
                             uint32_t trials)
{
    /* Half are in; half choose; of sampled ones the favourites are looked at. */
    const double in = trials / 4 / (claim->sampling < 1 ? TRIAL_FAVOURITE_PART : 1),
                 out = in * (1 + 2 * claim->idle);
    return (struct world){.method = method,
                          .claim = claim,
                          .mu = claim->mu,
                          .spread = 1,
                          .sampling = claim->sampling,
                          .in = (uint32_t)fmax(in, 1),
                          .out = (uint32_t)fmax(out, 1)};
}

static uint32_t errors_of(double rate, uint32_t n, const struct world *w)
{
    const double count = n * rate + w->deviations * sqrt(n * rate * (1 - rate));
    return (uint32_t)fmin(ceil(count), n);
}

/* A rate, of METHOD_RATE; else an epsilon; and the threshold that gives it. */
static enum status best_of(double *best, double *threshold, const struct world *w)
{
    const double most = w->mu + THRESHOLD_ABOVE * fmax(w->spread, 1),
                 step = fmax(THRESHOLD_STEP, (most - THRESHOLD_LEAST) / THRESHOLDS_MOST);
    *best = -1;
    for (double t = THRESHOLD_LEAST; t < most; t += step) {
        const double drawn = tail_normal((t - w->mu) / w->spread),
                     missed = (1 - w->sampling) * tail_normal(t) + w->sampling * drawn;
        const struct bound_trials counts = {errors_of(tail_normal(-t), w->out, w), w->out,
                                            errors_of(missed, w->in, w), w->in};
        double value = trial_rate(&counts, w->claim);
        if (w->method != METHOD_RATE)
            TRY(trial_bound_of(w->method)(&value, &counts, &w->claim->level));
        if (value > *best) *threshold = t;
        *best = fmax(*best, value);
    }
    return STATUS_OK;
}

enum status trial_threshold(double *threshold, const struct trial_claim *claim, uint32_t trials)
{
    struct world w = world_of(METHOD_RATE, claim, trials);
    double unused = 0;
    w.deviations = UNLUCKY;
    return best_of(&unused, threshold, &w);
}

enum status trial_fit(double *epsilon, double *threshold, enum trial_method method,
                      const struct trial_claim *claim, const struct trial_law *out,
                      const struct trial_law *in)
{
    const double shift = in->mean - out->mean,
                 unit = fmax(fmax(out->deviation, EXACT * fabs(shift)), DBL_MIN);
    const struct world w = {.method = method,
                            .claim = claim,
                            .mu = shift / unit,
                            .spread = fmax(in->deviation / unit, EXACT),
                            .sampling = 1,
                            .in = in->n,
                            .out = out->n};
    TRY(best_of(epsilon, threshold, &w));
    *threshold = out->mean + *threshold * unit;
    return STATUS_OK;
}

enum status trial_expect(double *epsilon, enum trial_method method, const struct trial_claim *claim,
                         double mu, double sampling, uint32_t trials, double deviations)
{
    struct world w = world_of(method, claim, trials);
    double best = 0, unused = 0;
    w.mu = mu;
    w.sampling = sampling;
    w.deviations = deviations;
    TRY(best_of(&best, &unused, &w));
    if (method == METHOD_RATE) TRY(trial_rate_epsilon(&best, claim, best));
    *epsilon = best;
    return STATUS_OK;
}

/* Whether noise that is too small by a factor, or a rate, would be seen even with bad luck. */
static enum status is_caught(bool *caught, struct world w, double violation)
{
    double best = 0, unused = 0;
    const bool sampled = w.claim->sampling < 1;
    w.mu *= sampled ? 1 : violation;
    w.sampling = sampled ? violation : 1;
    w.deviations = UNLUCKY;
    TRY(best_of(&best, &unused, &w));
    *caught = best > (w.method == METHOD_RATE ? w.claim->sampling : w.claim->epsilon);
    return STATUS_OK;
}

enum status trial_power(double *violation, enum trial_method method,
                        const struct trial_claim *claim, uint32_t trials)
{
    const struct world w = world_of(method, claim, trials);
    double low = claim->sampling, high = claim->sampling < 1 ? 1 : TRIAL_FACTOR_MAX;
    bool caught = false;
    TRY(is_caught(&caught, w, high));
    while (caught && high > low * 1.001) {
        const double middle = sqrt(low * high);
        bool here = false;
        TRY(is_caught(&here, w, middle));
        *(here ? &high : &low) = middle;
    }
    *violation = caught ? high : (double)INFINITY;
    return STATUS_OK;
}

static enum status is_enough(bool *enough, const struct world *w)
{
    const struct trial_claim *claim = w->claim;
    struct world honest = *w;
    double shown = 0, unused = 0;
    honest.deviations = UNLUCKY;
    TRY(best_of(&shown, &unused, &honest));
    if (w->method == METHOD_RATE) TRY(trial_rate_epsilon(&shown, claim, shown));
    *enough = shown >= SHOWN * claim->epsilon;
    return STATUS_OK;
}

enum status trial_count_for(uint32_t *trials, enum trial_method method,
                            const struct trial_claim *claim, uint32_t n_canaries)
{
    const uint64_t rounds = (uint64_t)n_canaries * ROUNDS_MOST;
    const uint32_t most = rounds < TRIALS_MOST ? (uint32_t)rounds : TRIALS_MOST;
    uint32_t n = TRIALS_LEAST;
    for (bool enough = false; n < most; n *= 2) {
        const struct world w = world_of(method, claim, n);
        TRY(is_enough(&enough, &w));
        if (enough) break;
    }
    *trials = n < most ? n : most;
    return STATUS_OK;
}
