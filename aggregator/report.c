/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/report.h"

#include <stdio.h>

#include "base/event.h"

static struct json_t *survivors_list(const struct round *round)
{
    struct json_t *list = event_list();
    for (uint32_t v = 0; v < round->survivors.n; v++)
        if (bits_has(&round->survivors, v)) event_list_add(list, v);
    return list;
}

void report_round(const struct coordinator *c, const struct round *round, uint64_t bytes_up,
                  bool events)
{
    const struct plan *plan = &round->plan;
    const bool explores = plan->step == STEP_EXPLORE;
    double epsilon[ADVERSARY_COUNT];
    for (enum adversary a = 0; a < ADVERSARY_COUNT; a++)
        epsilon[a] = account_epsilon(&c->spend.happened[a], c->study.privacy.delta);
    fprintf(stderr, "round %u: %s, %zu of %zu sites, %u recovered, epsilon %.4f (server)\n",
            plan->round, explores ? "exploration" : "training", bits_count(&round->survivors),
            bits_count(&plan->cohort), round_recovered(round),
            account_rounded(epsilon[ADVERSARY_SERVER]));
    if (!events) return;
    event_write(
        stdout, "{s:s, s:i, s:s, s:i, s:i, s:o, s:i, s:I, s:I, s:I, s:{s:o, s:o, s:o}}", "event",
        "round", "round", (int)plan->round, "step", explores ? "explore" : "train", "number",
        (int)plan->step_number, "cohort", (int)bits_count(&plan->cohort), "survivors",
        survivors_list(round), "recovered", (int)round_recovered(round), "bytes_up_per_site",
        (long long)bytes_up, "kept", (long long)bits_count(&c->course.state.keep), "parameters",
        (long long)c->course.layout.n, "epsilon", "server", event_real(epsilon[ADVERSARY_SERVER]),
        "collusion", event_real(epsilon[ADVERSARY_COLLUSION]), "reader",
        event_real(epsilon[ADVERSARY_READER]));
}
