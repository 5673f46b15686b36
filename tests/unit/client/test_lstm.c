/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/unit/client/twin.h"

static const char *vectors;

enum { MOST = 512, RECORDS = 2 };

/* The numbers of a row that begins with this name; 0 when it begins with another. */
static size_t numbers_of(double value[static MOST], const char *line, const char *name)
{
    const size_t length = strlen(name);
    if (strncmp(line, name, length) != 0 || line[length] != ',') return 0;
    size_t n = 0;
    for (const char *at = line + length; n < MOST && *at == ',';) {
        char *end = NULL;
        value[n++] = strtod(at + 1, &end);
        at = end;
    }
    return n;
}

/* What PyTorch says of two records. */
struct answer {
    float x[RECORDS * MOST];
    uint8_t label[RECORDS];
    double loss[RECORDS], gradient[RECORDS][MOST];
};

static double off(const double *want, const float *got, size_t n)
{
    double most = 0;
    for (size_t k = 0; k < n; k++) {
        const double by = fabs(want[k] - (double)got[k]);
        most = by <= most ? most : by; /* a NaN stays */
    }
    return most;
}

/* Each record alone, both in one batch, and their sum. */
static void compare(const struct model *model, const struct answer *a)
{
    const size_t d = model->layout.n, length = model->spec.width;
    float weights[MOST], got[MOST];
    double sum[MOST] = {0};
    for (size_t k = 0; k < d; k++) weights[k] = (float)(sin((double)k + 1) / 2);
    struct model_work *work = NULL;
    CHECK_OK(model_work_new(&work, model, 3));
    for (size_t r = 0; r < RECORDS; r++) {
        (void)model_forward(model, work, weights, a->x + r * length, 1);
        CHECK_CLOSE(a->loss[r], model_backward(model, work, weights, a->label + r, 1), 1e-6);
        model_grad_record(model, work, 0, got);
        CHECK(off(a->gradient[r], got, d) < 1e-6);
        for (size_t k = 0; k < d; k++) sum[k] += a->gradient[r][k];
    }
    (void)model_forward(model, work, weights, a->x, RECORDS);
    CHECK_CLOSE((a->loss[0] + a->loss[1]) / 2,
                model_backward(model, work, weights, a->label, RECORDS), 1e-6);
    for (size_t r = 0; r < RECORDS; r++) {
        model_grad_record(model, work, r, got);
        CHECK(off(a->gradient[r], got, d) < 1e-6);
    }
    model_grad_sum(model, work, got);
    CHECK(off(sum, got, d) < 2e-6);
    model_work_free(&work);
}

static struct model model_of_row(const double *value, size_t n)
{
    struct model_spec spec = {.kind = MODEL_LSTM,
                              .channels = 1,
                              .height = 1,
                              .width = (uint32_t)value[1],
                              .classes = (uint32_t)value[0],
                              .n_hidden = (uint32_t)n - 2};
    for (size_t l = 2; l < n; l++) spec.hidden[l - 2] = (uint32_t)value[l];
    struct model model = {0};
    CHECK_OK(model_of(&model, &spec));
    REQUIRE(model.layout.n <= MOST);
    return model;
}

/* tests/vectors/torch-lstm.csv; its generator says what is in it. */
static void losses_and_gradients_are_pytorchs(void)
{
    FILE *file = fopen(vectors, "r");
    CHECK(file != NULL);
    if (file == NULL) return;
    char line[16384];
    double value[MOST];
    struct model model = {0};
    static struct answer answer;
    size_t n = 0, records = 0, models = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        const size_t r = records % RECORDS;
        if ((n = numbers_of(value, line, "spec")) > 0) model = model_of_row(value, n);
        if ((n = numbers_of(value, line, "record")) > 0) {
            for (size_t i = 0; i + 1 < n; i++) answer.x[r * (n - 1) + i] = (float)value[i] / 255;
            answer.label[r] = (uint8_t)value[n - 1];
        }
        if (numbers_of(value, line, "loss") > 0) answer.loss[r] = value[0];
        if ((n = numbers_of(value, line, "gradient")) > 0) {
            CHECK_NUMBER(model.layout.n, n);
            memcpy(answer.gradient[r], value, n * sizeof *value);
            if (++records % RECORDS == 0) {
                compare(&model, &answer);
                models++;
            }
        }
    }
    CHECK(fclose(file) == 0);
    CHECK_NUMBER(3, models);
}

static void one_layer_equals_its_twin(void)
{
    twin_compare(&(struct model_spec){.kind = MODEL_LSTM, 1, 1, 9, 7, 2, {3, 5}}, 5, 1);
}

static void three_layers_equal_their_twin(void)
{
    twin_compare(&(struct model_spec){.kind = MODEL_LSTM, 1, 1, 4, 3, 4, {2, 3, 4, 2}}, 4, 2);
}

static void narrowest_model_equals_its_twin(void)
{
    twin_compare(&(struct model_spec){.kind = MODEL_LSTM, 1, 1, 1, 2, 2, {1, 1}}, 3, 3);
}

/* Gates far out neither overflow nor turn round. */
static void saturated_gates_equal_their_twin(void)
{
    const struct model_spec spec = {.kind = MODEL_LSTM, 1, 1, 5, 3, 2, {2, 4}};
    struct model model = {0};
    CHECK_OK(model_of(&model, &spec));
    const float x[5] = {0, 1.0f / 255, 2.0f / 255, 0, 1.0f / 255};
    const double exact_x[5] = {0, 1.0 / 255, 2.0 / 255, 0, 1.0 / 255};
    const uint8_t label = 1;
    struct model_work *work = NULL;
    CHECK_OK(model_work_new(&work, &model, 1));
    for (int sign = -1; sign <= 1; sign += 2) {
        float weights[MOST], grad[MOST];
        double exact[MOST], want[3];
        for (size_t k = 0; k < model.layout.n; k++) {
            exact[k] = k < model.layout.tensor[4].offset ? sign * 1e4 : sin((double)k);
            weights[k] = (float)exact[k];
        }
        twin_logits(want, &model, exact, exact_x);
        CHECK(off(want, model_forward(&model, work, weights, x, 1), 3) < 1e-5);
        (void)model_backward(&model, work, weights, &label, 1);
        model_grad_record(&model, work, 0, grad);
        for (size_t k = 0; k < model.layout.n; k++) CHECK(isfinite(grad[k]));
    }
    model_work_free(&work);
}

/* The sensitivity bound holds for every bit: neither the room nor what went through before may
 * show. */
static void a_records_gradient_is_the_same_bit_for_bit(void)
{
    const struct model_spec spec = {.kind = MODEL_LSTM, 1, 1, 12, 9, 3, {4, 17, 13}};
    struct model model = {0};
    CHECK_OK(model_of(&model, &spec));
    const size_t bytes = model.layout.n * sizeof(float);
    float *weights = malloc(bytes), *want = malloc(bytes), *got = malloc(bytes), x[6 * 12];
    REQUIRE(weights != NULL && want != NULL && got != NULL);
    struct rng rng = {0};
    rng_numbered(&rng, 4);
    model_init(weights, &model, &rng);
    for (size_t i = 0; i < 6 * 12; i++) x[i] = (float)rng_below(&rng, 9) / 255;
    const uint8_t label[6] = {1, 2, 3, 4, 5, 6};
    for (size_t room = 1; room <= 6; room++) {
        struct model_work *work = NULL;
        CHECK_OK(model_work_new(&work, &model, room));
        (void)model_forward(&model, work, weights, x, room);
        (void)model_backward(&model, work, weights, label, room);
        (void)model_forward(&model, work, weights, x, 1);
        (void)model_backward(&model, work, weights, label, 1);
        model_grad_record(&model, work, 0, room == 1 ? want : got);
        if (room > 1) CHECK_BYTES(want, got, bytes);
        model_work_free(&work);
    }
    free(weights);
    free(want);
    free(got);
}

int main(int argc, char **argv)
{
    if (argc == 2) vectors = argv[1];
    RUN(losses_and_gradients_are_pytorchs);
    RUN(one_layer_equals_its_twin);
    RUN(three_layers_equal_their_twin);
    RUN(narrowest_model_equals_its_twin);
    RUN(saturated_gates_equal_their_twin);
    RUN(a_records_gradient_is_the_same_bit_for_bit);
    return check_done();
}
