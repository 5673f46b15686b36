/* SPDX-License-Identifier: Apache-2.0 */
/* The evaluations of a study: when they come, what their plans are, and what they cost. */
#include <math.h>
#include <string.h>

#include "dp/count.h"
#include "protocol/schedule.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/unit/protocol/desk.h"

enum { CLASSES = 3, EVALUATIONS = 4 };

/* A study of 20 rounds that evaluates after every sixth and at the end. */
static void open_desk(struct desk *desk, enum study_unit unit, double epsilon)
{
    struct settings_error why = {0};
    desk_open(desk, unit, STUDY_PRUNING_PRIVATE, epsilon);
    desk->study.evaluation.mode = STUDY_EVALUATION_PRIVATE;
    desk->study.evaluation.every = 6;
    desk->study.evaluation.ratio = unit == STUDY_PATIENT ? 10 : 1;
    CHECK_OK(schedule_of(&desk->schedule, &desk->study, &desk->layout, DESK_SITES, &why));
}

static void evaluations_come_after_every_so_many_rounds_and_at_the_end(void)
{
    static const struct {
        uint32_t every, count, trained, due;
    } row[] = {
        {0, 20, 0, 0},  {0, 20, 19, 0},  {0, 20, 20, 1}, {6, 20, 5, 0},  {6, 20, 6, 1},
        {6, 20, 18, 3}, {6, 20, 19, 3},  {6, 20, 20, 4}, {5, 20, 19, 3}, {5, 20, 20, 4},
        {20, 20, 0, 0}, {20, 20, 20, 1}, {1, 3, 2, 2},   {1, 3, 3, 3},
    };
    struct study study = {0};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        study.rounds.count = row[i].count;
        study.evaluation.every = row[i].every;
        study.evaluation.mode = STUDY_EVALUATION_PRIVATE;
        CHECK_NUMBER(row[i].due, schedule_evaluations(&study, row[i].trained));
        if (row[i].trained == row[i].count)
            CHECK_NUMBER(row[i].due, schedule_steps(&study, STEP_EVALUATE));
        study.evaluation.mode = STUDY_EVALUATION_NONE;
        CHECK_NUMBER(0, schedule_evaluations(&study, row[i].trained));
        CHECK_NUMBER(0, schedule_steps(&study, STEP_EVALUATE));
    }
    CHECK_NUMBER(0, schedule_steps(&study, STEP_COUNT));
}

static void what_is_planned_is_counts_of_all_sites_and_passes_the_check(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++)
        for (size_t noisy = 0; noisy < 2; noisy++) {
            AUTO(desk_close) struct desk desk = {0};
            open_desk(&desk, unit, noisy == 0 ? (double)INFINITY : 3);
            AUTO(plan_free) struct plan plan = {0};
            bits_clear(&desk.keep, 0);
            for (uint32_t number = 0; number < EVALUATIONS; number++) {
                desk_plan(&plan, &desk, STEP_EVALUATE, number);
                CHECK_NUMBER(REASON_NONE, desk_check(&desk, &plan));
            }
            CHECK_NUMBER(1, plan.n_segments);
            CHECK(strcmp(plan.segment[0].name, "evaluation") == 0);
            CHECK_NUMBER(2 * CLASSES, plan.segment[0].dim);
            CHECK(bits_equal(&plan.segment[0].members, &plan.cohort));
            CHECK(plan.sampling == 1); /* whatever a training round draws */
            CHECK((double)plan.grid.norm2 == plan.grid.scale * plan.grid.scale);
            CHECK((plan.grid.sigma > 0) == (noisy > 0));
        }
}

static void noise_is_in_the_study_s_ratio_and_the_same_for_every_cohort(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++) {
        AUTO(desk_close) struct desk desk = {0};
        open_desk(&desk, unit, 3);
        AUTO(plan_free) struct plan all = {0}, fewer = {0};
        desk_plan(&all, &desk, STEP_EVALUATE, 0);
        const double z = desk.schedule.z * desk.study.evaluation.ratio;
        const double share = z * all.grid.scale / sqrt(3); /* T - c = 3 */
        CHECK((double)all.grid.sigma >= share && (double)all.grid.sigma <= share + 1);
        bits_clear(&desk.cohort, 1);
        desk_plan(&fewer, &desk, STEP_EVALUATE, 0);
        CHECK_NUMBER(all.grid.sigma, fewer.grid.sigma);
        CHECK(all.grid.scale == fewer.grid.scale);
    }
}

/* What a coordinator may alter, and what a site answers. */
static void another_evaluation_than_the_study_s_is_refused(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++) {
        AUTO(desk_close) struct desk desk = {0};
        open_desk(&desk, unit, 3);
        AUTO(plan_free) struct plan plan = {0};
        desk_plan(&plan, &desk, STEP_EVALUATE, EVALUATIONS);
        CHECK_NUMBER(REASON_STUDY, desk_check(&desk, &plan)); /* one too many */
        desk_plan(&plan, &desk, STEP_EVALUATE, 0);
        plan.segment[0].dim++;
        CHECK_NUMBER(REASON_SEGMENTS, desk_check(&desk, &plan));
        plan.segment[0].dim -= 2;
        CHECK_NUMBER(REASON_SEGMENTS, desk_check(&desk, &plan));
        desk_plan(&plan, &desk, STEP_EVALUATE, 0);
        plan.segment[0].name[0] = 'E';
        CHECK_NUMBER(REASON_SEGMENTS, desk_check(&desk, &plan));
        desk_plan(&plan, &desk, STEP_EVALUATE, 0);
        bits_clear(&plan.segment[0].members, 1);
        CHECK_NUMBER(REASON_SEGMENTS, desk_check(&desk, &plan));
        desk_plan(&plan, &desk, STEP_EVALUATE, 0);
        plan.grid.sigma--;
        CHECK_NUMBER(REASON_NOISE, desk_check(&desk, &plan));
        plan.grid.sigma = 0;
        CHECK_NUMBER(REASON_NOISE, desk_check(&desk, &plan));
        desk_plan(&plan, &desk, STEP_EVALUATE, 0);
        plan.sampling = 0.1;
        CHECK_NUMBER(REASON_NOISE, desk_check(&desk, &plan)); /* would be cheaper in the books */
        desk_plan(&plan, &desk, STEP_EVALUATE, 0);
        plan.grid.scale *= 2;
        CHECK_NUMBER(REASON_RING, desk_check(&desk, &plan));
        plan.grid.norm2 *= 4;
        CHECK_NUMBER(REASON_RING, desk_check(&desk, &plan));
        desk_plan(&plan, &desk, STEP_EVALUATE, 0);
        plan.grid.cap++;
        CHECK_NUMBER(REASON_RING, desk_check(&desk, &plan));
        desk_plan(&plan, &desk, STEP_TRAIN, 0);
        plan.step = STEP_EVALUATE;
        CHECK_NUMBER(REASON_SEGMENTS, desk_check(&desk, &plan));
        desk_plan(&plan, &desk, STEP_EVALUATE, 0);
        plan.step = STEP_TRAIN;
        CHECK_NUMBER(REASON_SEGMENTS, desk_check(&desk, &plan));
        desk_plan(&plan, &desk, STEP_EVALUATE, 0);
        desk.study.evaluation.mode = STUDY_EVALUATION_NONE;
        CHECK_NUMBER(REASON_STUDY, desk_check(&desk, &plan));
    }
}

static void more_noise_than_planned_is_welcome(void)
{
    AUTO(desk_close) struct desk desk = {0};
    open_desk(&desk, STUDY_PATIENT, 3);
    AUTO(plan_free) struct plan plan = {0};
    desk_plan(&plan, &desk, STEP_EVALUATE, 0);
    CHECK_OK(count_plan(&plan.grid, COUNT_RECORDS, 3, DESK_SITES, 2 * plan.grid.sigma, 32));
    CHECK_NUMBER(REASON_NONE, desk_check(&desk, &plan));
}

/* Training, exploration and evaluations in the worst case, T - c noise shares in each. */
static void the_whole_study_costs_its_epsilon(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++) {
        AUTO(desk_close) struct desk desk = {0};
        open_desk(&desk, unit, 3);
        struct account account = {0};
        double before = 0;
        for (enum step step = STEP_EXPLORE; step < STEP_COUNT; step++) {
            AUTO(plan_free) struct plan plan = {0};
            if (schedule_steps(&desk.study, step) == 0) continue;
            desk_plan(&plan, &desk, step, 0);
            const struct release release = schedule_release(&plan, schedule_certain(&plan));
            before = account_epsilon(&account, desk.study.privacy.delta);
            CHECK_OK(account_add(&account, &release, schedule_steps(&desk.study, step)));
        }
        const double epsilon = account_epsilon(&account, desk.study.privacy.delta);
        CHECK(epsilon <= 3 && epsilon > 0.98 * 3);
        CHECK(epsilon > 1.01 * before); /* the evaluations are in it */
    }
}

static void an_evaluation_that_would_not_fit_the_ring_is_refused_before_the_first_round(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++) {
        AUTO(desk_close) struct desk desk = {0};
        open_desk(&desk, unit, 3);
        struct schedule schedule = {0};
        struct settings_error why = {0};
        desk.study.secagg.bits = unit == STUDY_PATIENT ? 13 : 14;
        CHECK_STATUS(STATUS_RANGE,
                     schedule_of(&schedule, &desk.study, &desk.layout, DESK_SITES, &why));
        CHECK(schedule.study == NULL && strcmp(why.key, "bits") == 0);
        desk.study.evaluation.mode = STUDY_EVALUATION_NONE;
        CHECK_OK(schedule_of(&schedule, &desk.study, &desk.layout, DESK_SITES, &why));
        desk.study.evaluation.mode = STUDY_EVALUATION_PRIVATE;
        desk.study.secagg.bits = 20;
        CHECK_OK(schedule_of(&schedule, &desk.study, &desk.layout, DESK_SITES, &why));
        AUTO(plan_free) struct plan plan = {0};
        CHECK_OK(schedule_plan(&plan, &schedule, STEP_EVALUATE, 0, NULL, 0, &desk.cohort));
    }
}

static void memory_may_end_anywhere(void)
{
    AUTO(desk_close) struct desk desk = {0};
    open_desk(&desk, STUDY_PATIENT, 3);
    AUTO(plan_free) struct plan good = {0};
    desk_plan(&good, &desk, STEP_EVALUATE, 0);
    OOM_EACH {
        enum reason why = desk_check(&desk, &good);
        oom_stop();
        CHECK_NUMBER(oom_hit() ? REASON_MEMORY : REASON_NONE, why);
    }
}

int main(void)
{
    RUN(evaluations_come_after_every_so_many_rounds_and_at_the_end);
    RUN(what_is_planned_is_counts_of_all_sites_and_passes_the_check);
    RUN(noise_is_in_the_study_s_ratio_and_the_same_for_every_cohort);
    RUN(another_evaluation_than_the_study_s_is_refused);
    RUN(more_noise_than_planned_is_welcome);
    RUN(the_whole_study_costs_its_epsilon);
    RUN(an_evaluation_that_would_not_fit_the_ring_is_refused_before_the_first_round);
    RUN(memory_may_end_anywhere);
    return check_done();
}
