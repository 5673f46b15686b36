/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/schedule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dp/noise.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/small.h"

enum { SITES = 5, WIDE = 600 };

/* A study with noise, as it runs at SITES sites, everything kept, all sites in the cohort. */
struct desk {
    struct study study;
    struct layout layout;
    struct schedule schedule;
    struct bits keep, cohort;
};

static void desk_close(struct desk *desk)
{
    bits_free(&desk->keep);
    bits_free(&desk->cohort);
}

static void desk_open(struct desk *desk, enum study_unit unit, enum study_pruning mode,
                      double epsilon)
{
    *desk = (struct desk){0};
    small_study(&desk->study, unit, MODEL_MLP);
    desk->study.pruning.mode = mode;
    desk->study.privacy.epsilon = epsilon;
    desk->study.rounds.count = 20;
    desk->study.deadlines.release_ms = 100;
    if (unit == STUDY_PATIENT) desk->study.privacy.sampling = 0.1;
    CHECK_OK(layout_of(&desk->layout, &desk->study.model.spec));
    CHECK_OK(schedule_of(&desk->schedule, &desk->study, &desk->layout, SITES));
    CHECK_OK(bits_new(&desk->keep, desk->layout.n));
    CHECK_OK(bits_new(&desk->cohort, SITES));
    bits_fill(&desk->keep);
    bits_fill(&desk->cohort);
}

/* The same as it runs at 600 sites, which share along a ring. */
static void desk_open_wide(struct desk *desk)
{
    desk_open(desk, STUDY_SITE, STUDY_PRUNING_PRIVATE, 3);
    desk->study.sites.expected = WIDE;
    desk->study.sites.colluding = 30;
    desk->study.sites.threshold = 540;
    CHECK_OK(schedule_of(&desk->schedule, &desk->study, &desk->layout, WIDE));
    bits_free(&desk->cohort);
    CHECK_OK(bits_new(&desk->cohort, WIDE));
    bits_fill(&desk->cohort);
}

static void make(struct plan *out, const struct desk *desk, enum step step, uint32_t number)
{
    plan_free(out);
    CHECK_OK(schedule_plan(out, &desk->schedule, step, number, &desk->keep, &desk->cohort));
}

static enum reason check(const struct desk *desk, const struct plan *plan)
{
    return schedule_check(&desk->schedule, plan, &desk->keep);
}

static void what_is_planned_passes_the_check(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++)
        for (enum study_pruning mode = STUDY_PRUNING_PRIVATE; mode <= STUDY_PRUNING_NONE; mode++)
            for (size_t noisy = 0; noisy < 2; noisy++) {
                AUTO(desk_close) struct desk desk = {0};
                desk_open(&desk, unit, mode, noisy == 0 ? (double)INFINITY : 3);
                AUTO(plan_free) struct plan plan = {0};
                make(&plan, &desk, STEP_EXPLORE, 0);
                CHECK_NUMBER(mode == STUDY_PRUNING_NONE ? REASON_STUDY : REASON_NONE,
                             check(&desk, &plan));
                CHECK((plan.grid.sigma > 0) == (noisy > 0));
                CHECK(plan.sampling == (unit == STUDY_PATIENT ? 0.1 : 1));
                for (size_t i = 0; i < desk.keep.n; i += 3) bits_clear(&desk.keep, i);
                bits_clear(&desk.cohort, 2);
                make(&plan, &desk, STEP_TRAIN, 19);
                CHECK_NUMBER(REASON_NONE, check(&desk, &plan));
                CHECK((plan.grid.sigma > 0) == (noisy > 0));
                CHECK(plan.sampling == (unit == STUDY_PATIENT ? 0.1 : 1));
            }
}

static void segments_are_layers_or_groups_of_units(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, 3);
    AUTO(plan_free) struct plan plan = {0};
    make(&plan, &desk, STEP_EXPLORE, 0);
    CHECK_NUMBER(2, plan.n_segments);
    CHECK(strcmp(plan.segment[1].name, "fc2") == 0 && plan.segment[1].dim == 12);
    /* A layer that keeps nothing has no segment. */
    for (size_t i = 780; i < 936; i++) bits_clear(&desk.keep, i);
    bits_clear(&desk.keep, 0);
    make(&plan, &desk, STEP_TRAIN, 0);
    CHECK_NUMBER(2, plan.n_segments);
    CHECK(strcmp(plan.segment[0].name, "fc1") == 0 && plan.segment[0].dim == 779);
    CHECK(strcmp(plan.segment[1].name, "fc3") == 0 && plan.segment[1].dim == 39);
    desk.study.pruning.mode = STUDY_PRUNING_PAPER;
    bits_fill(&desk.keep);
    make(&plan, &desk, STEP_EXPLORE, 0);
    CHECK_NUMBER(3, plan.n_segments);
    CHECK_NUMBER(975, schedule_release(&plan, 1).dim);
}

/* Every way in which a coordinator may alter a plan, and what a site answers. */
enum alteration {
    STEP_PAST_THE_END,
    EXPLORATION_NUMBERED,
    N_OTHER,
    C_LOWER,
    T_LOWER,
    QUORUM_LOWER,
    K_LOWER,
    M_LOWER,
    COHORT_TOO_SMALL,
    CIPHER_OTHER,
    SEGMENT_RENAMED,
    SEGMENT_LONGER,
    SEGMENT_GONE,
    MEMBER_GONE,
    DEGREE_LOWER,
    SAMPLER_OTHER,
    SAMPLING_LOWER,
    SAMPLING_HIGHER,
    WAIT_LONGER,
    POSITIONS_LONGER,
    RELEASE_EARLIER,
    NOISE_NONE,
    NOISE_LOWER,
    SCALE_FINER,
    NORM2_HIGHER,
    CAP_HIGHER,
    BITS_FEWER,
    NOISE_PAST_THE_RING,
    ALTERATIONS
};

static const enum reason answer[ALTERATIONS] = {
    [STEP_PAST_THE_END] = REASON_STUDY,
    [EXPLORATION_NUMBERED] = REASON_STUDY,
    [N_OTHER] = REASON_THRESHOLD,
    [C_LOWER] = REASON_THRESHOLD,
    [T_LOWER] = REASON_THRESHOLD,
    [QUORUM_LOWER] = REASON_THRESHOLD,
    [K_LOWER] = REASON_GRAPH,
    [M_LOWER] = REASON_THRESHOLD,
    [COHORT_TOO_SMALL] = REASON_THRESHOLD,
    [CIPHER_OTHER] = REASON_CIPHER,
    [SEGMENT_RENAMED] = REASON_SEGMENTS,
    [SEGMENT_LONGER] = REASON_SEGMENTS,
    [SEGMENT_GONE] = REASON_SEGMENTS,
    [MEMBER_GONE] = REASON_SEGMENTS,
    [DEGREE_LOWER] = REASON_GRAPH,
    [SAMPLER_OTHER] = REASON_NOISE,
    [SAMPLING_LOWER] = REASON_NOISE,
    [SAMPLING_HIGHER] = REASON_NOISE,
    [WAIT_LONGER] = REASON_STUDY,
    [POSITIONS_LONGER] = REASON_STUDY,
    [RELEASE_EARLIER] = REASON_STUDY,
    [NOISE_NONE] = REASON_NOISE,
    [NOISE_LOWER] = REASON_NOISE,
    [SCALE_FINER] = REASON_RING,
    [NORM2_HIGHER] = REASON_RING,
    [CAP_HIGHER] = REASON_RING,
    [BITS_FEWER] = REASON_RING,
    [NOISE_PAST_THE_RING] = REASON_RING,
};

static void alter(struct plan *plan, enum alteration how)
{
    switch (how) {
    case STEP_PAST_THE_END:
        plan->step_number = 20;
        return;
    case EXPLORATION_NUMBERED:
        plan->step_number = 1;
        return;
    case N_OTHER:
        plan->params.n--;
        return;
    case C_LOWER:
        plan->params.c--;
        return;
    case T_LOWER:
        plan->params.t--;
        return;
    case QUORUM_LOWER:
        plan->params.quorum--;
        return;
    case K_LOWER:
        plan->params.k -= 2;
        return;
    case M_LOWER:
        plan->params.m--;
        return;
    case COHORT_TOO_SMALL:
        bits_clear(&plan->cohort, 0);
        bits_clear(&plan->cohort, 1);
        return;
    case CIPHER_OTHER:
        plan->cipher = MASK_AES256_CTR;
        return;
    case SEGMENT_RENAMED:
        plan->segment[0].name[0]++;
        return;
    case SEGMENT_LONGER:
        plan->segment[0].dim++;
        return;
    case SEGMENT_GONE:
        bits_free(&plan->segment[--plan->n_segments].members);
        return;
    case MEMBER_GONE:
        bits_clear(&plan->segment[1].members, 4);
        return;
    case DEGREE_LOWER:
        plan->segment[0].degree -= 2;
        return;
    case SAMPLER_OTHER:
        plan->sampler = NOISE_TABLE;
        return;
    case SAMPLING_LOWER:
        plan->sampling *= 0.99;
        return;
    case SAMPLING_HIGHER:
        plan->sampling *= 1.01;
        return;
    case WAIT_LONGER:
        plan->wait_ms[WAIT_INPUT]++;
        return;
    case POSITIONS_LONGER:
        plan->wait_ms[WAIT_POSITIONS]++;
        return;
    case RELEASE_EARLIER:
        plan->release_ms--;
        return;
    case NOISE_NONE:
        plan->grid.sigma = 0;
        return;
    case NOISE_LOWER:
        plan->grid.sigma--;
        return;
    case SCALE_FINER:
        plan->grid.scale *= 2;
        return;
    case NORM2_HIGHER:
        plan->grid.norm2++;
        return;
    case CAP_HIGHER:
        plan->grid.cap++;
        return;
    case BITS_FEWER:
        plan->grid.bits--;
        return;
    case NOISE_PAST_THE_RING:
        plan->grid.sigma = NOISE_SIGMA_MAX;
        return;
    default:
        return;
    }
}

static void every_altered_field_is_refused_with_its_reason(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, 3);
    AUTO(desk_close) struct desk wide = {0};
    desk_open_wide(&wide);
    for (enum step step = STEP_EXPLORE; step <= STEP_TRAIN; step++)
        for (enum alteration how = 0; how < ALTERATIONS; how++) {
            if (how == (step == STEP_TRAIN ? EXPLORATION_NUMBERED : STEP_PAST_THE_END)) continue;
            AUTO(plan_free) struct plan plan = {0};
            struct desk *at = how == K_LOWER || how == DEGREE_LOWER ? &wide : &desk;
            make(&plan, at, step, 0);
            alter(&plan, how);
            CHECK_NUMBER(answer[how], check(at, &plan));
        }
}

static void a_plan_for_another_keep_set_is_refused(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, 3);
    AUTO(plan_free) struct plan plan = {0};
    make(&plan, &desk, STEP_TRAIN, 0);
    bits_clear(&desk.keep, 5);
    CHECK_NUMBER(REASON_SEGMENTS, check(&desk, &plan));
}

static void more_noise_than_planned_is_welcome(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, 3);
    AUTO(plan_free) struct plan plan = {0};
    make(&plan, &desk, STEP_TRAIN, 0);
    const uint32_t sigma = 2 * plan.grid.sigma;
    CHECK_OK(grid_plan(&plan.grid, desk.study.privacy.clip, schedule_release(&plan, 1).dim, SITES,
                       sigma, desk.study.secagg.bits));
    CHECK_NUMBER(REASON_NONE, check(&desk, &plan));
}

static void shares_of_noise_are_for_the_honest_of_the_quorum(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_SITE, STUDY_PRUNING_PRIVATE, 3);
    AUTO(plan_free) struct plan plan = {0};
    make(&plan, &desk, STEP_TRAIN, 0);
    CHECK_NUMBER(3, schedule_certain(&plan)); /* T = 4, c = 1 */
    const double share = desk.schedule.z * sqrt((double)plan.grid.norm2 / 3);
    CHECK_CLOSE(share, plan.grid.sigma, 1);
    CHECK((double)plan.grid.sigma >= share);
    /* The exploration's is in the study's ratio to it, relative to its own bound. */
    desk.study.privacy.exploration_ratio = 2.5;
    make(&plan, &desk, STEP_EXPLORE, 0);
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
            CHECK_OK(schedule_of(&desk.schedule, &desk.study, &desk.layout, SITES));
            struct account account = {0};
            AUTO(plan_free) struct plan plan = {0};
            if (mode != STUDY_PRUNING_NONE) {
                make(&plan, &desk, STEP_EXPLORE, 0);
                const struct release once = schedule_release(&plan, schedule_certain(&plan));
                CHECK_OK(account_add(&account, &once, 1));
            }
            /* Pruned meanwhile: a smaller vector has a grid and a noise of its own. */
            for (size_t i = 0; i < desk.keep.n; i += 2) bits_clear(&desk.keep, i);
            make(&plan, &desk, STEP_TRAIN, 0);
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
    make(&good, &desk, STEP_TRAIN, 0);
    desk.study.secagg.bits = 12;
    struct plan plan = {0};
    CHECK_STATUS(STATUS_RANGE,
                 schedule_plan(&plan, &desk.schedule, STEP_TRAIN, 0, &desk.keep, &desk.cohort));
    CHECK(plan.n_segments == 0 && plan.cohort.word == NULL);
    CHECK_NUMBER(REASON_RING, check(&desk, &good));
}

static void waits_and_cipher_are_those_of_the_study(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, 3);
    desk.study.secagg.cipher = MASK_AES256_CTR;
    desk.study.deadlines.positions_ms = 1500;
    AUTO(plan_free) struct plan plan = {0};
    make(&plan, &desk, STEP_TRAIN, 0);
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
        make(&plan, &desk, STEP_TRAIN, 0);
        CHECK((plan.grid.sigma <= NOISE_TABLE_SIGMA_MAX) == (kept == 0));
        CHECK_NUMBER(NOISE_EXACT, plan.sampler);
        desk.study.privacy.sampler = NOISE_TABLE;
        make(&plan, &desk, STEP_TRAIN, 0);
        CHECK_NUMBER(kept == 0 ? NOISE_TABLE : NOISE_EXACT, plan.sampler);
        CHECK_NUMBER(REASON_NONE, check(&desk, &plan));
        /* more noise than planned, past the table's end */
        plan.grid.sigma = NOISE_TABLE_SIGMA_MAX + 1 + plan.grid.sigma;
        CHECK_NUMBER(kept == 0 ? REASON_NOISE : REASON_RING, check(&desk, &plan));
    }
}

static void a_table_is_paid_for_out_of_delta(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, 3);
    CHECK(desk.schedule.delta == desk.study.privacy.delta);
    const double samples = 0x1p32 * SITES * (double)desk.layout.n;
    desk.study.privacy.sampler = NOISE_TABLE;
    desk.study.privacy.delta = 4 * noise_delta(NOISE_TABLE, samples, 3);
    struct schedule schedule = {0};
    CHECK_OK(schedule_of(&schedule, &desk.study, &desk.layout, SITES));
    CHECK_CLOSE(0.75 * desk.study.privacy.delta, schedule.delta, 1e-9 * schedule.delta);
    desk.study.privacy.delta /= 4;
    CHECK_STATUS(STATUS_RANGE, schedule_of(&schedule, &desk.study, &desk.layout, SITES));
    desk.study.privacy.epsilon = (double)INFINITY;
    CHECK_OK(schedule_of(&schedule, &desk.study, &desk.layout, SITES));
}

static void nothing_kept_is_refused(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, 3);
    for (size_t i = 0; i < desk.keep.n; i++) bits_clear(&desk.keep, i);
    struct plan plan = {0};
    CHECK_STATUS(STATUS_RANGE,
                 schedule_plan(&plan, &desk.schedule, STEP_TRAIN, 0, &desk.keep, &desk.cohort));
    CHECK(plan.n_segments == 0);
}

static void a_cohort_below_the_threshold_is_refused(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, 3);
    bits_clear(&desk.cohort, 0);
    AUTO(plan_free) struct plan plan = {0};
    make(&plan, &desk, STEP_TRAIN, 0);
    bits_clear(&desk.cohort, 1);
    struct plan none = {0};
    CHECK_STATUS(STATUS_QUORUM,
                 schedule_plan(&none, &desk.schedule, STEP_TRAIN, 0, &desk.keep, &desk.cohort));
    CHECK(none.n_segments == 0);
}

static void many_sites_share_along_a_ring(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open_wide(&desk);
    AUTO(plan_free) struct plan plan = {0};
    make(&plan, &desk, STEP_TRAIN, 0);
    CHECK(plan.params.k == 80 && plan.params.t == 55 && plan.params.quorum == 540);
    for (uint32_t l = 0; l < plan.n_segments; l++) CHECK_NUMBER(92, plan.segment[l].degree);
    CHECK_NUMBER(510, schedule_certain(&plan));
    CHECK_NUMBER(REASON_NONE, check(&desk, &plan));
    for (uint32_t v = 0; v < 60; v++) bits_clear(&desk.cohort, v);
    make(&plan, &desk, STEP_TRAIN, 1);
    CHECK_NUMBER(510, schedule_certain(&plan));
    CHECK_NUMBER(REASON_NONE, check(&desk, &plan));
    /* A complete graph up to the limit. */
    desk.study.sites.threshold = 400;
    CHECK_OK(schedule_of(&desk.schedule, &desk.study, &desk.layout, PARAMS_COMPLETE_MAX));
    CHECK(desk.schedule.params.k == 0 && desk.schedule.params.t == 400);
    /* A quorum that is sound for a complete graph, but leaves too few neighbours. */
    desk.study.sites.threshold = 320;
    const struct params before = desk.schedule.params;
    CHECK_STATUS(STATUS_RANGE, schedule_of(&desk.schedule, &desk.study, &desk.layout, WIDE));
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
        make(&plan, &desk, STEP_TRAIN, 0);
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
    for (uint32_t k = 0; k <= ring.k; k += ring.k) {
        desk.schedule.params.k = k;
        const uint64_t holders = k > 0 ? k : WIDE;
        const uint64_t header = 4 + 32 * 3 + 4 + 32 + 1 + 32 * LAYOUT_SEGMENTS_MAX + SIGN_BYTES;
        const uint64_t sealed = (2 + LAYOUT_SEGMENTS_MAX) * SHARE_BYTES + 40;
        const uint64_t path = 1 + 32 * MERKLE_PATH_MAX;
        const uint64_t inbox =
            WIDE / 8 + 32 * WIDE + holders * (header + sealed + path + 3 * 5) + 200;
        const uint64_t unmask = WIDE + holders * (1 + LAYOUT_SEGMENTS_MAX) * (1 + 2 * 32) + 200;
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
    CHECK_STATUS(STATUS_RANGE, schedule_of(&schedule, &study, &layout, 8));
    CHECK_STATUS(STATUS_RANGE, schedule_of(&schedule, &study, &layout, 3));
    study.sites.min_contributors = 4;
    CHECK_STATUS(STATUS_RANGE, schedule_of(&schedule, &study, &layout, SITES));
    study.sites.min_contributors = 3;
    study.privacy.epsilon = study.privacy.delta = 1e-12;
    CHECK_STATUS(STATUS_RANGE, schedule_of(&schedule, &study, &layout, SITES));
    CHECK(schedule.study == NULL);
}

static void memory_may_end_anywhere(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, 3);
    AUTO(plan_free) struct plan good = {0};
    make(&good, &desk, STEP_TRAIN, 0);
    OOM_EACH {
        AUTO(plan_free) struct plan plan = {0};
        enum status status =
            schedule_plan(&plan, &desk.schedule, STEP_TRAIN, 0, &desk.keep, &desk.cohort);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((plan.n_segments == 0) == (status != STATUS_OK));
    }
    OOM_EACH {
        enum reason why = check(&desk, &good);
        oom_stop();
        CHECK_NUMBER(oom_hit() ? REASON_MEMORY : REASON_NONE, why);
    }
}

int main(void)
{
    RUN(what_is_planned_passes_the_check);
    RUN(segments_are_layers_or_groups_of_units);
    RUN(every_altered_field_is_refused_with_its_reason);
    RUN(a_plan_for_another_keep_set_is_refused);
    RUN(more_noise_than_planned_is_welcome);
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
