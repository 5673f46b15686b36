/* SPDX-License-Identifier: Apache-2.0 */
/* Plans of noise that is taken away again. */
#include <math.h>

#include "tests/lib/check.h"
#include "tests/unit/protocol/desk.h"

static struct settings_error why;

static void open_xnoise(struct desk *desk, double epsilon)
{
    desk_open(desk, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, epsilon);
    desk->study.privacy.dropouts = STUDY_XNOISE;
    CHECK_OK(schedule_of(&desk->schedule, &desk->study, &desk->layout, DESK_SITES, &why));
}

static void removable_noise_follows_the_cohort(void)
{
    AUTO(desk_close) struct desk desk = {0}, bare = {0};
    open_xnoise(&desk, 3);
    AUTO(plan_free) struct plan plan = {0};
    desk_plan(&plan, &desk, STEP_TRAIN, 0);
    CHECK_NUMBER(1, plan.removable); /* five sites, T = 4 */
    CHECK_NUMBER(REASON_NONE, desk_check(&desk, &plan));
    bits_clear(&desk.cohort, 2);
    desk_plan(&plan, &desk, STEP_EXPLORE, 0);
    CHECK_NUMBER(0, plan.removable);
    CHECK_NUMBER(REASON_NONE, desk_check(&desk, &plan));
    open_xnoise(&bare, (double)INFINITY);
    desk_plan(&plan, &bare, STEP_TRAIN, 0);
    CHECK_NUMBER(0, plan.removable); /* of no noise */
}

static void other_removable_noise_than_the_study_s_is_refused(void)
{
    AUTO(desk_close) struct desk desk = {0}, without = {0};
    open_xnoise(&desk, 3);
    AUTO(plan_free) struct plan plan = {0};
    for (uint32_t removable = 0; removable <= 2; removable++) {
        desk_plan(&plan, &desk, STEP_TRAIN, 0);
        plan.removable = removable;
        CHECK_NUMBER(removable == 1 ? REASON_NONE : REASON_NOISE, desk_check(&desk, &plan));
        CHECK_NUMBER(removable == 1 ? REASON_NONE : REASON_NOISE,
                     schedule_check_alone(&desk.schedule, &plan));
    }
    desk_open(&without, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, 3);
    desk_plan(&plan, &without, STEP_TRAIN, 0);
    plan.removable = 1;
    CHECK_NUMBER(REASON_NOISE, desk_check(&without, &plan));
    CHECK_NUMBER(REASON_NOISE, schedule_check_alone(&without.schedule, &plan));
}

static void studies_whose_noise_cannot_be_taken_away_are_refused(void)
{
    AUTO(desk_close) struct desk wide = {0}, desk = {0};
    desk_open_wide(&wide);
    wide.study.privacy.dropouts = STUDY_XNOISE;
    CHECK_STATUS(STATUS_RANGE,
                 schedule_of(&wide.schedule, &wide.study, &wide.layout, DESK_WIDE, &why));
    open_xnoise(&desk, 3);
    desk.study.sites.threshold = 136;
    CHECK_OK(schedule_of(&desk.schedule, &desk.study, &desk.layout, 200, &why));
    CHECK_STATUS(STATUS_RANGE, schedule_of(&desk.schedule, &desk.study, &desk.layout, 201, &why));
}

/* Seven of twelve may collude: three shares of 5 or 6 are not divided without having too
 * much, of 7 they are. */
static void noise_that_is_too_little_to_be_divided_is_raised(void)
{
    AUTO(desk_close) struct desk desk = {0};
    open_xnoise(&desk, 3);
    desk.study.sites.colluding = 7;
    desk.study.sites.threshold = 10;
    CHECK_OK(schedule_of(&desk.schedule, &desk.study, &desk.layout, 12, &why));
    bits_free(&desk.cohort);
    CHECK_OK(bits_new(&desk.cohort, 12));
    bits_fill(&desk.cohort);
    AUTO(plan_free) struct plan plan = {0};
    desk_plan(&plan, &desk, STEP_TRAIN, 0);
    CHECK_NUMBER(2, plan.removable);
    desk.schedule.z = 4.5 / sqrt((double)plan.grid.norm2 / 3);
    struct xnoise parts;
    CHECK_STATUS(STATUS_RANGE, xnoise_of(&parts, 5, 12, 10, 7));
    desk_plan(&plan, &desk, STEP_TRAIN, 0);
    CHECK_NUMBER(7, plan.grid.sigma);
    CHECK_OK(xnoise_of(&parts, plan.grid.sigma, 12, 10, 7));
    CHECK_NUMBER(REASON_NONE, desk_check(&desk, &plan));
    plan.grid.sigma = 4; /* below what is due */
    CHECK_NUMBER(REASON_NOISE, desk_check(&desk, &plan));
}

/* Whoever survives: what was too much is gone, and counts nowhere. */
static void what_is_taken_away_is_not_accounted_for(void)
{
    AUTO(desk_close) struct desk desk = {0}, without = {0};
    open_xnoise(&desk, 3);
    desk_open(&without, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, 3);
    AUTO(plan_free) struct plan plan = {0}, other = {0};
    desk_plan(&plan, &desk, STEP_TRAIN, 0);
    desk_plan(&other, &without, STEP_TRAIN, 0);
    CHECK_NUMBER(other.grid.sigma, plan.grid.sigma);
    for (uint32_t survivors = 4; survivors <= DESK_SITES; survivors++) {
        CHECK_NUMBER(3, schedule_release(&plan, survivors).n_shares);
        CHECK_NUMBER(1, schedule_release(&plan, survivors).removable);
        CHECK_NUMBER(0, schedule_release(&other, survivors).removable);
        CHECK_NUMBER(survivors, schedule_release(&other, survivors).n_shares);
    }
}

static void the_multiplier_is_that_of_what_honest_survivors_keep(void)
{
    AUTO(desk_close) struct desk desk = {0}, without = {0};
    open_xnoise(&desk, 3);
    desk_open(&without, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, 3);
    AUTO(plan_free) struct plan plan = {0}, other = {0};
    desk_plan(&plan, &desk, STEP_TRAIN, 0);
    desk_plan(&other, &without, STEP_TRAIN, 0);
    const double z = desk.schedule.z,
                 share = (double)plan.grid.sigma / sqrt((double)plan.grid.norm2);
    for (uint32_t survivors = 4; survivors <= DESK_SITES; survivors++) {
        CHECK_CLOSE(z, schedule_multiplier(&plan, survivors), 0.002 * z);
        CHECK(schedule_multiplier(&plan, survivors) >= z * (1 - 2e-9));
        const double want = share * sqrt(survivors - 1);
        CHECK_CLOSE(want, schedule_multiplier(&other, survivors), 2e-9 * want);
        CHECK(schedule_multiplier(&other, survivors) < want);
    }
    other.grid.sigma = 0;
    CHECK_CLOSE(0, schedule_multiplier(&other, 4), 0);
}

int main(void)
{
    RUN(removable_noise_follows_the_cohort);
    RUN(other_removable_noise_than_the_study_s_is_refused);
    RUN(studies_whose_noise_cannot_be_taken_away_are_refused);
    RUN(noise_that_is_too_little_to_be_divided_is_raised);
    RUN(what_is_taken_away_is_not_accounted_for);
    RUN(the_multiplier_is_that_of_what_honest_survivors_keep);
    return check_done();
}
