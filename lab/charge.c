/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/charge.h"

#include <math.h>
#include <stdio.h>

#include "client/budget.h"
#include "protocol/terms.h"

void charge_close(struct charge *charge)
{
    ledger_close(&charge->ledger);
    keyfile_wipe(&charge->key);
    *charge = (struct charge){0};
}

static enum status refuse(char why[static CHARGE_WHY_BYTES], enum status status, const char *what,
                          const char *path)
{
    (void)snprintf(why, CHARGE_WHY_BYTES, "%s: %s", path, what);
    return status;
}

/* A line, unless the rule is one that the policy does not name. */
static void explain(char why[static CHARGE_WHY_BYTES], const struct settings_error *error)
{
    if (error->line > 0)
        (void)snprintf(why, CHARGE_WHY_BYTES, "policy.yaml:%u: %s", error->line, error->text);
    else
        (void)snprintf(why, CHARGE_WHY_BYTES, "policy.yaml: %s", error->text);
}

static enum status open_files(struct charge *charge, const char *folder,
                              char why[static CHARGE_WHY_BYTES])
{
    char path[FILE_PATH_MAX];
    struct settings_error error = {0};
    struct ledger_fault fault = {0};
    TRY(file_path(path, sizeof path, folder, "key"));
    enum status status = keyfile_read(&charge->key, path);
    if (status != STATUS_OK) return refuse(why, status, status_text(status), path);
    TRY(file_path(path, sizeof path, folder, "policy.yaml"));
    status = policy_read(&charge->policy, path, &error);
    if (status != STATUS_OK) {
        (void)snprintf(why, CHARGE_WHY_BYTES, "%s:%u: %s", path, error.line, error.text);
        return status;
    }
    TRY(policy_ledger(charge->path, folder, &charge->policy));
    status = ledger_open(&charge->ledger, charge->path, charge->key.identity, &fault);
    const char *what = fault.what != NULL ? fault.what : status_text(status);
    return status == STATUS_OK ? STATUS_OK : refuse(why, status, what, charge->path);
}

/* Whether one record more or less is one contribution more or less, as the ledger counts. */
static bool is_chargeable(const struct study *study)
{
    return study->privacy.unit == STUDY_PATIENT && isfinite(study->privacy.epsilon) &&
           study->allocation.mode == STUDY_ALLOCATION_NONE;
}

static enum status enter(struct charge *charge, const struct schedule *schedule, uint64_t time_s,
                         char why[static CHARGE_WHY_BYTES])
{
    const struct policy *policy = &charge->policy;
    struct settings_error error = {0};
    struct terms terms;
    if (!policy_allows(policy, schedule->study, &error)) {
        explain(why, &error);
        return STATUS_BUDGET;
    }
    if (!is_chargeable(schedule->study)) {
        (void)snprintf(
            why, CHARGE_WHY_BYTES,
            "%s: one site's records are dealt to all sites here, so that only a study of "
            "unit patient, with noise and the same blocks for all sites, has a price",
            charge->path);
        return STATUS_BUDGET;
    }
    const struct lifetime lifetime = {.data_set = policy->data_set,
                                      .unit = policy_protects(policy),
                                      .epsilon = policy->lifetime_epsilon,
                                      .delta = policy->lifetime_delta};
    TRY(terms_of(&terms, schedule, &charge->manifest, &lifetime));
    return ledger_enter(&charge->ledger, &terms, time_s);
}

/* All that the study may release of one step. */
static enum status reserve_step(struct charge *charge, const struct fleet *fleet, enum step step,
                                uint64_t time_s, char why[static CHARGE_WHY_BYTES])
{
    const struct study *study = &fleet->study;
    const struct schedule *schedule = &fleet->course.schedule;
    const struct books_limits limits = policy_limits(&charge->policy, study);
    struct books_refusal refusal = {0};
    AUTO(bits_free) struct bits cohort = {0};
    AUTO(plan_free) struct plan plan = {0};
    TRY(bits_new(&cohort, fleet->n));
    bits_fill(&cohort);
    TRY(schedule_plan(&plan, schedule, step, 0, &fleet->course.state.keep, 0, &cohort));
    const struct release worst = schedule_worst(schedule, &plan);
    for (uint32_t i = schedule_steps(study, step); i > 0; i--) {
        const enum status status =
            ledger_reserve(&charge->ledger, &charge->manifest, charge->reserved + 1, step, &worst,
                           &limits, time_s, &refusal);
        if (status == STATUS_BUDGET) {
            struct settings_error error = {0};
            policy_refusal(&error, &charge->policy, study, &refusal);
            explain(why, &error);
        }
        TRY(status);
        charge->reserved++;
    }
    return STATUS_OK;
}

static enum status give_back(struct charge *charge, uint32_t first, uint64_t time_s)
{
    for (uint32_t round = first; round <= charge->reserved; round++)
        TRY(ledger_void(&charge->ledger, &charge->manifest, round, time_s));
    return STATUS_OK;
}

static enum status reserve(struct charge *charge, const struct fleet *fleet, uint64_t time_s,
                           char why[static CHARGE_WHY_BYTES])
{
    TRY(enter(charge, &fleet->course.schedule, time_s, why));
    for (enum step step = STEP_EXPLORE; step < STEP_COUNT; step++)
        if (schedule_steps(&fleet->study, step) > 0)
            TRY(reserve_step(charge, fleet, step, time_s, why));
    return STATUS_OK;
}

enum status charge_reserve(struct charge *out, const char *folder, const struct fleet *fleet,
                           uint64_t time_s, char why[static CHARGE_WHY_BYTES])
{
    AUTO(charge_close) struct charge charge = {.manifest = manifest_hash(&fleet->manifest)};
    why[0] = 0;
    TRY(open_files(&charge, folder, why));
    const enum status status = reserve(&charge, fleet, time_s, why);
    if (status != STATUS_OK) {
        if (why[0] == 0) (void)refuse(why, status, status_text(status), charge.path);
        TRY(give_back(&charge, 1, time_s));
        return status;
    }
    *out = charge;
    out->ledger.identity = out->key.identity; /* borrowed from where it is now */
    charge = (struct charge){0};
    return STATUS_OK;
}

/* Releases were reserved step by step, and are played in turns: where there are several kinds their
 * numbers mean the same only when all have been played. */
static bool are_numbers_equal(const struct fleet *fleet)
{
    uint32_t kinds = 0;
    for (enum step step = STEP_EXPLORE; step < STEP_COUNT; step++)
        kinds += schedule_steps(&fleet->study, step) > 0;
    return kinds == 1 || fleet_done(fleet);
}

/* What a round cost with all its noise is in the coordinator's ledger. A study of several kinds of
 * steps that ended early stays at its worst. */
static enum status settle(struct charge *charge, const struct fleet *fleet, uint64_t time_s)
{
    if (fleet->rounds == 0) return give_back(charge, 1, time_s);
    if (!are_numbers_equal(fleet)) return STATUS_OK;
    const struct books *spent = &fleet->spend.ledger.books;
    const struct books *own = &charge->ledger.books;
    const size_t study = books_find_study(own, &charge->manifest);
    for (size_t i = 0; i < spent->n_releases; i++) {
        const struct books_release *release = &spent->release[i];
        const size_t at = books_find_release(own, study, release->round);
        if (release->state != BOOKS_SETTLED || at == own->n_releases) continue;
        const uint32_t least = own->release[at].release.n_shares;
        const uint32_t shares = release->release.n_shares;
        TRY(ledger_settle(&charge->ledger, &charge->manifest, release->round,
                          shares > least ? shares : least, time_s));
    }
    return give_back(charge, fleet->rounds + 1, time_s);
}

enum status charge_settle(struct charge *charge, double *epsilon, const struct fleet *fleet,
                          uint64_t time_s)
{
    TRY(settle(charge, fleet, time_s));
    const struct books *books = &charge->ledger.books;
    const size_t at = books_find_study(books, &charge->manifest);
    struct account account = {0};
    TRY(books_of_study(&account, NULL, books, at, ADVERSARY_COLLUSION));
    *epsilon =
        books_epsilon(&account, RDP_ORDERS, books->study[at].delta, books->study[at].sampler);
    return STATUS_OK;
}
