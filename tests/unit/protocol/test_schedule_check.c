/* SPDX-License-Identifier: Apache-2.0 */
/* What a site says to plans: its own, and those that a coordinator altered. */
#include <math.h>

#include "tests/lib/check.h"
#include "tests/unit/protocol/desk.h"

static void what_is_planned_passes_the_check(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++)
        for (enum study_pruning mode = STUDY_PRUNING_PRIVATE; mode <= STUDY_PRUNING_NONE; mode++)
            for (size_t noisy = 0; noisy < 2; noisy++) {
                AUTO(desk_close) struct desk desk = {0};
                desk_open(&desk, unit, mode, noisy == 0 ? (double)INFINITY : 3);
                AUTO(plan_free) struct plan plan = {0};
                desk_plan(&plan, &desk, STEP_EXPLORE, 0);
                CHECK_NUMBER(mode == STUDY_PRUNING_NONE ? REASON_STUDY : REASON_NONE,
                             desk_check(&desk, &plan));
                CHECK((plan.grid.sigma > 0) == (noisy > 0));
                CHECK(plan.sampling == (unit == STUDY_PATIENT ? 0.1 : 1));
                for (size_t i = 0; i < desk.keep.n; i += 3) bits_clear(&desk.keep, i);
                bits_clear(&desk.cohort, 2);
                desk_plan(&plan, &desk, STEP_TRAIN, 19);
                CHECK_NUMBER(REASON_NONE, desk_check(&desk, &plan));
                CHECK((plan.grid.sigma > 0) == (noisy > 0));
                CHECK(plan.sampling == (unit == STUDY_PATIENT ? 0.1 : 1));
            }
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
            desk_plan(&plan, at, step, 0);
            alter(&plan, how);
            CHECK_NUMBER(answer[how], desk_check(at, &plan));
        }
}

/* Without the state: what does not depend on it. */
static void most_alterations_are_seen_without_the_state(void)
{
    static const enum alteration seen[] = {
        STEP_PAST_THE_END, EXPLORATION_NUMBERED, N_OTHER,        C_LOWER,
        T_LOWER,           QUORUM_LOWER,         K_LOWER,        M_LOWER,
        COHORT_TOO_SMALL,  CIPHER_OTHER,         SAMPLING_LOWER, SAMPLING_HIGHER,
        NOISE_NONE,        NOISE_LOWER,          SAMPLER_OTHER};
    AUTO(desk_close) struct desk desk = {0};
    AUTO(desk_close) struct desk wide = {0};
    desk_open(&desk, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, 3);
    desk_open_wide(&wide);
    for (enum step step = STEP_EXPLORE; step <= STEP_TRAIN; step++) {
        AUTO(plan_free) struct plan plan = {0};
        desk_plan(&plan, &desk, step, 0);
        CHECK_NUMBER(REASON_NONE, schedule_check_alone(&desk.schedule, &plan));
    }
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++) {
        AUTO(plan_free) struct plan plan = {0};
        const struct desk *at = seen[i] == K_LOWER ? &wide : &desk;
        desk_plan(&plan, at, seen[i] == EXPLORATION_NUMBERED ? STEP_EXPLORE : STEP_TRAIN, 0);
        alter(&plan, seen[i]);
        CHECK_NUMBER(answer[seen[i]], schedule_check_alone(&at->schedule, &plan));
    }
}

static void a_plan_for_another_keep_set_is_refused(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, 3);
    AUTO(plan_free) struct plan plan = {0};
    desk_plan(&plan, &desk, STEP_TRAIN, 0);
    bits_clear(&desk.keep, 5);
    CHECK_NUMBER(REASON_SEGMENTS, desk_check(&desk, &plan));
}

static void more_noise_than_planned_is_welcome(void)
{
    AUTO(desk_close) struct desk desk = {0};
    desk_open(&desk, STUDY_PATIENT, STUDY_PRUNING_PRIVATE, 3);
    AUTO(plan_free) struct plan plan = {0};
    desk_plan(&plan, &desk, STEP_TRAIN, 0);
    CHECK_OK(grid_noise(&plan.grid, DESK_SITES, 2 * plan.grid.sigma));
    CHECK_NUMBER(REASON_NONE, desk_check(&desk, &plan));
}

int main(void)
{
    RUN(what_is_planned_passes_the_check);
    RUN(every_altered_field_is_refused_with_its_reason);
    RUN(most_alterations_are_seen_without_the_state);
    RUN(a_plan_for_another_keep_set_is_refused);
    RUN(more_noise_than_planned_is_welcome);
    return check_done();
}
