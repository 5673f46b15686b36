/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/shadow.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/command.h"
#include "base/crew.h"
#include "lab/fleet.h"
#include "lab/solo.h"

/* As the coordinator: so many failures in a row end a study. */
#define FAILURES_MAX 5

static enum status train_alone(struct state *out, const struct shadow *how, struct dataset *data,
                               uint64_t seed)
{
    AUTO(solo_free) struct solo solo = {0};
    TRY(solo_new(&solo, how->study, data, how->initial, how->backbone, seed));
    while (solo.trained < how->study->rounds.count) {
        if (command_stopped()) return STATUS_STATE;
        TRY(solo_round(&solo));
    }
    *out = solo.state;
    solo.state = (struct state){0};
    return STATUS_OK;
}

/* --- the whole study ---------------------------------------------------------------------------
 */

struct parts {
    uint32_t n;
    struct dataset *part; /* n; owned, as what is left in it */
};

static void parts_free(struct parts *parts)
{
    for (uint32_t v = 0; parts->part != NULL && v < parts->n; v++) dataset_free(&parts->part[v]);
    free(parts->part);
}

static void free_fleet(struct fleet **fleet)
{
    if (*fleet != NULL) fleet_close(*fleet);
    free(*fleet);
}

static enum status play(struct fleet *fleet)
{
    for (uint32_t failures = 0; !fleet_done(fleet);) {
        struct fleet_round round;
        if (command_stopped()) return STATUS_STATE;
        TRY(fleet_play(fleet, &round));
        failures = round.opened ? 0 : failures + 1;
        if (failures == FAILURES_MAX) return STATUS_QUORUM;
    }
    return STATUS_OK;
}

static enum status train_together(struct state *out, struct shadow_told *told,
                                  const struct shadow *how, const struct dataset *data,
                                  uint64_t seed)
{
    AUTO(parts_free) struct parts parts = {.n = how->study->sites.expected};
    AUTO(free_fleet) struct fleet *fleet = calloc(1, sizeof *fleet); /* large, and not moved */
    parts.part = calloc(parts.n, sizeof *parts.part);
    if (fleet == NULL || parts.part == NULL) return STATUS_NOMEM;
    struct rng rng = {0};
    rng_numbered(&rng, seed);
    TRY(split_deal(parts.part, &how->split, data, parts.n, 1, &rng));
    const struct fleet_settings settings = {.study = how->path,
                                            .seed = rng_u64(&rng),
                                            .real = how->real,
                                            .backbone = how->backbone,
                                            .threads = 1};
    struct site_error why = {0};
    enum status status = fleet_open(fleet, &settings, parts.part, how->initial, &why);
    if (status == STATUS_OK) {
        status = play(fleet);
        why = fleet->refusal;
    }
    if (told != NULL) {
        (void)snprintf(told->why, sizeof told->why, "%s", why.text);
        told->rounds = fleet->rounds;
    }
    TRY(status);
    if (told != NULL) TRY(spend_epsilon(&told->epsilon, &fleet->spend, ADVERSARY_READER));
    *out = fleet->course.state;
    fleet->course.state = (struct state){0};
    return STATUS_OK;
}

enum status shadow_train(struct state *out, struct shadow_told *told, const struct shadow *how,
                         struct dataset *data, uint64_t seed)
{
    const enum status status = how->federated ? train_together(out, told, how, data, seed)
                                              : train_alone(out, how, data, seed);
    dataset_free(data);
    return status;
}

/* --- margins -----------------------------------------------------------------------------------
 */

/* A model needs some records of its own to be loaded: the first of data are as good as any. */
static enum status copy_first(struct dataset *out, const struct dataset *data)
{
    AUTO(dataset_free) struct dataset one = *data;
    one.n = 1;
    one.key = NULL;
    one.pixel = malloc(dataset_floats(data));
    one.label = malloc(1);
    if (one.pixel == NULL || one.label == NULL) return STATUS_NOMEM;
    memcpy(one.pixel, data->pixel, dataset_floats(data));
    one.label[0] = data->label[0];
    *out = one;
    one = (struct dataset){0};
    return STATUS_OK;
}

enum status shadow_margins(double *margin, const struct shadow *how, const struct state *state,
                           const struct dataset *data)
{
    AUTO(dataset_free) struct dataset first = {0};
    AUTO(local_free) struct local local = {0};
    TRY(copy_first(&first, data));
    TRY(local_new(&local, how->study, &first));
    local.backbone = how->backbone;
    TRY(local_load(&local, state));
    const size_t classes = local.model.spec.classes;
    for (size_t at = 0; at < data->n; at += LOCAL_CHUNK) {
        const size_t n = data->n - at < LOCAL_CHUNK ? data->n - at : LOCAL_CHUNK;
        uint32_t record[LOCAL_CHUNK];
        for (size_t i = 0; i < n; i++) record[i] = (uint32_t)(at + i);
        const float *logit = local_forward(&local, data, record, n);
        for (size_t i = 0; i < n; i++)
            margin[at + i] = membership_margin(logit + i * classes, data->label[at + i], classes);
    }
    return STATUS_OK;
}

/* --- references --------------------------------------------------------------------------------
 */

struct task {
    struct membership *m;
    const struct shadow *how;
    const struct dataset *data;
    uint64_t *seed; /* one for each reference */
    uint16_t *half; /* one row of records for each two references: whose half they are in */
    enum status *status;
    shadow_tell *tell;
    void *context;
    pthread_mutex_t lock; /* of done and tell */
    uint32_t done;
};

static void task_free(struct task *task)
{
    free(task->seed);
    free(task->half);
    free(task->status);
    (void)pthread_mutex_destroy(&task->lock);
}

static enum status train_one(const struct task *task, uint32_t k)
{
    struct membership *m = task->m;
    const uint16_t *half = task->half + k / 2 * m->n;
    AUTO(dataset_free) struct dataset own = {0};
    AUTO(state_free) struct state state = {0};
    for (size_t i = 0; i < m->n; i++) m->seen[k * m->n + i] = half[i] == k % 2;
    TRY(split_take(&own, task->data, half, (uint16_t)(k % 2)));
    TRY(shadow_train(&state, NULL, task->how, &own, task->seed[k]));
    return shadow_margins(m->reference + k * m->n, task->how, &state, task->data);
}

static void train_next(void *context, uint32_t k)
{
    struct task *task = context;
    task->status[k] = command_stopped() ? STATUS_STATE : train_one(task, k);
    (void)pthread_mutex_lock(&task->lock);
    task->done++;
    if (task->tell != NULL) task->tell(task->context, task->done, task->m->n_references);
    (void)pthread_mutex_unlock(&task->lock);
}

enum status shadow_references(struct membership *m, const struct shadow *how,
                              const struct dataset *data, uint64_t seed, shadow_tell *tell,
                              void *context)
{
    const uint32_t all = m->n_references;
    const struct split halves = {.kind = SPLIT_IID};
    REQUIRE(all % 2 == 0 && m->n == data->n);
    AUTO(task_free)
    struct task task = {.m = m,
                        .how = how,
                        .data = data,
                        .tell = tell,
                        .context = context,
                        .lock = PTHREAD_MUTEX_INITIALIZER};
    task.seed = calloc(all, sizeof *task.seed);
    task.half = calloc(m->n, all / 2 * sizeof *task.half);
    task.status = calloc(all, sizeof *task.status);
    if (task.seed == NULL || task.half == NULL || task.status == NULL) return STATUS_NOMEM;
    struct rng rng = {0};
    rng_numbered(&rng, seed);
    for (uint32_t k = 0; k < all; k++) task.seed[k] = rng_u64(&rng);
    for (uint32_t k = 0; k < all / 2; k++)
        TRY(split_run(task.half + k * m->n, &halves, data, 2, 1, &rng));
    crew_run(train_next, &task, all, how->threads);
    for (uint32_t k = 0; k < all; k++) TRY(task.status[k]);
    return STATUS_OK;
}
