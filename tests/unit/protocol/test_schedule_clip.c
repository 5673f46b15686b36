/* SPDX-License-Identifier: Apache-2.0 */
/* A clip that adapts, in plans: its count is part of the release and paid for with it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dp/noise.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/unit/protocol/desk.h"

static struct settings_error said;

/* A study of 2000 expected records a round, or of 5 sites whose count is noisier than usual. */
static void open_adaptive(struct desk *desk, enum study_unit unit, double epsilon)
{
    desk_open(desk, unit, STUDY_PRUNING_PRIVATE, epsilon);
    desk->study.privacy.adaptive_clip = true;
    desk->study.privacy.clip_quantile = 0.5;
    desk->study.privacy.clip_rate = 0.2;
    if (unit == STUDY_PATIENT)
        desk->study.privacy.records = 20000;
    else
        desk->study.privacy.clip_count_noise = 20;
    CHECK_OK(schedule_of(&desk->schedule, &desk->study, &desk->layout, DESK_SITES, &said));
}

static void a_round_of_training_counts_in_one_coordinate_more(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++) {
        AUTO(desk_close) struct desk desk = {0};
        open_adaptive(&desk, unit, 3);
        AUTO(plan_free) struct plan plan = {0};
        desk_plan(&plan, &desk, STEP_EXPLORE, 0);
        CHECK_NUMBER(0, plan.clip_bit);
        CHECK_NUMBER(2, plan.n_segments);
        CHECK_NUMBER(REASON_NONE, desk_check(&desk, &plan));
        bits_clear(&desk.cohort, 3);
        desk_plan(&plan, &desk, STEP_TRAIN, 0);
        CHECK_NUMBER(REASON_NONE, desk_check(&desk, &plan));
        CHECK_NUMBER(4, plan.n_segments);
        CHECK(strcmp(plan.segment[3].name, "clip") == 0 && plan.segment[3].dim == 1);
        CHECK(bits_equal(&plan.segment[3].members, &plan.cohort));
        /* What is released has the norm of both; the vector's grid is that of a fixed clip. */
        struct grid fixed = {0};
        const struct grid_goal goal = {.clip = desk.study.privacy.clip,
                                       .dim = desk.layout.n,
                                       .n_sites = 4,
                                       .bits = desk.study.secagg.bits};
        CHECK_OK(grid_plan(&fixed, &goal));
        CHECK_OK(grid_noise(&fixed, 4, plan.grid.sigma));
        const struct grid vector = schedule_grid(&plan);
        CHECK(vector.norm2 == fixed.norm2 && vector.scale == fixed.scale);
        CHECK(vector.cap == fixed.cap && vector.sigma == fixed.sigma && vector.bits == fixed.bits);
        CHECK(plan.clip_bit > 0);
        const struct release release = schedule_release(&plan, 3);
        CHECK_NUMBER(fixed.norm2 + (uint64_t)plan.clip_bit * plan.clip_bit, release.norm2);
        CHECK_NUMBER(desk.layout.n + 1, release.dim);
    }
}

static void the_count_has_the_noise_that_was_asked_for(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++) {
        AUTO(desk_close) struct desk desk = {0};
        open_adaptive(&desk, unit, 3);
        const double asked = unit == STUDY_PATIENT ? 2000.0 / 20 : 20;
        CHECK(desk.schedule.clip.noise == asked);
        AUTO(plan_free) struct plan plan = {0};
        desk_plan(&plan, &desk, STEP_TRAIN, 0);
        const double total = plan.grid.sigma * sqrt(schedule_certain(&plan));
        CHECK_CLOSE(asked, total / (2.0 * plan.clip_bit), 0.02 * asked);
        const double z = desk.schedule.z;
        CHECK_CLOSE(1 / sqrt(1 / (z * z) - 1 / (4 * asked * asked)),
                    total / sqrt((double)schedule_grid(&plan).norm2), 2e-3 * z);
    }
}

/* The published case of twenty sites, at the level of a plan. */
static void twenty_sites_pay_15_percent_for_their_count(void)
{
    AUTO(desk_close) struct desk desk = {0};
    open_adaptive(&desk, STUDY_SITE, 3);
    desk.schedule.z = 1;
    desk.schedule.clip.noise = 1;
    AUTO(plan_free) struct plan plan = {0};
    desk_plan(&plan, &desk, STEP_TRAIN, 0);
    const double vector =
        plan.grid.sigma * sqrt(schedule_certain(&plan)) / sqrt((double)schedule_grid(&plan).norm2);
    CHECK_CLOSE(1.1547, vector, 1e-3);
}

/* The clip differs in each round, and all of it still costs the study's epsilon and hardly less. */
static void the_whole_study_costs_its_epsilon_wherever_the_clip_goes(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++) {
        AUTO(desk_close) struct desk desk = {0};
        open_adaptive(&desk, unit, 3);
        struct account account = {0};
        AUTO(plan_free) struct plan plan = {0};
        desk_plan(&plan, &desk, STEP_EXPLORE, 0);
        struct release release = schedule_release(&plan, schedule_certain(&plan));
        CHECK_OK(account_add(&account, &release, 1));
        for (uint32_t t = 0; t < desk.study.rounds.count; t++) {
            desk_plan(&plan, &desk, STEP_TRAIN, t);
            CHECK_NUMBER(REASON_NONE, desk_check(&desk, &plan));
            release = schedule_release(&plan, schedule_certain(&plan));
            CHECK_OK(account_add(&account, &release, 1));
            desk.clip = desk.study.privacy.clip * pow(1.37, (double)t - 7);
        }
        const double epsilon = account_epsilon(&account, desk.study.privacy.delta);
        CHECK(epsilon <= 3);
        CHECK(epsilon > 0.99 * 3);
    }
}

/* Five sites cannot afford a count to within a quarter of one of them. */
static void a_count_that_is_not_affordable_is_refused_and_the_sentence_helps(void)
{
    AUTO(desk_close) struct desk desk = {0};
    open_adaptive(&desk, STUDY_SITE, 3);
    desk.study.privacy.clip_count_noise = 0;
    struct schedule schedule = {0};
    CHECK_STATUS(STATUS_RANGE,
                 schedule_of(&schedule, &desk.study, &desk.layout, DESK_SITES, &said));
    CHECK(schedule.study == NULL);
    CHECK(strcmp(said.key, "clip_count_noise") == 0 && strstr(said.text, "0.25 ") != NULL);
    const char *use = strstr(said.text, "use "), *than = strstr(said.text, "more than ");
    double least = 0, n = 0;
    CHECK(use != NULL && sscanf(use, "use %lf", &least) == 1);
    CHECK(than != NULL && sscanf(than, "more than %lf", &n) == 1);
    desk.study.privacy.clip_count_noise = least;
    CHECK_OK(schedule_of(&schedule, &desk.study, &desk.layout, DESK_SITES, &said));
    desk.study.privacy.clip_count_noise = 0.99 * least;
    CHECK_STATUS(STATUS_RANGE,
                 schedule_of(&schedule, &desk.study, &desk.layout, DESK_SITES, &said));
    CHECK((n + 1) / 20 >= least / 1.001 && n / 20 <= 1.05 * least);
    desk.study.privacy.clip_count_noise = 0;
    desk.study.privacy.epsilon = 100;
    desk.study.rounds.count = 1;
    desk.study.pruning.mode = STUDY_PRUNING_NONE;
    CHECK_OK(schedule_of(&schedule, &desk.study, &desk.layout, DESK_SITES, &said));
}

static void every_clip_within_its_bounds_is_planned_and_no_other(void)
{
    AUTO(desk_close) struct desk desk = {0};
    open_adaptive(&desk, STUDY_PATIENT, 3);
    const double first = desk.study.privacy.clip;
    AUTO(plan_free) struct plan plan = {0};
    for (int e = -20; e <= 20; e++) {
        desk.clip = ldexp(first, e);
        desk_plan(&plan, &desk, STEP_TRAIN, 0);
        CHECK_NUMBER(REASON_NONE, desk_check(&desk, &plan));
        CHECK(schedule_clip(&desk.study, desk.clip) == desk.clip);
    }
    CHECK(schedule_clip(&desk.study, 0) == first);
    const double odd[] = {ldexp(first, 21), ldexp(first, -21), -first, (double)NAN,
                          (double)INFINITY};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct plan none = {0};
        CHECK_STATUS(STATUS_RANGE, schedule_plan(&none, &desk.schedule, STEP_TRAIN, 0, &desk.keep,
                                                 odd[i], &desk.cohort));
        CHECK(none.n_segments == 0);
        desk.clip = odd[i];
        CHECK_NUMBER(REASON_STUDY, desk_check(&desk, &plan));
    }
    /* a plan for another clip, and a study whose clip is fixed */
    desk.clip = ldexp(first, 19);
    CHECK_NUMBER(REASON_RING, desk_check(&desk, &plan));
    desk.schedule.clip.noise = 0;
    desk.clip = first;
    CHECK_NUMBER(REASON_STUDY, desk_check(&desk, &plan));
}

/* A plan with another bit, and with the norm and the noise that go with it, or without. */
static enum reason with_bit(const struct desk *desk, uint32_t bit, bool norm, bool noise)
{
    AUTO(plan_free) struct plan plan = {0};
    desk_plan(&plan, desk, STEP_TRAIN, 0);
    const uint64_t vector = schedule_grid(&plan).norm2;
    plan.clip_bit = bit;
    if (norm) plan.grid.norm2 = vector + (uint64_t)bit * bit;
    uint32_t sigma = 0;
    CHECK_OK(account_share(&sigma, desk->schedule.z, plan.grid.norm2, schedule_certain(&plan)));
    CHECK_OK(grid_noise(&plan.grid, DESK_SITES, noise ? sigma : plan.grid.sigma));
    return desk_check(desk, &plan);
}

static void a_bit_is_the_planned_one_up_to_a_last_place_and_its_norm_is_counted(void)
{
    AUTO(desk_close) struct desk desk = {0};
    open_adaptive(&desk, STUDY_PATIENT, 3);
    desk.schedule.clip.noise = 0.51 * desk.schedule.z; /* a large part of the norm */
    desk.study.privacy.records = 10;
    AUTO(plan_free) struct plan plan = {0};
    desk_plan(&plan, &desk, STEP_TRAIN, 0);
    const uint32_t bit = plan.clip_bit;
    CHECK(bit > 1000);
    CHECK_NUMBER(REASON_NONE, with_bit(&desk, bit, true, true));
    CHECK_NUMBER(REASON_NONE, with_bit(&desk, bit + 1, true, true));
    CHECK_NUMBER(REASON_NONE, with_bit(&desk, bit - 1, true, true));
    CHECK_NUMBER(REASON_NOISE, with_bit(&desk, bit + 2, true, true));
    CHECK_NUMBER(REASON_NOISE, with_bit(&desk, bit - 2, true, true));
    CHECK_NUMBER(REASON_NOISE, with_bit(&desk, bit / 2, true, true));
    CHECK_NUMBER(REASON_NOISE, with_bit(&desk, 0, true, true));
    CHECK_NUMBER(REASON_RING, with_bit(&desk, bit + 1, false, true));
    /* more bit than the noise is for */
    desk.schedule.z *= 1 + 1e-3;
    desk_plan(&plan, &desk, STEP_TRAIN, 0);
    desk.schedule.z *= 1 + 1e-5;
    CHECK_NUMBER(REASON_NOISE, desk_check(&desk, &plan));
}

/* By the bound itself: of sampling * records expected contributions one site may have all, and
 * twelve deviations more. */
static void a_ring_that_could_not_hold_the_count_is_refused(void)
{
    AUTO(desk_close) struct desk desk = {0};
    open_adaptive(&desk, STUDY_PATIENT, 3);
    const double most = 2000 + 12 * sqrt(2000) + 48;
    size_t refused = 0, planned = 0;
    desk.study.secagg.bits = 18;
    for (double noise = 0.6; noise < 60; noise *= 1.1) {
        desk.schedule.clip.noise = noise * desk.schedule.z;
        AUTO(plan_free) struct plan plan = {0};
        const enum status status =
            schedule_plan(&plan, &desk.schedule, STEP_TRAIN, 0, &desk.keep, 0, &desk.cohort);
        if (status == STATUS_OK) {
            CHECK(plan.clip_bit * most <= plan.grid.cap);
            planned++;
        } else {
            CHECK_STATUS(STATUS_RANGE, status);
            CHECK_NUMBER(0, planned);
            refused++;
        }
    }
    CHECK(planned > 5 && refused > 5);
}

/* The count is drawn for too. */
static void a_table_is_paid_for_the_count(void)
{
    AUTO(desk_close) struct desk desk = {0};
    open_adaptive(&desk, STUDY_PATIENT, 3);
    const double samples = 0x1p32 * DESK_SITES * ((double)desk.layout.n + 1);
    desk.study.privacy.sampler = NOISE_TABLE;
    desk.study.privacy.delta = 4 * noise_delta(NOISE_TABLE, samples, 3);
    CHECK_OK(schedule_of(&desk.schedule, &desk.study, &desk.layout, DESK_SITES, &said));
    CHECK_CLOSE(0.75 * desk.study.privacy.delta, desk.schedule.delta, 1e-9 * desk.schedule.delta);
}

static void memory_may_end_anywhere(void)
{
    AUTO(desk_close) struct desk desk = {0};
    open_adaptive(&desk, STUDY_PATIENT, 3);
    OOM_EACH {
        AUTO(plan_free) struct plan plan = {0};
        enum status status =
            schedule_plan(&plan, &desk.schedule, STEP_TRAIN, 0, &desk.keep, 0, &desk.cohort);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((plan.n_segments == 0) == (status != STATUS_OK));
    }
}

int main(void)
{
    RUN(a_round_of_training_counts_in_one_coordinate_more);
    RUN(the_count_has_the_noise_that_was_asked_for);
    RUN(twenty_sites_pay_15_percent_for_their_count);
    RUN(the_whole_study_costs_its_epsilon_wherever_the_clip_goes);
    RUN(a_count_that_is_not_affordable_is_refused_and_the_sentence_helps);
    RUN(every_clip_within_its_bounds_is_planned_and_no_other);
    RUN(a_bit_is_the_planned_one_up_to_a_last_place_and_its_norm_is_counted);
    RUN(a_ring_that_could_not_hold_the_count_is_refused);
    RUN(a_table_is_paid_for_the_count);
    RUN(memory_may_end_anywhere);
    return check_done();
}
