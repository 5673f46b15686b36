/* SPDX-License-Identifier: Apache-2.0 */
#include "client/budget.h"

#include <stdio.h>
#include <string.h>

static enum status open_ledger(struct ledger *out, const char *path, const struct journal *journal,
                               const uint8_t *identity, struct ledger_fault *fault)
{
    struct ledger_head head = {0};
    TRY(journal_head(journal, &head));
    AUTO(ledger_close) struct ledger ledger = {0};
    TRY(ledger_open(&ledger, path, identity, fault));
    TRY(ledger_follows(&ledger, &head));
    *out = ledger;
    ledger = (struct ledger){0};
    return STATUS_OK;
}

enum status budget_begin(const char *path, struct journal *journal, const struct policy *policy,
                         const struct schedule *schedule, const struct hash *manifest,
                         const uint8_t *identity, uint64_t time_s, struct ledger_fault *fault)
{
    AUTO(ledger_close) struct ledger ledger = {0};
    TRY(open_ledger(&ledger, path, journal, identity, fault));
    const struct lifetime lifetime = {.data_set = policy->data_set,
                                      .unit = policy_protects(policy),
                                      .epsilon = policy->lifetime_epsilon,
                                      .delta = policy->lifetime_delta};
    struct terms terms;
    TRY(terms_of(&terms, schedule, manifest, &lifetime));
    TRY(ledger_enter(&ledger, &terms, time_s));
    return journal_know(journal, &ledger.head);
}

/* --- ledger and journal ----------------------------------------------------------------------- */

/* What the journal says of a release cannot be less than what the ledger says: the ledger is ahead
 * of it by one entry at most. A journal from a backup would give back what has left since. */
static bool agrees(const struct books_release *release, const struct journal_round *known)
{
    switch (release->state) {
    case BOOKS_RESERVED:
        return known->planned;
    case BOOKS_SETTLED:
        return known->ended;
    default:
        return !known->sent;
    }
}

static enum status check_agreement(const struct budget *budget)
{
    const struct books *books = &budget->ledger.books;
    uint32_t sent = 0, inputs = 0;
    for (size_t i = 0; i < books->n_releases; i++) {
        if (books->release[i].study != budget->study) continue;
        struct journal_round known = {0};
        TRY(journal_round(budget->journal, books->release[i].round, &known));
        if (!agrees(&books->release[i], &known)) return STATUS_STATE;
        sent += known.sent ? 1 : 0;
    }
    /* Every input has its release: none is missing at the ledger's end. */
    TRY(journal_inputs(budget->journal, &inputs));
    return sent == inputs ? STATUS_OK : STATUS_STATE;
}

static enum status end_release(struct budget *budget, uint32_t round, uint64_t time_s)
{
    struct journal_round known = {0};
    TRY(journal_round(budget->journal, round, &known));
    if (!known.sent) return ledger_void(&budget->ledger, &budget->manifest, round, time_s);
    if (!known.ended) return STATUS_OK;
    const struct books *books = &budget->ledger.books;
    const struct books_study *study = &books->study[budget->study];
    const size_t at = books_find_release(books, budget->study, round);
    const struct release *reserved = &books->release[at].release;
    uint32_t shares = reserved->n_shares;
    /* A sum that not all of the cohort have a part in may lack the survivors above T, and removable
     * noise of theirs is taken away. */
    if (reserved->removable == 0 && shares == budget->certain &&
        known.n_survivors > shares + study->colluding)
        shares = known.n_survivors - study->colluding;
    return ledger_settle(&budget->ledger, &budget->manifest, round, shares, time_s);
}

enum status budget_balance(struct budget *budget, uint64_t time_s)
{
    for (size_t i = 0; i < budget->ledger.books.n_releases; i++) {
        const struct books_release *release = &budget->ledger.books.release[i];
        if (release->study == budget->study && release->state == BOOKS_RESERVED)
            TRY(end_release(budget, release->round, time_s));
    }
    return STATUS_OK;
}

enum status budget_open(struct budget *out, const char *path, struct journal *journal,
                        const struct policy *policy, const struct study *study,
                        const struct hash *manifest, const uint8_t *identity, uint64_t time_s,
                        struct ledger_fault *fault)
{
    const bool whole = study->allocation.mode == STUDY_ALLOCATION_NONE;
    AUTO(budget_close)
    struct budget budget = {.journal = journal,
                            .manifest = *manifest,
                            .certain = whole ? study->sites.threshold - study->sites.colluding : 0,
                            .limits = policy_limits(policy, study)};
    TRY(open_ledger(&budget.ledger, path, journal, identity, fault));
    budget.study = books_find_study(&budget.ledger.books, manifest);
    if (budget.study == budget.ledger.books.n_studies) return STATUS_STATE;
    TRY(check_agreement(&budget));
    if (identity != NULL) TRY(budget_balance(&budget, time_s));
    *out = budget;
    budget = (struct budget){0};
    return STATUS_OK;
}

void budget_close(struct budget *budget)
{
    ledger_close(&budget->ledger);
    *budget = (struct budget){0};
}

/* --- releases --------------------------------------------------------------------------------- */

enum status budget_bears(struct budget *budget, const struct plan *plan, struct books_refusal *why)
{
    const struct release worst = schedule_release(plan, schedule_certain(plan));
    return ledger_bears(&budget->ledger, &budget->manifest, &worst, &budget->limits, why);
}

enum status budget_reserve(struct budget *budget, const struct plan *plan, uint64_t time_s,
                           struct books_refusal *why)
{
    const struct release worst = schedule_release(plan, schedule_certain(plan));
    TRY(ledger_reserve(&budget->ledger, &budget->manifest, plan->round, plan->step, &worst,
                       &budget->limits, time_s, why));
    return journal_know(budget->journal, &budget->ledger.head);
}

bool budget_holds(const struct budget *budget, uint32_t round)
{
    const struct books *books = &budget->ledger.books;
    const size_t at = books_find_release(books, budget->study, round);
    return at < books->n_releases && books->release[at].state == BOOKS_RESERVED;
}

enum status budget_spent(const struct budget *budget, double *epsilon, uint32_t *releases)
{
    const struct books *books = &budget->ledger.books;
    const struct books_study *study = &books->study[budget->study];
    struct account account = {0};
    TRY(books_of_study(&account, releases, books, budget->study, ADVERSARY_COLLUSION));
    *epsilon = books_epsilon(&account, RDP_ORDERS, study->delta, study->sampler);
    return STATUS_OK;
}
