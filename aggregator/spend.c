/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/spend.h"

#include <stdio.h>

void spend_name(char *out, size_t n, enum adversary adversary, uint32_t colluding)
{
    switch (adversary) {
    case ADVERSARY_COLLUSION:
        (void)snprintf(out, n, "server and %u site%s", colluding, colluding == 1 ? "" : "s");
        break;
    case ADVERSARY_READER:
        (void)snprintf(out, n, "model reader");
        break;
    default:
        (void)snprintf(out, n, "server");
        break;
    }
}

static uint32_t known(enum adversary adversary, uint32_t colluding)
{
    return adversary == ADVERSARY_COLLUSION ? colluding : 0;
}

enum status spend_add(struct spend *spend, const struct plan *plan, uint32_t n_survivors)
{
    struct spend sum = *spend;
    for (enum adversary a = 0; a < ADVERSARY_COUNT; a++) {
        struct release release = schedule_release(plan, n_survivors - known(a, plan->params.c));
        TRY(account_add(&sum.happened[a], &release, 1));
    }
    *spend = sum;
    return STATUS_OK;
}

enum status spend_worst(struct account *out, const struct schedule *schedule,
                        enum adversary adversary, const struct bits *keep)
{
    struct account sum = {0};
    AUTO(bits_free) struct bits cohort = {0};
    TRY(bits_new(&cohort, schedule->params.n));
    bits_fill(&cohort);
    for (enum step step = STEP_EXPLORE; step < STEP_COUNT; step++) {
        if (step == STEP_EXPLORE && schedule->study->pruning.mode == STUDY_PRUNING_NONE) continue;
        AUTO(plan_free) struct plan plan = {0};
        TRY(schedule_plan(&plan, schedule, step, 0, keep, 0, &cohort));
        uint32_t shares = schedule->params.quorum - known(adversary, schedule->params.c);
        struct release release = schedule_release(&plan, shares);
        TRY(account_add(&sum, &release, step == STEP_EXPLORE ? 1 : schedule->study->rounds.count));
    }
    *out = sum;
    return STATUS_OK;
}
