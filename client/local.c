/* SPDX-License-Identifier: Apache-2.0 */
#include "client/local.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/vector.h"
#include "client/model/loss.h"
#include "client/model/optim.h"
#include "protocol/layout_cost.h"
#include "protocol/schedule.h"

static void unload(struct local *local)
{
    const size_t n = local->model.layout.n;
    if (local->grad != NULL) secret_wipe(local->grad, n * sizeof *local->grad);
    free(local->weight);
    free(local->kept);
    free(local->grad);
    model_work_free(&local->work);
    shrunk_free(&local->shrunk);
    local->weight = local->kept = local->grad = NULL;
    local->model = (struct model){0};
}

void local_free(struct local *local)
{
    unload(local);
    if (local->x != NULL)
        secret_wipe(local->x, LOCAL_CHUNK * dataset_floats(&local->data) * sizeof *local->x);
    free(local->x);
    if (local->pick != NULL) secret_wipe(local->pick, local->data.n * sizeof *local->pick);
    free(local->pick);
    dataset_free(&local->data);
    dataset_free(&local->held);
    *local = (struct local){0};
}

static bool fits(const struct dataset *data, const struct model_spec *spec)
{
    bool fits = data->n > 0 && data->channels == spec->channels && data->height == spec->height &&
                data->width == spec->width && data->classes <= spec->classes;
    const size_t characters = fits && spec->kind == MODEL_LSTM ? data->n * dataset_floats(data) : 0;
    for (size_t i = 0; i < characters; i++) fits = fits && data->pixel[i] < spec->classes;
    return fits;
}

enum status local_new(struct local *out, const struct study *study, struct dataset *data)
{
    const struct model_spec *spec = &study->model.spec;
    if (!fits(data, spec)) return STATUS_RANGE;
    AUTO(local_free) struct local local = {.study = study};
    TRY(layout_of(&local.full, spec));
    local.x = calloc(LOCAL_CHUNK * dataset_floats(data), sizeof *local.x);
    local.pick = calloc(data->n, sizeof *local.pick);
    if (local.x == NULL || local.pick == NULL) return STATUS_NOMEM;
    local.data = *data;
    *data = (struct dataset){0};
    *out = local;
    local = (struct local){0};
    return STATUS_OK;
}

enum status local_hold_out(struct local *local, struct dataset *held)
{
    if (!fits(held, &local->study->model.spec)) return STATUS_RANGE;
    dataset_free(&local->held);
    local->held = *held;
    *held = (struct dataset){0};
    return STATUS_OK;
}

/* A thread is worth its start, some tens of microseconds in each pass, from so many
 * multiply-accumulates on. */
#define THREAD_MACS 0x1p22

static unsigned threads_worth(const struct local *local)
{
    const double macs = (double)layout_macs(&local->model.spec);
    const double worth = macs * local->study->rounds.local_batch / THREAD_MACS;
    return worth < local->threads ? (unsigned)worth : local->threads;
}

static enum status load(struct local *local, const struct state *state)
{
    if (local->study->model.spec.rank > 0 && local->backbone == NULL) return STATUS_RANGE;
    TRY(layout_shrink(&local->shrunk, &local->study->model.spec, &local->full, &state->keep));
    TRY(model_of(&local->model, &local->shrunk.spec));
    TRY(model_work_new(&local->work, &local->model, LOCAL_CHUNK));
    TRY(model_work_divide(local->work, &local->model, threads_worth(local)));
    if (local->backbone != NULL) model_work_freeze(local->work, local->backbone);
    local->clip = schedule_clip(local->study, state->clip);
    const size_t n = local->model.layout.n;
    local->weight = calloc(n, sizeof *local->weight);
    local->kept = calloc(n, sizeof *local->kept);
    local->grad = calloc(n, sizeof *local->grad);
    if (local->weight == NULL || local->kept == NULL || local->grad == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < n; i++) {
        local->weight[i] = state->weight[local->shrunk.index[i]];
        local->kept[i] = bits_has(&local->shrunk.kept, i) ? 1 : 0;
    }
    return STATUS_OK;
}

enum status local_load(struct local *local, const struct state *state)
{
    unload(local);
    enum status status = load(local, state);
    if (status != STATUS_OK) unload(local);
    return status;
}

static void look_up(struct local *local, const struct dataset *data, const uint32_t *record,
                    size_t n)
{
    const size_t floats = dataset_floats(data);
    const float mean = (float)local->study->model.pixel_mean;
    const float deviation = (float)local->study->model.pixel_deviation;
    for (size_t i = 0; i < n; i++) {
        data_floats(local->x + i * floats, data, record[i], 1, mean, deviation);
        local->label[i] = data->label[record[i]];
    }
}

const float *local_forward(struct local *local, const struct dataset *data, const uint32_t *record,
                           size_t n)
{
    look_up(local, data, record, n);
    return model_forward(&local->model, local->work, local->weight, local->x, n);
}

/* Forward and backward pass; gradients are in work. */
static void pass(struct local *local, const uint32_t *record, size_t n)
{
    (void)local_forward(local, &local->data, record, n);
    (void)model_backward(&local->model, local->work, local->weight, local->label, n);
}

VECTOR_CLONES static void turn_down(float *grad, const float *kept, size_t n)
{
    for (size_t i = 0; i < n; i++) grad[i] *= -kept[i];
}

/* In an ordinary product of matrices the order of additions depends on how many rows there are and
 * on the row's place, so that a record's neighbours would change its bits. */
size_t local_group(struct local *local, const uint32_t *record, size_t n)
{
    const size_t most = model_group(&local->model), size = n < most ? n : most;
    look_up(local, &local->data, record, size);
    (void)model_forward_apart(&local->model, local->work, local->weight, local->x, size);
    (void)model_backward(&local->model, local->work, local->weight, local->label, size);
    return size;
}

void local_gradient(struct local *local, uint32_t record)
{
    (void)local_group(local, &record, 1);
    model_grad_record(&local->model, local->work, 0, local->grad);
    turn_down(local->grad, local->kept, local->model.layout.n);
}

struct update local_descent(struct local *local, size_t i)
{
    return model_descent(&local->model, local->work, i, local->grad);
}

bool local_is_right(struct local *local, uint32_t record)
{
    /* Alone in its pass: where two outputs are close, bits decide. */
    const float *logits = local_forward(local, &local->held, &record, 1);
    return loss_hits(logits, local->label, 1, local->model.spec.classes) == 1;
}

size_t local_sample(struct local *local, double rate, struct rng *rng)
{
    /* rate * 2^64, rounded down: the true rate is never above the one that is accounted for. */
    const bool all = rate >= 1;
    const uint64_t below = all ? 0 : (uint64_t)(rate * 0x1p64);
    size_t n = 0;
    for (size_t i = 0; i < local->data.n; i++)
        if (all || rng_u64(rng) < below) local->pick[n++] = (uint32_t)i;
    return n;
}

static void shuffle(uint32_t *order, size_t n, struct rng *rng)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = rng_below(rng, i);
        uint32_t held = order[i - 1];
        order[i - 1] = order[j];
        order[j] = held;
    }
}

/* Scratch of local_epochs. */
struct scratch {
    size_t n;
    float *start, *sum; /* sum is secret */
};

static void scratch_free(struct scratch *scratch)
{
    if (scratch->sum != NULL) secret_wipe(scratch->sum, scratch->n * sizeof *scratch->sum);
    free(scratch->start);
    free(scratch->sum);
}

/* The mean of n records' gradients, with the pull back to the start; nothing pulls at what was
 * pruned. */
VECTOR_CLONES static void mean_gradient(const struct scratch *scratch, const float *weight,
                                        const float *kept, float n, float proximal)
{
    for (size_t i = 0; i < scratch->n; i++)
        scratch->sum[i] =
            kept[i] * (scratch->sum[i] / n + proximal * (weight[i] - scratch->start[i]));
}

/* One pass over a batch of any size, by chunks, and one step. */
static void step(struct local *local, struct optim *optim, const struct scratch *scratch,
                 const uint32_t *record, size_t n)
{
    float *sum = scratch->sum;
    memset(sum, 0, scratch->n * sizeof *sum);
    for (size_t at = 0; at < n; at += LOCAL_CHUNK) {
        pass(local, record + at, n - at < LOCAL_CHUNK ? n - at : LOCAL_CHUNK);
        model_grad_sum(&local->model, local->work, local->grad);
        for (size_t i = 0; i < scratch->n; i++) sum[i] += local->grad[i];
    }
    mean_gradient(scratch, local->weight, local->kept, (float)n,
                  (float)local->study->rounds.proximal);
    optim_step(optim, local->weight, sum);
}

static struct optim_how how_to_step(const struct study *study, uint32_t round)
{
    return (struct optim_how){
        .kind = study->rounds.local_optimizer == STUDY_ADAM ? OPTIM_ADAM : OPTIM_SGD,
        .rate =
            (float)(study->rounds.local_learning_rate * pow(study->rounds.local_rate_decay, round)),
        .momentum = (float)study->rounds.local_momentum,
        .decay = (float)study->rounds.local_decay,
        .clip = (float)study->rounds.local_clip};
}

enum status local_epochs(struct local *local, uint32_t round, struct rng *rng)
{
    const size_t size = local->model.layout.n, n = local->data.n;
    AUTO(scratch_free) struct scratch scratch = {.n = size};
    scratch.start = calloc(size, sizeof *scratch.start);
    scratch.sum = calloc(size, sizeof *scratch.sum);
    if (scratch.start == NULL || scratch.sum == NULL) return STATUS_NOMEM;
    AUTO(optim_free) struct optim optim = {0};
    const struct optim_how how = how_to_step(local->study, round);
    TRY(optim_new(&optim, size, &how));
    memcpy(scratch.start, local->weight, size * sizeof *scratch.start);
    for (size_t i = 0; i < n; i++) local->pick[i] = (uint32_t)i;
    const size_t batch = local->study->rounds.local_batch;
    for (uint32_t epoch = 0; epoch < local->study->rounds.local_epochs; epoch++) {
        shuffle(local->pick, n, rng);
        for (size_t at = 0; at < n; at += batch)
            step(local, &optim, &scratch, local->pick + at, n - at < batch ? n - at : batch);
    }
    for (size_t i = 0; i < size; i++) {
        local->grad[i] = local->weight[i] - scratch.start[i];
        local->weight[i] = scratch.start[i];
    }
    return STATUS_OK;
}
