/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/surplus.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "protocol/removal.h"

void surplus_free(struct surplus *surplus)
{
    if (surplus->seed != NULL) secret_wipe(surplus->seed, surplus->n * sizeof *surplus->seed);
    free(surplus->seed);
    *surplus = (struct surplus){0};
}

enum status surplus_new(struct surplus *out, const struct round *round)
{
    struct surplus surplus = {.first = removal_first(&round->plan, &round->survivors)};
    if (surplus.first > 0) {
        surplus.seed = calloc(bits_count(&round->survivors), sizeof *surplus.seed);
        if (surplus.seed == NULL) return STATUS_NOMEM;
    }
    *out = surplus;
    return STATUS_OK;
}

/* Every n_threads-th survivor. */
struct worker {
    struct round *round;
    struct surplus *surplus;
    const struct xnoise *parts;
    pthread_mutex_t *lock; /* of round->opened */
    size_t n, at, step;
    enum status status;
    bool started;
    pthread_t thread;
};

/* Segment after segment, as the site added it. */
static void take_part(struct round *r, const struct noise *part)
{
    const uint32_t ring = UINT32_MAX >> (MASK_BITS_MAX - r->plan.grid.bits);
    const uint32_t *value = part->value;
    for (uint32_t l = 0; l < r->plan.n_segments; l++) {
        struct opened *opened = &r->opened[l];
        for (size_t i = 0; i < opened->n; i++)
            opened->value[i] = (opened->value[i] - value[i]) & ring;
        value += opened->n;
    }
}

/* All of one survivor's parts that are too much. */
static enum status take_parts(const struct worker *w, uint8_t seed[static SHARE_BYTES])
{
    struct round *r = w->round;
    for (uint32_t k = w->surplus->first; k <= w->parts->removable; k++, removal_next(seed)) {
        AUTO(noise_free) struct noise part = {0};
        TRY(removal_draw(&part, w->n, w->parts->sigma[k], seed, &r->plan_hash, &r->roster_hash));
        REQUIRE(pthread_mutex_lock(w->lock) == 0);
        take_part(r, &part);
        REQUIRE(pthread_mutex_unlock(w->lock) == 0);
    }
    return STATUS_OK;
}

static void *work(void *argument)
{
    struct worker *w = argument;
    for (size_t i = w->at; i < w->surplus->n && w->status == STATUS_OK; i += w->step)
        w->status = take_parts(w, w->surplus->seed[i]);
    return NULL;
}

enum status surplus_take(struct round *round, struct surplus *surplus)
{
    if (surplus->first == 0) return STATUS_OK;
    struct xnoise parts;
    TRY(removal_parts(&parts, &round->plan));
    size_t n = 0;
    for (uint32_t l = 0; l < round->plan.n_segments; l++) {
        REQUIRE(round->opened[l].n == round->plan.segment[l].dim);
        n += round->opened[l].n;
    }
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct worker worker[MASK_THREADS_MAX];
    const size_t threads = round->threads == 0 ? 1 : round->threads;
    for (size_t i = 0; i < threads; i++)
        worker[i] = (struct worker){.round = round,
                                    .surplus = surplus,
                                    .parts = &parts,
                                    .lock = &lock,
                                    .n = n,
                                    .at = i,
                                    .step = threads};
    for (size_t i = 1; i < threads; i++)
        worker[i].started = pthread_create(&worker[i].thread, NULL, work, &worker[i]) == 0;
    for (size_t i = 0; i < threads; i++)
        if (!worker[i].started) (void)work(&worker[i]);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < threads; i++) {
        if (worker[i].started) REQUIRE(pthread_join(worker[i].thread, NULL) == 0);
        if (worker[i].status != STATUS_OK) status = worker[i].status;
    }
    return status;
}
