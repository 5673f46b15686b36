/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/score.h"

#include <math.h>
#include <stdlib.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/small.h"

/* Pair by pair, as it is defined. */
static double pairs(const double *value, const uint8_t *positive, size_t n)
{
    double won = 0, all = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            if (!positive[i] || positive[j]) continue;
            won += value[i] > value[j] ? 1 : value[i] < value[j] ? 0 : 0.5;
            all++;
        }
    return won / all;
}

static void auc_is_the_share_of_pairs_in_order(void)
{
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    for (size_t run = 0; run < 200; run++) {
        double value[40], auc = -1;
        uint8_t positive[40];
        const size_t n = 2 + rng_below(&rng, 39), levels = 1 + rng_below(&rng, 20);
        for (size_t i = 0; i < n; i++) {
            value[i] = (double)rng_below(&rng, levels) - 3;
            positive[i] = i == 0 || (i > 1 && rng_below(&rng, 2) == 1);
        }
        CHECK_OK(score_auc(&auc, value, positive, n));
        CHECK_CLOSE(pairs(value, positive, n), auc, 1e-15);
    }
}

static void auc_of_one_class_is_no_number(void)
{
    const double value[2] = {1, 2};
    const uint8_t none[2] = {0}, all[2] = {1, 1};
    double auc = 0;
    CHECK_OK(score_auc(&auc, value, none, 2));
    CHECK(isnan(auc));
    CHECK_OK(score_auc(&auc, value, all, 2));
    CHECK(isnan(auc));
    CHECK_OK(score_auc(&auc, value, all, 0));
    CHECK(isnan(auc));
}

static void auc_without_memory_says_so(void)
{
    const double value[2] = {1, 2};
    const uint8_t positive[2] = {0, 1};
    OOM_EACH {
        double auc = -1;
        const enum status status = score_auc(&auc, value, positive, 2);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK_CLOSE(status == STATUS_OK ? 1 : -1, auc, 0);
    }
}

static void open_test(struct local *test, struct state *state, uint32_t classes, size_t n)
{
    static struct study study;
    small_study(&study, STUDY_SITE, MODEL_MLP);
    study.model.spec.classes = classes;
    small_state(state, &study, false);
    struct dataset data = {0};
    small_data(&data, &study, n, 5);
    CHECK_OK(local_new(test, &study, &data));
}

/* The definitions, record by record. */
static void compare(uint32_t classes)
{
    enum { N = 300 };
    AUTO(local_free) struct local test = {0};
    AUTO(state_free) struct state state = {0};
    open_test(&test, &state, classes, N);
    struct score score = {0};
    CHECK_OK(score_state(&score, &test, &state));
    double loss = 0, seen[3] = {0}, right[3] = {0}, margin[N];
    for (uint32_t i = 0; i < N; i++) {
        const float *output = local_forward(&test, &test.data, &i, 1);
        const uint8_t label = test.data.label[i];
        double sum = 0;
        size_t best = 0;
        for (uint32_t k = 0; k < classes; k++) {
            sum += exp((double)output[k] - (double)output[label]);
            if (output[k] > output[best]) best = k;
        }
        loss += log(sum) / N;
        seen[label]++;
        right[label] += best == label;
        margin[i] = (double)output[1] - (double)output[0];
    }
    double balanced = 0, all = 0;
    for (uint32_t k = 0; k < classes; k++) {
        balanced += right[k] / seen[k] / classes;
        all += right[k];
    }
    CHECK_NUMBER(N, score.n);
    CHECK_CLOSE(all / N, score.accuracy, 1e-12);
    CHECK_CLOSE(balanced, score.balanced, 1e-12);
    CHECK_CLOSE(loss, score.loss, 1e-5);
    if (classes == 2)
        CHECK_CLOSE(pairs(margin, test.data.label, N), score.auc, 1e-3);
    else
        CHECK(isnan(score.auc));
}

static void a_score_is_what_its_definitions_say(void)
{
    compare(3);
    compare(2);
}

static void a_state_of_another_model_is_refused(void)
{
    AUTO(local_free) struct local test = {0};
    AUTO(state_free) struct state state = {0}, other = {0};
    open_test(&test, &state, 3, 20);
    struct score score = {.n = 77};
    CHECK_OK(state_new(&other, state.keep.n - 1));
    CHECK_STATUS(STATUS_RANGE, score_state(&score, &test, &other));
    CHECK_NUMBER(77, score.n);
}

static void a_score_without_memory_says_so(void)
{
    AUTO(local_free) struct local test = {0};
    AUTO(state_free) struct state state = {0};
    open_test(&test, &state, 2, 20);
    OOM_EACH {
        struct score score = {.n = 77};
        const enum status status = score_state(&score, &test, &state);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK_NUMBER(status == STATUS_OK ? 20 : 77, score.n);
    }
}

int main(void)
{
    RUN(auc_is_the_share_of_pairs_in_order);
    RUN(auc_of_one_class_is_no_number);
    RUN(auc_without_memory_says_so);
    RUN(a_score_is_what_its_definitions_say);
    RUN(a_state_of_another_model_is_refused);
    RUN(a_score_without_memory_says_so);
    return check_done();
}
