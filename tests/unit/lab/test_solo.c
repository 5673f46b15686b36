/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/solo.h"

#include <math.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/small.h"

enum { RECORDS = 60 };

static void open_solo(struct solo *solo, const struct study *study, struct state *initial)
{
    struct dataset data = {0};
    small_data(&data, study, RECORDS, 3);
    small_state(initial, study, false);
    CHECK_OK(solo_new(solo, study, &data, initial->weight, NULL, 9));
    CHECK(data.n == 0);
}

/* With all records in every sample and a clip that nothing reaches, it is gradient descent with a
 * heavy ball. */
static void a_sampled_step_is_the_heavy_balls(void)
{
    struct study study;
    AUTO(solo_free) struct solo solo = {0};
    AUTO(state_free) struct state state = {0};
    small_study(&study, STUDY_PATIENT, MODEL_MLP);
    study.privacy.clip = 1e6;
    open_solo(&solo, &study, &state);
    static double velocity[4096];
    const size_t n = state.keep.n;
    CHECK(n <= 4096);
    for (uint32_t t = 0; t < study.rounds.count; t++) {
        static double mean[4096];
        memset(mean, 0, sizeof mean);
        CHECK_OK(local_load(&solo.local, &state));
        for (uint32_t r = 0; r < RECORDS; r++) {
            local_gradient(&solo.local, r);
            for (size_t i = 0; i < n; i++) mean[i] += (double)solo.local.grad[i] / RECORDS;
        }
        const double rate =
            study.rounds.learning_rate * (1 - study.rounds.decay * t / study.rounds.count);
        for (size_t i = 0; i < n; i++) {
            velocity[i] = study.rounds.momentum * velocity[i] + mean[i];
            state.weight[i] += (float)(rate * velocity[i]);
        }
        CHECK_OK(solo_round(&solo));
        for (size_t i = 0; i < n; i++)
            CHECK_CLOSE((double)state.weight[i], (double)solo.state.weight[i], 1e-5);
    }
}

static void a_clip_bounds_a_sampled_step(void)
{
    struct study study;
    AUTO(solo_free) struct solo solo = {0};
    AUTO(state_free) struct state state = {0};
    small_study(&study, STUDY_PATIENT, MODEL_MLP);
    study.privacy.clip = 1e-3;
    open_solo(&solo, &study, &state);
    CHECK_OK(solo_round(&solo));
    double moved = 0;
    for (size_t i = 0; i < state.keep.n; i++)
        moved += pow((double)solo.state.weight[i] - (double)state.weight[i], 2);
    CHECK(moved > 0 && sqrt(moved) <= study.rounds.learning_rate * 1e-3 * (1 + 1e-3));
}

static void rounds_of_a_site_are_its_epochs_in_a_row(void)
{
    struct study study;
    AUTO(solo_free) struct solo solo = {0};
    AUTO(state_free) struct state state = {0};
    small_study(&study, STUDY_SITE, MODEL_MLP);
    open_solo(&solo, &study, &state);
    AUTO(local_free) struct local local = {0};
    struct dataset data = {0};
    small_data(&data, &study, RECORDS, 3);
    CHECK_OK(local_new(&local, &study, &data));
    struct rng rng = {0};
    rng_numbered(&rng, 9);
    for (uint32_t t = 0; t < 2; t++) {
        CHECK_OK(local_load(&local, &state));
        CHECK_OK(local_epochs(&local, t, &rng));
        for (size_t i = 0; i < state.keep.n; i++) state.weight[i] += local.grad[i];
        CHECK_OK(solo_round(&solo));
        CHECK(memcmp(state.weight, solo.state.weight, state.keep.n * sizeof(float)) == 0);
    }
}

static void a_training_that_diverges_says_so(void)
{
    struct study study;
    AUTO(solo_free) struct solo solo = {0};
    AUTO(state_free) struct state state = {0};
    small_study(&study, STUDY_SITE, MODEL_MLP);
    study.rounds.local_learning_rate = 1e30;
    open_solo(&solo, &study, &state);
    CHECK_STATUS(STATUS_RANGE, solo_round(&solo));
}

static void data_of_another_shape_are_refused(void)
{
    struct study study;
    struct solo solo = {0};
    const float none = 0;
    AUTO(dataset_free) struct dataset data = {0};
    small_study(&study, STUDY_SITE, MODEL_MLP);
    small_data(&data, &study, RECORDS, 3);
    study.model.spec.width = 4;
    CHECK_STATUS(STATUS_RANGE, solo_new(&solo, &study, &data, &none, NULL, 1));
    CHECK_NUMBER(RECORDS, data.n);
    solo_free(&solo);
}

static void without_memory_it_says_so(void)
{
    struct study study;
    AUTO(state_free) struct state state = {0};
    small_study(&study, STUDY_SITE, MODEL_MLP);
    small_state(&state, &study, false);
    OOM_EACH {
        oom_stop();
        AUTO(dataset_free) struct dataset data = {0};
        AUTO(solo_free) struct solo solo = {0};
        small_data(&data, &study, 10, 3);
        oom_resume();
        enum status status = solo_new(&solo, &study, &data, state.weight, NULL, 1);
        if (status == STATUS_OK) status = solo_round(&solo);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
    }
}

int main(void)
{
    RUN(a_sampled_step_is_the_heavy_balls);
    RUN(a_clip_bounds_a_sampled_step);
    RUN(rounds_of_a_site_are_its_epochs_in_a_row);
    RUN(a_training_that_diverges_says_so);
    RUN(data_of_another_shape_are_refused);
    RUN(without_memory_it_says_so);
    return check_done();
}
