/* SPDX-License-Identifier: Apache-2.0 */
/* The transcript audit, on made-up evidence: what each party keeps for itself. */
#include <string.h>

#include "tests/lib/check.h"
#include "tests/unit/lab/hearing.h"

static void what_all_kept_is_verified(void)
{
    hearing_begin();
    annals_make(&annals);
    hearing_audit(HEARING_ALL);
    hearing_holds();
    CHECK(found.whole);
    CHECK_NUMBER(ANNALS_ROUNDS, found.n_facts);
}

/* --- ledgers -----------------------------------------------------------------------------------
 */

static void a_ledger_without_its_study_is_told(void)
{
    hearing_begin();
    annals_make(&annals);
    while (annals.party[1].n_ledger > 1) annals_drop_ledger(&annals.party[1], 1);
    hearing_audit(HEARING_ALL);
    hearing_faulty(CHECK_NOISE, "/1: its ledger does not have the study");
}

static void a_ledger_on_other_terms_is_told(void)
{
    enum { UNIT, ORDER, EPSILON, DELTA, SAMPLER, COLLUDING, TERMS };
    for (int which = 0; which < TERMS; which++) {
        hearing_begin();
        annals_make(&annals);
        struct annals_party *p = &annals.party[which % ANNALS_PARTIES];
        struct ledger_entry *study = &p->ledger[annals_find_ledger(p, LEDGER_STUDY, 0)];
        study->unit = which == UNIT ? STUDY_PATIENT : study->unit;
        study->order += which == ORDER ? 1 : 0;
        study->epsilon *= which == EPSILON ? 2 : 1;
        study->delta *= which == DELTA ? 0.5 : 1;
        study->sampler_delta += which == SAMPLER ? 1e-9 : 0;
        study->colluding += which == COLLUDING ? 1 : 0;
        hearing_audit(HEARING_ALL);
        CHECK(found.found[CHECK_NOISE].faults > 0);
        CHECK(strstr(found.found[CHECK_NOISE].what, "its ledger entered the study on other terms"));
    }
}

static void a_delta_that_the_sampler_takes_whole_is_reckoned_endless(void)
{
    hearing_begin();
    annals_make(&annals);
    struct annals_party *p = &annals.party[0];
    struct ledger_entry *study = &p->ledger[annals_find_ledger(p, LEDGER_STUDY, 0)];
    study->sampler_delta = 0.999 * study->delta;
    study->epsilon = 0.01; /* at what was spent it takes more */
    hearing_audit(HEARING_ALL);
    CHECK(strstr(found.found[CHECK_EPSILON].what, "above the study's epsilon") != NULL);
}

static void a_ledger_that_another_key_keeps_is_told(void)
{
    hearing_begin();
    annals_make(&annals);
    annals.party[3].teller = annals.party[0].key.identity;
    hearing_audit(HEARING_ALL);
    hearing_faulty(CHECK_NOISE, "/3: its ledger has the study signed by another key");
}

/* --- plans -------------------------------------------------------------------------------------
 */

static void ask_too_few(struct plan *plan)
{
    plan->params.quorum = 1;
    plan->params.c = 3;
}

static void have_no_norm(struct plan *plan)
{
    plan->grid.norm2 = 0;
}

static void have_no_noise(struct plan *plan)
{
    plan->grid.sigma = 0;
}

static void draw_by_another_sampler(struct plan *plan)
{
    plan->sampler = 200;
}

static void take_noise_away(struct plan *plan)
{
    plan->removable = XNOISE_REMOVABLE_MAX;
}

/* With numbers of such plans nothing is reckoned: some of them stop the reckoning. */
static void unsound_plans_are_told_and_nothing_else_is_looked_at(void)
{
    static const struct {
        void (*change)(struct plan *plan);
        enum check check;
        const char *words;
    } unsound[] = {{ask_too_few, CHECK_PLANS, "E-PLAN-THRESHOLD"},
                   {have_no_norm, CHECK_NOISE, "E-PLAN-NOISE"},
                   {have_no_noise, CHECK_NOISE, "E-PLAN-NOISE"},
                   {draw_by_another_sampler, CHECK_NOISE, "E-PLAN-NOISE"},
                   {take_noise_away, CHECK_NOISE, "E-PLAN-NOISE"}};
    for (size_t i = 0; i < sizeof unsound / sizeof *unsound; i++) {
        hearing_begin();
        annals.on_plan = unsound[i].change;
        annals_make(&annals);
        hearing_audit(HEARING_ALL);
        hearing_faulty(unsound[i].check, unsound[i].words);
        CHECK(found.found[CHECK_QUORUM].open && found.found[CHECK_EPSILON].open);
    }
}

int main(void)
{
    hearing_open();
    RUN(what_all_kept_is_verified);
    RUN(a_ledger_without_its_study_is_told);
    RUN(a_ledger_on_other_terms_is_told);
    RUN(a_delta_that_the_sampler_takes_whole_is_reckoned_endless);
    RUN(a_ledger_that_another_key_keeps_is_told);
    RUN(unsound_plans_are_told_and_nothing_else_is_looked_at);
    hearing_close();
    return check_done();
}
