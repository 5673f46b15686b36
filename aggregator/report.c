/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/report.h"

#include <stdio.h>

#include "base/event.h"
#include "base/file.h"

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
    fprintf(stderr,
            "round %u: %s, %zu of %zu sites, %u recovered; spent against the server alone: "
            "epsilon %.4f at delta %g\n",
            plan->round, explores ? "exploration" : "training", bits_count(&round->survivors),
            bits_count(&plan->cohort), round_recovered(round),
            account_rounded(epsilon[ADVERSARY_SERVER]), c->study.privacy.delta);
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

static enum status write_file(const struct coordinator *c, const char *what, uint32_t round,
                              const struct buffer *bytes)
{
    TRY(bytes->status);
    char name[64], path[FILE_PATH_MAX];
    (void)snprintf(name, sizeof name, "%s-%u", what, round);
    TRY(file_path(path, sizeof path, c->folder, name));
    return file_write(path, buffer_view(bytes), 0644);
}

enum status report_files(const struct coordinator *c, const struct round *round)
{
    AUTO(buffer_free) struct buffer state = {0}, sums = {0};
    state_write(&state, &c->course.state);
    TRY(write_file(c, "state", round->plan.round, &state));
    if (!c->study.study.rehearsal) return STATUS_OK;
    for (uint32_t l = 0; l < round->plan.n_segments; l++)
        if (round->opened[l].n > 0)
            write_packed(&sums, round->opened[l].value, round->opened[l].n, 32);
    return write_file(c, "sums", round->plan.round, &sums);
}

void report_waiting(const struct coordinator *c, const struct round *round)
{
    AUTO(bits_free) struct bits awaited = {0};
    if (round_awaited(&awaited, round) != STATUS_OK) return;
    fprintf(stderr, "round %u: waiting for", round->plan.round);
    for (uint32_t v = 0; v < awaited.n; v++)
        if (bits_has(&awaited, v)) fprintf(stderr, " %s", c->manifest.member[v].name);
    fprintf(stderr, "\n");
}
