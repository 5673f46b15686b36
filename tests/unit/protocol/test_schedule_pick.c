/* SPDX-License-Identifier: Apache-2.0 */
/* Plans of training rounds that are about a share of the coordinates. */
#include <string.h>

#include "tests/lib/check.h"
#include "tests/unit/protocol/desk.h"

static void open_share(struct desk *desk, enum study_unit unit, double share)
{
    desk_open(desk, unit, STUDY_PRUNING_PRIVATE, 3);
    desk->study.rounds.coordinates = share;
    for (uint64_t i = 0; i < desk->layout.n; i += 3) bits_clear(&desk->keep, i);
}

static void a_share_of_each_layer_s_kept_coordinates_is_planned(void)
{
    AUTO(desk_close) struct desk desk = {0};
    open_share(&desk, STUDY_SITE, 0.1);
    AUTO(plan_free) struct plan plan = {0}, first = {0};
    desk_plan(&plan, &desk, STEP_TRAIN, 0);
    CHECK_NUMBER(desk.layout.n_segments, plan.n_segments);
    for (uint32_t l = 0; l < plan.n_segments; l++) {
        const uint64_t kept = layout_segment_size(&desk.layout, l, &desk.keep);
        CHECK_NUMBER((kept + 5) / 10, plan.segment[l].dim);
    }
    CHECK_NUMBER(REASON_NONE, desk_check(&desk, &plan));
    /* An exploration is about all, also where it goes by single weights. */
    bits_fill(&desk.keep);
    desk.study.pruning.mode = STUDY_PRUNING_PAPER;
    desk_plan(&first, &desk, STEP_EXPLORE, 0);
    for (uint32_t l = 0; l < first.n_segments; l++)
        CHECK_NUMBER(layout_segment_size(&desk.layout, l, NULL), first.segment[l].dim);
    CHECK_NUMBER(REASON_NONE, desk_check(&desk, &first));
}

/* The share of the shortest layer of 780 is turned over `spread`: room for a contribution that lies
 * in it, in every ring that has any. */
static void turned_shares_have_room(void)
{
    static const struct {
        double share, spread;
    } of[] = {{0.5, 256}, {0.2, 128}, {0.1, 64}, {0.05, 32}};
    AUTO(desk_close) struct desk desk = {0};
    desk_open_wide(&desk);
    desk.study.privacy.rotation = STUDY_ROTATION_HADAMARD;
    desk.study.model.spec.hidden[1] = 700;
    CHECK_OK(layout_of(&desk.layout, &desk.study.model.spec));
    bits_free(&desk.keep);
    CHECK_OK(bits_new(&desk.keep, desk.layout.n));
    bits_fill(&desk.keep);
    uint32_t planned = 0;
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        for (desk.study.secagg.bits = 14; desk.study.secagg.bits <= 22; desk.study.secagg.bits++) {
            desk.study.rounds.coordinates = of[i].share;
            AUTO(plan_free) struct plan plan = {0};
            if (schedule_plan(&plan, &desk.schedule, STEP_TRAIN, 0, &desk.keep, 0, &desk.cohort) !=
                STATUS_OK)
                continue;
            const double cap = plan.grid.cap, norm2 = (double)plan.grid.norm2;
            CHECK(cap * cap >= norm2 * 36 / of[i].spread);
            planned++;
        }
    CHECK(planned > 10);
}

static void a_plan_of_another_share_is_refused(void)
{
    AUTO(desk_close) struct desk desk = {0};
    open_share(&desk, STUDY_SITE, 0.1);
    AUTO(plan_free) struct plan plan = {0};
    desk_plan(&plan, &desk, STEP_TRAIN, 0);
    plan.segment[0].dim++;
    CHECK_NUMBER(REASON_SEGMENTS, desk_check(&desk, &plan));
    desk.study.rounds.coordinates = 1;
    desk_plan(&plan, &desk, STEP_TRAIN, 0);
    desk.study.rounds.coordinates = 0.1;
    CHECK_NUMBER(REASON_SEGMENTS, desk_check(&desk, &plan));
}

/* The clip bounds what is sent, so that the account is that of any other plan; and fewer
 * coordinates are rounded. */
static void epsilon_is_the_study_s_whatever_the_share(void)
{
    static const double shares[] = {1, 0.5, 0.01};
    for (size_t k = 0; k < 6; k++) {
        AUTO(desk_close) struct desk desk = {0};
        open_share(&desk, k < 3 ? STUDY_SITE : STUDY_PATIENT, shares[k % 3]);
        if (k == 5) desk.study.privacy.rotation = STUDY_ROTATION_HADAMARD;
        AUTO(plan_free) struct plan plan = {0};
        desk_plan(&plan, &desk, STEP_TRAIN, 0);
        const struct release one = schedule_release(&plan, schedule_certain(&plan));
        const struct release worst = schedule_worst(&desk.schedule, &plan);
        CHECK((double)one.norm2 * worst.sigma * worst.sigma * worst.n_shares <=
              (double)worst.norm2 * one.sigma * one.sigma * one.n_shares);
        CHECK(schedule_multiplier(&plan, plan.params.quorum) >= desk.schedule.z * (1 - 1e-6));
        CHECK(grid_cost(&plan.grid, desk.study.privacy.clip) < 1.006);
    }
}

static uint32_t picks(uint64_t *set, const struct plan *plan, uint32_t segment, uint64_t kept,
                      const struct hash *roster)
{
    struct pick pick;
    uint32_t n = 0;
    *set = 0;
    schedule_pick(&pick, plan, segment, kept, roster);
    for (uint64_t i = 0; i < kept; i++) {
        const bool picked = pick_next(&pick);
        n += picked;
        if (i < 64) *set |= (uint64_t)picked << i;
    }
    return n;
}

static void picks_differ_by_round_and_segment_and_by_nothing_else(void)
{
    AUTO(desk_close) struct desk desk = {0};
    open_share(&desk, STUDY_SITE, 0.5);
    AUTO(plan_free) struct plan plan = {0};
    desk_plan(&plan, &desk, STEP_TRAIN, 0);
    const uint64_t kept = layout_segment_size(&desk.layout, 0, &desk.keep);
    plan.segment[1].dim = plan.segment[0].dim;
    const struct hash one = {.bytes = {1}}, two = {.bytes = {2}};
    uint64_t a, same, later, next;
    CHECK_NUMBER(plan.segment[0].dim, picks(&a, &plan, 0, kept, &one));
    (void)picks(&same, &plan, 0, kept, &one);
    (void)picks(&later, &plan, 0, kept, &two);
    (void)picks(&next, &plan, 1, kept, &one);
    CHECK(a == same && a != later && a != next);
}

int main(void)
{
    RUN(a_share_of_each_layer_s_kept_coordinates_is_planned);
    RUN(turned_shares_have_room);
    RUN(a_plan_of_another_share_is_refused);
    RUN(epsilon_is_the_study_s_whatever_the_share);
    RUN(picks_differ_by_round_and_segment_and_by_nothing_else);
    return check_done();
}
