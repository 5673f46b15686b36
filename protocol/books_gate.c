/* SPDX-License-Identifier: Apache-2.0 */
/* The gate of a ledger: a Renyi filter at orders that were fixed beforehand (dp/SPEC.md, 8). */
#include <math.h>

#include "protocol/books.h"

double books_sampler_due(struct books_sampler sampler, double epsilon)
{
    if (!(sampler.delta > 0)) return 0;
    const double grown = (1 + exp(epsilon)) / (1 + exp(sampler.epsilon));
    return sampler.delta * (1 + 1e-9) * fmax(1, grown);
}

/* A larger epsilon takes more of delta, and less of delta needs a larger epsilon: from below, until
 * both fit. A little more is taken each time, so that it ends. */
double books_epsilon(const struct account *account, uint32_t order, double delta,
                     struct books_sampler sampler)
{
    double taken = books_sampler_due(sampler, 0);
    for (;;) {
        const double left = delta - taken;
        if (!(left > 0)) return (double)INFINITY;
        const double epsilon = order < RDP_ORDERS ? account_epsilon_at(account, order, left)
                                                  : account_epsilon(account, left);
        const double due = books_sampler_due(sampler, epsilon);
        if (due <= taken || isinf(epsilon)) return epsilon;
        taken = due * (1 + 1e-6);
    }
}

/* Whether an account bears one more release within a limit. */
static bool bears(struct account *account, const struct release *worst, uint32_t order,
                  double delta, struct books_sampler sampler, double limit, double *after)
{
    if (account_add(account, worst, 1) != STATUS_OK)
        *after = (double)INFINITY;
    else
        *after = books_epsilon(account, order, delta, sampler);
    return *after <= limit;
}

static bool set_bears(const struct books *books, const struct books_study *study,
                      struct account *account, const struct release *worst,
                      const struct books_limits *limits, double *after)
{
    const struct books_set *set = &books->set[study->set];
    const struct release release = books_in_unit(*worst, study->unit, set->unit);
    return bears(account, &release, set->order, limits->lifetime_delta, set->sampler,
                 limits->lifetime, after);
}

enum status books_bear(const struct books *books, size_t study, const struct release *worst,
                       const struct books_limits *limits, struct books_refusal *why)
{
    REQUIRE(study < books->n_studies);
    const struct books_study *s = &books->study[study];
    struct account own = {0}, all = {0};
    double after = 0;
    TRY(books_of_study(&own, NULL, books, study, ADVERSARY_COLLUSION));
    TRY(books_of_set(&all, NULL, books, s->set, ADVERSARY_COLLUSION));
    if (!isinf(limits->study) &&
        !bears(&own, worst, s->order, s->delta, s->sampler, limits->study, &after)) {
        *why = (struct books_refusal){.limit = limits->study, .after = after};
        return STATUS_BUDGET;
    }
    if (!isinf(limits->lifetime) && !set_bears(books, s, &all, worst, limits, &after)) {
        *why = (struct books_refusal){.lifetime = true, .limit = limits->lifetime, .after = after};
        return STATUS_BUDGET;
    }
    return STATUS_OK;
}
