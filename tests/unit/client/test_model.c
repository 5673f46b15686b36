/* SPDX-License-Identifier: Apache-2.0 */
#include "client/model/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/model/optim.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static const struct model_spec specs[] = {{.kind = MODEL_MLP, 1, 4, 5, 3, 2, {6, 4}},
                                          {.kind = MODEL_CNN, 1, 16, 16, 3, 2, {2, 3}},
                                          {.kind = MODEL_LSTM, 1, 1, 7, 3, 2, {2, 3}},
                                          {.kind = MODEL_TWOCNN, 1, 8, 8, 3, 3, {4, 4, 6}}};
enum { SPECS = sizeof specs / sizeof *specs };

/* About this bright; a character is one of two that tell bright from dark. */
static float input(const struct model_spec *spec, double bright)
{
    return spec->kind == MODEL_LSTM ? (bright > 0.5 ? 1.0f / 255 : 0) : (float)bright;
}

static void bad_spec_is_refused(void)
{
    struct model_spec spec = specs[0];
    spec.classes = 1;
    struct model model;
    struct model before;
    memset(&model, 0x5a, sizeof model);
    memset(&before, 0x5a, sizeof before);
    CHECK_STATUS(STATUS_RANGE, model_of(&model, &spec));
    CHECK_BYTES(&before, &model, sizeof model);
}

static void biases_start_at_zero_and_weights_at_their_deviation(void)
{
    struct model_spec spec = {.kind = MODEL_MLP, 1, 10, 10, 20, 1, {200}};
    struct model model = {0};
    CHECK_OK(model_of(&model, &spec));
    float *w = calloc(model.layout.n, sizeof *w);
    REQUIRE(w != NULL);
    struct rng rng = {0};
    rng_numbered(&rng, 7);
    model_init(w, &model, &rng);
    const double want[] = {sqrt(2.0 / 100), 0, MODEL_LAST_SCALE * sqrt(2.0 / 200), 0};
    for (uint32_t t = 0; t < 4; t++) {
        const struct tensor *tensor = &model.layout.tensor[t];
        size_t n = (size_t)tensor->rows * tensor->cols;
        double squares = 0;
        for (size_t i = 0; i < n; i++) {
            double value = (double)w[tensor->offset + i];
            squares += value * value;
        }
        /* 4000 draws or more: one deviation of the estimate is about 1.1 %. */
        CHECK_CLOSE(want[t], sqrt(squares / (double)n), 0.06 * want[t]);
    }
    free(w);
}

static void accuracy_is_counted_over_chunks(void)
{
    /* One input; the logits are (0, max(x, 0)): class 1 when x > 0, else the first of a tie. */
    struct model_spec spec = {.kind = MODEL_MLP, 1, 1, 1, 2, 1, {1}};
    struct model model = {0};
    CHECK_OK(model_of(&model, &spec));
    const float weights[] = {1, 0, 0, 1, 0, 0};
    const float x[] = {1, -1, 2, -2, 3, -3, 4};
    const uint8_t label[] = {1, 0, 1, 1, 0, 0, 1};
    for (size_t room = 1; room <= 8; room++) {
        struct model_work *work = NULL;
        CHECK_OK(model_work_new(&work, &model, room));
        CHECK_CLOSE(5.0 / 7, model_accuracy(&model, work, weights, x, label, 7), 1e-12);
        model_work_free(&work);
        CHECK(work == NULL);
    }
}

static void smaller_batch_after_a_larger_one_is_not_mixed_up(void)
{
    for (size_t m = 0; m < SPECS; m++) {
        struct model model = {0};
        CHECK_OK(model_of(&model, &specs[m]));
        size_t floats = (size_t)specs[m].height * specs[m].width;
        float *w = calloc(model.layout.n, sizeof *w);
        float *alone = calloc(model.layout.n, sizeof *alone);
        float *again = calloc(model.layout.n, sizeof *again);
        float *x = calloc(4 * floats, sizeof *x);
        REQUIRE(w != NULL && alone != NULL && again != NULL && x != NULL);
        struct rng rng = {0};
        rng_numbered(&rng, 3);
        model_init(w, &model, &rng);
        for (size_t i = 0; i < 4 * floats; i++) x[i] = input(&specs[m], rng_unit(&rng));
        const uint8_t label[] = {0, 1, 2, 1};

        struct model_work *work = NULL;
        CHECK_OK(model_work_new(&work, &model, 4));
        (void)model_forward(&model, work, w, x + 3 * floats, 1);
        (void)model_backward(&model, work, w, label + 3, 1);
        model_grad_sum(&model, work, alone);
        (void)model_forward(&model, work, w, x, 4);
        (void)model_backward(&model, work, w, label, 4);
        (void)model_forward(&model, work, w, x + 3 * floats, 1);
        (void)model_backward(&model, work, w, label + 3, 1);
        model_grad_sum(&model, work, again);
        CHECK_BYTES(alone, again, model.layout.n * sizeof *alone);

        model_work_free(&work);
        free(w);
        free(alone);
        free(again);
        free(x);
    }
}

static void descent_learns_to_tell_two_halves_apart(void)
{
    for (size_t m = 0; m < SPECS; m++) {
        enum { N = 24 };
        struct model_spec spec = specs[m];
        spec.classes = 2;
        struct model model = {0};
        CHECK_OK(model_of(&model, &spec));
        size_t floats = (size_t)spec.height * spec.width;
        float *w = calloc(model.layout.n, sizeof *w);
        float *grad = calloc(model.layout.n, sizeof *grad);
        float *x = calloc(N * floats, sizeof *x);
        REQUIRE(w != NULL && grad != NULL && x != NULL);
        uint8_t label[N] = {0};
        struct rng rng = {0};
        rng_numbered(&rng, 5);
        model_init(w, &model, &rng);
        for (size_t i = 0; i < N * floats; i++) {
            label[i / floats] = i / floats % 2 != 0;
            bool lit = (i % floats < floats / 2) == (label[i / floats] != 0);
            x[i] = input(&spec, 0.3 * rng_normal(&rng) + (lit ? 1 : 0));
        }
        struct model_work *work = NULL;
        CHECK_OK(model_work_new(&work, &model, N));
        AUTO(optim_free) struct optim optim = {0};
        CHECK_OK(optim_new(&optim, model.layout.n,
                           &(struct optim_how){.rate = 0.05f, .momentum = 0.9f}));
        double loss = 0;
        for (unsigned step = 0; step < 120; step++) {
            (void)model_forward(&model, work, w, x, N);
            loss = model_backward(&model, work, w, label, N);
            model_grad_sum(&model, work, grad);
            for (size_t i = 0; i < model.layout.n; i++) grad[i] /= N;
            optim_step(&optim, w, grad);
        }
        CHECK(loss < 0.1);
        CHECK_CLOSE(1, model_accuracy(&model, work, w, x, label, N), 0);
        model_work_free(&work);
        free(w);
        free(grad);
        free(x);
    }
}

/* Logits, the summed gradient and record 3's of five records; what is written of a group's last
 * descent. */
struct outcome {
    double loss;
    float *logits, *sum, *record, *descent;
};

static struct outcome outcome_of(const struct model *model, const float *weights, const float *x,
                                 unsigned threads)
{
    enum { N = 5 };
    const uint8_t label[N] = {0, 1, 2, 1, 0};
    const size_t classes = model->spec.classes;
    struct outcome o = {.logits = calloc(N, classes * sizeof *o.logits),
                        .sum = calloc(model->layout.n, sizeof *o.sum),
                        .record = calloc(model->layout.n, sizeof *o.record),
                        .descent = calloc(model->layout.n, sizeof *o.descent)};
    REQUIRE(o.logits != NULL && o.sum != NULL && o.record != NULL && o.descent != NULL);
    struct model_work *work = NULL;
    CHECK_OK(model_work_new(&work, model, N));
    CHECK_OK(model_work_divide(work, model, threads));
    const float *logits = model_forward(model, work, weights, x, N);
    memcpy(o.logits, logits, N * classes * sizeof *logits);
    o.loss = model_backward(model, work, weights, label, N);
    model_grad_sum(model, work, o.sum);
    model_grad_record(model, work, 3, o.record);
    const size_t group = model_group(model) < N ? model_group(model) : N;
    (void)model_forward_apart(model, work, weights, x, group);
    (void)model_backward(model, work, weights, label, group);
    (void)model_descent(model, work, group - 1, o.descent);
    model_work_free(&work);
    return o;
}

static void outcome_free(struct outcome *o)
{
    free(o->logits);
    free(o->sum);
    free(o->record);
    free(o->descent);
}

static double difference(const float *a, const float *b, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, fabs((double)a[i] - (double)b[i]));
    return most;
}

static void threads_divide_the_records_and_nothing_else(void)
{
    for (size_t m = 0; m < SPECS; m++) {
        struct model model = {0};
        CHECK_OK(model_of(&model, &specs[m]));
        const size_t floats = (size_t)5 * specs[m].height * specs[m].width;
        float *w = calloc(model.layout.n, sizeof *w);
        float *x = calloc(floats, sizeof *x);
        REQUIRE(w != NULL && x != NULL);
        struct rng rng = {0};
        rng_numbered(&rng, 6);
        model_init(w, &model, &rng);
        for (size_t i = 0; i < floats; i++) x[i] = input(&specs[m], rng_unit(&rng));
        AUTO(outcome_free) struct outcome alone = outcome_of(&model, w, x, 0);
        for (unsigned threads = 1; threads <= 7; threads++) {
            AUTO(outcome_free) struct outcome one = outcome_of(&model, w, x, threads);
            AUTO(outcome_free) struct outcome again = outcome_of(&model, w, x, threads);
            CHECK(difference(alone.logits, one.logits, 15) < 1e-5);
            CHECK_CLOSE(alone.loss, one.loss, 1e-6);
            CHECK(difference(alone.sum, one.sum, model.layout.n) < 1e-5);
            CHECK(difference(alone.record, one.record, model.layout.n) < 1e-5);
            CHECK_BYTES(one.sum, again.sum, model.layout.n * sizeof *w);
            CHECK_BYTES(alone.descent, one.descent, model.layout.n * sizeof *w);
        }
        free(w);
        free(x);
    }
}

static void more_threads_than_a_crew_has_are_refused(void)
{
    struct model model = {0};
    CHECK_OK(model_of(&model, &specs[0]));
    struct model_work *work = NULL;
    CHECK_OK(model_work_new(&work, &model, 2));
    CHECK_STATUS(STATUS_RANGE, model_work_divide(work, &model, 65));
    model_work_free(&work);
}

static void memory_may_end_anywhere(void)
{
    for (size_t m = 0; m < SPECS; m++) {
        struct model model = {0};
        CHECK_OK(model_of(&model, &specs[m]));
        OOM_EACH {
            struct model_work *work = NULL;
            enum status status = model_work_new(&work, &model, 3);
            const bool made = status == STATUS_OK;
            if (made) status = model_work_divide(work, &model, 3);
            oom_stop();
            CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
            CHECK(made == (work != NULL));
            model_work_free(&work);
        }
    }
}

int main(void)
{
    RUN(bad_spec_is_refused);
    RUN(biases_start_at_zero_and_weights_at_their_deviation);
    RUN(accuracy_is_counted_over_chunks);
    RUN(smaller_batch_after_a_larger_one_is_not_mixed_up);
    RUN(descent_learns_to_tell_two_halves_apart);
    RUN(threads_divide_the_records_and_nothing_else);
    RUN(more_threads_than_a_crew_has_are_refused);
    RUN(memory_may_end_anywhere);
    return check_done();
}
