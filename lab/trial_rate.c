/* SPDX-License-Identifier: Apache-2.0 */
/* The rate at which records are drawn, bounded from below: of a record that is drawn the adversary
 * says "in" with chance 1 - Phi(t - mu), of any other with chance a = Phi(-t). At rate q it is
 * right with a chance of a + q (1 - Phi(t - mu) - a), so that limits for a and for being right
 * bound q. */
#include <math.h>

#include "dp/pld.h"
#include "dp/tail.h"
#include "lab/trial_step.h"

#define EXCESS 1e-6

double trial_rate(const struct bound_trials *counts, const struct trial_claim *claim)
{
    const double chance = (1 - claim->level.confidence) / 2;
    const double wrong =
        tail_rate(tail_binomial_limit(counts->false_positives, counts->negatives, chance));
    const double missed =
        tail_rate(tail_binomial_limit(counts->false_negatives, counts->positives, chance));
    if (!(wrong < 1) || !(1 - missed > wrong)) return 0;
    const double drawn = tail_normal(claim->mu + tail_normal_inverse(wrong)) - wrong;
    return drawn > 0 ? fmin(1, (1 - missed - wrong) / drawn) : 0;
}

enum status trial_rate_epsilon(double *epsilon, const struct trial_claim *claim, double rate)
{
    *epsilon = 0;
    if (!(rate > 0)) return STATUS_OK;
    const struct mechanism loss = {.kind = MECHANISM_GAUSSIAN,
                                   .noise = 1 / claim->mu,
                                   .shift = 1,
                                   .shares = 1,
                                   .sampling = rate,
                                   .times = 1};
    TRY(pld_epsilon(epsilon, &loss, 1, claim->level.delta, EXCESS));
    *epsilon *= 1 - 2 * EXCESS; /* it was rounded up */
    return STATUS_OK;
}
