/* SPDX-License-Identifier: Apache-2.0 */
/* What a simulation came to site by site: their own records, and the blocks that they held. */
#include <stdlib.h>

#include "base/crew.h"
#include "lab/simulate.h"
#include "protocol/allocate.h"

/* One site's share of the work; each has a local of its own. */
struct marking {
    struct simulation *s;
    struct local *const *local;
    const struct state *const *state;
    uint32_t n_states;
    enum status *status; /* n */
};

static void mark_one(void *context, uint32_t v)
{
    struct marking *m = context;
    const struct state *state = m->state[m->n_states == 1 ? 0 : v];
    m->status[v] = score_state(&m->s->site[v].own, m->local[v], state);
}

static enum status hash_states(struct hash *out, const struct state *const *state, uint32_t n)
{
    struct hash one = {0};
    struct hash_state all;
    hash_start(&all, "states");
    for (uint32_t i = 0; i < n; i++) {
        AUTO(buffer_free) struct buffer bytes = {0};
        state_write(&bytes, state[i]);
        TRY(bytes.status);
        one = hash_of("state", buffer_view(&bytes));
        hash_add(&all, one.bytes, sizeof one.bytes);
    }
    *out = n == 1 ? one : hash_end(&all);
    return STATUS_OK;
}

enum status simulate_end(struct simulation *s, const struct state *const *state, uint32_t n_states,
                         struct local *const *local)
{
    TRY(hash_states(&s->model_hash, state, n_states));
    if (local == NULL) return STATUS_OK;
    struct marking m = {s, local, state, n_states, calloc(s->n, sizeof *m.status)};
    if (m.status == NULL) return STATUS_NOMEM;
    crew_run(mark_one, &m, s->n, s->options.threads);
    enum status status = STATUS_OK;
    for (uint32_t v = 0; v < s->n && status == STATUS_OK; v++) status = m.status[v];
    free(m.status);
    return status;
}

enum status simulate_note_blocks(struct simulation *s, const struct plan *plan)
{
    if (s->study.allocation.mode == STUDY_ALLOCATION_NONE) return STATUS_OK;
    s->n_blocks = allocate_blocks(&s->fleet.course.layout);
    if (s->held == NULL) s->held = calloc((size_t)s->n_blocks * s->n, sizeof *s->held);
    if (s->held == NULL) return STATUS_NOMEM;
    for (uint32_t l = 0; l < plan->n_segments; l++) {
        const uint32_t block = allocate_block(plan->segment[l].name);
        if (block == LAYOUT_NONE) continue;
        for (uint32_t v = 0; v < s->n; v++)
            s->held[(size_t)block * s->n + v] += bits_has(&plan->segment[l].members, v);
    }
    return STATUS_OK;
}

/* --- as JSON -----------------------------------------------------------------------------------
 */

json_t *simulate_sites_json(const struct simulation *s)
{
    json_t *sites = json_array();
    for (uint32_t v = 0; v < s->n; v++) {
        json_t *own = simulate_score_json(&s->site[v].own);
        json_t *one = json_pack("{s:I, s:n}", "records", (json_int_t)s->records[v], "accuracy");
        (void)json_object_set_new(one, "test", simulate_score_json(&s->site[v].test));
        (void)json_object_update(one, own);
        json_decref(own);
        (void)json_array_append_new(sites, one);
    }
    return sites;
}

json_t *simulate_allocation_json(const struct simulation *s)
{
    if (s->held == NULL) return json_null();
    json_t *blocks = json_array();
    for (uint32_t b = 0; b < s->n_blocks; b++) {
        json_t *rounds = json_array();
        for (uint32_t v = 0; v < s->n; v++)
            (void)json_array_append_new(rounds, json_integer(s->held[(size_t)b * s->n + v]));
        (void)json_array_append_new(blocks, rounds);
    }
    return json_pack("{s:i, s:o}", "min_holders", (int)s->study.allocation.min_holders,
                     "rounds_held", blocks);
}
