/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/plain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void plain_open(struct plain *plain, const struct study *study)
{
    *plain = (struct plain){.study = study};
    REQUIRE(model_of(&plain->model, &study->model.spec) == STATUS_OK);
    REQUIRE(model_work_new(&plain->work, &plain->model, 1) == STATUS_OK);
    const struct model_spec *spec = &study->model.spec;
    plain->grad = calloc(plain->model.layout.n, sizeof *plain->grad);
    plain->x = calloc((size_t)spec->channels * spec->height * spec->width, sizeof *plain->x);
    REQUIRE(plain->grad != NULL && plain->x != NULL);
}

void plain_close(struct plain *plain)
{
    model_work_free(&plain->work);
    free(plain->grad);
    free(plain->x);
    *plain = (struct plain){0};
}

void plain_gradient(struct plain *plain, const float *weight, const struct dataset *data,
                    size_t record)
{
    data_floats(plain->x, data, record, 1, (float)plain->study->model.pixel_mean,
                (float)plain->study->model.pixel_deviation);
    (void)model_forward(&plain->model, plain->work, weight, plain->x, 1);
    (void)model_backward(&plain->model, plain->work, weight, data->label + record, 1);
    model_grad_sum(&plain->model, plain->work, plain->grad);
}

static void free_floats(float **at)
{
    free(*at);
}

static void free_order(size_t **at)
{
    free(*at);
}

/* A step along the sum of n gradients; velocity carries on. */
static void plain_step(const struct plain *plain, float *w, float *velocity, const float *start,
                       const float *sum, size_t n, const struct bits *keep, double rate)
{
    const size_t size = plain->model.layout.n;
    const double proximal = plain->study->rounds.proximal, clip = plain->study->rounds.local_clip;
    double *g = calloc(size, sizeof *g), squares = 0;
    REQUIRE(g != NULL);
    for (size_t k = 0; k < size; k++) {
        if (!bits_has(keep, k)) continue;
        g[k] = (double)sum[k] / (double)n + proximal * ((double)w[k] - (double)start[k]);
        squares += g[k] * g[k];
    }
    const double factor = clip > 0 && squares > clip * clip ? clip / sqrt(squares) : 1;
    for (size_t k = 0; k < size; k++) {
        if (!bits_has(keep, k)) continue;
        velocity[k] = (float)(plain->study->rounds.local_momentum * (double)velocity[k] +
                              factor * g[k] + plain->study->rounds.local_decay * (double)w[k]);
        w[k] -= (float)(rate * (double)velocity[k]);
    }
    free(g);
}

void plain_epochs(struct plain *plain, const float *weight, const struct bits *keep,
                  const struct dataset *data, uint32_t round, struct rng *rng)
{
    const size_t size = plain->model.layout.n, batch = plain->study->rounds.local_batch;
    double rate = plain->study->rounds.local_learning_rate;
    for (uint32_t r = 0; r < round; r++) rate *= plain->study->rounds.local_rate_decay;
    AUTO(free_floats) float *w = calloc(size, sizeof *w);
    AUTO(free_floats) float *sum = calloc(size, sizeof *sum);
    AUTO(free_floats) float *velocity = calloc(size, sizeof *velocity);
    AUTO(free_order) size_t *order = calloc(data->n, sizeof *order);
    REQUIRE(w != NULL && sum != NULL && velocity != NULL && order != NULL);
    memcpy(w, weight, size * sizeof *w);
    for (size_t i = 0; i < data->n; i++) order[i] = i;
    for (uint32_t epoch = 0; epoch < plain->study->rounds.local_epochs; epoch++) {
        for (size_t i = data->n; i > 1; i--) {
            const size_t j = rng_below(rng, i), held = order[i - 1];
            order[i - 1] = order[j];
            order[j] = held;
        }
        for (size_t at = 0; at < data->n; at += batch) {
            const size_t n = data->n - at < batch ? data->n - at : batch;
            memset(sum, 0, size * sizeof *sum);
            for (size_t i = 0; i < n; i++) {
                plain_gradient(plain, w, data, order[at + i]);
                for (size_t k = 0; k < size; k++) sum[k] += plain->grad[k];
            }
            plain_step(plain, w, velocity, weight, sum, n, keep, rate);
        }
    }
    for (size_t k = 0; k < size; k++) plain->grad[k] = w[k] - weight[k];
}
