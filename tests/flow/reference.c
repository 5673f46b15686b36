/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/flow/reference.h"

#include <math.h>
#include <string.h>

#include "aggregator/prune.h"
#include "tests/lib/small.h"

struct rng reference_chance(uint32_t round, uint32_t site)
{
    struct rng rng = {0};
    rng_numbered(&rng, 1000 + 10 * round + site);
    return rng;
}

void reference_open(struct reference *r, const struct study *study,
                    const struct dataset *const data[static REFERENCE_SITES])
{
    *r = (struct reference){0};
    for (size_t v = 0; v < REFERENCE_SITES; v++) r->data[v] = data[v];
    plain_open(&r->plain, study);
    small_state(&r->state, study, false);
}

void reference_close(struct reference *r)
{
    plain_close(&r->plain);
    state_free(&r->state);
}

/* Where contributions go: squared, per unit in mode private, or the way down. */
static void contribute(struct reference *r, double *sum, bool explore)
{
    const struct study *study = r->plain.study;
    const struct layout *layout = &r->plain.model.layout;
    const float *grad = r->plain.grad;
    if (!explore) {
        const double sign = study->privacy.unit == STUDY_SITE ? 1 : -1;
        for (size_t i = 0; i < layout->n; i++) sum[i] += sign * (double)grad[i];
    } else if (study->pruning.mode == STUDY_PRUNING_PAPER) {
        for (size_t i = 0; i < layout->n; i++) sum[i] += (double)grad[i] * (double)grad[i];
    } else {
        for (uint32_t t = 0; t < layout->n_tensors; t++) {
            const struct tensor *tensor = &layout->tensor[t];
            if (tensor->group == LAYOUT_NONE) continue;
            double *unit = sum + layout_unit_first(layout, tensor->group);
            for (size_t i = 0; i < (size_t)tensor->rows * tensor->cols; i++)
                unit[i / tensor->cols] += pow((double)grad[tensor->offset + i], 2);
        }
    }
}

/* The sum over the records of all sites but the lost ones. */
static void reference_sum(struct reference *r, double *sum, uint32_t lost, bool explore)
{
    memset(sum, 0, REFERENCE_MOST * sizeof *sum);
    r->round++;
    for (uint32_t v = 0; v < REFERENCE_SITES; v++) {
        if ((lost >> v & 1) != 0) continue;
        const struct dataset *data = r->data[v];
        if (r->plain.study->privacy.unit == STUDY_SITE) {
            struct rng rng = reference_chance(r->round, v);
            plain_epochs(&r->plain, r->state.weight, &r->state.keep, data, r->trained, &rng);
            contribute(r, sum, explore);
            continue;
        }
        for (size_t i = 0; i < data->n; i++) {
            plain_gradient(&r->plain, r->state.weight, data, i);
            contribute(r, sum, explore);
        }
    }
}

void reference_explore(struct reference *r)
{
    double sum[REFERENCE_MOST];
    float guidance[REFERENCE_MOST];
    reference_sum(r, sum, 0, true);
    for (size_t i = 0; i < REFERENCE_MOST; i++) guidance[i] = (float)sum[i];
    struct bits keep = {0};
    REQUIRE(prune_keep(&keep, r->plain.study, &r->plain.model.layout, guidance, r->state.weight) ==
            STATUS_OK);
    bits_free(&r->state.keep);
    r->state.keep = keep;
    state_prune(&r->state);
}

void reference_train(struct reference *r, const struct bits *about, uint32_t lost)
{
    const struct study *study = r->plain.study;
    const double survivors = REFERENCE_SITES - (double)__builtin_popcount(lost);
    const double divisor = study->privacy.unit == STUDY_SITE ? survivors : study->privacy.records;
    const double rate =
        study->rounds.learning_rate * (1 - study->rounds.decay * r->trained / study->rounds.count);
    double sum[REFERENCE_MOST];
    reference_sum(r, sum, lost, false);
    r->trained++;
    for (size_t i = 0; i < r->state.keep.n; i++) {
        if (!bits_has(about, i)) continue;
        r->velocity[i] = study->rounds.momentum * r->velocity[i] + sum[i] / divisor;
        r->state.weight[i] += (float)(rate * r->velocity[i]);
    }
}
