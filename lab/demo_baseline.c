/* SPDX-License-Identifier: Apache-2.0 */
/* The yardstick of the demo: the unpruned model, trained by plain SGD on all data at one place. */
#include <stdio.h>
#include <stdlib.h>

#include "client/model/optim.h"
#include "lab/demo.h"
#include "protocol/state.h"

#define BASELINE_BATCH 100
#define BASELINE_EPOCHS 6
#define BASELINE_RATE 0.02

struct baseline {
    struct model_work *work;
    float *weight, *grad, *x;
    uint8_t *label;
    uint32_t *order;
    struct optim optim;
};

static void baseline_free(struct baseline *b)
{
    model_work_free(&b->work);
    optim_free(&b->optim);
    free(b->weight);
    free(b->grad);
    free(b->x);
    free(b->label);
    free(b->order);
}

static enum status baseline_new(struct baseline *b, const struct demo *demo,
                                const struct dataset *train)
{
    const size_t n = demo->model.layout.n;
    b->weight = calloc(n, sizeof *b->weight);
    b->grad = calloc(n, sizeof *b->grad);
    b->x = calloc(BASELINE_BATCH * dataset_floats(train), sizeof *b->x);
    b->label = calloc(BASELINE_BATCH, 1);
    b->order = calloc(train->n, sizeof *b->order);
    if (b->weight == NULL || b->grad == NULL || b->x == NULL || b->label == NULL ||
        b->order == NULL)
        return STATUS_NOMEM;
    TRY(model_work_new(&b->work, &demo->model, BASELINE_BATCH));
    const struct optim_how how = {.rate = (float)BASELINE_RATE, .momentum = 0.9f};
    return optim_new(&b->optim, n, &how);
}

static void step(struct baseline *b, const struct demo *demo, const struct dataset *train,
                 const uint32_t *record, size_t n)
{
    const size_t floats = dataset_floats(train);
    for (size_t i = 0; i < n; i++) {
        data_floats(b->x + i * floats, train, record[i], 1, (float)demo->study.model.pixel_mean,
                    (float)demo->study.model.pixel_deviation);
        b->label[i] = train->label[record[i]];
    }
    (void)model_forward(&demo->model, b->work, b->weight, b->x, n);
    (void)model_backward(&demo->model, b->work, b->weight, b->label, n);
    model_grad_sum(&demo->model, b->work, b->grad);
    for (size_t i = 0; i < demo->model.layout.n; i++) b->grad[i] /= (float)n;
    optim_step(&b->optim, b->weight, b->grad);
}

enum status demo_baseline(struct demo *demo, const struct dataset *train)
{
    AUTO(baseline_free) struct baseline b = {0};
    TRY(baseline_new(&b, demo, train));
    struct rng rng = {0};
    rng_numbered(&rng, demo->options.seed + 2000000);
    model_init(b.weight, &demo->model, &rng);
    const size_t steps = BASELINE_EPOCHS * (train->n / BASELINE_BATCH);
    size_t done = 0;
    for (uint32_t epoch = 0; epoch < BASELINE_EPOCHS; epoch++) {
        for (size_t i = 0; i < train->n; i++) b.order[i] = (uint32_t)i;
        for (size_t i = train->n; i > 1; i--) {
            size_t j = rng_below(&rng, i);
            uint32_t held = b.order[i - 1];
            b.order[i - 1] = b.order[j];
            b.order[j] = held;
        }
        for (size_t at = 0; at + BASELINE_BATCH <= train->n; at += BASELINE_BATCH, done++) {
            if (command_stopped()) return STATUS_OK;
            b.optim.how.rate = (float)(BASELINE_RATE * (1 - 0.9 * (double)done / (double)steps));
            step(&b, demo, train, b.order + at, BASELINE_BATCH);
        }
        fprintf(stderr, "demo: baseline, epoch %u of %u\n", epoch + 1, BASELINE_EPOCHS);
    }
    demo->baseline = model_accuracy(&demo->model, b.work, b.weight, demo->test_x, demo->test.label,
                                    demo->test.n);
    return STATUS_OK;
}

struct shrunk_model {
    struct shrunk shrunk;
    struct model model;
    struct model_work *work;
    float *weight;
};

static void shrunk_model_free(struct shrunk_model *m)
{
    model_work_free(&m->work);
    free(m->weight);
    shrunk_free(&m->shrunk);
}

static enum status shrink(struct shrunk_model *m, const struct demo *demo, struct view bytes)
{
    AUTO(state_free) struct state state = {0};
    TRY(state_read(&state, bytes, demo->model.layout.n));
    TRY(layout_shrink(&m->shrunk, &demo->model.spec, &demo->model.layout, &state.keep));
    TRY(model_of(&m->model, &m->shrunk.spec));
    TRY(model_work_new(&m->work, &m->model, 250));
    m->weight = calloc(m->model.layout.n, sizeof *m->weight);
    if (m->weight == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < m->model.layout.n; i++) m->weight[i] = state.weight[m->shrunk.index[i]];
    return STATUS_OK;
}

double demo_accuracy(const struct demo *demo, const char *state_file)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    AUTO(shrunk_model_free) struct shrunk_model m = {0};
    if (file_read(&bytes, state_file, demo->model.layout.n * 5 + 64) != STATUS_OK ||
        shrink(&m, demo, buffer_view(&bytes)) != STATUS_OK)
        return -1;
    return model_accuracy(&m.model, m.work, m.weight, demo->test_x, demo->test.label, demo->test.n);
}
