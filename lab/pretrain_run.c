/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/command.h"
#include "client/model/loss.h"
#include "lab/pretrain.h"

#define PROGRESS_MS 2000

void pretrain_free(struct pretrain *p)
{
    model_work_free(&p->work);
    optim_free(&p->optim);
    bits_free(&p->blocks);
    dataset_free(&p->train);
    dataset_free(&p->test);
    free(p->weight);
    free(p->grad);
    free(p->x);
    free(p->label);
    free(p->order);
}

enum status pretrain_new(struct pretrain *p)
{
    const size_t n = p->model.layout.n, batch = p->options.batch;
    p->weight = calloc(n, sizeof *p->weight);
    p->grad = calloc(n, sizeof *p->grad);
    p->x = calloc(batch * dataset_floats(&p->train), sizeof *p->x);
    p->label = calloc(batch, 1);
    p->order = calloc(p->train.n + batch, sizeof *p->order);
    if (p->weight == NULL || p->grad == NULL || p->x == NULL || p->label == NULL ||
        p->order == NULL)
        return STATUS_NOMEM;
    for (size_t i = 0; i < p->train.n; i++) p->order[i] = (uint32_t)i;
    p->steps = (p->train.n + batch - 1) / batch * p->options.epochs;
    TRY(bits_new(&p->blocks, p->model.spec.depth));
    TRY(model_work_new(&p->work, &p->model, batch));
    TRY(optim_new(&p->optim, n, &p->options.how));
    model_init(p->weight, &p->model, &p->rng);
    return STATUS_OK;
}

bool pretrain_has_blocks(const struct pretrain *p)
{
    return layout_has_blocks(&p->model.spec);
}

/* Any n of the blocks. */
static void choose(struct pretrain *p, uint32_t n)
{
    const uint32_t depth = p->model.spec.depth;
    for (uint32_t l = 0; l < depth; l++) bits_clear(&p->blocks, l);
    for (uint32_t l = 0, left = n; l < depth; l++) {
        if (rng_below(&p->rng, depth - l) >= left) continue;
        bits_set(&p->blocks, l);
        left--;
    }
    model_work_choose(p->work, &p->blocks);
}

static void choose_any(struct pretrain *p)
{
    const uint32_t depth = p->model.spec.depth;
    const uint32_t least = p->options.least_blocks == 0 ? (depth + 3) / 4 : p->options.least_blocks;
    choose(p, least + (uint32_t)rng_below(&p->rng, depth - least + 1));
}

/* Forward pass of n records of data by number. */
static const float *forward(struct pretrain *p, const struct dataset *data, const uint32_t *record,
                            size_t n)
{
    const size_t floats = dataset_floats(data);
    for (size_t i = 0; i < n; i++) {
        data_floats(p->x + i * floats, data, record[i], 1, p->pixel_mean, p->pixel_deviation);
        p->label[i] = data->label[record[i]];
    }
    return model_forward(&p->model, p->work, p->weight, p->x, n);
}

/* What is told of the steps since the last line. */
struct progress {
    uint64_t start_ms, last_ms;
    uint64_t records;
    size_t hits;
    double loss;
};

static double step(struct pretrain *p, uint64_t number, const uint32_t *record, size_t n,
                   size_t *hits)
{
    if (pretrain_has_blocks(p)) choose_any(p);
    const float *logits = forward(p, &p->train, record, n);
    *hits = loss_hits(logits, p->label, n, p->model.spec.classes);
    const double loss = model_backward(&p->model, p->work, p->weight, p->label, n);
    model_grad_sum(&p->model, p->work, p->grad);
    for (size_t i = 0; i < p->model.layout.n; i++) p->grad[i] /= (float)n;
    const double steps = (double)p->steps, done = (double)number;
    const double rise = fmin((done + 1) / ceil(steps / 20), 1);
    p->optim.how.rate = (float)((double)p->options.how.rate * rise * (1 - done / steps));
    optim_step(&p->optim, p->weight, p->grad);
    return loss;
}

static void tell(const struct pretrain *p, struct progress *progress, uint64_t done, bool last)
{
    const uint64_t now = command_now_ms();
    if (!last && now - progress->last_ms < PROGRESS_MS) return;
    const double left =
        (double)(now - progress->start_ms) / 1e3 * (double)(p->steps - done) / (double)done;
    const double n = (double)progress->records;
    fprintf(stderr, "pretrain: step %llu of %llu, loss %.4f, accuracy %.1f %%, %.0f s left\n",
            (unsigned long long)done, (unsigned long long)p->steps, progress->loss / n,
            100 * (double)progress->hits / n, left);
    *progress = (struct progress){.start_ms = progress->start_ms, .last_ms = now};
}

static void shuffle(struct pretrain *p)
{
    for (size_t i = p->train.n; i > 1; i--) {
        const size_t j = rng_below(&p->rng, i);
        const uint32_t held = p->order[i - 1];
        p->order[i - 1] = p->order[j];
        p->order[j] = held;
    }
}

enum status pretrain_run(struct pretrain *p)
{
    const size_t batch = p->options.batch, records = p->train.n;
    struct progress progress = {.start_ms = command_now_ms()};
    progress.last_ms = progress.start_ms;
    uint64_t done = 0;
    for (uint32_t epoch = 0; epoch < p->options.epochs; epoch++) {
        shuffle(p);
        for (size_t at = 0; at < records; at += batch) {
            if (command_stopped()) return STATUS_STATE;
            const size_t n = records - at < batch ? records - at : batch;
            size_t hits = 0;
            const double loss = step(p, done++, p->order + at, n, &hits);
            if (!isfinite(loss)) return STATUS_RANGE;
            progress.records += n;
            progress.hits += hits;
            progress.loss += loss * (double)n;
            tell(p, &progress, done, done == p->steps);
        }
    }
    for (size_t i = 0; i < p->model.layout.n; i++)
        if (!isfinite(p->weight[i])) return STATUS_RANGE;
    return STATUS_OK;
}

double pretrain_accuracy(struct pretrain *p, uint32_t blocks)
{
    const size_t batch = p->options.batch;
    size_t hits = 0;
    for (size_t at = 0; at < p->test.n; at += batch) {
        const size_t n = p->test.n - at < batch ? p->test.n - at : batch;
        for (size_t i = 0; i < n; i++) p->order[i] = (uint32_t)(at + i);
        if (pretrain_has_blocks(p)) choose(p, blocks == 0 ? p->model.spec.depth : blocks);
        const float *logits = forward(p, &p->test, p->order, n);
        hits += loss_hits(logits, p->label, n, p->model.spec.classes);
    }
    return (double)hits / (double)p->test.n;
}
