/* SPDX-License-Identifier: Apache-2.0 */
/* The clip that a course adapts to what the sites count. */
#include <math.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/small.h"
#include "tests/unit/aggregator/tutor.h"

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
    tutor_finish(round, course, TUTOR_SITES, 0);
    const uint32_t last = round->plan.n_segments - 1;
    const double sum = within * round->plan.clip_bit + noise * round->plan.grid.sigma;
    round->opened[last].value[0] = (uint32_t)(int32_t)rint(sum);
}

static void the_clip_follows_the_count(void)
{
    struct study study;
    adaptive_study(&study);
    AUTO(course_free) struct course course = {0};
    tutor_start(&course, &study);
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
        tutor_start(&sites, &study);
        AUTO(round_free) struct round round = {0};
        tutor_finish(&round, &sites, survivors, 0);
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
        tutor_start(&course, &study);
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
            finish_counted(&round, &course, within, sqrt(TUTOR_SITES) * rng_normal(&rng));
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
    tutor_start(&course, &study);
    for (size_t i = 0; i < 2; i++) {
        AUTO(round_free) struct round round = {0};
        finish_counted(&round, &course, 2000, 0);
        CHECK_OK(course_apply(&course, &round));
    }
    const double before = course.state.clip;
    AUTO(round_free) struct round round = {0};
    tutor_finish(&round, &course, TUTOR_SITES, 3);
    const uint32_t last = round.plan.n_segments - 1;
    bits_clear(&round.opened_set, last);
    opened_free(&round.opened[last]);
    CHECK_OK(course_apply(&course, &round));
    CHECK(course.state.clip == before);
    study.privacy.adaptive_clip = false;
    AUTO(course_free) struct course fixed = {0};
    tutor_start(&fixed, &study);
    tutor_apply(&fixed, 1);
    CHECK(fixed.state.clip == 0);
}

static void a_count_that_takes_all_of_the_noise_is_refused(void)
{
    struct study study;
    adaptive_study(&study);
    study.privacy.clip_count_noise = 1e-3;
    const float weight[TUTOR_MOST] = {0};
    struct course course = {0};
    struct settings_error said = {0};
    CHECK_STATUS(STATUS_RANGE, course_new(&course, &study, TUTOR_SITES, weight, &said));
    CHECK(strcmp(said.key, "clip_count_noise") == 0);
    CHECK(course.study == NULL && course.velocity == NULL);
}

int main(void)
{
    RUN(the_clip_follows_the_count);
    RUN(the_clip_finds_the_quantile_through_the_noise);
    RUN(a_sealed_count_leaves_the_clip_and_a_fixed_clip_stays);
    RUN(a_count_that_takes_all_of_the_noise_is_refused);
    return check_done();
}
