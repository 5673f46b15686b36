/* SPDX-License-Identifier: Apache-2.0 */
/* How long a site's budget lasts, and what it counts as spent. */
#include <string.h>

#include "tests/lib/check.h"
#include "tests/unit/client/ward.h"

/* A rehearsal may ask for more than the policy's limit; the gate does not give it. */
static const char small_noise[] =
    "schema: 1\nstudy: {id: judge, rehearsal: true}\n"
    "sites: {expected: 5, colluding: 1, min_contributors: 2}\n"
    "model: {kind: mlp, channels: 1, height: 8, width: 8, classes: 3, hidden: [6, 6]}\n"
    "privacy: {unit: patient, epsilon: 2.0, delta: 1.0e-5, clip: 1.0, exploration_clip: 1.0,\n"
    "          exploration_ratio: 3.0, sampling: 0.2, records: 500}\n"
    "rounds: {count: 12}\n";

/* Rounds that are accepted when each ends with so many survivors. */
static uint32_t rounds_until_refused(uint32_t survivors)
{
    AUTO(state_free) struct state state = {0};
    CHECK_OK(state_new(&state, ward_site.layout.n));
    for (uint32_t round = 1; round < 1000; round++) {
        AUTO(plan_free) struct plan plan = {0};
        /* Past the study's last round the step numbers begin again: rounds that had failed. */
        enum reason why = ward_judge(&plan, round <= 13 ? round : 13, &state);
        plan.round = round;
        if (why != REASON_NONE) {
            CHECK_NUMBER(REASON_BUDGET, why);
            return round - 1;
        }
        ward_release(&plan, survivors);
    }
    return 1000;
}

static void the_budget_lasts_for_the_study_at_its_worst_and_no_longer(void)
{
    struct site_error why = {0};
    ward_make(ward_noisy, 2, 2, true);
    CHECK_OK(ward_open(&why));
    CHECK_NUMBER(13, rounds_until_refused(0)); /* the exploration and 12 rounds */
    double epsilon = 0;
    uint32_t releases = 0;
    CHECK_OK(budget_spent(&ward_site.budget, &epsilon, &releases));
    CHECK_NUMBER(13, releases);
    CHECK(epsilon <= 2 && epsilon > 1.98);
    ward_close();
}

static void results_give_back_what_the_worst_case_took(void)
{
    struct site_error why = {0};
    ward_make(ward_noisy, 2, 2, true);
    CHECK_OK(ward_open(&why));
    uint32_t rounds = rounds_until_refused(WARD_SITES);
    CHECK(rounds > 13 && rounds < 1000);
    /* One release, settled: the shares of all survivors but the colluding ones. */
    ward_close();
    ward_make(ward_noisy, 2, 2, true);
    CHECK_OK(ward_open(&why));
    AUTO(state_free) struct state state = {0};
    AUTO(plan_free) struct plan plan = {0};
    CHECK_OK(state_new(&state, ward_site.layout.n));
    CHECK_NUMBER(REASON_NONE, ward_judge(&plan, 1, &state));
    ward_release(&plan, WARD_SITES);
    struct account want = {0}, got = {0};
    const struct release settled = schedule_release(&plan, WARD_SITES - WARD_COLLUDING);
    CHECK_OK(account_add(&want, &settled, 1));
    CHECK_OK(books_of_study(&got, NULL, &ward_site.budget.ledger.books, ward_site.budget.study,
                            ADVERSARY_COLLUSION));
    CHECK_BYTES(&want, &got, sizeof want);
    ward_close();
}

/* The line of the policy that a release would cross is named, with both numbers. */
static void a_budget_that_is_used_up_is_refused_by_its_line(void)
{
    struct site_error why = {0};
    ward_make(small_noise, 0.5, 2, true);
    CHECK_OK(ward_open(&why));
    CHECK(rounds_until_refused(0) < 13);
    CHECK_NUMBER(1, ward_site.crossed.line);
    CHECK(strncmp(ward_site.crossed.text, "max_epsilon 0.5000 would be exceeded: ", 38) == 0);
    ward_close();
}

static void no_input_leaves_without_a_reservation(void)
{
    struct site_error why = {0};
    ward_make(ward_noisy, 2, 2, true);
    CHECK_OK(ward_open(&why));
    const struct memory memory = {.kind = MEMORY_INPUT, .round = 1};
    AUTO(outbox_free) struct outbox out = {0};
    struct buffer entry = {0};
    memory_write(&entry, &memory);
    CHECK_OK(outbox_journal(&out, &entry));
    CHECK_STATUS(STATUS_STATE, site_remember(&ward_site, &out));
    uint32_t inputs = 7;
    CHECK_OK(journal_inputs(ward_site.journal, &inputs));
    CHECK_NUMBER(0, inputs);
    ward_close();
}

/* The next plan ends whatever was under way: what it had reserved is free again. */
static void a_reservation_that_nothing_left_under_is_void_at_the_next_plan(void)
{
    struct site_error why = {0};
    ward_make(ward_noisy, 2, 2, true);
    CHECK_OK(ward_open(&why));
    AUTO(state_free) struct state state = {0};
    CHECK_OK(state_new(&state, ward_site.layout.n));
    for (uint32_t round = 1; round <= 13; round++) {
        AUTO(plan_free) struct plan plan = {0};
        struct books_refusal refusal = {0};
        CHECK_NUMBER(REASON_NONE, ward_judge(&plan, round, &state));
        ward_remember(MEMORY_PLAN, round, 0);
        CHECK_OK(budget_reserve(&ward_site.budget, &plan, 1, &refusal));
        CHECK(budget_holds(&ward_site.budget, round));
    }
    AUTO(plan_free) struct plan plan = {0};
    CHECK_NUMBER(REASON_NONE, ward_judge(&plan, 13, &state));
    double epsilon = -1;
    uint32_t releases = 7;
    CHECK_OK(budget_spent(&ward_site.budget, &epsilon, &releases));
    CHECK_NUMBER(0, releases);
    CHECK_CLOSE(0, epsilon, 0);
    ward_close();
}

int main(void)
{
    RUN(the_budget_lasts_for_the_study_at_its_worst_and_no_longer);
    RUN(results_give_back_what_the_worst_case_took);
    RUN(a_budget_that_is_used_up_is_refused_by_its_line);
    RUN(no_input_leaves_without_a_reservation);
    RUN(a_reservation_that_nothing_left_under_is_void_at_the_next_plan);
    return check_done();
}
