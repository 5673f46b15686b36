/* SPDX-License-Identifier: Apache-2.0 */
/* Grids and rotations of plans on rings of 16 to 32 bits. */
#include <string.h>

#include "tests/lib/check.h"
#include "tests/unit/protocol/desk.h"

/* At every width the account of what is planned is the study's, whatever rounding costs. */
static void rings_from_16_bits_on_are_planned_at_the_same_epsilon(void)
{
    static const uint32_t widths[] = {16, 20, 24, 32};
    double cost[4] = {0};
    for (size_t w = 0; w < 4; w++)
        for (enum grid_rounding rounding = 0; rounding < GRID_ROUNDINGS; rounding++) {
            AUTO(desk_close) struct desk desk = {0};
            desk_open(&desk, STUDY_SITE, STUDY_PRUNING_NONE, 3);
            desk.study.secagg.bits = widths[w];
            desk.study.privacy.rounding = rounding;
            desk.study.privacy.rotation = STUDY_ROTATION_HADAMARD;
            AUTO(plan_free) struct plan plan = {0};
            desk_plan(&plan, &desk, STEP_TRAIN, 0);
            CHECK_NUMBER(widths[w], plan.grid.bits);
            CHECK_NUMBER(REASON_NONE, desk_check(&desk, &plan));
            const struct release release = schedule_release(&plan, schedule_certain(&plan));
            CHECK(grid_wrap(&plan.grid, release.dim, DESK_SITES) < 1e-27);
            struct account account = {0};
            CHECK_OK(account_add(&account, &release, desk.study.rounds.count));
            const double epsilon = account_epsilon(&account, desk.study.privacy.delta);
            CHECK(epsilon <= 3 && epsilon > 0.97 * 3);
            if (rounding == GRID_STOCHASTIC) continue;
            cost[w] = grid_cost(&plan.grid, desk.study.privacy.clip);
            CHECK(cost[w] <= (w == 0 ? GRID_COST_MAX : cost[w - 1]));
        }
    CHECK(cost[0] > 1.01 && cost[3] < 1.006);
}

/* 600 caps of one contribution each would take most of the ring. */
static void a_rotation_leaves_room_for_a_finer_grid(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open_wide(&desk);
    desk.study.secagg.bits = 18;
    desk.study.model.spec.hidden[1] = 700; /* 12 * 700 + 700, and 3 * 700 + 3 */
    CHECK_OK(layout_of(&desk.layout, &desk.study.model.spec));
    bits_free(&desk.keep);
    CHECK_OK(bits_new(&desk.keep, desk.layout.n));
    bits_fill(&desk.keep);
    AUTO(plan_free) struct plan plain = {0}, turned = {0}, first = {0};
    desk_plan(&plain, &desk, STEP_TRAIN, 0);
    desk_plan(&first, &desk, STEP_EXPLORE, 0);
    CHECK(!schedule_rotates(&desk.study, STEP_TRAIN));
    desk.study.privacy.rotation = STUDY_ROTATION_HADAMARD;
    CHECK(schedule_rotates(&desk.study, STEP_TRAIN));
    CHECK(!schedule_rotates(&desk.study, STEP_EXPLORE));
    CHECK_NUMBER(REASON_NONE, desk_check(&desk, &first));
    desk_plan(&turned, &desk, STEP_TRAIN, 0);
    const double ratio = grid_cost(&plain.grid, desk.study.privacy.clip) /
                         grid_cost(&turned.grid, desk.study.privacy.clip);
    CHECK(turned.grid.scale > plain.grid.scale && ratio > 1);
    /* Room for a contribution that lies in the shortest layer of 780, turned over 512. */
    const double cap = turned.grid.cap, norm2 = (double)turned.grid.norm2;
    CHECK(cap * cap >= norm2 * 36 / 512 && cap * cap < norm2);
    CHECK(grid_fits(&turned.grid, DESK_WIDE));
}

static void rotations_differ_by_round_and_segment_and_by_nothing_else(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_SITE, STUDY_PRUNING_NONE, 3);
    AUTO(plan_free) struct plan plan = {0};
    desk_plan(&plan, &desk, STEP_TRAIN, 0);
    plan.segment[1].dim = plan.segment[0].dim;
    const struct hash one = {.bytes = {1}}, two = {.bytes = {2}};
    AUTO(rotate_free) struct rotate a = {0}, same = {0}, later = {0}, next = {0};
    CHECK_OK(schedule_rotate(&a, &plan, 0, &one));
    CHECK_OK(schedule_rotate(&same, &plan, 0, &one));
    CHECK_OK(schedule_rotate(&later, &plan, 0, &two));
    CHECK_OK(schedule_rotate(&next, &plan, 1, &one));
    CHECK_NUMBER(plan.segment[0].dim, a.n);
    const size_t bytes = a.p * sizeof *a.sign;
    CHECK_BYTES(a.sign, same.sign, bytes);
    CHECK(memcmp(a.sign, later.sign, bytes) != 0 && memcmp(a.sign, next.sign, bytes) != 0);
}

/* A site's even part of the records that are drawn: 0.1 of 200 at 5 sites. */
static void a_sites_sum_has_room_for_the_records_expected(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_PATIENT, STUDY_PRUNING_NONE, 3);
    AUTO(plan_free) struct plan plan = {0};
    for (uint32_t records = 200; records <= 20000000; records *= 10) {
        desk.study.privacy.records = records;
        desk.study.secagg.bits = 16;
        if (schedule_plan(&plan, &desk.schedule, STEP_TRAIN, 0, &desk.keep, 0, &desk.cohort) !=
            STATUS_OK) {
            CHECK(records > 2000);
            return;
        }
        const double cap = plan.grid.cap;
        CHECK(cap * cap >= 0.02 * records * (double)plan.grid.norm2);
        plan_free(&plan);
    }
    CHECK(false); /* a sum of 400000 must not fit */
}

int main(void)
{
    RUN(rings_from_16_bits_on_are_planned_at_the_same_epsilon);
    RUN(a_rotation_leaves_room_for_a_finer_grid);
    RUN(rotations_differ_by_round_and_segment_and_by_nothing_else);
    RUN(a_sites_sum_has_room_for_the_records_expected);
    return check_done();
}
