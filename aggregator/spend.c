/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/spend.h"

#include <math.h>

#include "protocol/terms.h"

enum status spend_open(struct spend *out, const char *path, const struct schedule *schedule,
                       const struct hash *manifest, const uint8_t *identity, bool begun,
                       uint64_t time_s, struct ledger_fault *fault)
{
    const struct study *study = schedule->study;
    AUTO(spend_close)
    struct spend spend = {
        .manifest = *manifest,
        .limits = {study->privacy.epsilon, (double)INFINITY, study->privacy.delta},
        .certain =
            study->allocation.mode == STUDY_ALLOCATION_NONE ? params_honest(&schedule->params) : 0};
    TRY(ledger_open(&spend.ledger, path, identity, fault));
    const struct books *books = &spend.ledger.books;
    if (begun && books_find_study(books, manifest) == books->n_studies) return STATUS_STATE;
    /* The coordinator has no patients: its data set is the study itself, without a limit. */
    const struct lifetime lifetime = {.data_set = study->study.id,
                                      .unit = study->privacy.unit,
                                      .epsilon = (double)INFINITY,
                                      .delta = study->privacy.delta};
    struct terms terms;
    TRY(terms_of(&terms, schedule, manifest, &lifetime));
    TRY(ledger_enter(&spend.ledger, &terms, time_s));
    spend.study = books_find_study(books, manifest);
    *out = spend;
    spend = (struct spend){0};
    return STATUS_OK;
}

void spend_close(struct spend *spend)
{
    ledger_close(&spend->ledger);
    *spend = (struct spend){0};
}

/* The round's release while it is reserved, or NULL. */
static const struct books_release *find_reserved(const struct spend *spend, uint32_t round)
{
    const struct books *books = &spend->ledger.books;
    const size_t at = books_find_release(books, spend->study, round);
    const bool stands = at < books->n_releases && books->release[at].state == BOOKS_RESERVED;
    return stands ? &books->release[at] : NULL;
}

enum status spend_reserve(struct spend *spend, const struct plan *plan, uint64_t time_s)
{
    const struct release worst = schedule_release(plan, schedule_certain(plan));
    struct books_refusal why = {0};
    if (find_reserved(spend, plan->round) != NULL)
        TRY(ledger_void(&spend->ledger, &spend->manifest, plan->round, time_s));
    return ledger_reserve(&spend->ledger, &spend->manifest, plan->round, plan->step, &worst,
                          &spend->limits, time_s, &why);
}

enum status spend_end(struct spend *spend, uint32_t round, uint32_t n_inputs, bool opened,
                      uint64_t time_s)
{
    const struct books_release *reserved = find_reserved(spend, round);
    if (reserved == NULL) return STATUS_OK;
    if (n_inputs == 0) return ledger_void(&spend->ledger, &spend->manifest, round, time_s);
    if (!opened) return STATUS_OK;
    const uint32_t colluding = spend->ledger.books.study[spend->study].colluding;
    uint32_t shares = reserved->release.n_shares;
    /* A sum that not all of the cohort have a part in may lack the survivors above T, and removable
     * noise of theirs is taken away. */
    if (reserved->release.removable == 0 && shares == spend->certain &&
        n_inputs > shares + colluding)
        shares = n_inputs - colluding;
    return ledger_settle(&spend->ledger, &spend->manifest, round, shares, time_s);
}

enum status spend_epsilon(double *epsilon, const struct spend *spend, enum adversary who)
{
    const struct books *books = &spend->ledger.books;
    const struct books_study *study = &books->study[spend->study];
    struct account account = {0};
    TRY(books_of_study(&account, NULL, books, spend->study, who));
    *epsilon = books_epsilon(&account, RDP_ORDERS, study->delta, study->sampler);
    return STATUS_OK;
}

enum status spend_worst(double *epsilon, const struct schedule *schedule, enum adversary who,
                        const struct bits *keep)
{
    const struct study *study = schedule->study;
    const struct books_sampler sampler = {study->privacy.delta - schedule->delta,
                                          study->privacy.epsilon};
    struct account sum = {0};
    AUTO(bits_free) struct bits cohort = {0};
    TRY(bits_new(&cohort, schedule->params.n));
    bits_fill(&cohort);
    for (enum step step = STEP_EXPLORE; step < STEP_COUNT; step++) {
        const uint32_t times = schedule_steps(study, step);
        if (times == 0) continue;
        AUTO(plan_free) struct plan plan = {0};
        TRY(schedule_plan(&plan, schedule, step, 0, keep, 0, &cohort));
        const struct release worst = schedule_worst(schedule, &plan);
        const struct release release = adversary_release(who, &worst, schedule->params.c);
        TRY(account_add(&sum, &release, times));
    }
    *epsilon = books_epsilon(&sum, RDP_ORDERS, study->privacy.delta, sampler);
    return STATUS_OK;
}
