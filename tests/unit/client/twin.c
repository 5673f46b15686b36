/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client/twin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"

struct maps {
    size_t channels, height, width;
    double at[TWIN_MAX];
};

static double relu(double x)
{
    return x > 0 ? x : 0;
}

static void dense(struct maps *maps, const struct tensor *weight, const double *weights, bool last)
{
    double out[TWIN_MAX] = {0};
    for (size_t r = 0; r < weight->rows; r++) {
        out[r] = weights[weight[1].offset + r];
        for (size_t c = 0; c < weight->cols; c++)
            out[r] += weights[weight->offset + r * weight->cols + c] * maps->at[c];
        if (!last) out[r] = relu(out[r]);
    }
    memcpy(maps->at, out, sizeof out);
}

/* A pixel of a map; nothing around it. */
static double pixel(const struct maps *in, size_t c, long y, long x)
{
    const bool inside = y >= 0 && x >= 0 && y < (long)in->height && x < (long)in->width;
    return inside ? in->at[(c * in->height + (size_t)y) * in->width + (size_t)x] : 0;
}

static double window(const struct maps *in, const double *kernel, long y, long x)
{
    double sum = 0;
    for (size_t c = 0; c < in->channels; c++)
        for (long ky = 0; ky < 5; ky++)
            for (long kx = 0; kx < 5; kx++, kernel++) sum += *kernel * pixel(in, c, y + ky, x + kx);
    return sum;
}

/* padding 0 or 1, of the input and of what is pooled. */
static void convolve(struct maps *maps, const struct tensor *weight, const double *weights,
                     long padding)
{
    const long height = (long)maps->height + 2 * padding - 4;
    const long width = (long)maps->width + 2 * padding - 4;
    struct maps out = {
        weight->rows, (size_t)(height / 2 + padding), (size_t)(width / 2 + padding), {0}};
    double *at = out.at;
    for (size_t r = 0; r < out.channels; r++)
        for (size_t i = 0; i < out.height * out.width; i++) {
            double most = 0; /* the relu's floor */
            for (long k = 0; k < 4; k++) {
                const long y = 2 * (long)(i / out.width) - padding + k / 2;
                const long x = 2 * (long)(i % out.width) - padding + k % 2;
                if (y < 0 || x < 0 || y >= height || x >= width) continue;
                most = fmax(most, window(maps, weights + weight->offset + r * weight->cols,
                                         y - padding, x - padding) +
                                      weights[weight[1].offset + r]);
            }
            *at++ = most;
        }
    *maps = out;
}

/* How much of place x, of n, part i of 7 has: all or nothing. */
static bool belongs(size_t i, size_t x, size_t n)
{
    return 7 * x + 7 > i * n && 7 * x < (i + 1) * n;
}

static void average(struct maps *maps)
{
    struct maps out = {maps->channels, 7, 7, {0}};
    for (size_t c = 0; c < out.channels; c++)
        for (size_t i = 0; i < 49; i++) {
            double sum = 0, places = 0;
            for (size_t y = 0; y < maps->height; y++)
                for (size_t x = 0; x < maps->width; x++) {
                    if (!belongs(i / 7, y, maps->height) || !belongs(i % 7, x, maps->width))
                        continue;
                    sum += pixel(maps, c, (long)y, (long)x);
                    places++;
                }
            out.at[c * 49 + i] = sum / places;
        }
    *maps = out;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* A layer that reads maps->height steps of maps->width floats. */
static void recur(struct maps *maps, const struct tensor *tensor, const double *weights)
{
    const size_t units = tensor->rows / 4;
    struct maps out = {1, maps->height, units, {0}};
    double cell[TWIN_MAX] = {0};
    for (size_t t = 0; t < maps->height; t++) {
        const double *before = t == 0 ? cell : out.at + (t - 1) * units; /* zeros at first */
        double said[TWIN_MAX] = {0};
        for (size_t u = 0; u < units; u++) {
            double gate[4];
            for (size_t g = 0; g < 4; g++) {
                const size_t r = g * units + u;
                gate[g] = weights[tensor[2].offset + r];
                for (size_t c = 0; c < tensor->cols; c++)
                    gate[g] += weights[tensor->offset + r * tensor->cols + c] *
                               maps->at[t * maps->width + c];
                for (size_t c = 0; c < units; c++)
                    gate[g] += weights[tensor[1].offset + r * units + c] * (t == 0 ? 0 : before[c]);
            }
            cell[u] = sigmoid(gate[1]) * cell[u] + sigmoid(gate[0]) * tanh(gate[2]);
            said[u] = sigmoid(gate[3]) * tanh(cell[u]);
        }
        memcpy(out.at + t * units, said, units * sizeof *said);
    }
    *maps = out;
}

static void twin_lstm(double *logits, const struct model *model, const double *weights,
                      const double *x)
{
    const struct tensor *tensor = model->layout.tensor;
    struct maps maps = {1, model->spec.width, tensor->cols, {0}};
    for (size_t t = 0; t < maps.height; t++) {
        const size_t character = (size_t)lround(255 * x[t]);
        memcpy(maps.at + t * maps.width, weights + tensor->offset + character * tensor->cols,
               maps.width * sizeof *weights);
    }
    tensor++;
    for (uint32_t l = 1; l < model->spec.n_hidden; l++, tensor += LAYOUT_LSTM_TENSORS)
        recur(&maps, tensor, weights);
    memmove(maps.at, maps.at + (maps.height - 1) * maps.width, maps.width * sizeof *maps.at);
    dense(&maps, tensor, weights, true);
    memcpy(logits, maps.at, model->spec.classes * sizeof *logits);
}

void twin_logits(double *logits, const struct model *model, const double *weights, const double *x)
{
    if (model->spec.kind == MODEL_LSTM) {
        twin_lstm(logits, model, weights, x);
        return;
    }
    struct maps maps = {model->spec.channels, model->spec.height, model->spec.width, {0}};
    memcpy(maps.at, x, maps.channels * maps.height * maps.width * sizeof *x);
    for (uint32_t s = 0; s < model->layout.n_segments; s++) {
        const struct tensor *weight = &model->layout.tensor[2 * s];
        bool last = s + 1 == model->layout.n_segments;
        if (model->spec.kind != MODEL_MLP && s < 2)
            convolve(&maps, weight, weights, model->spec.kind == MODEL_TWOCNN ? 1 : 0);
        else
            dense(&maps, weight, weights, last);
        if (model->spec.kind == MODEL_TWOCNN && s == 1) average(&maps);
    }
    memcpy(logits, maps.at, model->spec.classes * sizeof *logits);
}

double twin_loss(const struct model *model, const double *weights, const double *x, uint8_t label)
{
    double logits[256] = {0};
    twin_logits(logits, model, weights, x);
    double sum = 0;
    for (uint32_t c = 0; c < model->spec.classes; c++) sum += exp(logits[c]);
    return log(sum) - logits[label];
}

void twin_gradient(double *grad, const struct model *model, const double *weights, const double *x,
                   uint8_t label)
{
    const double step = 1e-5;
    double *moved = calloc(model->layout.n, sizeof *moved);
    REQUIRE(moved != NULL);
    memcpy(moved, weights, model->layout.n * sizeof *moved);
    for (size_t i = 0; i < model->layout.n; i++) {
        moved[i] = weights[i] + step;
        double up = twin_loss(model, moved, x, label);
        moved[i] = weights[i] - step;
        grad[i] = (up - twin_loss(model, moved, x, label)) / (2 * step);
        moved[i] = weights[i];
    }
    free(moved);
}

static void *numbers(size_t n, size_t bytes)
{
    void *at = calloc(n, bytes);
    REQUIRE(at != NULL);
    return at;
}

static double largest_difference(const double *want, const float *got, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, fabs(want[i] - (double)got[i]));
    return most;
}

static size_t work_floats(const struct model *model)
{
    const struct model_spec *spec = &model->spec;
    return (size_t)spec->channels * spec->height * spec->width;
}

static void write_out(float *whole, const struct update *update)
{
    memcpy(whole, update->value, update->n * sizeof *whole);
    for (size_t k = 0; k < update->n_outer; k++) {
        const struct outer_product *outer = &update->outer[k];
        for (size_t i = 0; i < outer->rows * outer->cols; i++)
            whole[outer->at + i] = outer->left[i / outer->cols] * outer->right[i % outer->cols];
    }
}

/* How many dense layers a model has. */
static size_t dense_layers(const struct model *model)
{
    switch (model->spec.kind) {
    case MODEL_MLP:
        return model->layout.n_segments;
    case MODEL_TWOCNN:
        return 2;
    default:
        return 1;
    }
}

/* Each record's descent is its negative gradient, and alone the same as in a group, bit for bit. */
static void check_descents(const struct model *model, struct model_work *work, const float *weights,
                           const float *x, const uint8_t *label, size_t n)
{
    const size_t d = model->layout.n, floats = work_floats(model);
    float *rest = numbers(d, sizeof *rest), *grad = numbers(d, sizeof *grad);
    float *together = numbers(n * d, sizeof *together), *alone = numbers(d, sizeof *alone);
    const size_t group = n < model_group(model) ? n : model_group(model);
    (void)model_forward_apart(model, work, weights, x, group);
    (void)model_backward(model, work, weights, label, group);
    for (size_t i = 0; i < group; i++) {
        const struct update update = model_descent(model, work, i, rest);
        CHECK(update.n == d && update.value == rest && update.n_outer == dense_layers(model));
        write_out(together + i * d, &update);
        model_grad_record(model, work, i, grad);
        bool same = true;
        for (size_t k = 0; k < d; k++) same = same && together[i * d + k] == -grad[k];
        CHECK(same);
    }
    for (size_t i = 0; i < group; i++) {
        (void)model_forward_apart(model, work, weights, x + i * floats, 1);
        (void)model_backward(model, work, weights, label + i, 1);
        const struct update update = model_descent(model, work, 0, rest);
        write_out(alone, &update);
        CHECK(memcmp(alone, together + i * d, d * sizeof *alone) == 0);
    }
    free(rest);
    free(grad);
    free(together);
    free(alone);
}

/* The derivatives by the inputs, after a backward pass, of the first and the last record. */
static void compare_inputs(const struct model *model, struct model_work *work, const float *weights,
                           const double *exact_weights, double *exact_x, const uint8_t *label,
                           size_t n)
{
    const size_t floats = work_floats(model), next = n > 1 ? n - 1 : 1;
    float *got = numbers(n * floats, sizeof *got);
    for (size_t k = 0; k < n * floats; k++) got[k] = NAN; /* all must be overwritten */
    model_grad_input(model, work, weights, got);
    double most = 0;
    for (size_t i = 0; i < n; i += next)
        for (size_t k = 0; k < floats; k++) {
            double *at = &exact_x[i * floats + k], side[2];
            const double middle = *at;
            for (int s = 0; s < 2; s++) {
                *at = middle + (s == 0 ? -1e-6 : 1e-6);
                side[s] = twin_loss(model, exact_weights, exact_x + i * floats, label[i]);
            }
            *at = middle;
            const double off = fabs((side[1] - side[0]) / 2e-6 - (double)got[i * floats + k]);
            most = off <= most ? most : off; /* a NaN stays */
        }
    CHECK(most < 1e-4);
    free(got);
}

void twin_compare(const struct model_spec *spec, size_t n, uint64_t seed)
{
    struct model model = {0};
    CHECK_OK(model_of(&model, spec));
    const size_t d = model.layout.n;
    const size_t floats = work_floats(&model);
    float *weights = numbers(d, sizeof *weights);
    double *exact_weights = numbers(d, sizeof *exact_weights);
    float *x = numbers(n * floats, sizeof *x);
    double *exact_x = numbers(n * floats, sizeof *exact_x);
    uint8_t *label = numbers(n, sizeof *label);
    double *want = numbers(d, sizeof *want);
    double *sum = numbers(d, sizeof *sum);
    float *got = numbers(d, sizeof *got);

    struct rng rng = {0};
    rng_numbered(&rng, seed);
    model_init(weights, &model, &rng);
    for (size_t i = 0; i < d; i++) {
        weights[i] += (float)(0.1 * rng_normal(&rng)); /* biases too */
        exact_weights[i] = (double)weights[i];
    }
    for (size_t i = 0; i < n * floats; i++) {
        x[i] = spec->kind == MODEL_LSTM ? (float)rng_below(&rng, spec->classes) / 255
                                        : (float)rng_normal(&rng);
        exact_x[i] = (double)x[i];
    }
    for (size_t i = 0; i < n; i++) label[i] = (uint8_t)rng_below(&rng, spec->classes);

    struct model_work *work = NULL;
    CHECK_OK(model_work_new(&work, &model, n));
    const float *logits = model_forward(&model, work, weights, x, n);
    double want_loss = 0;
    for (size_t i = 0; i < n; i++) {
        double exact[256] = {0};
        twin_logits(exact, &model, exact_weights, exact_x + i * floats);
        CHECK(largest_difference(exact, logits + i * spec->classes, spec->classes) < 1e-4);
        want_loss += twin_loss(&model, exact_weights, exact_x + i * floats, label[i]);
    }
    CHECK_CLOSE(want_loss / (double)n, model_backward(&model, work, weights, label, n), 1e-5);

    for (size_t i = 0; i < n; i++) {
        twin_gradient(want, &model, exact_weights, exact_x + i * floats, label[i]);
        for (size_t k = 0; k < d; k++) got[k] = NAN; /* all must be overwritten */
        model_grad_record(&model, work, i, got);
        double most = 0;
        for (size_t k = 0; k < d; k++) {
            double off = fabs(want[k] - (double)got[k]);
            most = off <= most ? most : off; /* a NaN stays */
            sum[k] += (double)got[k];
        }
        CHECK(most < 1e-4);
    }
    for (size_t k = 0; k < d; k++) got[k] = NAN;
    model_grad_sum(&model, work, got);
    bool same = true;
    for (size_t k = 0; k < d; k++) same = same && fabs(sum[k] - (double)got[k]) < 1e-4;
    CHECK(same);
    const bool reads =
        spec->kind == MODEL_MLP || spec->kind == MODEL_CNN || spec->kind == MODEL_TWOCNN;
    if (reads) compare_inputs(&model, work, weights, exact_weights, exact_x, label, n);
    check_descents(&model, work, weights, x, label, n);

    model_work_free(&work);
    free(weights);
    free(exact_weights);
    free(x);
    free(exact_x);
    free(label);
    free(want);
    free(sum);
    free(got);
}
