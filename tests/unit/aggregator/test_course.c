/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/course.h"

#include <math.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/small.h"
#include "tests/unit/aggregator/tutor.h"

static struct settings_error said;

static void one_exploration_then_the_rounds_of_the_study(void)
{
    struct study study;
    small_study(&study, STUDY_PATIENT, MODEL_MLP);
    AUTO(course_free) struct course course = {0};
    tutor_start(&course, &study);
    for (uint32_t round = 0; round <= study.rounds.count; round++) {
        CHECK(!course_done(&course));
        AUTO(round_free) struct round done = {0};
        tutor_finish(&done, &course, TUTOR_SITES, 100);
        CHECK_NUMBER(round == 0 ? STEP_EXPLORE : STEP_TRAIN, done.plan.step);
        CHECK_NUMBER(round == 0 ? 0 : round - 1, done.plan.step_number);
        CHECK_NUMBER(REASON_NONE, schedule_check(&course.schedule, &done.plan, &course.state.keep,
                                                 course.state.clip));
        uint64_t dim = schedule_release(&done.plan, 1).dim;
        CHECK_NUMBER(round == 0 ? layout_units(&course.layout) : bits_count(&course.state.keep),
                     dim);
        CHECK_OK(course_apply(&course, &done));
    }
    CHECK(course_done(&course));
}

/* Three rounds, an evaluation after the second and one at the end: they leave the model alone. */
static void evaluations_come_when_they_are_due_and_change_nothing(void)
{
    static const enum step steps[] = {STEP_EXPLORE,  STEP_TRAIN, STEP_TRAIN,
                                      STEP_EVALUATE, STEP_TRAIN, STEP_EVALUATE};
    static const uint32_t numbers[] = {0, 0, 1, 0, 2, 1};
    struct study study;
    small_study(&study, STUDY_PATIENT, MODEL_MLP);
    study.evaluation.mode = STUDY_EVALUATION_PRIVATE;
    study.evaluation.every = 2;
    study.evaluation.ratio = 10;
    AUTO(course_free) struct course course = {0};
    tutor_start(&course, &study);
    for (size_t round = 0; round < sizeof steps / sizeof *steps; round++) {
        CHECK(!course_done(&course));
        AUTO(round_free) struct round done = {0};
        tutor_finish(&done, &course, TUTOR_SITES, 100);
        CHECK_NUMBER(steps[round], done.plan.step);
        CHECK_NUMBER(numbers[round], done.plan.step_number);
        CHECK_NUMBER(REASON_NONE, schedule_check(&course.schedule, &done.plan, &course.state.keep,
                                                 course.state.clip));
        float weight[TUTOR_MOST], velocity[TUTOR_MOST];
        memcpy(weight, course.state.weight, course.layout.n * sizeof *weight);
        memcpy(velocity, course.velocity, course.layout.n * sizeof *velocity);
        CHECK_OK(course_apply(&course, &done));
        const bool same =
            memcmp(weight, course.state.weight, course.layout.n * sizeof *weight) == 0 &&
            memcmp(velocity, course.velocity, course.layout.n * sizeof *velocity) == 0;
        CHECK(same == (steps[round] == STEP_EVALUATE));
    }
    CHECK(course_done(&course));
    CHECK_NUMBER(3, course.trained);
}

static void without_pruning_training_comes_first(void)
{
    struct study study;
    small_study(&study, STUDY_PATIENT, MODEL_CNN);
    study.pruning.mode = STUDY_PRUNING_NONE;
    AUTO(course_free) struct course course = {0};
    tutor_start(&course, &study);
    AUTO(round_free) struct round round = {0};
    tutor_finish(&round, &course, TUTOR_SITES, 1);
    CHECK_NUMBER(STEP_TRAIN, round.plan.step);
    for (uint32_t i = 0; i < study.rounds.count; i++) tutor_apply(&course, 1);
    CHECK(course_done(&course));
    CHECK_NUMBER(course.layout.n, bits_count(&course.state.keep));
}

static void steps_are_heavy_ball_with_a_falling_rate(void)
{
    struct study study;
    small_study(&study, STUDY_SITE, MODEL_MLP);
    study.rounds.momentum = 0.75;
    study.rounds.decay = 0.6;
    study.rounds.learning_rate = 2;
    AUTO(course_free) struct course course = {0};
    tutor_start(&course, &study);
    tutor_apply(&course, 1);
    float weight[TUTOR_MOST];
    tutor_weights(weight);
    double v[TUTOR_MOST] = {0}, w[TUTOR_MOST];
    for (size_t i = 0; i < TUTOR_MOST; i++) w[i] = (double)weight[i];
    static const int32_t units[] = {400, -700, 300};
    for (uint32_t t = 0; t < 3; t++) {
        AUTO(round_free) struct round round = {0};
        tutor_finish(&round, &course, TUTOR_SITES, units[t]);
        CHECK_OK(course_apply(&course, &round));
        double largest = 0;
        size_t at = 0;
        for (size_t i = 0; i < course.layout.n; i++) {
            if (!bits_has(&course.state.keep, i)) {
                CHECK(course.state.weight[i] == 0);
                continue;
            }
            double mean = (double)++at * units[t] / round.plan.grid.scale / TUTOR_SITES;
            v[i] = 0.75 * v[i] + mean;
            w[i] += 2 * (1 - 0.6 * t / 3) * v[i];
            largest = fmax(largest, fabs((double)course.state.weight[i] - w[i]) / (1 + fabs(w[i])));
        }
        CHECK(at == bits_count(&course.state.keep));
        CHECK(largest < 1e-6);
    }
}

/* How far the first kept weight moves for one grid unit, times scale. */
static double moved(const struct study *study, size_t survivors)
{
    AUTO(course_free) struct course course = {0};
    tutor_start(&course, study);
    tutor_apply(&course, 1);
    size_t i = 0;
    while (!bits_has(&course.state.keep, i)) i++;
    course.state.weight[i] = 0;
    AUTO(round_free) struct round round = {0};
    tutor_finish(&round, &course, survivors, 1);
    CHECK_OK(course_apply(&course, &round));
    return (double)course.state.weight[i] * round.plan.grid.scale;
}

static void the_divisor_is_public(void)
{
    struct study study;
    small_study(&study, STUDY_PATIENT, MODEL_MLP);
    study.privacy.sampling = 0.25;
    /* sampling * records, whoever survived */
    CHECK_CLOSE(0.5 / (0.25 * 200), moved(&study, 5), 1e-8);
    CHECK_CLOSE(0.5 / (0.25 * 200), moved(&study, 4), 1e-8);
    small_study(&study, STUDY_SITE, MODEL_MLP);
    CHECK_CLOSE(1.0 / 5, moved(&study, 5), 1e-7);
    CHECK_CLOSE(1.0 / 4, moved(&study, 4), 1e-7);
}

static void a_sealed_segment_leaves_its_coordinates_alone(void)
{
    struct study study;
    small_study(&study, STUDY_SITE, MODEL_MLP);
    AUTO(course_free) struct course course = {0};
    tutor_start(&course, &study);
    tutor_apply(&course, 1);
    tutor_apply(&course, 500); /* now every kept coordinate has a velocity */
    AUTO(round_free) struct round round = {0};
    tutor_finish(&round, &course, TUTOR_SITES, 500);
    bits_clear(&round.opened_set, 1);
    opened_free(&round.opened[1]);
    float before[TUTOR_MOST], velocity[TUTOR_MOST];
    memcpy(before, course.state.weight, course.layout.n * sizeof *before);
    memcpy(velocity, course.velocity, course.layout.n * sizeof *velocity);
    CHECK_OK(course_apply(&course, &round));
    for (uint32_t t = 0; t < course.layout.n_tensors; t++) {
        const struct tensor *tensor = &course.layout.tensor[t];
        const uint64_t end = tensor->offset + (uint64_t)tensor->rows * tensor->cols;
        bool right = true;
        for (uint64_t i = tensor->offset; i < end; i++) {
            bool still = course.state.weight[i] == before[i] && course.velocity[i] == velocity[i];
            right = right && still == (tensor->segment == 1 || !bits_has(&course.state.keep, i));
        }
        CHECK(right);
    }
}

/* The same sums turned segment by segment, handed over as sites would: the course turns them back.
 */
static void rotated_segments_are_turned_back(void)
{
    struct study study;
    small_study(&study, STUDY_SITE, MODEL_CNN);
    AUTO(course_free) struct course plain = {0}, turned = {0};
    tutor_start(&plain, &study);
    tutor_apply(&plain, 1);
    AUTO(round_free) struct round round = {0}, same = {0};
    tutor_finish(&round, &plain, TUTOR_SITES, 30);
    struct study other = study;
    other.privacy.rotation = STUDY_ROTATION_HADAMARD;
    tutor_start(&turned, &other);
    tutor_apply(&turned, 1);
    tutor_finish(&same, &turned, TUTOR_SITES, 30);
    CHECK(round.plan.grid.scale == same.plan.grid.scale);
    same.roster_hash = (struct hash){.bytes = {7}};
    for (uint32_t l = 0; l < same.plan.n_segments; l++) {
        AUTO(rotate_free) struct rotate rotate = {0};
        CHECK_OK(schedule_rotate(&rotate, &same.plan, l, &same.roster_hash));
        float value[TUTOR_MOST];
        for (size_t i = 0; i < rotate.n; i++) value[i] = (float)(int32_t)same.opened[l].value[i];
        rotate_forth(&rotate, value);
        for (size_t i = 0; i < rotate.n; i++)
            same.opened[l].value[i] = (uint32_t)(int32_t)lrintf(value[i]);
    }
    bits_clear(&round.opened_set, 1);
    bits_clear(&same.opened_set, 1);
    CHECK_OK(course_apply(&plain, &round));
    CHECK_OK(course_apply(&turned, &same));
    /* Half a grid unit a coordinate, turned: six deviations of sqrt(1/12). */
    const double unit = study.rounds.learning_rate / round.plan.grid.scale / TUTOR_SITES;
    double most = 0;
    for (size_t i = 0; i < plain.layout.n; i++)
        most =
            fmax(most, fabs((double)plain.state.weight[i] - (double)turned.state.weight[i]) / unit);
    CHECK(most > 0 && most < 2);
}

/* The round's sums are (i + 1) * 30 over the coordinates it is about, layer after layer. */
static void a_round_moves_what_it_is_about_and_nothing_else(void)
{
    struct study study;
    small_study(&study, STUDY_SITE, MODEL_MLP);
    study.rounds.coordinates = 0.3;
    AUTO(course_free) struct course course = {0};
    tutor_start(&course, &study);
    tutor_apply(&course, 1);
    tutor_apply(&course, 500);
    AUTO(round_free) struct round round = {0};
    tutor_finish(&round, &course, TUTOR_SITES, 30);
    round.roster_hash = (struct hash){.bytes = {7}};
    float velocity[TUTOR_MOST], before[TUTOR_MOST];
    memcpy(velocity, course.velocity, course.layout.n * sizeof *velocity);
    memcpy(before, course.state.weight, course.layout.n * sizeof *before);
    CHECK_OK(course_apply(&course, &round));
    size_t moved = 0, kept = 0;
    bool right = true;
    for (uint32_t l = 0; l < round.plan.n_segments; l++) {
        const uint32_t s = schedule_layer(&course.layout, &round.plan, l);
        const uint64_t first = layout_segment_first(&course.layout, s);
        const uint64_t left = layout_segment_size(&course.layout, s, &course.state.keep);
        struct pick pick;
        schedule_pick(&pick, &round.plan, l, left, &round.roster_hash);
        for (uint64_t i = first; i < first + layout_segment_size(&course.layout, s, NULL); i++) {
            const bool about = bits_has(&course.state.keep, i) && pick_next(&pick);
            kept += bits_has(&course.state.keep, i);
            moved += about;
            const float mean =
                about ? (float)((double)(moved * 30) / (round.plan.grid.scale * TUTOR_SITES)) : 0;
            const float want =
                about ? (float)study.rounds.momentum * velocity[i] + mean : velocity[i];
            right = right && course.velocity[i] == want;
            right = right && (course.state.weight[i] != before[i]) == about;
        }
        CHECK(pick.n == 0 && pick.k == 0);
    }
    CHECK(right);
    CHECK((double)moved > 0.29 * (double)kept && (double)moved < 0.31 * (double)kept);
}

static void thresholds_that_do_not_fit_the_sites_are_refused(void)
{
    struct study study;
    small_study(&study, STUDY_SITE, MODEL_MLP);
    float weight[TUTOR_MOST] = {0};
    struct course course = {0};
    CHECK_STATUS(STATUS_RANGE, course_new(&course, &study, 9, weight, &said));
    study.model.spec.classes = 1;
    CHECK_STATUS(STATUS_RANGE, course_new(&course, &study, TUTOR_SITES, weight, &said));
    CHECK(course.study == NULL && course.velocity == NULL);
}

static void memory_may_end_anywhere(void)
{
    struct study study;
    small_study(&study, STUDY_SITE, MODEL_MLP);
    float weight[TUTOR_MOST];
    tutor_weights(weight);
    OOM_EACH {
        AUTO(course_free) struct course course = {0};
        enum status status = course_new(&course, &study, TUTOR_SITES, weight, &said);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((course.study == NULL) == (status != STATUS_OK));
    }
    for (unsigned trained = 0; trained < 2; trained++) {
        AUTO(course_free) struct course course = {0};
        study.privacy.rotation = STUDY_ROTATION_HADAMARD;
        tutor_start(&course, &study);
        if (trained > 0) tutor_apply(&course, 1);
        AUTO(round_free) struct round round = {0};
        tutor_finish(&round, &course, TUTOR_SITES, 100);
        memcpy(weight, course.state.weight, course.layout.n * sizeof *weight);
        const size_t kept = bits_count(&course.state.keep);
        OOM_EACH {
            enum status status = course_apply(&course, &round);
            oom_stop();
            if (status == STATUS_OK) continue;
            CHECK_STATUS(STATUS_NOMEM, status);
            CHECK(memcmp(weight, course.state.weight, course.layout.n * sizeof *weight) == 0);
            CHECK_NUMBER(kept, bits_count(&course.state.keep));
            CHECK_NUMBER(0, course.trained);
        }
    }
}

int main(void)
{
    RUN(one_exploration_then_the_rounds_of_the_study);
    RUN(evaluations_come_when_they_are_due_and_change_nothing);
    RUN(without_pruning_training_comes_first);
    RUN(steps_are_heavy_ball_with_a_falling_rate);
    RUN(the_divisor_is_public);
    RUN(a_sealed_segment_leaves_its_coordinates_alone);
    RUN(rotated_segments_are_turned_back);
    RUN(a_round_moves_what_it_is_about_and_nothing_else);
    RUN(thresholds_that_do_not_fit_the_sites_are_refused);
    RUN(memory_may_end_anywhere);
    return check_done();
}
