/* SPDX-License-Identifier: Apache-2.0 */
/* Plans in which not every site holds every block. */
#include <math.h>
#include <string.h>

#include "protocol/allocate.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/small.h"
#include "tests/unit/protocol/desk.h"

enum { SITES = 6, DEPTH = 12, EMBED_DIM = 48, BLOCK_DIM = 64, HEAD_DIM = 27 };

static struct settings_error why;

static void open_blocks(struct desk *desk, enum study_unit unit, enum study_allocation mode)
{
    *desk = (struct desk){0};
    small_allocation(&desk->study, unit, mode);
    desk->study.privacy.epsilon = 3;
    desk->study.rounds.count = 20;
    if (unit == STUDY_PATIENT) desk->study.privacy.sampling = 0.1;
    CHECK_OK(layout_of(&desk->layout, &desk->study.model.spec));
    CHECK_OK(schedule_of(&desk->schedule, &desk->study, &desk->layout, SITES, &why));
    CHECK_OK(bits_new(&desk->keep, desk->layout.n));
    CHECK_OK(bits_new(&desk->cohort, SITES));
    bits_fill(&desk->keep);
    bits_fill(&desk->cohort);
}

static void a_plan_has_the_served_blocks_and_who_holds_them(void)
{
    uint32_t served = 0;
    for (enum study_allocation mode = STUDY_ALLOCATION_PAPER; mode <= STUDY_ALLOCATION_PREFIX;
         mode++)
        for (uint32_t step = 0; step < 10; step++) {
            AUTO(desk_close) struct desk desk = {0};
            open_blocks(&desk, step % 2 == 0 ? STUDY_SITE : STUDY_PATIENT, mode);
            AUTO(plan_free) struct plan plan = {0};
            desk_plan(&plan, &desk, STEP_TRAIN, step);
            AUTO(allocation_free) struct allocation want = {0};
            CHECK_OK(allocate_of(&want, &desk.study, DEPTH, step, &desk.cohort));
            uint32_t l = 0;
            CHECK(strcmp(plan.segment[l].name, "embed") == 0 && plan.segment[l].dim == EMBED_DIM);
            CHECK(bits_equal(&desk.cohort, &plan.segment[l++].members));
            for (uint32_t b = 0; b < DEPTH; b++) {
                if (bits_count(&want.holder[b]) == 0) continue;
                served++;
                CHECK_NUMBER(b, allocate_block(plan.segment[l].name));
                CHECK_NUMBER(BLOCK_DIM, plan.segment[l].dim);
                CHECK(bits_equal(&want.holder[b], &plan.segment[l].members));
                CHECK(bits_count(&plan.segment[l].members) >= 3);
                CHECK_NUMBER(1 + b, schedule_layer(&desk.layout, &plan, l++));
            }
            CHECK(strcmp(plan.segment[l].name, "head") == 0 && plan.segment[l].dim == HEAD_DIM);
            CHECK(bits_equal(&desk.cohort, &plan.segment[l].members));
            CHECK_NUMBER(l + 1, plan.n_segments);
            CHECK_NUMBER(REASON_NONE, desk_check(&desk, &plan));
        }
    CHECK(served > 100);
}

/* A site's vector is as long as what it holds. */
static void a_site_s_part_grows_with_its_capacity(void)
{
    AUTO(desk_close) struct desk desk = {0};
    open_blocks(&desk, STUDY_SITE, STUDY_ALLOCATION_PRIVATE);
    AUTO(plan_free) struct plan plan = {0};
    desk_plan(&plan, &desk, STEP_TRAIN, 0);
    for (uint32_t v = 0; v < SITES; v++)
        CHECK_NUMBER(EMBED_DIM + HEAD_DIM + BLOCK_DIM * desk.study.allocation.capacities[v],
                     schedule_part(&plan, v));
    CHECK_NUMBER(0, schedule_part(&plan, SITES));
}

static void other_members_than_the_study_s_are_refused(void)
{
    AUTO(desk_close) struct desk desk = {0};
    open_blocks(&desk, STUDY_SITE, STUDY_ALLOCATION_PRIVATE);
    for (uint32_t v = 0; v < SITES; v++) {
        AUTO(plan_free) struct plan plan = {0};
        desk_plan(&plan, &desk, STEP_TRAIN, 3);
        struct bits *members = &plan.segment[1 + v].members;
        if (bits_has(members, v))
            bits_clear(members, v);
        else
            bits_set(members, v);
        CHECK_NUMBER(REASON_SEGMENTS, desk_check(&desk, &plan));
    }
    AUTO(plan_free) struct plan plan = {0};
    desk_plan(&plan, &desk, STEP_TRAIN, 3);
    plan.step_number = 4;
    CHECK_NUMBER(REASON_SEGMENTS, desk_check(&desk, &plan));
    desk_plan(&plan, &desk, STEP_TRAIN, 3);
    bits_free(&plan.segment[plan.n_segments - 2].members); /* a block that is not served */
    plan.segment[plan.n_segments - 2] = plan.segment[plan.n_segments - 1];
    plan.n_segments--;
    CHECK_NUMBER(REASON_SEGMENTS, desk_check(&desk, &plan));
}

/* Of three or four holders, three sites of six may be gone or corrupt; but two honest ones are in
 * each sum that opens. */
static void the_thinnest_block_decides_the_noise_of_all(void)
{
    AUTO(desk_close) struct desk desk = {0};
    open_blocks(&desk, STUDY_SITE, STUDY_ALLOCATION_PRIVATE);
    AUTO(plan_free) struct plan plan = {0}, full = {0};
    desk_plan(&plan, &desk, STEP_TRAIN, 0);
    CHECK_NUMBER(2, schedule_certain(&plan));
    const double sigma = plan.grid.sigma, norm = sqrt((double)plan.grid.norm2);
    CHECK(sigma * sqrt(2) >= desk.schedule.z * norm);
    CHECK(sigma * sqrt(2) < desk.schedule.z * norm * 1.1);
    /* With all six there the thinnest block has two honest holders still. */
    for (uint32_t survivors = 4; survivors <= SITES; survivors++)
        CHECK_CLOSE(sigma * sqrt(2) / norm, schedule_multiplier(&plan, survivors), 1e-6);
    desk.study.allocation.mode = STUDY_ALLOCATION_ALL_LARGE;
    desk_plan(&full, &desk, STEP_TRAIN, 0);
    CHECK_NUMBER(3, schedule_certain(&full));
    CHECK_CLOSE(full.grid.sigma * sqrt(5 / (double)full.grid.norm2),
                schedule_multiplier(&full, SITES), 1e-6);
}

/* What a round costs the server alone, which knows no share, is below what is told beforehand. */
static void no_plan_costs_more_than_the_worst(void)
{
    for (enum study_allocation mode = STUDY_ALLOCATION_PAPER; mode <= STUDY_ALLOCATION_PREFIX;
         mode++)
        for (uint32_t step = 0; step < 10; step++) {
            AUTO(desk_close) struct desk desk = {0};
            open_blocks(&desk, STUDY_SITE, mode);
            AUTO(plan_free) struct plan plan = {0}, first = {0};
            desk_plan(&plan, &desk, STEP_TRAIN, step);
            desk_plan(&first, &desk, STEP_TRAIN, 0);
            const struct release worst = schedule_worst(&desk.schedule, &first);
            const struct release one = schedule_release(&plan, schedule_certain(&plan));
            for (uint32_t more = 0; more <= plan.params.c; more++)
                CHECK((double)one.norm2 / pow(one.sigma, 2) / (one.n_shares + more) <=
                      (double)worst.norm2 / pow(worst.sigma, 2) / (worst.n_shares + more));
        }
}

static void evaluations_are_of_all(void)
{
    AUTO(desk_close) struct desk desk = {0};
    open_blocks(&desk, STUDY_PATIENT, STUDY_ALLOCATION_PRIVATE);
    desk.study.evaluation.mode = STUDY_EVALUATION_PRIVATE;
    desk.study.evaluation.ratio = 4;
    CHECK_OK(schedule_of(&desk.schedule, &desk.study, &desk.layout, SITES, &why));
    AUTO(plan_free) struct plan plan = {0};
    desk_plan(&plan, &desk, STEP_EVALUATE, 0);
    CHECK_NUMBER(1, plan.n_segments);
    CHECK(bits_equal(&desk.cohort, &plan.segment[0].members));
}

static void turned_and_counted_plans_are_the_study_s_too(void)
{
    AUTO(desk_close) struct desk desk = {0};
    open_blocks(&desk, STUDY_PATIENT, STUDY_ALLOCATION_PRIVATE);
    desk.study.privacy.records = 100000;
    desk.study.privacy.rotation = STUDY_ROTATION_HADAMARD;
    desk.study.privacy.rounding = GRID_STOCHASTIC;
    desk.study.privacy.adaptive_clip = true;
    desk.study.privacy.clip_quantile = 0.5;
    desk.study.privacy.clip_rate = 0.2;
    CHECK_OK(schedule_of(&desk.schedule, &desk.study, &desk.layout, SITES, &why));
    AUTO(plan_free) struct plan plan = {0};
    desk_plan(&plan, &desk, STEP_TRAIN, 1);
    CHECK(plan.clip_bit > 0);
    const struct segment *count = &plan.segment[plan.n_segments - 1];
    CHECK(strcmp(count->name, "clip") == 0 && bits_equal(&desk.cohort, &count->members));
    CHECK_NUMBER(LAYOUT_NONE, schedule_layer(&desk.layout, &plan, plan.n_segments - 1));
    CHECK_NUMBER(REASON_NONE, desk_check(&desk, &plan));
}

static void without_enough_sites_that_hold_all_there_is_no_exclusive_round(void)
{
    AUTO(desk_close) struct desk desk = {0};
    open_blocks(&desk, STUDY_SITE, STUDY_ALLOCATION_PREFIX);
    desk.study.allocation.mode = STUDY_ALLOCATION_EXCLUSIVE;
    desk.study.allocation.n_capacities = 2;
    desk.study.allocation.capacities[1] = 5;
    AUTO(plan_free) struct plan plan = {0};
    desk_plan(&plan, &desk, STEP_TRAIN, 0);
    CHECK_NUMBER(DEPTH + 2, plan.n_segments);
    for (uint32_t v = 0; v < SITES; v++) CHECK((schedule_part(&plan, v) == 0) == (v % 2 == 1));
    CHECK_NUMBER(REASON_NONE, desk_check(&desk, &plan));
    bits_clear(&desk.cohort, 2);
    struct plan none = {0};
    CHECK_STATUS(STATUS_QUORUM,
                 schedule_plan(&none, &desk.schedule, STEP_TRAIN, 0, &desk.keep, 0, &desk.cohort));
    CHECK(none.n_segments == 0 && none.cohort.word == NULL);
    /* Nor one without blocks. */
    desk.layout.n_segments = 1;
    CHECK_STATUS(STATUS_RANGE,
                 schedule_plan(&none, &desk.schedule, STEP_TRAIN, 0, &desk.keep, 0, &desk.cohort));
}

static void memory_may_end_anywhere(void)
{
    AUTO(desk_close) struct desk desk = {0};
    open_blocks(&desk, STUDY_SITE, STUDY_ALLOCATION_PRIVATE);
    OOM_EACH {
        AUTO(plan_free) struct plan plan = {0};
        const enum status status =
            schedule_plan(&plan, &desk.schedule, STEP_TRAIN, 0, &desk.keep, 0, &desk.cohort);
        oom_stop();
        if (status == STATUS_OK) continue;
        CHECK_STATUS(STATUS_NOMEM, status);
        CHECK(plan.n_segments == 0 && plan.cohort.word == NULL);
    }
}

int main(void)
{
    RUN(a_plan_has_the_served_blocks_and_who_holds_them);
    RUN(a_site_s_part_grows_with_its_capacity);
    RUN(other_members_than_the_study_s_are_refused);
    RUN(the_thinnest_block_decides_the_noise_of_all);
    RUN(no_plan_costs_more_than_the_worst);
    RUN(evaluations_are_of_all);
    RUN(turned_and_counted_plans_are_the_study_s_too);
    RUN(without_enough_sites_that_hold_all_there_is_no_exclusive_round);
    RUN(memory_may_end_anywhere);
    return check_done();
}
