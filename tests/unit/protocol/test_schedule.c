/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/schedule.h"

#include <math.h>
#include <string.h>

#include "crypto/share.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/small.h"
#include "tests/unit/protocol/desk.h"

static struct settings_error said;

static void segments_are_layers_or_groups_of_units(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, 3);
    AUTO(plan_free) struct plan plan = {0};
    desk_plan(&plan, &desk, STEP_EXPLORE, 0);
    CHECK_NUMBER(2, plan.n_segments);
    CHECK(strcmp(plan.segment[1].name, "fc2") == 0 && plan.segment[1].dim == 12);
    /* A layer that keeps nothing has no segment. */
    for (size_t i = 780; i < 936; i++) bits_clear(&desk.keep, i);
    bits_clear(&desk.keep, 0);
    desk_plan(&plan, &desk, STEP_TRAIN, 0);
    CHECK_NUMBER(2, plan.n_segments);
    CHECK(strcmp(plan.segment[0].name, "fc1") == 0 && plan.segment[0].dim == 779);
    CHECK(strcmp(plan.segment[1].name, "fc3") == 0 && plan.segment[1].dim == 39);
    desk.study.pruning.mode = STUDY_PRUNING_PAPER;
    bits_fill(&desk.keep);
    desk_plan(&plan, &desk, STEP_EXPLORE, 0);
    CHECK_NUMBER(3, plan.n_segments);
    CHECK_NUMBER(975, schedule_release(&plan, 1).dim);
}

static void shares_of_noise_are_for_the_honest_of_the_quorum(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_SITE, STUDY_PRUNING_PRIVATE, 3);
    AUTO(plan_free) struct plan plan = {0};
    desk_plan(&plan, &desk, STEP_TRAIN, 0);
    CHECK_NUMBER(3, schedule_certain(&plan)); /* T = 4, c = 1 */
    const double share = desk.schedule.z * sqrt((double)plan.grid.norm2 / 3);
    CHECK_CLOSE(share, plan.grid.sigma, 1);
    CHECK((double)plan.grid.sigma >= share);
    /* The exploration's is in the study's ratio to it, relative to its own bound. */
    desk.study.privacy.exploration_ratio = 2.5;
    desk_plan(&plan, &desk, STEP_EXPLORE, 0);
    CHECK_CLOSE(2.5 * desk.schedule.z * sqrt((double)plan.grid.norm2 / 3), plan.grid.sigma, 1);
}

/* In the worst case, T - c noise shares in every round, the whole study costs its epsilon and
 * hardly less; the account is kept by dp/account alone. */
static void the_whole_study_costs_its_epsilon(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++)
        for (enum study_pruning mode = STUDY_PRUNING_PRIVATE; mode <= STUDY_PRUNING_NONE; mode++) {
            AUTO(desk_close) struct desk desk = {0};
            desk_open(&desk, unit, mode, 3);
            desk.study.privacy.exploration_ratio = 3;
            CHECK_OK(schedule_of(&desk.schedule, &desk.study, &desk.layout, DESK_SITES, &said));
            struct account account = {0};
            AUTO(plan_free) struct plan plan = {0};
            if (mode != STUDY_PRUNING_NONE) {
                desk_plan(&plan, &desk, STEP_EXPLORE, 0);
                const struct release once = schedule_release(&plan, schedule_certain(&plan));
                CHECK_OK(account_add(&account, &once, 1));
            }
            /* Pruned meanwhile: a smaller vector has a grid and a noise of its own. */
            for (size_t i = 0; i < desk.keep.n; i += 2) bits_clear(&desk.keep, i);
            desk_plan(&plan, &desk, STEP_TRAIN, 0);
            const struct release release = schedule_release(&plan, schedule_certain(&plan));
            CHECK_OK(account_add(&account, &release, desk.study.rounds.count));
            const double epsilon = account_epsilon(&account, desk.study.privacy.delta);
            CHECK(epsilon <= 3);
            CHECK(epsilon > 0.99 * 3);
        }
}

static void a_ring_too_narrow_is_refused(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, 3);
    AUTO(plan_free) struct plan good = {0};
    desk_plan(&good, &desk, STEP_TRAIN, 0);
    desk.study.secagg.bits = 10;
    struct plan plan = {0};
    CHECK_STATUS(STATUS_RANGE,
                 schedule_plan(&plan, &desk.schedule, STEP_TRAIN, 0, &desk.keep, 0, &desk.cohort));
    CHECK(plan.n_segments == 0 && plan.cohort.word == NULL);
    CHECK_NUMBER(REASON_RING, desk_check(&desk, &good));
}

static void waits_and_cipher_are_those_of_the_study(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, 3);
    desk.study.secagg.cipher = MASK_AES256_CTR;
    desk.study.deadlines.positions_ms = 1500;
    AUTO(plan_free) struct plan plan = {0};
    desk_plan(&plan, &desk, STEP_TRAIN, 0);
    CHECK_NUMBER(MASK_AES256_CTR, plan.cipher);
    CHECK_NUMBER(100, plan.release_ms);
    static const uint32_t waits[WAIT_COUNT] = {1000, 1500, 2000, 3000, 4000, 5000};
    for (enum wait wait = 0; wait < WAIT_COUNT; wait++)
        CHECK_NUMBER(waits[wait], plan.wait_ms[wait]);
}

/* One kept weight at a low epsilon: sigma is within reach of a table, and it is taken where the
 * study allows it. */
static void a_table_is_for_small_sigmas(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, 3);
    desk.schedule.z = 0.1;
    AUTO(plan_free) struct plan plan = {0};
    for (size_t kept = 0; kept < 2; kept++) {
        if (kept == 0)
            for (size_t i = 1; i < desk.keep.n; i++) bits_clear(&desk.keep, i);
        else
            bits_fill(&desk.keep);
        desk.study.privacy.sampler = NOISE_EXACT;
        desk_plan(&plan, &desk, STEP_TRAIN, 0);
        CHECK((plan.grid.sigma <= NOISE_TABLE_SIGMA_MAX) == (kept == 0));
        CHECK_NUMBER(NOISE_EXACT, plan.sampler);
        desk.study.privacy.sampler = NOISE_TABLE;
        desk_plan(&plan, &desk, STEP_TRAIN, 0);
        CHECK_NUMBER(kept == 0 ? NOISE_TABLE : NOISE_EXACT, plan.sampler);
        CHECK_NUMBER(REASON_NONE, desk_check(&desk, &plan));
        /* more noise than planned, past the table's end */
        plan.grid.sigma = NOISE_TABLE_SIGMA_MAX + 1 + plan.grid.sigma;
        CHECK_NUMBER(kept == 0 ? REASON_NOISE : REASON_RING, desk_check(&desk, &plan));
    }
}

static void a_table_is_paid_for_out_of_delta(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, 3);
    CHECK(desk.schedule.delta == desk.study.privacy.delta);
    const double samples = 0x1p32 * DESK_SITES * (double)desk.layout.n;
    desk.study.privacy.sampler = NOISE_TABLE;
    desk.study.privacy.delta = 4 * noise_delta(NOISE_TABLE, samples, 3);
    struct schedule schedule = {0};
    CHECK_OK(schedule_of(&schedule, &desk.study, &desk.layout, DESK_SITES, &said));
    CHECK_CLOSE(0.75 * desk.study.privacy.delta, schedule.delta, 1e-9 * schedule.delta);
    desk.study.privacy.delta /= 4;
    CHECK_STATUS(STATUS_RANGE,
                 schedule_of(&schedule, &desk.study, &desk.layout, DESK_SITES, &said));
    desk.study.privacy.epsilon = (double)INFINITY;
    CHECK_OK(schedule_of(&schedule, &desk.study, &desk.layout, DESK_SITES, &said));
}

static void nothing_kept_is_refused(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, 3);
    for (size_t i = 0; i < desk.keep.n; i++) bits_clear(&desk.keep, i);
    struct plan plan = {0};
    CHECK_STATUS(STATUS_RANGE,
                 schedule_plan(&plan, &desk.schedule, STEP_TRAIN, 0, &desk.keep, 0, &desk.cohort));
    CHECK(plan.n_segments == 0);
}

static void a_cohort_below_the_threshold_is_refused(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, 3);
    bits_clear(&desk.cohort, 0);
    AUTO(plan_free) struct plan plan = {0};
    desk_plan(&plan, &desk, STEP_TRAIN, 0);
    bits_clear(&desk.cohort, 1);
    struct plan none = {0};
    CHECK_STATUS(STATUS_QUORUM,
                 schedule_plan(&none, &desk.schedule, STEP_TRAIN, 0, &desk.keep, 0, &desk.cohort));
    CHECK(none.n_segments == 0);
}

static void many_sites_share_along_a_ring(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open_wide(&desk);
    AUTO(plan_free) struct plan plan = {0};
    desk_plan(&plan, &desk, STEP_TRAIN, 0);
    CHECK(plan.params.k == 80 && plan.params.t == 55 && plan.params.quorum == 540);
    for (uint32_t l = 0; l < plan.n_segments; l++) CHECK_NUMBER(92, plan.segment[l].degree);
    CHECK_NUMBER(510, schedule_certain(&plan));
    CHECK_NUMBER(REASON_NONE, desk_check(&desk, &plan));
    for (uint32_t v = 0; v < 60; v++) bits_clear(&desk.cohort, v);
    desk_plan(&plan, &desk, STEP_TRAIN, 1);
    CHECK_NUMBER(510, schedule_certain(&plan));
    CHECK_NUMBER(REASON_NONE, desk_check(&desk, &plan));
    /* A complete graph up to the limit. */
    desk.study.sites.threshold = 400;
    CHECK_OK(schedule_of(&desk.schedule, &desk.study, &desk.layout, PARAMS_COMPLETE_MAX, &said));
    CHECK(desk.schedule.params.k == 0 && desk.schedule.params.t == 400);
    /* A quorum that is sound for a complete graph, but leaves too few neighbours. */
    desk.study.sites.threshold = 320;
    const struct params before = desk.schedule.params;
    CHECK_STATUS(STATUS_RANGE,
                 schedule_of(&desk.schedule, &desk.study, &desk.layout, DESK_WIDE, &said));
    CHECK_BYTES(&before, &desk.schedule.params, sizeof before);
}

/* By the definition: of 5 sites T = 4 survive and c = 1 is corrupt; m = 2. */
static void what_is_certain_is_certain_in_every_segment(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_SITE, STUDY_PRUNING_PRIVATE, 3);
    desk.schedule.params.m = 2;
    AUTO(plan_free) struct plan plan = {0};
    for (uint32_t absent = 0; absent <= 1; absent++) {
        if (absent == 1) bits_clear(&desk.cohort, 0);
        desk_plan(&plan, &desk, STEP_TRAIN, 0);
        CHECK_NUMBER(3, schedule_certain(&plan));
        bits_clear(&plan.segment[1].members,
                   1); /* 4 of 5 without c and the one that may drop out */
        CHECK_NUMBER(2, schedule_certain(&plan));
        bits_clear(&plan.segment[1].members, 2); /* fewer, but m survive or it stays shut */
        CHECK_NUMBER(2, schedule_certain(&plan));
    }
    plan.params.m = 1;
    CHECK_NUMBER(1, schedule_certain(&plan));
}

/* The largest of each kind that a site or the coordinator writes: an opening with 4 MiB of results,
 * an inbox in which every holder dealt, an unmasking of all of them. */
static void messages_fit_into_what_the_transport_accepts(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open_wide(&desk);
    const struct params ring = desk.schedule.params;
    const uint64_t model = 4 * desk.layout.n + desk.layout.n / 8;
    for (size_t i = 0; i < 3; i++) {
        const uint32_t k = i == 1 ? ring.k : 0, parts = i == 2 ? XNOISE_REMOVABLE_MAX : 0;
        desk.schedule.params.k = k;
        desk.schedule.params.quorum = DESK_WIDE - parts;
        desk.study.privacy.dropouts = parts > 0 ? STUDY_XNOISE : STUDY_PESSIMISTIC;
        const uint64_t holders = k > 0 ? k : DESK_WIDE;
        const uint64_t header =
            4 + 32 * 3 + 4 + 32 + 2 + 32 * (LAYOUT_SEGMENTS_MAX + parts) + SIGN_BYTES;
        const uint64_t sealed = (2 + LAYOUT_SEGMENTS_MAX + parts) * SHARE_BYTES + 40;
        const uint64_t path = 1 + 32 * MERKLE_PATH_MAX;
        const uint64_t inbox =
            DESK_WIDE / 8 + 32 * DESK_WIDE + holders * (header + sealed + path + 3 * 5) + 200;
        const uint64_t unmask =
            DESK_WIDE + holders * (1 + LAYOUT_SEGMENTS_MAX + parts) * (1 + 2 * 32) + 200;
        const uint64_t accepted = schedule_message_bytes(&desk.schedule);
        CHECK(accepted >= model + (4u << 20));
        CHECK(accepted >= (4u << 20) + inbox && accepted >= (4u << 20) + unmask);
        CHECK(accepted <= 2 * (model + (4u << 20) + inbox + unmask));
    }
    desk.layout.n = UINT32_MAX;
    CHECK_NUMBER(UINT32_MAX, schedule_message_bytes(&desk.schedule));
}

static void unsound_thresholds_and_unreachable_epsilons_are_refused(void)
{
    struct study study;
    small_study(&study, STUDY_SITE, MODEL_MLP);
    struct layout layout = {0};
    CHECK_OK(layout_of(&layout, &study.model.spec));
    struct schedule schedule = {0};
    CHECK_STATUS(STATUS_RANGE, schedule_of(&schedule, &study, &layout, 8, &said));
    CHECK_STATUS(STATUS_RANGE, schedule_of(&schedule, &study, &layout, 3, &said));
    study.sites.min_contributors = 4;
    CHECK_STATUS(STATUS_RANGE, schedule_of(&schedule, &study, &layout, DESK_SITES, &said));
    study.sites.min_contributors = 3;
    study.privacy.epsilon = study.privacy.delta = 1e-12;
    CHECK_STATUS(STATUS_RANGE, schedule_of(&schedule, &study, &layout, DESK_SITES, &said));
    CHECK(schedule.study == NULL);
}

static void memory_may_end_anywhere(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, 3);
    AUTO(plan_free) struct plan good = {0};
    desk_plan(&good, &desk, STEP_TRAIN, 0);
    OOM_EACH {
        AUTO(plan_free) struct plan plan = {0};
        enum status status =
            schedule_plan(&plan, &desk.schedule, STEP_TRAIN, 0, &desk.keep, 0, &desk.cohort);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((plan.n_segments == 0) == (status != STATUS_OK));
    }
    OOM_EACH {
        enum reason why = desk_check(&desk, &good);
        oom_stop();
        CHECK_NUMBER(oom_hit() ? REASON_MEMORY : REASON_NONE, why);
    }
}

int main(void)
{
    RUN(segments_are_layers_or_groups_of_units);
    RUN(shares_of_noise_are_for_the_honest_of_the_quorum);
    RUN(the_whole_study_costs_its_epsilon);
    RUN(a_ring_too_narrow_is_refused);
    RUN(waits_and_cipher_are_those_of_the_study);
    RUN(a_table_is_for_small_sigmas);
    RUN(a_table_is_paid_for_out_of_delta);
    RUN(nothing_kept_is_refused);
    RUN(a_cohort_below_the_threshold_is_refused);
    RUN(many_sites_share_along_a_ring);
    RUN(what_is_certain_is_certain_in_every_segment);
    RUN(messages_fit_into_what_the_transport_accepts);
    RUN(unsound_thresholds_and_unreachable_epsilons_are_refused);
    RUN(memory_may_end_anywhere);
    return check_done();
}
