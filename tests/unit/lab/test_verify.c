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

/* --- grids -------------------------------------------------------------------------------------
 */

static void round_finer(struct plan *plan)
{
    plan->grid.scale *= 2;
}

static void allow_longer(struct plan *plan)
{
    plan->grid.norm2 *= 4;
    plan->grid.sigma *= 2;
}

static void narrow_the_ring(struct plan *plan)
{
    plan->grid.bits--;
}

static void raise_the_cap(struct plan *plan)
{
    plan->grid.cap++;
}

static void add_a_coordinate(struct plan *plan)
{
    plan->segment[0].dim++;
}

static void thin_the_pads(struct plan *plan)
{
    plan->segment[1].degree = 2;
}

static void rename_a_segment(struct plan *plan)
{
    plan->segment[0].name[0] = '\x1b';
    plan->segment[0].name[1] = '\xff';
}

static void hurry(struct plan *plan)
{
    plan->wait_ms[WAIT_INPUT]--;
}

static void grids_that_do_not_follow_from_the_study_are_told(void)
{
    static const struct {
        void (*change)(struct plan *plan);
        const char *words;
    } other[] = {{round_finer, "round 1: E-PLAN-RING"},
                 {allow_longer, "E-PLAN-RING"},
                 {narrow_the_ring, "E-PLAN-RING"},
                 {raise_the_cap, "E-PLAN-RING"},
                 {add_a_coordinate, "E-PLAN-SEGMENTS"},
                 {thin_the_pads, "E-PLAN-GRAPH"},
                 {rename_a_segment, "round 1: E-PLAN-SEGMENTS"},
                 {hurry, "E-STUDY-HASH"}};
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        hearing_begin();
        annals.on_plan = other[i].change;
        annals_make(&annals);
        hearing_audit(HEARING_ALL);
        CHECK(!found.found[CHECK_PLANS].open && found.found[CHECK_PLANS].faults == 0);
        CHECK_NUMBER(ANNALS_ROUNDS, found.found[CHECK_GRID].faults);
        CHECK(strstr(found.found[CHECK_GRID].what, other[i].words) != NULL);
        CHECK(hearing_is_plain(found.found[CHECK_GRID].what));
    }
}

static void without_pruning_all_coordinates_are_kept(void)
{
    hearing_begin();
    for (int r = 0; r < ANNALS_ROUNDS; r++) annals.pruned[r] = 5;
    annals_make(&annals);
    hearing_audit(HEARING_ALL);
    hearing_faulty(CHECK_GRID, "round 1: E-PLAN-SEGMENTS");
}

static void as_many_coordinates_are_kept_until_they_are_chosen_anew(void)
{
    hearing_begin_pruned();
    for (int r = 0; r < ANNALS_ROUNDS; r++) annals.pruned[r] = 5;
    annals_make(&annals);
    hearing_audit(HEARING_ALL);
    hearing_holds();
    hearing_begin_pruned();
    annals.pruned[2] = 5;
    annals_make(&annals);
    hearing_audit(HEARING_ALL);
    hearing_faulty(CHECK_GRID, "round 3: it keeps another number of coordinates");
}

/* Votes are rounds of their own; PruneFL chooses from training rounds, the second one here, which
 * is of the whole model. */
static void training_rounds_choose_anew_where_the_study_says_so(void)
{
    static const struct {
        const char *mask;
        uint32_t pruned[ANNALS_ROUNDS];
        const char *words; /* NULL: it holds */
    } said[] = {{"explored", {5, 5, 5}, NULL},
                {"explored", {0, 5, 5}, "round 2: it keeps another number of coordinates"},
                {"explored", {5, 5, 0}, "round 3: it keeps another number of coordinates"},
                {"prunefl", {5, 0, 3}, NULL},
                {"prunefl", {5, 5, 5}, "round 2: it leaves out coordinates"}};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        hearing_begin_refined(said[i].mask);
        memcpy(annals.pruned, said[i].pruned, sizeof annals.pruned);
        annals_make(&annals);
        hearing_audit(HEARING_ALL);
        if (said[i].words == NULL) hearing_holds();
        if (said[i].words != NULL) hearing_faulty(CHECK_GRID, said[i].words);
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
    RUN(grids_that_do_not_follow_from_the_study_are_told);
    RUN(without_pruning_all_coordinates_are_kept);
    RUN(as_many_coordinates_are_kept_until_they_are_chosen_anew);
    RUN(training_rounds_choose_anew_where_the_study_says_so);
    hearing_close();
    return check_done();
}
