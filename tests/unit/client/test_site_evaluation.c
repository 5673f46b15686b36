/* SPDX-License-Identifier: Apache-2.0 */
/* The records that a site holds out, and how often it evaluates on them. */
#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/unit/client/ward.h"

static const char with_evaluation[] =
    "schema: 1\nstudy: {id: judge}\n"
    "sites: {expected: 5, colluding: 1, min_contributors: 2}\n"
    "model: {kind: mlp, channels: 1, height: 8, width: 8, classes: 3, hidden: [6, 6]}\n"
    "privacy: {unit: patient, epsilon: 2.0, sampling: 0.2, records: 500}\n"
    "evaluation: {mode: private, every: 5}\n"
    "secagg: {bits: 16}\n"
    "rounds: {count: 12}\n";

/* n black records of class 1, of side x side pixels. */
static enum status hold_out(size_t n, uint32_t side, size_t *shared)
{
    struct dataset held = {.n = n, .channels = 1, .height = side, .width = side, .classes = 2};
    held.pixel = calloc(n, (size_t)side * side);
    held.label = malloc(n);
    CHECK(held.pixel != NULL && held.label != NULL);
    memset(held.label, 1, n);
    struct site_error why = {0};
    const enum status status = site_hold_out(&ward_site, &held, shared, &why);
    CHECK((status == STATUS_OK) == (why.reason == REASON_NONE));
    dataset_free(&held);
    return status;
}

static void records_are_held_out_if_the_study_s_sums_hold_them(void)
{
    struct site_error why = {0};
    size_t shared = 77;
    ward_make(ward_noisy, 2, 2, true);
    CHECK_OK(ward_open(&why));
    CHECK_STATUS(STATUS_RANGE, hold_out(3, 8, &shared)); /* nothing asks for them */
    ward_close();
    ward_make(with_evaluation, 2, 2, true);
    CHECK_OK(ward_open(&why));
    const uint64_t room = schedule_room(&ward_site.schedule);
    CHECK(room > 50 && room < 500);
    CHECK_STATUS(STATUS_RANGE, hold_out(3, 7, &shared));
    CHECK_STATUS(STATUS_RANGE, hold_out(room + 1, 8, &shared));
    CHECK_NUMBER(77, shared);
    CHECK_OK(hold_out(room, 8, &shared));
    CHECK_NUMBER(room, shared); /* all of this site's training records are black, too */
    CHECK_NUMBER(room, ward_site.local.held.n);
    ward_close();
}

/* The coordinator asks once more than the study says; and it may ask for one that is due again
 * after a failure, but each time is paid for. */
static void evaluations_end_with_the_study_s_number_and_with_the_budget(void)
{
    struct site_error why = {0};
    ward_make(with_evaluation, 2, 2, true);
    CHECK_OK(ward_open(&why));
    AUTO(state_free) struct state state = {0};
    CHECK_OK(state_new(&state, ward_site.layout.n));
    AUTO(bits_free) struct bits cohort = {0};
    CHECK_OK(bits_new(&cohort, WARD_SITES));
    bits_fill(&cohort);
    AUTO(buffer_free) struct buffer bytes = {0};
    state_write(&bytes, &state);
    uint32_t round = 0;
    enum reason refusal = REASON_NONE;
    for (uint32_t number = 0; number < 4; number++) {
        AUTO(plan_free) struct plan plan = {0};
        CHECK_OK(schedule_plan(&plan, &ward_site.schedule, STEP_EVALUATE, number, &state.keep,
                               state.clip, &cohort));
        plan.round = ++round;
        refusal = ward_site.session.config.judge(ward_site.session.config.context, &plan,
                                                 buffer_view(&bytes));
        CHECK_NUMBER(number < 3 ? REASON_NONE : REASON_STUDY, refusal);
        if (refusal == REASON_NONE) ward_release(&plan, 0);
    }
    for (refusal = REASON_NONE; refusal == REASON_NONE && round < 1000;) {
        AUTO(plan_free) struct plan plan = {0};
        CHECK_OK(schedule_plan(&plan, &ward_site.schedule, STEP_EVALUATE, 0, &state.keep,
                               state.clip, &cohort));
        plan.round = ++round;
        refusal = ward_site.session.config.judge(ward_site.session.config.context, &plan,
                                                 buffer_view(&bytes));
        if (refusal == REASON_NONE) ward_release(&plan, 0);
    }
    CHECK_NUMBER(REASON_BUDGET, refusal);
    ward_close();
}

int main(void)
{
    RUN(records_are_held_out_if_the_study_s_sums_hold_them);
    RUN(evaluations_end_with_the_study_s_number_and_with_the_budget);
    return check_done();
}
