/* SPDX-License-Identifier: Apache-2.0 */
/* The votes of a study: when they come, what their plans are, and what they cost. */
#include <math.h>
#include <string.h>

#include "protocol/schedule.h"
#include "tests/lib/check.h"
#include "tests/unit/protocol/desk.h"

enum { VOTES = 3 };

/* A study of 20 rounds that votes after every sixth. */
static void open_desk(struct desk *desk, enum study_unit unit, double epsilon)
{
    struct settings_error why = {0};
    desk_open(desk, unit, STUDY_PRUNING_PRIVATE, epsilon);
    desk->study.pruning.refine_every = 6;
    desk->study.pruning.refine_ratio = 0.5;
    CHECK_OK(schedule_of(&desk->schedule, &desk->study, &desk->layout, DESK_SITES, &why));
}

static void votes_come_after_every_so_many_rounds_and_never_at_the_end(void)
{
    static const struct {
        uint32_t every, count, trained, due;
    } row[] = {{6, 20, 5, 0},  {6, 20, 6, 1},   {6, 20, 18, 3}, {6, 20, 20, 3}, {5, 20, 19, 3},
               {5, 20, 20, 3}, {19, 20, 20, 1}, {1, 3, 2, 2},   {1, 3, 3, 2},   {0, 20, 20, 0}};
    struct study study = {0};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        study.rounds.count = row[i].count;
        study.pruning.refine_every = row[i].every;
        CHECK_NUMBER(row[i].due, schedule_refinements(&study, row[i].trained));
        if (row[i].trained == row[i].count)
            CHECK_NUMBER(row[i].due, schedule_steps(&study, STEP_VOTE));
        study.pruning.mask = STUDY_MASK_PRUNEFL; /* refines by what is released anyway */
        CHECK_NUMBER(0, schedule_steps(&study, STEP_VOTE));
        study.pruning.mask = STUDY_MASK_EXPLORED;
    }
}

static void what_is_planned_is_votes_on_all_units_and_passes_the_check(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++)
        for (size_t noisy = 0; noisy < 2; noisy++) {
            AUTO(desk_close) struct desk desk = {0};
            open_desk(&desk, unit, noisy == 0 ? (double)INFINITY : 3);
            AUTO(plan_free) struct plan plan = {0}, train = {0};
            for (uint32_t number = 0; number < VOTES; number++) {
                desk_plan(&plan, &desk, STEP_VOTE, number);
                CHECK_NUMBER(REASON_NONE, desk_check(&desk, &plan));
            }
            CHECK_NUMBER(desk.layout.n_groups, plan.n_segments);
            CHECK_NUMBER(layout_units(&desk.layout), schedule_release(&plan, 1).dim);
            desk_plan(&train, &desk, STEP_TRAIN, 0);
            CHECK(plan.sampling == train.sampling);
            /* Room for a vote on every unit, and hardly more. */
            const double most = plan.grid.scale * plan.grid.scale * layout_units(&desk.layout);
            CHECK((double)plan.grid.norm2 >= most && (double)plan.grid.norm2 < 1.05 * most);
            CHECK((plan.grid.sigma > 0) == (noisy > 0));
            const double z = desk.schedule.z * 0.5 * sqrt((double)plan.grid.norm2 / 3);
            CHECK((double)plan.grid.sigma >= z && (double)plan.grid.sigma <= z + 1); /* T - c = 3 */
        }
}

static void another_vote_than_the_study_s_is_refused(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++) {
        AUTO(desk_close) struct desk desk = {0};
        open_desk(&desk, unit, 3);
        AUTO(plan_free) struct plan plan = {0};
        desk_plan(&plan, &desk, STEP_VOTE, VOTES);
        CHECK_NUMBER(REASON_STUDY, desk_check(&desk, &plan)); /* one too many */
        desk_plan(&plan, &desk, STEP_VOTE, 0);
        plan.grid.sigma--;
        CHECK_NUMBER(REASON_NOISE, desk_check(&desk, &plan));
        desk_plan(&plan, &desk, STEP_VOTE, 0);
        plan.grid.norm2 /= 4;
        CHECK_NUMBER(REASON_RING, desk_check(&desk, &plan));
        desk_plan(&plan, &desk, STEP_VOTE, 0);
        plan.sampling = 0.001;
        CHECK_NUMBER(REASON_NOISE, desk_check(&desk, &plan));
        desk_plan(&plan, &desk, STEP_VOTE, 0);
        plan.segment[0].dim--;
        CHECK_NUMBER(REASON_SEGMENTS, desk_check(&desk, &plan));
        desk_plan(&plan, &desk, STEP_TRAIN, 0);
        plan.step = STEP_VOTE;
        CHECK_NUMBER(REASON_SEGMENTS, desk_check(&desk, &plan));
        desk_plan(&plan, &desk, STEP_VOTE, 0);
        desk.study.pruning.refine_every = 0;
        CHECK_NUMBER(REASON_STUDY, desk_check(&desk, &plan));
    }
}

/* At the noise that the study with votes has: one account with them, and one without. */
static void votes_are_paid_for(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++) {
        AUTO(desk_close) struct desk desk = {0};
        open_desk(&desk, unit, 3);
        const double delta = desk.study.privacy.delta;
        struct account with = {0}, without = {0}, own = {0};
        for (enum step step = STEP_EXPLORE; step < STEP_COUNT; step++) {
            const uint32_t times = schedule_steps(&desk.study, step);
            if (times == 0) continue;
            AUTO(plan_free) struct plan plan = {0};
            desk_plan(&plan, &desk, step, 0);
            const struct release release = schedule_release(&plan, schedule_certain(&plan));
            CHECK_OK(account_add(&with, &release, times));
            if (step != STEP_VOTE) CHECK_OK(account_add(&without, &release, times));
            for (uint32_t k = 0; k < times; k++) CHECK_OK(account_add(&own, &release, 1));
        }
        const double epsilon = account_epsilon(&with, delta);
        CHECK(epsilon <= 3 && epsilon > 0.98 * 3);
        CHECK(epsilon > 1.05 * account_epsilon(&without, delta));
        CHECK_CLOSE(epsilon, account_epsilon(&own, delta), 1e-9);
        /* And a study without them needs less noise for the same epsilon. */
        struct schedule schedule = {0};
        struct settings_error why = {0};
        desk.study.pruning.refine_every = 0;
        CHECK_OK(schedule_of(&schedule, &desk.study, &desk.layout, DESK_SITES, &why));
        CHECK(schedule.z < 0.99 * desk.schedule.z);
    }
}

int main(void)
{
    RUN(votes_come_after_every_so_many_rounds_and_never_at_the_end);
    RUN(what_is_planned_is_votes_on_all_units_and_passes_the_check);
    RUN(another_vote_than_the_study_s_is_refused);
    RUN(votes_are_paid_for);
    return check_done();
}
