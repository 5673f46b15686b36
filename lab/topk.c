/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/topk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/crew.h"
#include "protocol/pick.h"

struct topk_site {
    struct local local;
    struct rng rng;
    float *value, *error, *scratch; /* what it sends, what it owes */
    enum status status;
};

static enum status site_new(struct topk_site *site, const struct study *study,
                            struct dataset *share, const float *backbone)
{
    TRY(local_new(&site->local, study, share));
    site->local.backbone = backbone;
    const size_t n = site->local.full.n;
    site->value = calloc(n, sizeof *site->value);
    site->error = calloc(n, sizeof *site->error);
    site->scratch = calloc(n, sizeof *site->scratch);
    const bool made = site->value != NULL && site->error != NULL && site->scratch != NULL;
    return made ? STATUS_OK : STATUS_NOMEM;
}

static void site_free(struct topk_site *site)
{
    local_free(&site->local);
    rng_wipe(&site->rng);
    free(site->value);
    free(site->error);
    free(site->scratch);
}

enum status topk_new(struct topk *out, const struct study *study, uint32_t n, struct dataset *share,
                     const float *initial, const float *backbone, uint64_t seed)
{
    struct topk *topk = out;
    *topk = (struct topk){.study = study, .n = n};
    topk->site = calloc(n, sizeof *topk->site);
    if (topk->site == NULL) return STATUS_NOMEM;
    for (uint32_t v = 0; v < n; v++) {
        TRY(site_new(&topk->site[v], study, &share[v], backbone));
        rng_numbered(&topk->site[v].rng, seed * n + v);
    }
    const struct layout *layout = &topk->site[0].local.full;
    TRY(state_new(&topk->state, layout->n));
    memcpy(topk->state.weight, initial, layout->n * sizeof *initial);
    for (uint32_t s = 0; s < layout->n_segments; s++)
        topk->sent += pick_count(layout_segment_size(layout, s, NULL), study->rounds.coordinates);
    topk->velocity = calloc(layout->n, sizeof *topk->velocity);
    topk->sum = calloc(layout->n, sizeof *topk->sum);
    return topk->velocity == NULL || topk->sum == NULL ? STATUS_NOMEM : STATUS_OK;
}

void topk_free(struct topk *topk)
{
    for (uint32_t v = 0; topk->site != NULL && v < topk->n; v++) site_free(&topk->site[v]);
    free(topk->site);
    state_free(&topk->state);
    free(topk->velocity);
    free(topk->sum);
    *topk = (struct topk){0};
}

static int falling(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

void topk_keep(float *value, size_t n, size_t k, float *scratch)
{
    REQUIRE(k > 0 && k <= n);
    for (size_t i = 0; i < n; i++) scratch[i] = fabsf(value[i]);
    qsort(scratch, n, sizeof *scratch, falling);
    const float least = scratch[k - 1];
    size_t equal = 0; /* of those that are as large as the least, so many stay */
    for (size_t i = 0; i < k; i++) equal += scratch[i] == least;
    for (size_t i = 0; i < n; i++) {
        const float size = fabsf(value[i]);
        if (size == least && equal > 0)
            equal--;
        else if (size <= least)
            value[i] = 0;
    }
}

/* The contribution with what is owed; its largest are sent, the rest is owed. */
static enum status work(struct topk_site *site, const struct topk *topk)
{
    struct local *local = &site->local;
    const struct layout *layout = &local->full;
    TRY(local_load(local, &topk->state));
    TRY(solo_contribution(site->value, local, topk->trained, &site->rng));
    for (size_t i = 0; i < layout->n; i++) {
        site->value[i] += site->error[i];
        site->error[i] = site->value[i];
    }
    for (uint32_t s = 0; s < layout->n_segments; s++) {
        const uint64_t size = layout_segment_size(layout, s, NULL);
        topk_keep(site->value + layout_segment_first(layout, s), size,
                  pick_count(size, topk->study->rounds.coordinates), site->scratch);
    }
    for (size_t i = 0; i < layout->n; i++) site->error[i] -= site->value[i];
    return STATUS_OK;
}

static void work_one(void *context, uint32_t v)
{
    const struct topk *topk = context;
    topk->site[v].status = work(&topk->site[v], topk);
}

enum status topk_round(struct topk *topk, unsigned threads)
{
    const struct study *study = topk->study;
    const size_t size = topk->state.keep.n;
    const float momentum = (float)study->rounds.momentum;
    const float rate = (float)(study->rounds.learning_rate *
                               (1 - study->rounds.decay * topk->trained / study->rounds.count));
    const float divisor = study->privacy.unit == STUDY_SITE
                              ? (float)topk->n
                              : (float)(study->privacy.sampling * study->privacy.records);
    crew_run(work_one, topk, topk->n, threads);
    memset(topk->sum, 0, size * sizeof *topk->sum);
    for (uint32_t v = 0; v < topk->n; v++) {
        TRY(topk->site[v].status);
        for (size_t i = 0; i < size; i++) topk->sum[i] += topk->site[v].value[i];
    }
    bool finite = true;
    for (size_t i = 0; i < size; i++) {
        topk->velocity[i] = momentum * topk->velocity[i] + topk->sum[i] / divisor;
        topk->state.weight[i] += rate * topk->velocity[i];
        finite = finite && isfinite(topk->state.weight[i]);
    }
    topk->trained++;
    return finite ? STATUS_OK : STATUS_RANGE;
}
