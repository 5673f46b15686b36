/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/prune.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/rng.h"

/* A score and whose it is; ties are broken by the number, so that the order is the same anywhere.
 */
struct score {
    float value;
    uint64_t index;
};

static int by_value(const void *left, const void *right)
{
    const struct score *a = left, *b = right;
    if (a->value != b->value) return a->value < b->value ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static void free_scores(struct score **score)
{
    free(*score);
}

static void free_floats(float **value)
{
    free(*value);
}

/* How many of n go at a share: never all. */
static size_t share_of(size_t n, double share)
{
    size_t count = (size_t)floor((double)n * share + 1e-9);
    return count < n ? count : n - 1;
}

/* Clear the units of each group that score lowest. */
static enum status keep_units(struct bits *units, const struct layout *layout, const float *score,
                              double share)
{
    AUTO(free_scores) struct score *order = calloc(layout_units(layout) + 1, sizeof *order);
    if (order == NULL) return STATUS_NOMEM;
    for (uint32_t g = 0; g < layout->n_groups; g++) {
        const uint32_t first = layout_unit_first(layout, g), n = layout->group_units[g];
        for (uint32_t i = 0; i < n; i++)
            order[i] = (struct score){.value = score[first + i], .index = first + i};
        qsort(order, n, sizeof *order, by_value);
        for (size_t i = 0; i < share_of(n, share); i++) bits_clear(units, order[i].index);
    }
    return STATUS_OK;
}

enum status prune_ranks(float *out, const struct layout *layout, const float *guidance)
{
    AUTO(free_scores) struct score *order = calloc(layout_units(layout) + 1, sizeof *order);
    if (order == NULL) return STATUS_NOMEM;
    for (uint32_t g = 0; g < layout->n_groups; g++) {
        const uint32_t first = layout_unit_first(layout, g), n = layout->group_units[g];
        for (uint32_t i = 0; i < n; i++)
            order[i] = (struct score){.value = guidance[first + i], .index = first + i};
        qsort(order, n, sizeof *order, by_value);
        for (uint32_t i = 0; i < n; i++)
            out[order[i].index] = (float)i / (float)(n > 1 ? n - 1 : 1);
    }
    return STATUS_OK;
}

/* Clear the weights of each hidden layer that start smallest. */
static enum status keep_weights(struct bits *keep, const struct layout *layout, const float *weight,
                                double share)
{
    AUTO(free_scores) struct score *order = calloc(layout->n, sizeof *order);
    if (order == NULL) return STATUS_NOMEM;
    for (uint32_t t = 0; t < layout->n_tensors; t++) {
        const struct tensor *tensor = &layout->tensor[t];
        if (tensor->role == TENSOR_BIAS || tensor->group == LAYOUT_NONE) continue;
        size_t n = 0;
        const uint64_t end = tensor->offset + (uint64_t)tensor->rows * tensor->cols;
        for (uint64_t i = tensor->offset; i < end; i++)
            if (bits_has(keep, i))
                order[n++] = (struct score){.value = fabsf(weight[i]), .index = i};
        if (n == 0) continue;
        qsort(order, n, sizeof *order, by_value);
        for (size_t i = 0; i < share_of(n, share); i++) bits_clear(keep, order[i].index);
    }
    return STATUS_OK;
}

/* Per tensor (x - min) / (max - min); a constant tensor becomes zero. */
static void scale_tensors(float *out, const struct layout *layout, const float *guidance)
{
    for (uint32_t t = 0; t < layout->n_tensors; t++) {
        const struct tensor *tensor = &layout->tensor[t];
        const uint64_t n = (uint64_t)tensor->rows * tensor->cols;
        const float *in = guidance + tensor->offset;
        float least = in[0], most = in[0];
        for (uint64_t i = 1; i < n; i++) {
            least = in[i] < least ? in[i] : least;
            most = in[i] > most ? in[i] : most;
        }
        for (uint64_t i = 0; i < n; i++)
            out[tensor->offset + i] = most > least ? (in[i] - least) / (most - least) : 0;
    }
}

/* Of one tensor clear what reads a silent unit, then all that is not strictly above the threshold;
 * a weight matrix keeps its highest one. alive gets the units that still have something. */
static void keep_above(struct bits *keep, struct bits *alive, const struct layout *layout,
                       const struct tensor *tensor, const float *value, float threshold)
{
    const uint64_t n = (uint64_t)tensor->rows * tensor->cols;
    uint64_t best = UINT64_MAX;
    for (uint64_t k = 0; k < n; k++) {
        const uint64_t i = tensor->offset + k;
        if (!bits_has(keep, i)) continue;
        if (tensor->feed != LAYOUT_NONE &&
            !bits_has(alive,
                      layout_unit_first(layout, tensor->feed) + k % tensor->cols / tensor->block))
            bits_clear(keep, i);
        else if (tensor->role != TENSOR_BIAS && (best == UINT64_MAX || value[i] > value[best]))
            best = i;
    }
    for (uint64_t k = 0; k < n; k++) {
        const uint64_t i = tensor->offset + k;
        if (bits_has(keep, i) && value[i] <= threshold && i != best) bits_clear(keep, i);
        if (bits_has(keep, i) && tensor->group != LAYOUT_NONE)
            bits_set(alive, layout_unit_first(layout, tensor->group) + k / tensor->cols);
    }
}

/* Clear every kept parameter that is not strictly above the quantile of those that are kept. A unit
 * that loses its weights and its bias is silent for ever: what reads it goes too. */
static enum status keep_above_quantile(struct bits *keep, const struct layout *layout,
                                       const float *value, double share)
{
    AUTO(free_scores) struct score *order = calloc(layout->n, sizeof *order);
    if (order == NULL) return STATUS_NOMEM;
    size_t n = 0;
    for (uint64_t i = 0; i < layout->n; i++)
        if (bits_has(keep, i)) order[n++] = (struct score){.value = value[i], .index = i};
    qsort(order, n, sizeof *order, by_value);
    const size_t cut = share_of(n, share);
    if (cut == 0) return STATUS_OK;
    AUTO(bits_free) struct bits alive = {0};
    TRY(bits_new(&alive, layout_units(layout)));
    for (uint32_t t = 0; t < layout->n_tensors; t++)
        keep_above(keep, &alive, layout, &layout->tensor[t], value, order[cut - 1].value);
    return STATUS_OK;
}

static enum status keep_paper(struct bits *keep, struct bits *units, const struct study *study,
                              const struct layout *layout, const float *guidance)
{
    AUTO(free_floats) float *value = calloc(layout->n, sizeof *value);
    AUTO(free_floats) float *score = calloc(layout_units(layout) + 1, sizeof *score);
    if (value == NULL || score == NULL) return STATUS_NOMEM;
    scale_tensors(value, layout, guidance);
    /* Within a layer the sum over a unit's parameters orders as their mean does. */
    layout_sum_units(score, layout, value);
    TRY(keep_units(units, layout, score, study->pruning.units));
    TRY(layout_keep_units(keep, layout, units));
    return keep_above_quantile(keep, layout, value, study->pruning.weights);
}

static enum status keep_private(struct bits *keep, struct bits *units, const struct study *study,
                                const struct layout *layout, const float *guidance,
                                const float *weight)
{
    TRY(keep_units(units, layout, guidance, study->pruning.units));
    TRY(layout_keep_units(keep, layout, units));
    return keep_weights(keep, layout, weight, study->pruning.weights);
}

enum status prune_keep(struct bits *keep, const struct study *study, const struct layout *layout,
                       const float *guidance, const float *weight)
{
    AUTO(bits_free) struct bits units = {0}, kept = {0};
    TRY(bits_new(&units, layout_units(layout)));
    bits_fill(&units);
    if (study->pruning.mode == STUDY_PRUNING_PAPER)
        TRY(keep_paper(&kept, &units, study, layout, guidance));
    else
        TRY(keep_private(&kept, &units, study, layout, guidance, weight));
    *keep = kept;
    kept = (struct bits){0};
    return STATUS_OK;
}

enum status prune_observed(struct bits *keep, const struct study *study,
                           const struct layout *layout, const float *value, const float *weight)
{
    if (study->pruning.mode == STUDY_PRUNING_PAPER)
        return prune_keep(keep, study, layout, value, weight);
    AUTO(free_floats) float *score = calloc(layout_units(layout) + 1, sizeof *score);
    if (score == NULL) return STATUS_NOMEM;
    layout_sum_units(score, layout, value);
    return prune_keep(keep, study, layout, score, weight);
}

/* The same at everybody who has the study file. */
static void draw(float *value, size_t n, const struct study *study)
{
    const struct view bytes = {study->hash.bytes, sizeof study->hash.bytes};
    const struct hash seed = hash_of("random pruning", bytes);
    struct rng rng = {0};
    rng_seeded(&rng, seed.bytes);
    for (size_t i = 0; i < n; i++) value[i] = (float)rng_unit(&rng);
}

enum status prune_start(struct bits *keep, const struct study *study, const struct layout *layout,
                        const float *weight)
{
    AUTO(free_floats) float *value = calloc(layout->n, sizeof *value);
    if (value == NULL) return STATUS_NOMEM;
    if (study->pruning.mask == STUDY_MASK_RANDOM) {
        draw(value, layout->n, study);
        return prune_observed(keep, study, layout, value, value);
    }
    for (size_t i = 0; i < layout->n; i++) value[i] = weight[i] * weight[i];
    return prune_observed(keep, study, layout, value, weight);
}
