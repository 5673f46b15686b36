/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/cost.h"

#include <math.h>
#include <stdlib.h>

#include "aggregator/prune.h"
#include "protocol/layout_cost.h"

static uint64_t bytes_of(const struct plan *plan, uint32_t site)
{
    uint64_t bytes = 0;
    for (uint32_t l = 0; l < plan->n_segments; l++)
        if (bits_has(&plan->segment[l].members, site))
            bytes += packed_bytes(plan->segment[l].dim + 1, plan->grid.bits);
    return bytes;
}

enum status cost_of(struct cost *out, const struct schedule *schedule, const struct bits *keep,
                    double clip)
{
    struct cost cost = {0};
    TRY(layout_macs_kept(&cost.macs, &schedule->study->model.spec, schedule->layout, keep));
    AUTO(bits_free) struct bits cohort = {0};
    TRY(bits_new(&cohort, schedule->params.n));
    bits_fill(&cohort);
    AUTO(plan_free) struct plan plan = {0};
    TRY(schedule_plan(&plan, schedule, STEP_TRAIN, 0, keep, clip, &cohort));
    for (uint32_t v = 0; v < cohort.n; v++) {
        const uint64_t bytes = bytes_of(&plan, v);
        cost.bytes = bytes > cost.bytes ? bytes : cost.bytes;
    }
    *out = cost;
    return STATUS_OK;
}

static void free_floats(float **value)
{
    free(*value);
}

/* Shares are of each layer, so that how much stays does not depend on what stays. */
enum status cost_planned(struct cost *out, bool *exact, const struct schedule *schedule)
{
    const struct layout *layout = schedule->layout;
    struct study study = *schedule->study;
    const bool paper = study.pruning.mode == STUDY_PRUNING_PAPER;
    const bool whole = !paper || study.pruning.weights == 0;
    if (paper) {
        study.pruning.mode = STUDY_PRUNING_PRIVATE;
        study.pruning.weights = 0;
    }
    AUTO(free_floats) float *any = calloc(layout->n, sizeof *any);
    if (any == NULL) return STATUS_NOMEM;
    AUTO(bits_free) struct bits keep = {0};
    if (study.pruning.mode == STUDY_PRUNING_NONE) {
        TRY(bits_new(&keep, layout->n));
        bits_fill(&keep);
    } else {
        TRY(prune_keep(&keep, &study, layout, any, any));
    }
    TRY(cost_of(out, schedule, &keep, 0));
    *exact = whole;
    return STATUS_OK;
}

double cost_percent(uint64_t a, uint64_t b)
{
    return ceil(1000.0 * (double)a / (double)b) / 10;
}
