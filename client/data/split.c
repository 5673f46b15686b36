/* SPDX-License-Identifier: Apache-2.0 */
/* Names, the partitions that do not look at labels, and what sites get of one. */
#include "client/data/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/data/domain.h"
#include "client/data/split_step.h"

static const struct {
    const char *name;
    int argument; /* 0 never, 1 maybe, 2 always */
} split_table[SPLIT_KIND_COUNT] = {
#define SPLIT_ROW(name, text, argument) {text, argument},
    SPLIT_MAP(SPLIT_ROW)
#undef SPLIT_ROW
};

enum status split_parse(struct split *out, const char *name)
{
    const size_t n = strcspn(name, ":");
    size_t kind = 0;
    while (kind < SPLIT_KIND_COUNT &&
           (strncmp(split_table[kind].name, name, n) != 0 || split_table[kind].name[n] != 0))
        kind++;
    if (kind == SPLIT_KIND_COUNT) return STATUS_FORMAT;
    const int argument = split_table[kind].argument;
    if (name[n] == 0 ? argument == 2 : argument == 0) return STATUS_FORMAT;
    double x = 0;
    if (name[n] != 0) {
        char *end = NULL;
        x = strtod(name + n + 1, &end);
        if (end == name + n + 1 || *end != 0 || !(x > 0) || !isfinite(x)) return STATUS_FORMAT;
    }
    *out = (struct split){(enum split_kind)kind, x};
    return STATUS_OK;
}

void split_release(void *pointer)
{
    free(*(void **)pointer);
}

void split_shuffle(size_t *order, size_t n, struct rng *rng)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)rng_below(rng, i);
        size_t other = order[j];
        order[j] = order[i - 1];
        order[i - 1] = other;
    }
}

void split_cut(size_t *end, double *share, uint32_t n_sites, size_t n)
{
    double largest = -HUGE_VAL;
    for (uint32_t s = 0; s < n_sites; s++) largest = fmax(largest, share[s]);
    double total = 0;
    for (uint32_t s = 0; s < n_sites; s++) {
        share[s] = exp(share[s] - largest);
        total += share[s];
    }
    /* The same additions in the same order: the last sum is the total, so the last cut is n. */
    double sum = 0;
    for (uint32_t s = 0; s < n_sites; s++) {
        sum += share[s];
        end[s] = (size_t)(sum / total * (double)n);
    }
}

static bool each_has(const size_t *end, uint32_t n_sites, size_t least)
{
    for (uint32_t s = 0; s < n_sites; s++)
        if (end[s] - (s == 0 ? 0 : end[s - 1]) < least) return false;
    return true;
}

/* Shuffled records, cut in proportion to exp(sigma * normal); sigma 0 cuts evenly. */
static enum status split_sizes(uint16_t *site, const struct dataset *data, uint32_t n_sites,
                               double sigma, size_t least, struct rng *rng)
{
    AUTO(split_release) size_t *end = calloc(n_sites, sizeof *end);
    AUTO(split_release) double *share = calloc(n_sites, sizeof *share);
    AUTO(split_release) size_t *order = calloc(data->n + 1, sizeof *order);
    if (end == NULL || share == NULL || order == NULL) return STATUS_NOMEM;
    bool enough = false;
    for (unsigned draw = 0; draw < SPLIT_DRAWS_MAX && !enough; draw++) {
        for (uint32_t s = 0; s < n_sites; s++) {
            share[s] = sigma * rng_normal(rng);
            end[s] = (size_t)(((uint64_t)s + 1) * data->n / n_sites);
        }
        if (sigma > 0) split_cut(end, share, n_sites, data->n);
        enough = each_has(end, n_sites, least);
    }
    if (!enough) return STATUS_RANGE;
    for (size_t i = 0; i < data->n; i++) order[i] = i;
    split_shuffle(order, data->n, rng);
    uint32_t s = 0;
    for (size_t i = 0; i < data->n; i++) {
        while (i >= end[s]) s++;
        site[order[i]] = (uint16_t)s;
    }
    return STATUS_OK;
}

/* Whole keys: the keys that occur are shuffled and dealt one after the other. */
static enum status split_key(uint16_t *site, const struct dataset *data, uint32_t n_sites,
                             size_t least, struct rng *rng)
{
    enum { KEYS = UINT16_MAX + 1 };
    if (data->key == NULL) return STATUS_RANGE;
    AUTO(split_release) size_t *count = calloc(KEYS, sizeof *count);
    AUTO(split_release) size_t *order = calloc(KEYS, sizeof *order);
    AUTO(split_release) size_t *held = calloc(n_sites, sizeof *held);
    AUTO(split_release) uint16_t *of = calloc(KEYS, sizeof *of);
    if (count == NULL || order == NULL || held == NULL || of == NULL) return STATUS_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < data->n; i++) count[data->key[i]]++;
    for (size_t k = 0; k < KEYS; k++)
        if (count[k] > 0) order[n++] = k;
    if (n < n_sites) return STATUS_RANGE;

    bool enough = false;
    for (unsigned draw = 0; draw < SPLIT_DRAWS_MAX && !enough; draw++) {
        split_shuffle(order, n, rng);
        memset(held, 0, n_sites * sizeof *held);
        for (size_t k = 0; k < n; k++) {
            of[order[k]] = (uint16_t)(k % n_sites);
            held[k % n_sites] += count[order[k]];
        }
        enough = true;
        for (uint32_t s = 0; s < n_sites; s++) enough = enough && held[s] >= least;
    }
    if (!enough) return STATUS_RANGE;
    for (size_t i = 0; i < data->n; i++) site[i] = of[data->key[i]];
    return STATUS_OK;
}

enum status split_run(uint16_t *site, const struct split *split, const struct dataset *data,
                      uint32_t n_sites, size_t least, struct rng *rng)
{
    if (n_sites == 0 || n_sites > UINT16_MAX || least > data->n / n_sites) return STATUS_RANGE;
    const double x = split->argument;
    switch (split->kind) {
    case SPLIT_IID:
        return split_sizes(site, data, n_sites, 0, least, rng);
    case SPLIT_QUANTITY:
        if (!(x > 0) || !isfinite(x)) return STATUS_RANGE;
        return split_sizes(site, data, n_sites, x, least, rng);
    case SPLIT_DIRICHLET:
        return split_dirichlet(site, data, n_sites, x, least, rng);
    case SPLIT_PATHOLOGICAL:
        return split_pathological(site, data, n_sites, x, least, rng);
    case SPLIT_KEY:
        return split_key(site, data, n_sites, least, rng);
    case SPLIT_DOMAIN:
        if (x > 0) return split_dirichlet(site, data, n_sites, x, least, rng);
        return split_sizes(site, data, n_sites, 0, least, rng);
    case SPLIT_KIND_COUNT:
        break;
    }
    return STATUS_RANGE;
}

enum status split_take(struct dataset *out, const struct dataset *data, const uint16_t *site,
                       uint16_t which)
{
    size_t n = 0;
    for (size_t i = 0; i < data->n; i++) n += site[i] == which;
    if (n == 0) return STATUS_RANGE;

    const size_t floats = dataset_floats(data);
    AUTO(dataset_free)
    struct dataset part = {.channels = data->channels,
                           .height = data->height,
                           .width = data->width,
                           .classes = data->classes};
    part.pixel = malloc(n * floats);
    part.label = malloc(n);
    if (data->key != NULL) part.key = malloc(n * sizeof *part.key);
    if (part.pixel == NULL || part.label == NULL || (data->key != NULL && part.key == NULL))
        return STATUS_NOMEM;
    for (size_t i = 0; i < data->n; i++) {
        if (site[i] != which) continue;
        memcpy(part.pixel + part.n * floats, data->pixel + i * floats, floats);
        if (part.key != NULL) part.key[part.n] = data->key[i];
        part.label[part.n++] = data->label[i];
    }
    *out = part;
    part = (struct dataset){0};
    return STATUS_OK;
}

static enum status deal(struct dataset *part, const struct split *split, const struct dataset *data,
                        uint32_t n_sites, size_t least, struct rng *rng)
{
    AUTO(split_release) uint16_t *site = calloc(data->n + 1, sizeof *site);
    if (site == NULL) return STATUS_NOMEM;
    TRY(split_run(site, split, data, n_sites, least, rng));
    for (uint32_t v = 0; v < n_sites; v++) {
        TRY(split_take(&part[v], data, site, (uint16_t)v));
        if (split->kind == SPLIT_DOMAIN)
            TRY(domain_apply(&part[v], (enum domain)(v % DOMAIN_COUNT), rng));
    }
    return STATUS_OK;
}

enum status split_deal(struct dataset *part, const struct split *split, const struct dataset *data,
                       uint32_t n_sites, size_t least, struct rng *rng)
{
    const enum status status = deal(part, split, data, n_sites, least < 1 ? 1 : least, rng);
    if (status != STATUS_OK)
        for (uint32_t v = 0; v < n_sites; v++) dataset_free(&part[v]);
    return status;
}
