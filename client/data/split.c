/* SPDX-License-Identifier: Apache-2.0 */
/* Shares are drawn first, and only once they suffice are the records of each class shuffled and
 * dealt. Gamma variates: Marsaglia and Tsang 2000, kept as logarithms because for small alpha all
 * of them may be too small for a double. */
#include "client/data/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DRAWS_MAX 1000
#define CLASSES 256 /* of an 8-bit label */

/* Logarithm of a gamma variate of shape alpha. */
static double log_gamma_draw(double alpha, struct rng *rng)
{
    /* A shape below 1 is drawn as alpha + 1 and multiplied by u^(1 / alpha). */
    double boost = alpha < 1 ? log(1 - rng_unit(rng)) / alpha : 0;
    double d = (alpha < 1 ? alpha + 1 : alpha) - 1.0 / 3;
    double c = 1 / sqrt(9 * d);
    for (;;) {
        double x = rng_normal(rng);
        double v = 1 + c * x;
        if (v <= 0) continue;
        v = v * v * v;
        if (log(1 - rng_unit(rng)) < x * x / 2 + d - d * v + d * log(v)) return log(d * v) + boost;
    }
}

/* Cut n records among the sites: end[s] is the place after the last record of site s. */
static void draw_cuts(size_t *end, double *share, uint32_t n_sites, size_t n, double alpha,
                      struct rng *rng)
{
    double largest = -HUGE_VAL;
    for (uint32_t s = 0; s < n_sites; s++) {
        share[s] = log_gamma_draw(alpha, rng);
        largest = fmax(largest, share[s]);
    }
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

static void shuffle(size_t *order, size_t n, struct rng *rng)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)rng_below(rng, i);
        size_t other = order[j];
        order[j] = order[i - 1];
        order[i - 1] = other;
    }
}

/* Draw the cuts of all classes; false when a site would have less than `least` records. */
static bool draw_all(size_t *end, double *share, size_t *held, const size_t *class_size,
                     uint32_t n_sites, double alpha, size_t least, struct rng *rng)
{
    memset(held, 0, n_sites * sizeof *held);
    for (size_t k = 0; k < CLASSES; k++) {
        if (class_size[k] == 0) continue;
        size_t *cut = end + k * n_sites;
        draw_cuts(cut, share, n_sites, class_size[k], alpha, rng);
        for (uint32_t s = 0; s < n_sites; s++) held[s] += cut[s] - (s == 0 ? 0 : cut[s - 1]);
    }
    for (uint32_t s = 0; s < n_sites; s++)
        if (held[s] < least) return false;
    return true;
}

/* Deal the shuffled records of each class. */
static void deal(uint16_t *site, const struct dataset *data, const size_t *class_size,
                 size_t *order, const size_t *end, uint32_t n_sites, struct rng *rng)
{
    for (size_t k = 0; k < CLASSES; k++) {
        if (class_size[k] == 0) continue;
        size_t n = 0;
        for (size_t i = 0; i < data->n; i++)
            if (data->label[i] == k) order[n++] = i;
        shuffle(order, n, rng);
        uint32_t s = 0;
        for (size_t i = 0; i < n; i++) {
            while (i >= end[k * n_sites + s]) s++;
            site[order[i]] = (uint16_t)s;
        }
    }
}

static void release(void *pointer)
{
    free(*(void **)pointer);
}

enum status split_dirichlet(uint16_t *site, const struct dataset *data, uint32_t n_sites,
                            double alpha, size_t least, struct rng *rng)
{
    if (n_sites == 0 || n_sites > UINT16_MAX || !(alpha > 0) || !isfinite(alpha) ||
        least > data->n / n_sites)
        return STATUS_RANGE;
    size_t class_size[CLASSES] = {0};
    for (size_t i = 0; i < data->n; i++) class_size[data->label[i]]++;

    AUTO(release) size_t *end = calloc((size_t)CLASSES * n_sites, sizeof *end);
    AUTO(release) size_t *held = calloc(n_sites, sizeof *held);
    AUTO(release) double *share = calloc(n_sites, sizeof *share);
    AUTO(release) size_t *order = calloc(data->n + 1, sizeof *order);
    if (end == NULL || held == NULL || share == NULL || order == NULL) return STATUS_NOMEM;

    bool enough = false;
    for (unsigned draw = 0; draw < DRAWS_MAX && !enough; draw++)
        enough = draw_all(end, share, held, class_size, n_sites, alpha, least, rng);
    if (!enough) return STATUS_RANGE;
    deal(site, data, class_size, order, end, n_sites, rng);
    return STATUS_OK;
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
    if (part.pixel == NULL || part.label == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < data->n; i++) {
        if (site[i] != which) continue;
        memcpy(part.pixel + part.n * floats, data->pixel + i * floats, floats);
        part.label[part.n++] = data->label[i];
    }
    *out = part;
    part = (struct dataset){0};
    return STATUS_OK;
}
