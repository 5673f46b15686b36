/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/canary.h"

#include <stdlib.h>
#include <string.h>

#include "client/data/split.h"
#include "lab/corpus.h"

static enum status room(struct dataset *out, const struct study *study, uint32_t n)
{
    const struct model_spec *spec = &study->model.spec;
    AUTO(dataset_free)
    struct dataset data = {.n = n,
                           .channels = spec->channels,
                           .height = spec->height,
                           .width = spec->width,
                           .classes = spec->classes};
    data.pixel = calloc(n, dataset_floats(&data));
    data.label = calloc(n, 1);
    if (data.pixel == NULL || data.label == NULL) return STATUS_NOMEM;
    *out = data;
    data = (struct dataset){0};
    return STATUS_OK;
}

enum status canary_random(struct dataset *out, const struct study *study, uint32_t n,
                          struct rng *rng)
{
    const struct model_spec *spec = &study->model.spec;
    const uint32_t values = spec->kind == MODEL_LSTM ? spec->classes : 256; /* characters */
    TRY(room(out, study, n));
    for (size_t i = 0; i < n * dataset_floats(out); i++)
        out->pixel[i] = (uint8_t)rng_below(rng, values);
    for (size_t i = 0; i < n; i++) out->label[i] = (uint8_t)rng_below(rng, spec->classes);
    return STATUS_OK;
}

static void free_order(size_t **order)
{
    free(*order);
}

enum status canary_mislabelled(struct dataset *out, const struct study *study,
                               const struct dataset *from, uint32_t n, struct rng *rng)
{
    const struct model_spec *spec = &study->model.spec;
    const uint32_t classes = spec->classes;
    const size_t floats = dataset_floats(from);
    const size_t wanted = (size_t)spec->channels * spec->height * spec->width;
    if (n > from->n || classes < 2 || floats != wanted) return STATUS_RANGE;
    AUTO(free_order) size_t *order = calloc(from->n, sizeof *order);
    if (order == NULL) return STATUS_NOMEM;
    TRY(room(out, study, n));
    for (size_t i = 0; i < from->n; i++) order[i] = i;
    for (size_t i = 0; i < n; i++) {
        const size_t j = i + (size_t)rng_below(rng, from->n - i), record = order[j];
        order[j] = order[i];
        memcpy(out->pixel + i * floats, from->pixel + record * floats, floats);
        out->label[i] =
            (uint8_t)((from->label[record] + 1 + rng_below(rng, classes - 1)) % classes);
    }
    return STATUS_OK;
}

void canary_toss(bool *included, uint32_t n, struct rng *rng)
{
    for (uint32_t i = 0; i < n; i++) included[i] = rng_below(rng, 2) == 1;
}

static enum status add(struct dataset *share, const struct dataset *canary, const uint16_t *site,
                       uint16_t which)
{
    struct dataset part[2] = {{0}};
    /* A site of whose canaries none is in: STATUS_RANGE. */
    const enum status taken = split_take(&part[1], canary, site, which);
    if (taken != STATUS_OK) return taken == STATUS_RANGE ? STATUS_OK : taken;
    part[0] = *share;
    *share = (struct dataset){0};
    const enum status status = corpus_pool(share, part, 2);
    for (size_t i = 0; i < 2; i++) dataset_free(&part[i]);
    return status;
}

enum status canary_deal(struct dataset *share, uint32_t n_sites, const struct dataset *canary,
                        const bool *included)
{
    uint16_t *site = calloc(canary->n, sizeof *site);
    if (site == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < canary->n; i++) {
        site[i] = UINT16_MAX;
        if (included[i]) site[i] = (uint16_t)(i % n_sites);
    }
    enum status status = STATUS_OK;
    for (uint32_t v = 0; v < n_sites && status == STATUS_OK; v++)
        status = add(&share[v], canary, site, (uint16_t)v);
    free(site);
    return status;
}
