/* SPDX-License-Identifier: Apache-2.0 */
/* Membership inference against models that are trained here, over and over, each on records that a
 * coin chose, with labels by chance so that they can only be learnt by heart.
 *
 * Null hypothesis: the model was trained on other records. Then the area under the curve is 1/2 and
 * a bound above 0 is a false alarm: at most 5 % of them are. Power: a model that was trained on the
 * members, without privacy, is caught. Seeds are fixed, so a pass repeats; without them the null's
 * checks would fail with probability below 1e-6 each. */
#include <math.h>
#include <stdio.h>

#include "dp/bound.h"
#include "lab/score.h"
#include "lab/shadow.h"
#include "tests/lib/check.h"
#include "tests/lib/small.h"

enum { RECORDS = 80, REFERENCES = 8, ATTACKS = 2 };

/* In RUNS runs, each with probability 5 %. */
#define RUNS 100
#define ALARMS_MOST 19
/* Deviations of a mean that are exceeded with probability below 1e-6. */
#define DEVIATIONS 4.9

static const struct bound_level level = {1e-5, 0.95};
static struct study study;

/* Records as alike as noise: what a model knows of one helps with no other. */
static void draw(struct dataset *data, struct rng *rng)
{
    small_data(data, &study, RECORDS, rng_u64(rng));
    for (size_t i = 0; i < RECORDS * dataset_floats(data); i++)
        data->pixel[i] = (uint8_t)rng_below(rng, 256);
    for (size_t i = 0; i < RECORDS; i++) data->label[i] = (uint8_t)rng_below(rng, 3);
}

struct trial {
    double auc[ATTACKS], epsilon[ATTACKS];
};

/* One model, attacked by both. */
static void attack(struct trial *out, bool trained_on_members, uint64_t seed)
{
    struct rng rng = {0};
    rng_numbered(&rng, seed);
    AUTO(dataset_free) struct dataset data = {0}, elsewhere = {0}, own = {0};
    AUTO(membership_free) struct membership m = {0};
    AUTO(state_free) struct state initial = {0}, target = {0};
    draw(&data, &rng);
    draw(&elsewhere, &rng);
    small_state(&initial, &study, false);
    const struct shadow how = {.study = &study, .initial = initial.weight, .threads = 2};
    bool included[RECORDS];
    uint8_t member[RECORDS];
    uint16_t side[RECORDS];
    for (size_t i = 0; i < RECORDS; i++) side[i] = member[i] = included[i] = rng_below(&rng, 2);
    CHECK_OK(split_take(&own, trained_on_members ? &data : &elsewhere, side, 1));
    CHECK_OK(shadow_train(&target, NULL, &how, &own, rng_u64(&rng)));
    CHECK_OK(membership_new(&m, RECORDS, REFERENCES));
    CHECK_OK(shadow_margins(m.target, &how, &target, &data));
    CHECK_OK(shadow_references(&m, &how, &data, rng_u64(&rng), NULL, NULL));
    double score[ATTACKS][RECORDS];
    CHECK_OK(membership_lira(score[0], &m));
    CHECK_OK(membership_rmia(score[1], &m, MEMBERSHIP_RMIA_A));
    for (int a = 0; a < ATTACKS; a++) {
        struct bound_run run = {0};
        CHECK_OK(score_auc(&out->auc[a], score[a], member, RECORDS));
        CHECK_OK(bound_guess(&run, score[a], included, RECORDS, RECORDS / 4 / 2 * 2));
        CHECK_OK(bound_one_run(&out->epsilon[a], &run, &level));
    }
}

static void a_model_of_other_records_raises_no_alarm(void)
{
    double sum[ATTACKS] = {0};
    uint32_t alarms[ATTACKS] = {0};
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        struct trial t;
        attack(&t, false, seed);
        for (int a = 0; a < ATTACKS; a++) {
            sum[a] += t.auc[a];
            alarms[a] += t.epsilon[a] > 0;
        }
    }
    /* Mann and Whitney's deviation of one run with halves of all records. */
    const double one = sqrt((RECORDS + 1) / (3.0 * RECORDS * RECORDS));
    for (int a = 0; a < ATTACKS; a++) {
        printf("attack %d: mean AUC %.4f, %u alarms in %d runs\n", a, sum[a] / RUNS, alarms[a],
               RUNS);
        CHECK_CLOSE(0.5, sum[a] / RUNS, DEVIATIONS * one / sqrt(RUNS));
        CHECK(alarms[a] <= ALARMS_MOST);
    }
}

static void a_model_that_learnt_by_heart_is_caught(void)
{
    enum { TIMES = 5 };
    double sum[ATTACKS] = {0};
    uint32_t caught[ATTACKS] = {0};
    for (uint64_t seed = 0; seed < TIMES; seed++) {
        struct trial t;
        attack(&t, true, 1000 + seed);
        for (int a = 0; a < ATTACKS; a++) {
            sum[a] += t.auc[a];
            caught[a] += t.epsilon[a] > 0.5;
        }
    }
    for (int a = 0; a < ATTACKS; a++) {
        printf("attack %d: mean AUC %.4f, caught %u of %d\n", a, sum[a] / TIMES, caught[a], TIMES);
        CHECK(sum[a] / TIMES > 0.8);
        CHECK(caught[a] >= TIMES - 1);
    }
}

int main(void)
{
    small_study(&study, STUDY_SITE, MODEL_MLP);
    study.rounds.count = 30;
    study.rounds.local_rate_decay = 1;
    RUN(a_model_of_other_records_raises_no_alarm);
    RUN(a_model_that_learnt_by_heart_is_caught);
    return check_done();
}
