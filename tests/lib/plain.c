/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/plain.h"

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

void plain_epochs(struct plain *plain, const float *weight, const struct bits *keep,
                  const struct dataset *data, struct rng *rng)
{
    const size_t size = plain->model.layout.n, batch = plain->study->rounds.local_batch;
    AUTO(free_floats) float *w = calloc(size, sizeof *w);
    AUTO(free_floats) float *sum = calloc(size, sizeof *sum);
    AUTO(free_order) size_t *order = calloc(data->n, sizeof *order);
    REQUIRE(w != NULL && sum != NULL && order != NULL);
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
            for (size_t k = 0; k < size; k++)
                if (bits_has(keep, k))
                    w[k] -= (float)plain->study->rounds.local_learning_rate * sum[k] / (float)n;
        }
    }
    for (size_t k = 0; k < size; k++) plain->grad[k] = w[k] - weight[k];
}
