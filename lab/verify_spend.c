/* SPDX-License-Identifier: Apache-2.0 */
/* What rounds cost: noise as planned, ledgers that say so, and epsilon reckoned once more, by
 * another way, from plans and survivors and not from the ledgers. */
#include "lab/verify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dp/lattice.h"
#include "dp/pld.h"

/* What the grid of losses may add to epsilon, relatively; and what the conversion of whole orders
 * may lack of it. */
#define EXCESS 1e-4

/* What a party should hold of a round: nothing left, or its cost with the survivors that it knows.
 */
struct due {
    bool spent, settled;
    bool over; /* in its trail, so that its ledger has been told */
    struct release release;
};

static struct due due_of(const struct verify *v, const struct party *p, const struct fact *f)
{
    const struct kept *kept = verify_kept(p, f->round);
    const uint32_t certain = schedule_certain(&f->plan);
    struct due due = {.release = schedule_release(&f->plan, certain)};
    if (p->leads && f->led != NULL) {
        due.spent = f->led->n_digests > 0;
        due.settled = f->opened;
        due.over = (size_t)(f->led - p->led) < p->n_over;
    } else if (!p->leads && kept != NULL) {
        due.spent = kept->sent;
        due.settled = kept->ended;
        due.over = kept->over;
    }
    const bool whole = v->study.allocation.mode == STUDY_ALLOCATION_NONE;
    const uint32_t c = v->schedule.params.c;
    const uint32_t survivors = due.settled ? f->result.n_survivors : 0;
    if (whole && due.release.removable == 0 && certain == params_honest(&v->schedule.params) &&
        survivors > certain + c)
        due.release.n_shares = survivors - c;
    return due;
}

/* --- ledgers -----------------------------------------------------------------------------------
 */

struct states {
    json_int_t settled, reserved, voided;
};

static bool same_release(const struct release *a, const struct release *b)
{
    return a->norm2 == b->norm2 && a->sigma == b->sigma && a->dim == b->dim &&
           a->sampling == b->sampling && a->removable == b->removable;
}

/* What a ledger's release says against the round that it is of, or NULL. */
static const char *against(const struct books_release *row, const struct fact *f,
                           const struct due *due)
{
    if (row->step != f->plan.step || !same_release(&row->release, &due->release))
        return "its ledger reserved another release than was planned";
    if (row->state == BOOKS_VOID && due->spent)
        return "its ledger calls a release void whose input left";
    if (row->state == BOOKS_SETTLED && !due->settled)
        return "its ledger settled a release whose result its trail does not have";
    const bool settled = row->state == BOOKS_SETTLED;
    if (due->settled && due->over && !settled)
        return "its ledger was not told of a result that its trail has";
    const uint32_t shares = settled ? due->release.n_shares : schedule_certain(&f->plan);
    if (row->state != BOOKS_VOID && row->release.n_shares != shares)
        return settled ? "its ledger counts other noise shares than the survivors leave"
                       : "its ledger reserved other noise shares than are certain";
    return NULL;
}

static void check_release(struct verify *v, const struct party *p, size_t at, struct states *sum)
{
    const struct books *books = &p->ledger.books;
    const struct books_release *row = &books->release[at];
    const struct fact *f = verify_fact(v, row->round);
    sum->settled += row->state == BOOKS_SETTLED;
    sum->reserved += row->state == BOOKS_RESERVED;
    sum->voided += row->state == BOOKS_VOID;
    /* A plan that never left, and whose number was given to the next one. */
    if (at != books_find_release(books, p->study, row->round)) return;
    const bool lacks = f == NULL || (!p->leads && verify_kept(p, row->round) == NULL);
    if (!lacks) {
        const struct due due = due_of(v, p, f);
        const char *what = against(row, f, &due);
        if (what != NULL) verify_fault(v, CHECK_NOISE, p, row->round, "%s", what);
    } else if (!p->leads || row->state == BOOKS_SETTLED) {
        verify_fault(v, CHECK_NOISE, p, row->round,
                     "its ledger has a release of a round that its trail does not have");
    }
}

/* Whatever left is in the ledger. */
static void check_covered(struct verify *v, const struct party *p, const struct fact *f)
{
    const struct books *books = &p->ledger.books;
    if (!due_of(v, p, f).spent) return;
    const size_t at = books_find_release(books, p->study, f->round);
    if (at == books->n_releases)
        verify_fault(v, CHECK_NOISE, p, f->round, "an input left that its ledger does not have");
}

/* What its ledger reckons by is the study's, entered by the party itself. */
static void check_terms(struct verify *v, const struct party *p)
{
    const struct books_study *terms = &p->ledger.books.study[p->study];
    const struct study *study = &v->study;
    const uint8_t *identity =
        p->leads ? p->manifest.coordinator.identity : p->manifest.member[p->member].identity;
    if (terms->unit != study->privacy.unit || terms->order != v->schedule.order ||
        terms->epsilon != study->privacy.epsilon || terms->delta != study->privacy.delta ||
        terms->sampler.delta != study->privacy.delta - v->schedule.delta ||
        terms->colluding != study->sites.colluding)
        verify_fault(v, CHECK_NOISE, p, 0, "its ledger entered the study on other terms");
    if (memcmp(terms->signer, identity, SIGN_PUBLIC_BYTES) != 0)
        verify_fault(v, CHECK_NOISE, p, 0, "its ledger has the study signed by another key");
}

void verify_noise(struct verify *v)
{
    struct states sum = {0};
    for (size_t k = 0; k < v->n; k++) {
        const struct party *p = &v->party[k];
        const struct books *books = &p->ledger.books;
        if (p->study == books->n_studies) {
            verify_fault(v, CHECK_NOISE, p, 0, "its ledger does not have the study");
            continue;
        }
        check_terms(v, p);
        for (size_t i = 0; i < books->n_releases; i++)
            if (books->release[i].study == p->study) check_release(v, p, i, &sum);
        for (size_t i = 0; i < v->n_facts; i++) check_covered(v, p, &v->fact[i]);
    }
    verify_holds(v, CHECK_NOISE,
                 json_pack("{s:I, s:I, s:I, s:I}", "plans", (json_int_t)v->n_facts, "settled",
                           sum.settled, "reserved", sum.reserved, "void", sum.voided),
                 "%zu plans with the noise that is due; ledgers agree with plans and survivors: "
                 "%lld releases settled, %lld counted at their worst, %lld void",
                 v->n_facts, (long long)sum.settled, (long long)sum.reserved,
                 (long long)sum.voided);
}

/* --- epsilon -----------------------------------------------------------------------------------
 */

/* Equal releases are one mechanism, several times. */
struct bill {
    size_t n;
    struct mechanism *list; /* owned */
    bool bounded;
};

static void bill_free(struct bill *bill)
{
    free(bill->list);
}

static bool same_law(const struct mechanism *a, const struct mechanism *b)
{
    return a->noise == b->noise && a->sampling == b->sampling;
}

static void bill_add(struct bill *bill, const struct release *r)
{
    if (r->sigma == 0) {
        bill->bounded = false;
        return;
    }
    const double variance = lattice_sum_continuous((double)r->sigma, r->n_shares);
    const struct mechanism next = {.kind = MECHANISM_GAUSSIAN,
                                   .noise = sqrt(variance / (double)r->norm2),
                                   .shift = 1,
                                   .shares = 1,
                                   .sampling = r->sampling,
                                   .times = 1};
    size_t i = 0;
    while (i < bill->n && !same_law(&bill->list[i], &next)) i++;
    if (i == bill->n) bill->list[bill->n++] = (struct mechanism){0};
    const uint32_t times = bill->list[i].times + 1;
    bill->list[i] = next;
    bill->list[i].times = times;
}

/* Of what a party's trail says was spent, whatever its ledger says. */
static enum status bill_of(struct bill *out, const struct verify *v, const struct party *p)
{
    AUTO(bill_free)
    struct bill bill = {.list = calloc(v->n_facts + 1, sizeof *bill.list), .bounded = true};
    if (bill.list == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < v->n_facts; i++) {
        const struct due due = due_of(v, p, &v->fact[i]);
        if (due.spent) bill_add(&bill, &due.release);
    }
    *out = bill;
    bill = (struct bill){0};
    return STATUS_OK;
}

static enum status check_party(struct verify *v, const struct party *p, struct bill *before,
                               double *pld)
{
    const struct books *books = &p->ledger.books;
    if (p->study == books->n_studies) return STATUS_OK; /* a fault of the noise */
    const struct books_study *study = &books->study[p->study];
    struct account account = {0};
    uint32_t count = 0;
    TRY(books_of_study(&account, &count, books, p->study, ADVERSARY_COLLUSION));
    const double rdp = books_epsilon(&account, RDP_ORDERS, study->delta, study->sampler);
    const double gate = books_epsilon(&account, study->order, study->delta, study->sampler);
    if (gate > v->study.privacy.epsilon)
        verify_fault(v, CHECK_EPSILON, p, 0,
                     "its ledger is above the study's epsilon: %.4f of %.4f", account_rounded(gate),
                     v->study.privacy.epsilon);
    AUTO(bill_free) struct bill bill = {0};
    TRY(bill_of(&bill, v, p));
    const double delta = study->delta - books_sampler_due(study->sampler, rdp);
    const bool again = bill.n == before->n && bill.n > 0 &&
                       memcmp(bill.list, before->list, bill.n * sizeof *bill.list) == 0;
    if (bill.n == 0)
        *pld = 0;
    else if (!(delta > 0))
        *pld = (double)INFINITY;
    else if (!again && pld_epsilon(pld, bill.list, bill.n, delta, EXCESS) != STATUS_OK)
        *pld = (double)INFINITY;
    if (*pld > rdp * (1 + EXCESS))
        verify_fault(
            v, CHECK_EPSILON, p, 0,
            "its rounds cost epsilon %.4f by their loss distribution, its ledger says %.4f",
            account_rounded(*pld), account_rounded(rdp));
    v->epsilon_rdp = fmax(v->epsilon_rdp, rdp);
    v->epsilon_pld = fmax(v->epsilon_pld, *pld);
    bill_free(before);
    *before = bill;
    bill = (struct bill){0};
    return STATUS_OK;
}

enum status verify_epsilon(struct verify *v)
{
    AUTO(bill_free) struct bill before = {0};
    double pld = 0;
    if (isinf(v->study.privacy.epsilon)) {
        verify_holds(v, CHECK_EPSILON, json_object(),
                     "the study promises no epsilon and adds no noise: nothing is bounded");
        return STATUS_OK;
    }
    for (size_t k = 0; k < v->n; k++) TRY(check_party(v, &v->party[k], &before, &pld));
    json_t *counts =
        json_pack("{s:f, s:f, s:f, s:f, s:f}", "epsilon_rdp", account_rounded(v->epsilon_rdp),
                  "epsilon_pld", account_rounded(v->epsilon_pld), "epsilon_study",
                  v->study.privacy.epsilon, "delta", v->study.privacy.delta, "excess", EXCESS);
    verify_holds(v, CHECK_EPSILON, counts,
                 "epsilon %.4f by the ledgers (Renyi), %.4f recomputed from plans and survivors "
                 "(loss distribution, to a relative %g), %g promised; delta %g",
                 account_rounded(v->epsilon_rdp), account_rounded(v->epsilon_pld), EXCESS,
                 v->study.privacy.epsilon, v->study.privacy.delta);
    return STATUS_OK;
}
