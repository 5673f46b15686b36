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

static struct settings_error said;

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
    CHECK_OK(course_new(course, study, SITES, weight, &said));
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
    start(&course, &study);
    for (size_t round = 0; round < sizeof steps / sizeof *steps; round++) {
        CHECK(!course_done(&course));
        AUTO(round_free) struct round done = {0};
        finish(&done, &course, SITES, 100);
        CHECK_NUMBER(steps[round], done.plan.step);
        CHECK_NUMBER(numbers[round], done.plan.step_number);
        CHECK_NUMBER(REASON_NONE, schedule_check(&course.schedule, &done.plan, &course.state.keep,
                                                 course.state.clip));
        float weight[MOST], velocity[MOST];
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

/* A study whose clip adapts, without pruning: 2000 expected records a round at epsilon 8. */
static void adaptive_study(struct study *study)
{
    small_study(study, STUDY_PATIENT, MODEL_MLP);
    study->pruning.mode = STUDY_PRUNING_NONE;
    study->privacy.adaptive_clip = true;
    study->privacy.clip_quantile = 0.8;
    study->privacy.clip_rate = 0.2;
    study->privacy.sampling = 0.1;
    study->privacy.records = 20000;
    study->privacy.epsilon = 8;
    study->rounds.count = 120;
}

/* A round that is done: no gradient, and this count of contributions within the clip less those
 * that are not. */
static void finish_counted(struct round *round, const struct course *course, double within,
                           double noise)
{
    finish(round, course, SITES, 0);
    const uint32_t last = round->plan.n_segments - 1;
    const double sum = within * round->plan.clip_bit + noise * round->plan.grid.sigma;
    round->opened[last].value[0] = (uint32_t)(int32_t)rint(sum);
}

static void the_clip_follows_the_count(void)
{
    struct study study;
    adaptive_study(&study);
    AUTO(course_free) struct course course = {0};
    start(&course, &study);
    CHECK(course.state.clip == 0);
    static const struct {
        double within, share;
    } known[] = {{1200, 0.8}, {0, 0.5},   {-2000, 0},   {2000, 1},
                 {5000, 1},   {-9000, 0}, {-300, 0.425}};
    double clip = study.privacy.clip;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        AUTO(round_free) struct round round = {0};
        finish_counted(&round, &course, known[i].within, 0);
        CHECK_OK(course_apply(&course, &round));
        clip *= exp(-0.2 * (known[i].share - 0.8));
        CHECK_CLOSE(clip, course.state.clip, 1e-6 * clip);
        CHECK_NUMBER(i + 1, course.trained);
    }
    /* By the survivors where a contribution is a site. */
    study.privacy.unit = STUDY_SITE;
    study.privacy.epsilon = (double)INFINITY;
    for (size_t survivors = 4; survivors <= 5; survivors++) {
        AUTO(course_free) struct course sites = {0};
        start(&sites, &study);
        AUTO(round_free) struct round round = {0};
        finish(&round, &sites, survivors, 0);
        round.opened[3].value[0] = 2;
        CHECK_OK(course_apply(&sites, &round));
        const double share = 0.5 + 1.0 / (double)survivors;
        CHECK_CLOSE(study.privacy.clip * exp(-0.2 * (share - 0.8)), sites.state.clip, 1e-6);
    }
}

/* Norms are log-normal around 3 with deviation 0.5; the clip begins far below or far above. */
static void the_clip_finds_the_quantile_through_the_noise(void)
{
    const double median = 3, deviation = 0.5;
    const double target = median * exp(deviation * 0.8416); /* 0.8 of them */
    for (size_t high = 0; high < 2; high++) {
        struct study study;
        adaptive_study(&study);
        study.privacy.clip = high == 0 ? 0.1 : 60;
        AUTO(course_free) struct course course = {0};
        start(&course, &study);
        struct rng rng = {0};
        rng_numbered(&rng, 9);
        double late = 0;
        while (!course_done(&course)) {
            const double clip = schedule_clip(&study, course.state.clip);
            double within = 0;
            for (size_t i = 0; i < 20000; i++) {
                if (rng_unit(&rng) >= 0.1) continue;
                within += median * exp(deviation * rng_normal(&rng)) <= clip ? 1 : -1;
            }
            AUTO(round_free) struct round round = {0};
            finish_counted(&round, &course, within, sqrt(SITES) * rng_normal(&rng));
            CHECK(round.plan.grid.sigma > 0);
            CHECK_OK(course_apply(&course, &round));
            if (course.trained > 100) late += log(course.state.clip / target) / 20;
        }
        /* One round's count is off by 100 to 130 of 2000, a step by 0.2 times that share. */
        CHECK_CLOSE(0, late, 0.1);
    }
}

static void a_sealed_count_leaves_the_clip_and_a_fixed_clip_stays(void)
{
    struct study study;
    adaptive_study(&study);
    AUTO(course_free) struct course course = {0};
    start(&course, &study);
    for (size_t i = 0; i < 2; i++) {
        AUTO(round_free) struct round round = {0};
        finish_counted(&round, &course, 2000, 0);
        CHECK_OK(course_apply(&course, &round));
    }
    const double before = course.state.clip;
    AUTO(round_free) struct round round = {0};
    finish(&round, &course, SITES, 3);
    const uint32_t last = round.plan.n_segments - 1;
    bits_clear(&round.opened_set, last);
    opened_free(&round.opened[last]);
    CHECK_OK(course_apply(&course, &round));
    CHECK(course.state.clip == before);
    study.privacy.adaptive_clip = false;
    AUTO(course_free) struct course fixed = {0};
    start(&fixed, &study);
    apply(&fixed, 1);
    CHECK(fixed.state.clip == 0);
}

/* The same sums turned segment by segment, handed over as sites would: the course turns them back.
 */
static void rotated_segments_are_turned_back(void)
{
    struct study study;
    small_study(&study, STUDY_SITE, MODEL_CNN);
    AUTO(course_free) struct course plain = {0}, turned = {0};
    start(&plain, &study);
    apply(&plain, 1);
    AUTO(round_free) struct round round = {0}, same = {0};
    finish(&round, &plain, SITES, 30);
    struct study other = study;
    other.privacy.rotation = STUDY_ROTATION_HADAMARD;
    start(&turned, &other);
    apply(&turned, 1);
    finish(&same, &turned, SITES, 30);
    CHECK(round.plan.grid.scale == same.plan.grid.scale);
    same.roster_hash = (struct hash){.bytes = {7}};
    for (uint32_t l = 0; l < same.plan.n_segments; l++) {
        AUTO(rotate_free) struct rotate rotate = {0};
        CHECK_OK(schedule_rotate(&rotate, &same.plan, l, &same.roster_hash));
        float value[MOST];
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
    const double unit = study.rounds.learning_rate / round.plan.grid.scale / SITES;
    double most = 0;
    for (size_t i = 0; i < plain.layout.n; i++)
        most =
            fmax(most, fabs((double)plain.state.weight[i] - (double)turned.state.weight[i]) / unit);
    CHECK(most > 0 && most < 2);
}

static void thresholds_that_do_not_fit_the_sites_are_refused(void)
{
    struct study study;
    small_study(&study, STUDY_SITE, MODEL_MLP);
    float weight[MOST] = {0};
    struct course course = {0};
    CHECK_STATUS(STATUS_RANGE, course_new(&course, &study, 9, weight, &said));
    study.model.spec.classes = 1;
    CHECK_STATUS(STATUS_RANGE, course_new(&course, &study, SITES, weight, &said));
    adaptive_study(&study);
    study.privacy.clip_count_noise = 1e-3;
    CHECK_STATUS(STATUS_RANGE, course_new(&course, &study, SITES, weight, &said));
    CHECK(strcmp(said.key, "clip_count_noise") == 0);
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
        enum status status = course_new(&course, &study, SITES, weight, &said);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((course.study == NULL) == (status != STATUS_OK));
    }
    for (unsigned trained = 0; trained < 2; trained++) {
        AUTO(course_free) struct course course = {0};
        study.privacy.rotation = STUDY_ROTATION_HADAMARD;
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
    RUN(evaluations_come_when_they_are_due_and_change_nothing);
    RUN(without_pruning_training_comes_first);
    RUN(the_exploration_prunes_the_weights_and_leaves_the_others);
    RUN(steps_are_heavy_ball_with_a_falling_rate);
    RUN(the_divisor_is_public);
    RUN(a_sealed_segment_leaves_its_coordinates_alone);
    RUN(the_clip_follows_the_count);
    RUN(the_clip_finds_the_quantile_through_the_noise);
    RUN(a_sealed_count_leaves_the_clip_and_a_fixed_clip_stays);
    RUN(rotated_segments_are_turned_back);
    RUN(thresholds_that_do_not_fit_the_sites_are_refused);
    RUN(memory_may_end_anywhere);
    return check_done();
}
