/* SPDX-License-Identifier: Apache-2.0 */
/* What secure sums cannot help against: a study that all sites see alike and that is made to leak
 * (A11), and many rounds whose sums are compared (A12). A whole site, with policy and journal. */
#include <stdio.h>
#include <string.h>

#include "tests/attack/hospital.h"
#include "tests/attack/row.h"

#define RECORDS 20

static enum reason opens(const char *study, const char *policy)
{
    AUTO(hospital_close) struct hospital h = {0};
    return hospital_open(&h, study, policy, RECORDS);
}

/* --- A11 -------------------------------------------------------------------------------------- */

static void a_model_outside_the_list_is_refused(void)
{
    CHECK_NUMBER(REASON_NONE, opens(hospital_study,
                                    "min_contributors: 2\nmodels: [mlp]\nmax_parameters: 453\n"));
    CHECK_REFUSED(POLICY, opens(hospital_study, "min_contributors: 2\nmodels: [cnn]\n"));
    CHECK_REFUSED(POLICY, opens(hospital_study, "min_contributors: 2\nmax_parameters: 452\n"));
}

static void a_study_without_noise_is_refused(void)
{
    CHECK_NUMBER(REASON_NONE, opens(hospital_bare, "min_contributors: 2\nallow_rehearsal: true\n"));
    CHECK_REFUSED(POLICY, opens(hospital_bare, "min_contributors: 2\n"));
    char study[1024];
    const char *rehearsal = strstr(hospital_bare, ", rehearsal: true");
    (void)snprintf(study, sizeof study, "%.*s%s", (int)(rehearsal - hospital_bare), hospital_bare,
                   rehearsal + strlen(", rehearsal: true"));
    CHECK_REFUSED(STUDY_FILE, opens(study, "min_contributors: 2\nallow_rehearsal: true\n"));
}

static void malicious_study(void)
{
    RUN(a_model_outside_the_list_is_refused);
    RUN(a_study_without_noise_is_refused);
}

/* --- A12 -------------------------------------------------------------------------------------- */

static bool nothing_is_confirmed(struct arena *a, struct flight *flight)
{
    (void)a;
    return flight_kind(flight) != MSG_CONFIRM;
}

/* The coordinator lets each round fail when it has the inputs, and has it repeated. */
static void the_budget_ends_the_rounds(void)
{
    AUTO(hospital_close) struct hospital h = {0};
    CHECK_NUMBER(REASON_NONE, hospital_open(&h, hospital_study, "min_contributors: 2\n", RECORDS));
    h.filter = nothing_is_confirmed;
    for (int round = 0; round < 2; round++) {
        arena_begin(&h.arena);
        while (h.arena.round.phase < PHASE_CONFIRM) CHECK(arena_step(&h.arena));
        CHECK(bits_has(&h.arena.round.survivors, HOSPITAL));
    }
    arena_begin(&h.arena);
    h.refusal = REASON_NONE;
    while (h.refusal == REASON_NONE) CHECK(arena_step(&h.arena));
    CHECK_REFUSED(BUDGET, h.refusal);
    CHECK_NUMBER(REASON_NONE, hospital_restart(&h)); /* what was spent stays spent */
    arena_begin(&h.arena);
    h.refusal = REASON_NONE;
    while (h.refusal == REASON_NONE) CHECK(arena_step(&h.arena));
    CHECK_REFUSED(BUDGET, h.refusal);
}

static const char with_evaluations[] =
    "study: {id: hospital}\n"
    "sites: {expected: 5, colluding: 1, min_contributors: 2}\n"
    "model: {kind: mlp, channels: 1, height: 8, width: 8, classes: 3, hidden: [6, 6]}\n"
    "privacy: {unit: patient, epsilon: 2.0, sampling: 0.2, records: 500}\n"
    "pruning: {mode: none}\n"
    "evaluation: {mode: private, every: 1}\n"
    "rounds: {count: 2}\n";

/* An evaluation at any time, as often as the coordinator likes, of any model: the hospital takes
 * part in those that the study has, and pays for each. */
static enum reason evaluation_asked(struct hospital *h, uint32_t number)
{
    h->n_heard = 0;
    h->refusal = REASON_NONE;
    hospital_plan(h, STEP_EVALUATE, number);
    arena_begin(&h->arena);
    while (h->n_heard == 0) CHECK(arena_step(&h->arena));
    return h->refusal;
}

static void the_study_says_how_many_evaluations(void)
{
    AUTO(hospital_close) struct hospital h = {0};
    CHECK_NUMBER(REASON_NONE,
                 hospital_open(&h, with_evaluations, "min_contributors: 2\n", RECORDS));
    CHECK_NUMBER(REASON_NONE, evaluation_asked(&h, 0));
    CHECK_NUMBER(REASON_NONE, evaluation_asked(&h, 1));
    CHECK_REFUSED(STUDY, evaluation_asked(&h, 2));
    h.filter = nothing_is_confirmed;
    uint32_t rounds = 0;
    for (; rounds < 1000 && h.refusal != REASON_BUDGET; rounds++) {
        h.refusal = REASON_NONE;
        hospital_plan(&h, STEP_EVALUATE, 0);
        arena_begin(&h.arena);
        while (h.refusal == REASON_NONE && h.arena.round.phase < PHASE_CONFIRM)
            CHECK(arena_step(&h.arena));
    }
    CHECK_REFUSED(BUDGET, h.refusal);
    CHECK(rounds > 2); /* those that the study has */
}

static void a_study_without_evaluations_has_none(void)
{
    AUTO(hospital_close) struct hospital h = {0};
    CHECK_NUMBER(REASON_NONE, hospital_open(&h, hospital_study, "min_contributors: 2\n", RECORDS));
    CHECK_REFUSED(STUDY, evaluation_asked(&h, 0));
}

static bool one_is_lost(struct arena *a, struct flight *flight)
{
    const uint32_t *lost = a->context;
    return flight_kind(flight) != MSG_MASKED || flight->from != *lost;
}

/* Without noise: each round is without another site, then all are there. The first four sums less
 * three times the fifth are the hospital's input. */
static void the_set_that_solves_for_the_site_is_not_confirmed(void)
{
    AUTO(hospital_close) struct hospital h = {0};
    CHECK_NUMBER(
        REASON_NONE,
        hospital_open(&h, hospital_bare, "min_contributors: 2\nallow_rehearsal: true\n", RECORDS));
    uint32_t lost;
    h.filter = one_is_lost;
    h.context = &lost;
    for (lost = 1; lost <= 5; lost++) {
        h.refusal = REASON_NONE;
        hospital_plan(&h, STEP_TRAIN, lost - 1);
        arena_begin(&h.arena);
        arena_run(&h.arena);
        CHECK_NUMBER(PHASE_DONE, h.arena.round.phase);
        CHECK(bits_has(&h.arena.round.survivors, HOSPITAL));
        CHECK_NUMBER(lost == 5 ? 5 : 4, bits_count(&h.arena.round.survivors));
        if (lost < 5) CHECK_NUMBER(REASON_NONE, h.refusal);
    }
    CHECK_REFUSED(ISOLATED, h.refusal);
    CHECK(!bits_has(&h.arena.round.confirmed, HOSPITAL));
}

static void differencing(void)
{
    RUN(the_budget_ends_the_rounds);
    RUN(the_study_says_how_many_evaluations);
    RUN(a_study_without_evaluations_has_none);
    RUN(the_set_that_solves_for_the_site_is_not_confirmed);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {
        {"A11", "a model made to leak, the same for all", malicious_study},
        {"A12", "differences of many rounds, evaluations without end", differencing},
    };
    return row_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
