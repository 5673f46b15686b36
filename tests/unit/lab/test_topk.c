/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/topk.h"

#include <math.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/small.h"

enum { SITES = 4, RECORDS = 60 };

static void open_topk(struct topk *topk, struct study *study, enum study_unit unit, double share,
                      struct state *initial)
{
    struct dataset data[SITES] = {{0}};
    small_study(study, unit, MODEL_MLP);
    study->rounds.coordinates = share;
    study->privacy.records = unit == STUDY_PATIENT ? SITES * RECORDS : 0;
    for (uint32_t v = 0; v < SITES; v++) small_data(&data[v], study, RECORDS, 3 + v);
    small_state(initial, study, false);
    CHECK_OK(topk_new(topk, study, SITES, data, initial->weight, NULL, 9));
    CHECK(data[SITES - 1].n == 0);
}

static void the_largest_stay_and_of_equal_ones_the_first(void)
{
    static const float value[] = {1, -3, 2, -2, 0.5F, 3, 2, 0};
    static const float kept[][8] = {{0, -3, 0, 0, 0, 0, 0, 0},     {0, -3, 0, 0, 0, 3, 0, 0},
                                    {0, -3, 2, 0, 0, 3, 0, 0},     {0, -3, 2, -2, 0, 3, 0, 0},
                                    {0, -3, 2, -2, 0, 3, 2, 0},    {1, -3, 2, -2, 0, 3, 2, 0},
                                    {1, -3, 2, -2, 0.5F, 3, 2, 0}, {1, -3, 2, -2, 0.5F, 3, 2, 0}};
    for (size_t k = 1; k <= 8; k++) {
        float got[8], scratch[8];
        memcpy(got, value, sizeof got);
        topk_keep(got, 8, k, scratch);
        CHECK_BYTES(kept[k - 1], got, sizeof got);
    }
}

/* Beside it the sites' contributions by the same steps, without a choice, and the heavy ball. */
static void a_share_of_one_is_the_plain_mean(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++) {
        struct study study;
        AUTO(topk_free) struct topk topk = {0};
        AUTO(state_free) struct state state = {0};
        open_topk(&topk, &study, unit, 1, &state);
        CHECK_NUMBER(state.keep.n, topk.sent);
        static double velocity[4096];
        memset(velocity, 0, sizeof velocity);
        struct rng rng[SITES];
        for (uint32_t v = 0; v < SITES; v++) rng_numbered(&rng[v], 9 * SITES + v);
        for (uint32_t t = 0; t < 2; t++) {
            for (size_t i = 0; i < state.keep.n; i++) velocity[i] *= study.rounds.momentum;
            for (uint32_t v = 0; v < SITES; v++) {
                static float sum[4096];
                AUTO(local_free) struct local local = {0};
                struct dataset data = {0};
                small_data(&data, &study, RECORDS, 3 + v);
                CHECK_OK(local_new(&local, &study, &data));
                CHECK_OK(local_load(&local, &topk.state));
                CHECK_OK(solo_contribution(sum, &local, t, &rng[v]));
                for (size_t i = 0; i < state.keep.n; i++)
                    velocity[i] += (double)sum[i] / (unit == STUDY_SITE ? SITES : SITES * RECORDS);
            }
            memcpy(state.weight, topk.state.weight, state.keep.n * sizeof *state.weight);
            CHECK_OK(topk_round(&topk, 2));
            const double rate =
                study.rounds.learning_rate * (1 - study.rounds.decay * t / study.rounds.count);
            double moved = 0;
            for (size_t i = 0; i < state.keep.n; i++) {
                const double step = rate * velocity[i];
                CHECK_CLOSE((double)state.weight[i] + step, (double)topk.state.weight[i], 1e-5);
                moved = fmax(moved, fabs(step));
            }
            CHECK(moved > 1e-3);
        }
    }
}

/* No more coordinates move than all sites together can send, and what was not sent is not lost:
 * with one coordinate of each layer at a time the model still gets there. */
static void few_coordinates_move_and_the_rest_is_owed(void)
{
    struct study study;
    AUTO(topk_free) struct topk topk = {0};
    AUTO(state_free) struct state state = {0};
    open_topk(&topk, &study, STUDY_SITE, 0.02, &state);
    CHECK_OK(topk_round(&topk, 1));
    size_t moved = 0;
    for (size_t i = 0; i < state.keep.n; i++) moved += topk.state.weight[i] != state.weight[i];
    CHECK(moved >= topk.sent && moved <= SITES * topk.sent);
    CHECK((double)topk.sent < 0.03 * (double)state.keep.n);
}

/* A gradient that never changes: after many rounds all of it has been sent, but for what is owed.
 */
static void what_is_owed_is_sent_in_the_end(void)
{
    struct study study;
    AUTO(topk_free) struct topk topk = {0}, whole = {0};
    AUTO(state_free) struct state state = {0}, same = {0};
    open_topk(&topk, &study, STUDY_SITE, 0.25, &state);
    open_topk(&whole, &study, STUDY_SITE, 1, &same);
    /* So small steps that the gradients stay. */
    study.rounds.local_learning_rate = 1e-5;
    study.rounds.local_rate_decay = 1;
    study.rounds.momentum = 0;
    study.rounds.decay = 0;
    study.rounds.learning_rate = 1;
    struct study other = study;
    other.rounds.coordinates = 0.25;
    whole.study = &study;
    topk.study = &other;
    for (uint32_t t = 0; t < 40; t++) {
        CHECK_OK(topk_round(&topk, 1));
        CHECK_OK(topk_round(&whole, 1));
    }
    double apart = 0, way = 0;
    for (size_t i = 0; i < state.keep.n; i++) {
        apart += pow((double)topk.state.weight[i] - (double)whole.state.weight[i], 2);
        way += pow((double)whole.state.weight[i] - (double)state.weight[i], 2);
    }
    CHECK(way > 0 && sqrt(apart / way) < 0.2);
}

static void a_training_that_diverges_says_so(void)
{
    struct study study;
    AUTO(topk_free) struct topk topk = {0};
    AUTO(state_free) struct state state = {0};
    open_topk(&topk, &study, STUDY_SITE, 0.5, &state);
    study.rounds.local_learning_rate = 1e30;
    CHECK_STATUS(STATUS_RANGE, topk_round(&topk, 1));
}

static void data_of_another_shape_are_refused(void)
{
    struct study study;
    struct topk topk = {0};
    const float none = 0;
    AUTO(dataset_free) struct dataset data = {0};
    small_study(&study, STUDY_SITE, MODEL_MLP);
    small_data(&data, &study, RECORDS, 3);
    study.model.spec.width = 4;
    CHECK_STATUS(STATUS_RANGE, topk_new(&topk, &study, 1, &data, &none, NULL, 1));
    CHECK_NUMBER(RECORDS, data.n);
    topk_free(&topk);
}

static void without_memory_it_says_so(void)
{
    struct study study;
    AUTO(state_free) struct state state = {0};
    small_study(&study, STUDY_SITE, MODEL_MLP);
    small_state(&state, &study, false);
    OOM_EACH {
        oom_stop();
        struct dataset data[2] = {{0}};
        AUTO(topk_free) struct topk topk = {0};
        small_data(&data[0], &study, 10, 3);
        small_data(&data[1], &study, 10, 4);
        oom_resume();
        enum status status = topk_new(&topk, &study, 2, data, state.weight, NULL, 1);
        if (status == STATUS_OK) status = topk_round(&topk, 1);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        dataset_free(&data[0]);
        dataset_free(&data[1]);
    }
}

int main(void)
{
    RUN(the_largest_stay_and_of_equal_ones_the_first);
    RUN(a_share_of_one_is_the_plain_mean);
    RUN(few_coordinates_move_and_the_rest_is_owed);
    RUN(what_is_owed_is_sent_in_the_end);
    RUN(a_training_that_diverges_says_so);
    RUN(data_of_another_shape_are_refused);
    RUN(without_memory_it_says_so);
    return check_done();
}
