/* SPDX-License-Identifier: Apache-2.0 */
/* Four lower bounds. Each looks for the largest claim that its test refutes; a test refutes only
 * with a margin that is wider than all rounding. */
#include "dp/bound.h"

#include <math.h>
#include <stddef.h>

#include "dp/gdp.h"

#define MARGIN 1e-9
/* Its epsilon is beyond BOUND_EPSILON_MAX at every delta that a double can hold below 1. */
#define MU_MAX 64.0

static bool level_is_sound(const struct bound_level *level)
{
    return level->delta >= 0.0 && level->delta < 1.0 && level->confidence > 0.0 &&
           level->confidence < 1.0;
}

static bool run_is_sound(const struct bound_run *run)
{
    return run->canaries > 0 && run->canaries <= TAIL_COUNT_MAX && run->guesses <= run->canaries &&
           run->correct <= run->guesses;
}

static bool trials_are_sound(const struct bound_trials *t)
{
    return t->negatives > 0 && t->negatives <= TAIL_COUNT_MAX && t->positives > 0 &&
           t->positives <= TAIL_COUNT_MAX && t->false_positives <= t->negatives &&
           t->false_negatives <= t->positives;
}

/* Towards zero, past all rounding, to BOUND_DECIMALS. */
static double round_down(double epsilon)
{
    const double low = epsilon - MARGIN * (1.0 + epsilon);
    return fmin(BOUND_EPSILON_MAX, fmax(0.0, floor(low * 1e8) / 1e8));
}

/* A claim by its number (an epsilon or a mu), and whether what was seen refutes it. */
typedef bool refutes(const void *seen, double claim);

/* The end of the refuted claims between 0 and high, from inside; 0 when none is. */
static double last_refuted(refutes *refuted, const void *seen, double high)
{
    double low = 0.0;
    while (high - low > 1e-11 * (1.0 + low)) {
        const double middle = (low + high) / 2.0;
        if (refuted(seen, middle))
            low = middle;
        else
            high = middle;
    }
    return low;
}

struct run_seen {
    const struct bound_run *run;
    const struct bound_level *level;
};

static bool one_run_refutes(const void *seen, double epsilon)
{
    const struct run_seen *s = seen;
    const uint32_t n = s->run->guesses, k = s->run->correct;
    if (k == 0) return false;
    /* delta can lift runs that fall short by i to k, at most 2 m delta / i of them: the peak is the
     * i for which that adds most. */
    const double lift = 2.0 * s->run->canaries * s->level->delta;
    const double chance =
        exp(tail_binomial(n, k, epsilon)) + lift * exp(tail_binomial_peak(n, k, epsilon));
    return chance * (1.0 + MARGIN) <= 1.0 - s->level->confidence;
}

enum status bound_one_run(double *epsilon, const struct bound_run *run,
                          const struct bound_level *level)
{
    if (!run_is_sound(run) || !level_is_sound(level)) return STATUS_RANGE;
    const struct run_seen seen = {run, level};
    *epsilon = round_down(last_refuted(one_run_refutes, &seen, BOUND_EPSILON_MAX + 1.0));
    return STATUS_OK;
}

double bound_gaussian(double mu, double delta)
{
    REQUIRE(mu >= 0.0 && delta >= 0.0 && delta < 1.0);
    if (mu == 0.0) return 0.0;
    if (delta == 0.0) return BOUND_EPSILON_MAX;
    return round_down(gdp_epsilon(fmin(mu, MU_MAX), delta));
}

/* right and wrong bound, over a random canary, the mass of the outcomes with more than i correct
 * guesses in which it is guessed rightly and wrongly. If k or more were correct with the whole
 * chance of a false alarm, both would grow, step by step, beyond the guesses that there are. */
static bool fdp_refutes(const void *seen, double mu)
{
    const struct run_seen *s = seen;
    const double m = s->run->canaries, n = s->run->guesses, k = s->run->correct;
    const double alarm = 1.0 - s->level->confidence, all = n / m;
    double right = alarm * k / m, wrong = alarm * (n - k) / m;
    for (double i = k - 1.0; i >= 0.0; i -= 1.0) {
        const double least = tail_normal(tail_normal_inverse(right) - mu);
        if (!(least > wrong)) return false;
        right += i / (n - i) * (least - wrong);
        wrong = least;
        if ((right + wrong) * (1.0 - MARGIN) > all) return true;
    }
    return false;
}

enum status bound_one_run_fdp(double *epsilon, const struct bound_run *run,
                              const struct bound_level *level)
{
    if (!run_is_sound(run) || !level_is_sound(level)) return STATUS_RANGE;
    const struct run_seen seen = {run, level};
    *epsilon = bound_gaussian(last_refuted(fdp_refutes, &seen, MU_MAX), level->delta);
    return STATUS_OK;
}

/* Logits of the largest error rates that the counts allow, both at once with the confidence. */
struct limits {
    double false_positive, false_negative;
};

static struct limits limits_of(const struct bound_trials *t, double confidence)
{
    const double half = (1.0 - confidence) / 2.0;
    return (struct limits){tail_binomial_limit(t->false_positives, t->negatives, half),
                           tail_binomial_limit(t->false_negatives, t->positives, half)};
}

/* log((1 - delta - one) / other), or 0 where that is less or does not exist. */
static double epsilon_of(double one, double other, double delta)
{
    const double power = tail_rate(-one) - delta;
    return power > 0.0 ? fmax(0.0, log(power / tail_rate(other))) : 0.0;
}

enum status bound_clopper_pearson(double *epsilon, const struct bound_trials *trials,
                                  const struct bound_level *level)
{
    if (!trials_are_sound(trials) || !level_is_sound(level)) return STATUS_RANGE;
    const struct limits most = limits_of(trials, level->confidence);
    *epsilon = round_down(fmax(epsilon_of(most.false_negative, most.false_positive, level->delta),
                               epsilon_of(most.false_positive, most.false_negative, level->delta)));
    return STATUS_OK;
}

/* The normal quantile of a rate, from its smaller side. */
static double quantile(double logit)
{
    return logit > 0.0 ? -tail_normal_inverse(tail_rate(-logit))
                       : tail_normal_inverse(tail_rate(logit));
}

enum status bound_gdp(double *epsilon, const struct bound_trials *trials,
                      const struct bound_level *level)
{
    if (!trials_are_sound(trials) || !level_is_sound(level)) return STATUS_RANGE;
    const struct limits most = limits_of(trials, level->confidence);
    double mu = 0.0;
    if (isfinite(most.false_positive) && isfinite(most.false_negative))
        mu = fmax(0.0, -quantile(most.false_positive) - quantile(most.false_negative));
    *epsilon = bound_gaussian(mu, level->delta);
    return STATUS_OK;
}
