/* SPDX-License-Identifier: Apache-2.0 */
/* MLPs and CNNs against PyTorch: test_client_torch torch-layers.csv. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/model/model.h"
#include "tests/lib/check.h"

enum { RECORDS = 3 };

static const struct {
    const char *name;
    struct model_spec spec;
} models[] = {{"mlp", {.kind = MODEL_MLP, 2, 3, 2, 3, 2, {5, 4}}},
              {"cnn", {.kind = MODEL_CNN, 1, 16, 17, 3, 2, {2, 3}}},
              {"twocnn", {.kind = MODEL_TWOCNN, 2, 8, 7, 3, 3, {2, 2, 4}}}};

static const char *path;

/* The n numbers of the row model,name: one more or fewer is a failure. */
static void numbers(double *out, const char *model, const char *name, size_t n)
{
    char start[64];
    const int length = snprintf(start, sizeof start, "%s,%s,", model, name);
    char *line = NULL;
    size_t room = 0, found = 0;
    FILE *file = fopen(path, "r");
    REQUIRE(file != NULL && length > 0 && length < (int)sizeof start);
    while (found == 0 && getline(&line, &room, file) >= 0) {
        if (strncmp(line, start, (size_t)length) != 0) continue;
        char *rest = NULL;
        for (char *at = line + length; found <= n; at = rest, found++) {
            const double value = strtod(at, &rest);
            if (rest == at) break;
            if (found < n) out[found] = value;
        }
    }
    CHECK_NUMBER(n, found);
    free(line);
    fclose(file);
}

static double *more_numbers(const char *model, const char *name, size_t n)
{
    double *out = calloc(n, sizeof *out);
    REQUIRE(out != NULL);
    numbers(out, model, name, n);
    return out;
}

static void check_close(const double *want, const float *got, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        const double off = fabs(want[i] - (double)got[i]);
        most = off <= most ? most : off; /* a NaN stays */
    }
    CHECK(most < 2e-6);
}

/* The tensors of a gradient, or of the weights. */
static void load(float *out, const char *model, const char *prefix, const struct layout *layout,
                 bool check)
{
    for (uint32_t t = 0; t < layout->n_tensors; t++) {
        const struct tensor *tensor = &layout->tensor[t];
        const size_t n = (size_t)tensor->rows * tensor->cols;
        char name[2 * LAYOUT_NAME_MAX];
        snprintf(name, sizeof name, "%s%s", prefix, tensor->name);
        double *row = more_numbers(model, name, n);
        if (check)
            check_close(row, out + tensor->offset, n);
        else
            for (size_t i = 0; i < n; i++) out[tensor->offset + i] = (float)row[i];
        free(row);
    }
}

static void compare(const char *name, const struct model_spec *spec)
{
    struct model model = {0};
    CHECK_OK(model_of(&model, spec));
    const size_t floats = (size_t)RECORDS * spec->channels * spec->height * spec->width;
    float *weights = calloc(model.layout.n, sizeof *weights);
    float *grad = calloc(model.layout.n, sizeof *grad);
    float *x = calloc(floats, sizeof *x);
    REQUIRE(weights != NULL && grad != NULL && x != NULL);
    load(weights, name, "", &model.layout, false);
    double *image = more_numbers(name, "x", floats);
    for (size_t i = 0; i < floats; i++) x[i] = (float)image[i];
    double *logits = more_numbers(name, "logits", (size_t)RECORDS * spec->classes);
    double number[RECORDS] = {0}, loss = 0;
    numbers(number, name, "label", RECORDS);
    numbers(&loss, name, "loss", 1);
    uint8_t label[RECORDS];
    for (size_t i = 0; i < RECORDS; i++) label[i] = (uint8_t)number[i];

    struct model_work *work = NULL;
    CHECK_OK(model_work_new(&work, &model, RECORDS));
    check_close(logits, model_forward(&model, work, weights, x, RECORDS),
                (size_t)RECORDS * spec->classes);
    CHECK_CLOSE(loss, model_backward(&model, work, weights, label, RECORDS), 1e-6);
    model_grad_sum(&model, work, grad);
    load(grad, name, "grad ", &model.layout, true);
    model_grad_record(&model, work, 1, grad);
    load(grad, name, "grad1 ", &model.layout, true);

    model_work_free(&work);
    free(logits);
    free(image);
    free(weights);
    free(grad);
    free(x);
}

static void layers_equal_pytorch(void)
{
    for (size_t m = 0; m < sizeof models / sizeof models[0]; m++)
        compare(models[m].name, &models[m].spec);
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 2);
    path = argv[1];
    RUN(layers_equal_pytorch);
    return check_done();
}
