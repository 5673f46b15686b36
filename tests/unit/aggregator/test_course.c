/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/course.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregator/prune.h"
#include "crypto/rng.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/small.h"

enum { SITES = 5, MOST = 2000 };

static void initial_weights(float *weight)
{
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    for (size_t i = 0; i < MOST; i++) weight[i] = (float)rng_normal(&rng);
}

static void start(struct course *course, const struct study *study)
{
    float weight[MOST];
    initial_weights(weight);
    CHECK_OK(course_new(course, study, SITES, weight));
}

/* A round of the course's next plan that is done: `survivors` sites, sums of (i + 1) * unit. */
static void finish(struct round *round, const struct course *course, size_t survivors, int32_t unit)
{
    AUTO(bits_free) struct bits cohort = {0};
    CHECK_OK(bits_new(&cohort, SITES));
    bits_fill(&cohort);
    round_free(round);
    *round = (struct round){.phase = PHASE_DONE};
    CHECK_OK(course_plan(&round->plan, course, &cohort));
    CHECK_OK(bits_new(&round->survivors, SITES));
    for (size_t v = 0; v < survivors; v++) bits_set(&round->survivors, v);
    CHECK_OK(bits_new(&round->opened_set, round->plan.n_segments));
    bits_fill(&round->opened_set);
    int32_t i = 1;
    for (uint32_t l = 0; l < round->plan.n_segments; l++) {
        CHECK_OK(opened_new(&round->opened[l], round->plan.segment[l].dim));
        for (size_t k = 0; k < round->opened[l].n; k++)
            round->opened[l].value[k] = (uint32_t)(i++ * unit);
    }
}

static void apply(struct course *course, int32_t unit)
{
    AUTO(round_free) struct round round = {0};
    finish(&round, course, SITES, unit);
    CHECK_OK(course_apply(course, &round));
}

static void one_exploration_then_the_rounds_of_the_study(void)
{
    struct study study;
    small_study(&study, STUDY_PATIENT, MODEL_MLP);
    AUTO(course_free) struct course course = {0};
    start(&course, &study);
    for (uint32_t round = 0; round <= study.rounds.count; round++) {
        CHECK(!course_done(&course));
        AUTO(round_free) struct round done = {0};
        finish(&done, &course, SITES, 100);
        CHECK_NUMBER(round == 0 ? STEP_EXPLORE : STEP_TRAIN, done.plan.step);
        CHECK_NUMBER(round == 0 ? 0 : round - 1, done.plan.step_number);
        CHECK_NUMBER(REASON_NONE, schedule_check(&course.schedule, &done.plan, &course.state.keep));
        uint64_t dim = schedule_release(&done.plan, 1).dim;
        CHECK_NUMBER(round == 0 ? layout_units(&course.layout) : bits_count(&course.state.keep),
                     dim);
        CHECK_OK(course_apply(&course, &done));
    }
    CHECK(course_done(&course));
}

static void without_pruning_training_comes_first(void)
{
    struct study study;
    small_study(&study, STUDY_PATIENT, MODEL_CNN);
    study.pruning.mode = STUDY_PRUNING_NONE;
    AUTO(course_free) struct course course = {0};
    start(&course, &study);
    AUTO(round_free) struct round round = {0};
    finish(&round, &course, SITES, 1);
    CHECK_NUMBER(STEP_TRAIN, round.plan.step);
    for (uint32_t i = 0; i < study.rounds.count; i++) apply(&course, 1);
    CHECK(course_done(&course));
    CHECK_NUMBER(course.layout.n, bits_count(&course.state.keep));
}

static void the_exploration_prunes_the_weights_and_leaves_the_others(void)
{
    float weight[MOST];
    initial_weights(weight);
    for (enum study_pruning mode = STUDY_PRUNING_PRIVATE; mode <= STUDY_PRUNING_PAPER; mode++) {
        struct study study;
        small_study(&study, STUDY_SITE, MODEL_MLP);
        study.pruning.mode = mode;
        AUTO(course_free) struct course course = {0};
        start(&course, &study);
        apply(&course, 100);
        float guidance[MOST];
        for (size_t i = 0; i < MOST; i++) guidance[i] = (float)i + 1;
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

static void steps_are_heavy_ball_with_a_falling_rate(void)
{
    struct study study;
    small_study(&study, STUDY_SITE, MODEL_MLP);
    study.rounds.momentum = 0.75;
    study.rounds.decay = 0.6;
    study.rounds.learning_rate = 2;
    AUTO(course_free) struct course course = {0};
    start(&course, &study);
    apply(&course, 1);
    float weight[MOST];
    initial_weights(weight);
    double v[MOST] = {0}, w[MOST];
    for (size_t i = 0; i < MOST; i++) w[i] = (double)weight[i];
    static const int32_t units[] = {400, -700, 300};
    for (uint32_t t = 0; t < 3; t++) {
        AUTO(round_free) struct round round = {0};
        finish(&round, &course, SITES, units[t]);
        CHECK_OK(course_apply(&course, &round));
        double largest = 0;
        size_t at = 0;
        for (size_t i = 0; i < course.layout.n; i++) {
            if (!bits_has(&course.state.keep, i)) {
                CHECK(course.state.weight[i] == 0);
                continue;
            }
            double mean = (double)++at * units[t] / round.plan.grid.scale / SITES;
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
    start(&course, study);
    apply(&course, 1);
    size_t i = 0;
    while (!bits_has(&course.state.keep, i)) i++;
    course.state.weight[i] = 0;
    AUTO(round_free) struct round round = {0};
    finish(&round, &course, survivors, 1);
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
    start(&course, &study);
    apply(&course, 1);
    apply(&course, 500); /* now every kept coordinate has a velocity */
    AUTO(round_free) struct round round = {0};
    finish(&round, &course, SITES, 500);
    bits_clear(&round.opened_set, 1);
    opened_free(&round.opened[1]);
    float before[MOST], velocity[MOST];
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

static void thresholds_that_do_not_fit_the_sites_are_refused(void)
{
    struct study study;
    small_study(&study, STUDY_SITE, MODEL_MLP);
    float weight[MOST] = {0};
    struct course course = {0};
    CHECK_STATUS(STATUS_RANGE, course_new(&course, &study, 9, weight));
    study.model.spec.classes = 1;
    CHECK_STATUS(STATUS_RANGE, course_new(&course, &study, SITES, weight));
    CHECK(course.study == NULL && course.velocity == NULL);
}

static void memory_may_end_anywhere(void)
{
    struct study study;
    small_study(&study, STUDY_SITE, MODEL_MLP);
    float weight[MOST];
    initial_weights(weight);
    OOM_EACH {
        AUTO(course_free) struct course course = {0};
        enum status status = course_new(&course, &study, SITES, weight);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((course.study == NULL) == (status != STATUS_OK));
    }
    for (unsigned trained = 0; trained < 2; trained++) {
        AUTO(course_free) struct course course = {0};
        start(&course, &study);
        if (trained > 0) apply(&course, 1);
        AUTO(round_free) struct round round = {0};
        finish(&round, &course, SITES, 100);
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
    RUN(without_pruning_training_comes_first);
    RUN(the_exploration_prunes_the_weights_and_leaves_the_others);
    RUN(steps_are_heavy_ball_with_a_falling_rate);
    RUN(the_divisor_is_public);
    RUN(a_sealed_segment_leaves_its_coordinates_alone);
    RUN(thresholds_that_do_not_fit_the_sites_are_refused);
    RUN(memory_may_end_anywhere);
    return check_done();
}
