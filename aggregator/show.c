/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/show.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/trail_round.h"

/* What is owned here: the rest is the round's. */
struct shown {
    struct hash *digest;
    struct confirm *confirm;
    uint32_t (*taken)[TRAIL_LETTERS];
};

static void shown_free(struct shown *shown)
{
    free(shown->digest);
    free(shown->confirm);
    free(shown->taken);
}

enum status show_round(struct buffer *out, const struct round *round)
{
    const size_t n = round->config.manifest->n;
    AUTO(shown_free)
    struct shown shown = {.digest = calloc(n + 1, sizeof *shown.digest),
                          .confirm = calloc(n + 1, sizeof *shown.confirm),
                          .taken = calloc(n + 1, sizeof *shown.taken)};
    if (shown.digest == NULL || shown.confirm == NULL || shown.taken == NULL) return STATUS_NOMEM;
    struct trail_round r = {.plan_bytes = buffer_view(&round->plan_bytes),
                            .why = round->phase == PHASE_DONE ? REASON_NONE : round->why,
                            .roster = round->roster_hash,
                            .dealers = round->dealers_hash,
                            .survivors = round->survivors,
                            .opened = round->opened_set,
                            .digest = shown.digest,
                            .confirm = shown.confirm,
                            .taken = shown.taken,
                            .result_bytes = buffer_view(&round->result_bytes)};
    for (uint32_t v = 0; v < n; v++) {
        const struct contributor *site = &round->site[v];
        if (bits_has(&round->survivors, v)) shown.digest[r.n_digests++] = site->digest;
        if (bits_has(&round->confirmed, v)) shown.confirm[r.n_confirms++] = site->confirm;
        if (bits_has(&round->plan.cohort, v))
            memcpy(shown.taken[r.n_cohort++], site->taken, sizeof site->taken);
    }
    trail_round_write(out, &r);
    return out->status;
}
