/* SPDX-License-Identifier: Apache-2.0 */
/* The gate of a ledger: a Renyi filter at orders that were fixed beforehand (dp/SPEC.md, 8). */
#include <math.h>

#include "protocol/books.h"

double books_epsilon(const struct account *account, uint32_t order, double delta,
                     double sampler_delta)
{
    const double left = delta - sampler_delta * (1 + 1e-9);
    if (!(left > 0)) return (double)INFINITY;
    return order < RDP_ORDERS ? account_epsilon_at(account, order, left)
                              : account_epsilon(account, left);
}

/* Whether an account bears one more release within a limit. */
static bool bears(struct account *account, const struct release *worst, uint32_t order,
                  double delta, double sampler_delta, double limit, double *after)
{
    if (account_add(account, worst, 1) != STATUS_OK)
        *after = (double)INFINITY;
    else
        *after = books_epsilon(account, order, delta, sampler_delta);
    return *after <= limit;
}

static bool set_bears(const struct books *books, const struct books_study *study,
                      struct account *account, const struct release *worst,
                      const struct books_limits *limits, double *after)
{
    const struct books_set *set = &books->set[study->set];
    const struct release release = books_in_unit(*worst, study->unit, set->unit);
    return bears(account, &release, set->order, limits->lifetime_delta, set->sampler_delta,
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
        !bears(&own, worst, s->order, s->delta, s->sampler_delta, limits->study, &after)) {
        *why = (struct books_refusal){.limit = limits->study, .after = after};
        return STATUS_BUDGET;
    }
    if (!isinf(limits->lifetime) && !set_bears(books, s, &all, worst, limits, &after)) {
        *why = (struct books_refusal){.lifetime = true, .limit = limits->lifetime, .after = after};
        return STATUS_BUDGET;
    }
    return STATUS_OK;
}
