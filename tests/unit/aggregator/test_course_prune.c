/* SPDX-License-Identifier: Apache-2.0 */
/* What a course keeps of its model: from the start, after the exploration, and chosen anew. */
#include <math.h>

#include "aggregator/prune.h"
#include "tests/lib/check.h"
#include "tests/lib/small.h"
#include "tests/unit/aggregator/tutor.h"

static void the_exploration_prunes_the_weights_and_leaves_the_others(void)
{
    float weight[TUTOR_MOST];
    tutor_weights(weight);
    for (enum study_pruning mode = STUDY_PRUNING_PRIVATE; mode <= STUDY_PRUNING_PAPER; mode++) {
        struct study study;
        small_study(&study, STUDY_SITE, MODEL_MLP);
        study.pruning.mode = mode;
        AUTO(course_free) struct course course = {0};
        tutor_start(&course, &study);
        tutor_apply(&course, 100);
        float guidance[TUTOR_MOST];
        for (size_t i = 0; i < TUTOR_MOST; i++) guidance[i] = (float)i + 1;
        AUTO(bits_free) struct bits keep = {0};
        CHECK_OK(prune_keep(&keep, &study, &course.layout, guidance, weight));
        CHECK(bits_equal(&keep, &course.state.keep));
        CHECK(bits_count(&keep) < course.layout.n);
        bool same = true;
        for (size_t i = 0; i < course.layout.n; i++)
            same = same && course.state.weight[i] == (bits_has(&keep, i) ? weight[i] : 0);
        CHECK(same);
    }
}

/* Either the last six of the twelve units of each hidden layer, or the first. */
static void half_units(struct bits *keep, const struct layout *layout, bool last)
{
    AUTO(bits_free) struct bits units = {0};
    CHECK_OK(bits_new(&units, 24));
    for (uint32_t u = 0; u < 24; u++)
        if ((u % 12 >= 6) == last) bits_set(&units, u);
    CHECK_OK(layout_keep_units(keep, layout, &units));
}

/* Sums of both signs: the size counts where contributions may cancel, and nowhere else. */
static void a_signed_guidance_counts_by_its_size(void)
{
    for (enum study_score score = 0; score <= STUDY_SCORE_AGREEMENT; score++) {
        struct study study;
        small_study(&study, STUDY_SITE, MODEL_MLP);
        study.pruning.weights = 0;
        study.pruning.score = score;
        AUTO(course_free) struct course course = {0};
        tutor_start(&course, &study);
        tutor_apply(&course, -100);
        AUTO(bits_free) struct bits want = {0};
        half_units(&want, &course.layout, score == STUDY_SCORE_AGREEMENT);
        CHECK(bits_equal(&want, &course.state.keep));
    }
}

static void what_is_not_explored_is_pruned_from_the_start(void)
{
    float weight[TUTOR_MOST];
    tutor_weights(weight);
    for (enum study_mask mask = STUDY_MASK_RANDOM; mask <= STUDY_MASK_MAGNITUDE; mask++) {
        struct study study;
        small_study(&study, STUDY_SITE, MODEL_MLP);
        study.pruning.mask = mask;
        AUTO(course_free) struct course course = {0};
        tutor_start(&course, &study);
        AUTO(bits_free) struct bits keep = {0};
        CHECK_OK(prune_start(&keep, &study, &course.layout, weight));
        for (uint32_t round = 0; round < study.rounds.count; round++) {
            bool right = bits_equal(&keep, &course.state.keep);
            for (size_t i = 0; i < course.layout.n; i++)
                right =
                    right && (bits_has(&keep, i) ? round > 0 || course.state.weight[i] == weight[i]
                                                 : course.state.weight[i] == 0);
            CHECK(right);
            AUTO(round_free) struct round done = {0};
            tutor_finish(&done, &course, TUTOR_SITES, 100);
            CHECK_NUMBER(STEP_TRAIN, done.plan.step);
            CHECK_OK(course_apply(&course, &done));
        }
        CHECK(course_done(&course));
    }
}

/* What was seen of each coordinate since the last refinement, by the test's own reckoning. */
struct seen {
    double square[TUTOR_MOST];
    unsigned times[TUTOR_MOST];
};

static void see(struct seen *seen, const struct bits *keep, const struct round *round)
{
    size_t l = 0, at = 0;
    for (size_t i = 0; i < keep->n; i++) {
        if (!bits_has(keep, i)) continue;
        if (at == round->plan.segment[l].dim) l++, at = 0;
        const double sum = (double)(int32_t)round->opened[l].value[at++];
        seen->square[i] += pow(sum / round->plan.grid.scale / TUTOR_SITES, 2);
        seen->times[i]++;
    }
}

/* The six of twelve units of each hidden layer that moved most. */
static void best_units(struct bits *keep, const struct layout *layout, const struct seen *seen)
{
    AUTO(bits_free) struct bits units = {0};
    CHECK_OK(bits_new(&units, 24));
    for (uint32_t l = 0; l < 2; l++) {
        double score[12] = {0};
        for (uint32_t t = 2 * l; t < 2 * l + 2; t++)
            for (size_t k = 0; k < 12 * layout->tensor[t].cols; k++) {
                const size_t i = layout->tensor[t].offset + k;
                score[k / layout->tensor[t].cols] += seen->square[i] / seen->times[i];
            }
        for (size_t u = 0; u < 12; u++) {
            size_t above = 0;
            for (size_t v = 0; v < 12; v++) above += score[v] > score[u];
            if (above < 6) bits_set(&units, 12 * l + u);
        }
    }
    bits_free(keep);
    CHECK_OK(layout_keep_units(keep, layout, &units));
}

/* Six rounds, a refinement after the second and the fourth. */
static void prunefl_chooses_anew_after_a_round_that_sees_everything(void)
{
    struct study study;
    small_study(&study, STUDY_SITE, MODEL_MLP);
    study.rounds.count = 6;
    study.pruning.weights = 0;
    study.pruning.mask = STUDY_MASK_PRUNEFL;
    study.pruning.refine_every = 2;
    float initial[TUTOR_MOST];
    tutor_weights(initial);
    AUTO(course_free) struct course course = {0};
    tutor_start(&course, &study);
    AUTO(bits_free) struct bits keep = {0};
    CHECK_OK(prune_start(&keep, &study, &course.layout, initial));
    struct seen seen = {0};
    for (uint32_t t = 0; t < 6; t++) {
        const bool all = t == 1 || t == 3;
        CHECK(all ? bits_count(&course.state.keep) == course.layout.n
                  : bits_equal(&keep, &course.state.keep));
        bool right = true; /* what came back, or is not there */
        for (size_t i = 0; i < course.layout.n; i++)
            if (!bits_has(&keep, i))
                right = right && course.state.weight[i] == (all ? initial[i] : 0) &&
                        course.velocity[i] == 0;
        CHECK(right);
        AUTO(round_free) struct round round = {0};
        tutor_finish(&round, &course, TUTOR_SITES, 100);
        CHECK_NUMBER(STEP_TRAIN, round.plan.step);
        /* Of the first layer the first units, of 64 weights each, move much more. */
        for (size_t k = 0; k < 256 && t == 3; k++)
            round.opened[0].value[k] = (uint32_t)(-300000 - (int32_t)k);
        see(&seen, &course.state.keep, &round);
        CHECK_OK(course_apply(&course, &round));
        if (all) {
            AUTO(bits_free) struct bits before = {0};
            CHECK_OK(bits_copy(&before, &keep));
            best_units(&keep, &course.layout, &seen);
            CHECK(!bits_equal(&before, &keep));
            seen = (struct seen){0};
        }
        CHECK_NUMBER(t < 1 ? 0 : t < 3 ? 1 : 2, course.refine.done);
    }
    CHECK(course_done(&course));
}

/* A vote after each round, which has this share of the guidance. */
static void voting_study(struct study *study, double share)
{
    small_study(study, STUDY_SITE, MODEL_MLP);
    study->pruning.weights = 0;
    study->pruning.refine_every = 1;
    study->pruning.refine_share = share;
    study->pruning.refine_ratio = 1;
}

/* Four rounds and two votes, the exploration's order turned round by the second. */
static void votes_choose_anew_after_everything_came_back(void)
{
    static const enum step steps[] = {
        STEP_EXPLORE,  STEP_TRAIN, STEP_EVALUATE, STEP_VOTE,     STEP_TRAIN,
        STEP_EVALUATE, STEP_VOTE,  STEP_TRAIN,    STEP_EVALUATE,
    };
    static const uint32_t numbers[] = {0, 0, 0, 0, 1, 1, 1, 2, 2};
    struct study study;
    voting_study(&study, 0.75);
    study.evaluation.mode = STUDY_EVALUATION_PRIVATE;
    study.evaluation.every = 1;
    study.evaluation.ratio = 1;
    float initial[TUTOR_MOST];
    tutor_weights(initial);
    AUTO(course_free) struct course course = {0};
    tutor_start(&course, &study);
    for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
        CHECK(!course_done(&course));
        AUTO(round_free) struct round done = {0};
        AUTO(bits_free) struct bits before = {0}, want = {0};
        CHECK_OK(bits_copy(&before, &course.state.keep));
        /* The first votes are for the last units, as the exploration; the second for the first. */
        tutor_finish(&done, &course, TUTOR_SITES, k == 6 ? -100 : 100);
        CHECK_NUMBER(steps[k], done.plan.step);
        CHECK_NUMBER(numbers[k], done.plan.step_number);
        CHECK_NUMBER(REASON_NONE, schedule_check(&course.schedule, &done.plan, &course.state.keep,
                                                 course.state.clip));
        const bool all = k == 0 || steps[k] == STEP_VOTE;
        CHECK((bits_count(&before) == course.layout.n) == all);
        CHECK_OK(course_apply(&course, &done));
        if (!all) continue;
        /* 0.25 G + 0.75 rank: against the last votes G has no say. */
        half_units(&want, &course.layout, k != 6);
        CHECK(bits_equal(&want, &course.state.keep));
        bool right = true; /* what goes is at rest, what comes back starts as it did first */
        for (size_t i = 0; i < course.layout.n; i++) {
            if (!bits_has(&want, i))
                right = right && course.state.weight[i] == 0 && course.velocity[i] == 0;
            else if (k == 6 && i / 64 < 6)
                right = right && course.state.weight[i] == initial[i] && course.velocity[i] == 0;
        }
        CHECK(right);
    }
    CHECK(course_done(&course));
    CHECK_NUMBER(2, course.refine.done);
}

static void a_small_share_of_votes_changes_little(void)
{
    struct study study;
    voting_study(&study, 0.25);
    AUTO(course_free) struct course course = {0};
    tutor_start(&course, &study);
    tutor_apply(&course, -100); /* against the order in which ties go */
    AUTO(bits_free) struct bits before = {0};
    CHECK_OK(bits_copy(&before, &course.state.keep));
    tutor_apply(&course, 100);
    /* A sealed layer's guidance stays; the other's votes are all against it, and too few. */
    AUTO(round_free) struct round votes = {0};
    tutor_finish(&votes, &course, TUTOR_SITES, 100);
    CHECK_NUMBER(STEP_VOTE, votes.plan.step);
    bits_clear(&votes.opened_set, 1);
    opened_free(&votes.opened[1]);
    CHECK_OK(course_apply(&course, &votes));
    CHECK(bits_equal(&before, &course.state.keep));
    CHECK_CLOSE(0.25 * 0 + 0.75 * 1, (double)course.refine.value[0], 1e-6);
    CHECK_CLOSE(0.25 * 1 + 0.75 * 0, (double)course.refine.value[11], 1e-6);
    CHECK_CLOSE(1, (double)course.refine.value[12], 0);
    CHECK_CLOSE(0, (double)course.refine.value[23], 0);
}

int main(void)
{
    RUN(the_exploration_prunes_the_weights_and_leaves_the_others);
    RUN(a_signed_guidance_counts_by_its_size);
    RUN(what_is_not_explored_is_pruned_from_the_start);
    RUN(prunefl_chooses_anew_after_a_round_that_sees_everything);
    RUN(votes_choose_anew_after_everything_came_back);
    RUN(a_small_share_of_votes_changes_little);
    return check_done();
}
