/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions by label. Shares or shards are drawn first, and only once they suffice are the records
 * of each class shuffled and dealt. Gamma variates: Marsaglia and Tsang 2000, kept as logarithms
 * because for small alpha all of them may be too small for a double. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/data/split_step.h"

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

/* Draw the cuts of all classes; false when a site would have less than `least` records. */
static bool draw_all(size_t *end, double *share, size_t *held, const size_t *class_size,
                     uint32_t n_sites, double alpha, size_t least, struct rng *rng)
{
    memset(held, 0, n_sites * sizeof *held);
    for (size_t k = 0; k < SPLIT_CLASSES; k++) {
        if (class_size[k] == 0) continue;
        size_t *cut = end + k * n_sites;
        for (uint32_t s = 0; s < n_sites; s++) share[s] = log_gamma_draw(alpha, rng);
        split_cut(cut, share, n_sites, class_size[k]);
        for (uint32_t s = 0; s < n_sites; s++) held[s] += cut[s] - (s == 0 ? 0 : cut[s - 1]);
    }
    for (uint32_t s = 0; s < n_sites; s++)
        if (held[s] < least) return false;
    return true;
}

/* Deal the shuffled records of each class. */
static void deal(uint16_t *site, const struct dataset *data, size_t *order, const size_t *end,
                 uint32_t n_sites, struct rng *rng)
{
    for (size_t k = 0; k < SPLIT_CLASSES; k++) {
        size_t n = 0;
        for (size_t i = 0; i < data->n; i++)
            if (data->label[i] == k) order[n++] = i;
        split_shuffle(order, n, rng);
        uint32_t s = 0;
        for (size_t i = 0; i < n; i++) {
            while (i >= end[k * n_sites + s]) s++;
            site[order[i]] = (uint16_t)s;
        }
    }
}

/* What both partitions work with. */
struct hand {
    size_t *end;   /* SPLIT_CLASSES * n_sites: where each site's records of a class end */
    size_t *held;  /* records per site */
    size_t *order; /* data->n + 1 */
    size_t class_size[SPLIT_CLASSES];
};

static void hand_free(struct hand *hand)
{
    free(hand->end);
    free(hand->held);
    free(hand->order);
}

static enum status hand_new(struct hand *out, const struct dataset *data, uint32_t n_sites)
{
    out->end = calloc((size_t)SPLIT_CLASSES * n_sites, sizeof *out->end);
    out->held = calloc(n_sites, sizeof *out->held);
    out->order = calloc(data->n + 1, sizeof *out->order);
    if (out->end == NULL || out->held == NULL || out->order == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < data->n; i++) out->class_size[data->label[i]]++;
    return STATUS_OK;
}

enum status split_dirichlet(uint16_t *site, const struct dataset *data, uint32_t n_sites,
                            double alpha, size_t least, struct rng *rng)
{
    if (n_sites == 0 || n_sites > UINT16_MAX || !(alpha > 0) || !isfinite(alpha) ||
        least > data->n / n_sites)
        return STATUS_RANGE;
    AUTO(hand_free) struct hand hand = {0};
    TRY(hand_new(&hand, data, n_sites));
    AUTO(split_release) double *share = calloc(n_sites, sizeof *share);
    if (share == NULL) return STATUS_NOMEM;

    bool enough = false;
    for (unsigned draw = 0; draw < SPLIT_DRAWS_MAX && !enough; draw++)
        enough = draw_all(hand.end, share, hand.held, hand.class_size, n_sites, alpha, least, rng);
    if (!enough) return STATUS_RANGE;
    deal(site, data, hand.order, hand.end, n_sites, rng);
    return STATUS_OK;
}

/* Shards of each class: all but equal in number, and as many as the sites take together. */
static void cut_shards(size_t *shards, size_t *order, const size_t *class_size, size_t total,
                       struct rng *rng)
{
    size_t classes = 0;
    for (size_t k = 0; k < SPLIT_CLASSES; k++)
        if (class_size[k] > 0) order[classes++] = k;
    split_shuffle(order, classes, rng);
    memset(shards, 0, SPLIT_CLASSES * sizeof *shards);
    for (size_t k = 0; k < classes; k++) shards[order[k]] = total / classes + (k < total % classes);
}

/* Give each site one shard of `take` classes; its share of a class is a whole shard or nothing.
 * False when somebody finds too few classes left, or ends with too few records. */
static bool draw_shards(struct hand *hand, const size_t *shards, size_t take, uint32_t n_sites,
                        size_t least, struct rng *rng)
{
    size_t left[SPLIT_CLASSES];
    memcpy(left, shards, sizeof left);
    for (uint32_t s = 0; s < n_sites; s++) {
        size_t open[SPLIT_CLASSES];
        size_t n = 0;
        hand->held[s] = 0;
        for (size_t k = 0; k < SPLIT_CLASSES; k++) {
            if (left[k] > 0) open[n++] = k;
            hand->end[k * n_sites + s] = s == 0 ? 0 : hand->end[k * n_sites + s - 1];
        }
        if (n < take) return false;
        split_shuffle(open, n, rng);
        for (size_t i = 0; i < take; i++) {
            const size_t k = open[i];
            const size_t number = shards[k] - left[k]--;
            size_t *end = &hand->end[k * n_sites + s];
            const size_t before = *end;
            *end = (number + 1) * hand->class_size[k] / shards[k];
            hand->held[s] += *end - before;
        }
        if (hand->held[s] < least) return false;
    }
    return true;
}

enum status split_pathological(uint16_t *site, const struct dataset *data, uint32_t n_sites,
                               double classes, size_t least, struct rng *rng)
{
    if (!(classes >= 1 && classes <= SPLIT_CLASSES) || classes != floor(classes))
        return STATUS_RANGE;
    AUTO(hand_free) struct hand hand = {0};
    TRY(hand_new(&hand, data, n_sites));
    size_t present = 0;
    for (size_t k = 0; k < SPLIT_CLASSES; k++) present += hand.class_size[k] > 0;
    const size_t take = (size_t)classes;
    /* With fewer shards than classes, records of some classes would go to nobody. */
    if (take > present || take * n_sites < present) return STATUS_RANGE;

    bool enough = false;
    for (unsigned draw = 0; draw < SPLIT_DRAWS_MAX && !enough; draw++) {
        size_t shards[SPLIT_CLASSES], order[SPLIT_CLASSES];
        cut_shards(shards, order, hand.class_size, take * n_sites, rng);
        enough = draw_shards(&hand, shards, take, n_sites, least, rng);
    }
    if (!enough) return STATUS_RANGE;
    deal(site, data, hand.order, hand.end, n_sites, rng);
    return STATUS_OK;
}
