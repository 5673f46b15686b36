/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "tests/lib/oom.h"

static void must(enum status status)
{
    REQUIRE(status == STATUS_OK);
}

static void make_manifest(struct arena *a)
{
    struct manifest *m = &a->manifest;
    *m = (struct manifest){.epoch = 1,
                           .n = a->n,
                           .floor = {.m = 1, .c = 0, .max_epsilon = 100, .max_delta = 1e-3},
                           .n_governors = 1,
                           .governors_needed = 1};
    (void)snprintf(m->federation, sizeof m->federation, "arena");
    memset(m->study.bytes, 7, HASH_BYTES);
    m->member = calloc(a->n, sizeof *m->member);
    REQUIRE(m->member != NULL);
    must(keyfile_make(&a->coordinator, "coordinator", &a->rng));
    must(keyfile_make(&a->governor, "governor", &a->rng));
    member_of(&m->coordinator, &a->coordinator);
    sign_public(m->governor[0], a->governor.identity);
    for (uint32_t v = 0; v < a->n; v++) {
        char name[16];
        snprintf(name, sizeof name, "site-%u", v + 1);
        must(keyfile_make(&a->key[v], name, &a->rng));
        member_of(&m->member[v], &a->key[v]);
    }
}

static const uint8_t empty_state[1] = {0};

static void make_plan(struct arena *a, uint32_t c, uint32_t m, uint32_t segments,
                      const uint64_t *dim, const uint32_t *members, unsigned bits)
{
    uint32_t t = params_threshold(a->n, c);
    struct plan *p = &a->plan;
    *p = (struct plan){.step = STEP_TRAIN,
                       .params = {.n = a->n, .c = c, .t = t, .quorum = t, .m = m},
                       .sampling = 1};
    p->manifest = manifest_hash(&a->manifest);
    p->study = a->manifest.study;
    p->state = hash_of("state", (struct view){empty_state, 0});
    for (size_t i = 0; i < WAIT_COUNT; i++) p->wait_ms[i] = 1000;
    must(bits_new(&p->cohort, a->n));
    bits_fill(&p->cohort);
    uint64_t total = 0;
    for (uint32_t l = 0; l < segments; l++) {
        struct segment *s = &p->segment[l];
        snprintf(s->name, sizeof s->name, "segment-%u", l);
        s->dim = dim[l];
        total += dim[l];
        must(bits_new(&s->members, a->n));
        p->n_segments = l + 1;
        for (uint32_t v = 0; v < a->n; v++)
            if (members == NULL || (members[l] >> v & 1) != 0) bits_set(&s->members, v);
    }
    must(grid_plan(&p->grid, 1.0, total, a->n, 4, bits));
}

void arena_open(struct arena *a, uint32_t n, uint32_t c, uint32_t m, uint32_t segments,
                const uint64_t *dim, const uint32_t *members, unsigned bits, uint64_t seed)
{
    REQUIRE(n <= ARENA_SITES_MAX);
    *a = (struct arena){.n = n, .now_ms = 1000000};
    rng_numbered(&a->rng, seed);
    make_manifest(a);
    make_plan(a, c, m, segments, dim, members, bits);
    uint64_t total = 0;
    for (uint32_t l = 0; l < segments; l++) total += dim[l];
    for (uint32_t v = 0; v < n; v++) {
        struct session_config config = {.manifest = &a->manifest,
                                        .self = v,
                                        .identity = a->key[v].identity,
                                        .slack_ms = 5000,
                                        .rng = &a->rng};
        must(session_new(&a->session[v], &config));
        a->input[v] = calloc(total, sizeof *a->input[v]);
        REQUIRE(a->input[v] != NULL);
    }
}

void arena_close(struct arena *a)
{
    for (uint32_t v = 0; v < a->n; v++) {
        session_free(&a->session[v]);
        free(a->input[v]);
    }
    for (size_t i = 0; i < a->n_flights; i++) buffer_free(&a->flight[i].bytes);
    free(a->flight);
    round_free(&a->round);
    plan_free(&a->plan);
    manifest_free(&a->manifest);
    *a = (struct arena){0};
}

void arena_post(struct arena *a, uint32_t from, uint32_t to, struct buffer *bytes)
{
    must(bytes->status);
    struct flight *flight = realloc(a->flight, (a->n_flights + 1) * sizeof *flight);
    REQUIRE(flight != NULL);
    a->flight = flight;
    a->flight[a->n_flights++] = (struct flight){.from = from, .to = to, .bytes = *bytes};
    *bytes = (struct buffer){0};
}

void arena_repeat(struct arena *a, const struct flight *flight)
{
    struct buffer copy = {0};
    write_bytes(&copy, flight->bytes.at, flight->bytes.n);
    arena_post(a, flight->from, flight->to, &copy);
}

/* Around each call of a machine: one call is struck by failing allocations, then memory is back. */
static void starve_begin(const struct arena *a)
{
    if (a->starve && !oom_hit()) oom_resume();
}

static void starve_end(const struct arena *a)
{
    if (a->starve) oom_stop();
}

static void post_all(struct arena *a, uint32_t from, struct outbox *out)
{
    for (size_t i = 0; i < out->n_entries && from != OUTBOX_SERVER; i++) {
        struct memory memory = {0};
        must(memory_read(&memory, buffer_view(&out->entry[i])));
        if (a->n_memories < sizeof a->memory / sizeof *a->memory) {
            a->memory_site[a->n_memories] = from;
            a->memory[a->n_memories++] = memory;
        }
    }
    for (size_t i = 0; i < out->n_notes && from == OUTBOX_SERVER; i++)
        if (out->note[i].site < a->n) a->blamed[out->note[i].site] = out->note[i].reason;
    for (size_t i = 0; i < out->n_letters; i++) {
        arena_post(a, from, out->letter[i].to, &out->letter[i].bytes);
        if (a->spy != NULL) a->spy(a, &a->flight[a->n_flights - 1]);
    }
    outbox_free(out);
}

void arena_opening(struct arena *a, struct buffer *out)
{
    struct opening opening = {.plan = buffer_view(&a->round.plan_bytes)};
    /* All results so far: there is at most the last one, which everybody may have missed. */
    opening_write(out, &opening);
}

void arena_begin(struct arena *a)
{
    struct plan plan = {0};
    must(plan_copy(&plan, &a->plan));
    uint32_t round = a->round.plan.round + 1;
    struct hash previous = {0};
    if (a->round.phase == PHASE_DONE) previous = result_transcript(&a->round.result);
    round_free(&a->round);
    rng_bytes(&a->rng, plan.session, sizeof plan.session);
    plan.round = round;
    plan.previous = previous;
    struct round_config config = {.manifest = &a->manifest, .identity = a->coordinator.identity};
    must(round_start(&a->round, &config, &plan, a->now_ms));
    for (uint32_t v = 0; v < a->n; v++) {
        a->has_input[v] = false;
        if (!bits_has(&a->round.plan.cohort, v)) continue;
        struct buffer bytes = {0};
        arena_opening(a, &bytes);
        arena_post(a, OUTBOX_SERVER, v, &bytes);
    }
}

static void free_part(struct masked (*part)[MSG_SEGMENTS_MAX])
{
    for (size_t l = 0; l < MSG_SEGMENTS_MAX; l++) masked_free(&(*part)[l]);
}

static void wipe_pads(struct pad **pad)
{
    free(*pad);
}

static enum status mask_part(struct arena *a, uint32_t v, uint32_t l, struct masked *part,
                             const struct noised *noised)
{
    AUTO(wipe_pads) struct pad *pad = NULL;
    size_t n_pads = 0;
    starve_begin(a);
    enum status status = session_pads(&a->session[v], l, &pad, &n_pads);
    starve_end(a);
    TRY(status);
    if (a->pad_spy != NULL) a->pad_spy(a, v, l, pad, n_pads);
    must(masked_new(part, noised->n));
    must(mask_add(part, noised, pad, n_pads, a->session[v].plan.grid.bits, 0));
    return STATUS_OK;
}

/* Random input, masked as the real road masks it. */
static enum status make_input(struct arena *a, uint32_t v, struct outbox *out)
{
    struct session *s = &a->session[v];
    const unsigned bits = s->plan.grid.bits;
    AUTO(free_part) struct masked part[MSG_SEGMENTS_MAX] = {{0}};
    size_t at = 0;
    for (uint32_t l = 0; l < s->plan.n_segments; l++) {
        size_t dim = s->plan.segment[l].dim;
        uint32_t *input = a->input[v] + at;
        at += dim;
        if (!bits_has(&s->plan.segment[l].members, v)) continue;
        AUTO(noised_free) struct noised noised = {0};
        must(noised_new(&noised, dim + 1));
        uint32_t sum = 0;
        for (size_t i = 0; i < dim; i++) {
            input[i] = (uint32_t)rng_u64(&a->rng) & UINT32_MAX >> (32 - bits);
            noised.value[i] = input[i];
            sum += input[i];
        }
        noised.value[dim] = sum;
        TRY(mask_part(a, v, l, &part[l], &noised));
    }
    starve_begin(a);
    enum status status = session_input(s, part, a->now_ms, out);
    starve_end(a);
    return status;
}

static void give_input(struct arena *a, uint32_t v)
{
    a->has_input[v] = true;
    struct outbox out = {0};
    if (make_input(a, v, &out) != STATUS_OK) {
        outbox_free(&out);
        session_quit(&a->session[v], REASON_MEMORY, &out);
    }
    post_all(a, v, &out);
}

static void deliver(struct arena *a, struct flight *flight)
{
    struct outbox out = {0};
    struct view in = buffer_view(&flight->bytes);
    if (flight->to == OUTBOX_SERVER) {
        starve_begin(a);
        a->answer[flight->from] = round_message(&a->round, flight->from, in, a->now_ms, &out);
        starve_end(a);
        post_all(a, OUTBOX_SERVER, &out);
        return;
    }
    uint32_t v = flight->to;
    struct session *s = &a->session[v];
    starve_begin(a);
    enum status status = session_message(s, in, a->now_ms, &out);
    starve_end(a);
    if (status != STATUS_OK && s->why != REASON_PHASE && s->why != REASON_WRONG_SESSION)
        a->last_refusal[v] = s->why;
    post_all(a, v, &out);
    if (s->phase == SESSION_INPUT && !a->has_input[v]) give_input(a, v);
}

static struct flight take_flight(struct arena *a, size_t i)
{
    struct flight flight = a->flight[i];
    a->n_flights--;
    memmove(a->flight + i, a->flight + i + 1, (a->n_flights - i) * sizeof *a->flight);
    return flight;
}

void arena_deliver_one(struct arena *a, size_t i)
{
    struct flight flight = take_flight(a, i);
    deliver(a, &flight);
    buffer_free(&flight.bytes);
}

void arena_lose_one(struct arena *a, size_t i)
{
    struct flight flight = take_flight(a, i);
    buffer_free(&flight.bytes);
}

bool arena_step(struct arena *a)
{
    if (a->n_flights == 0) return false;
    struct flight flight = take_flight(a, a->shuffle ? rng_below(&a->rng, a->n_flights) : 0);
    bool lost = (flight.from != OUTBOX_SERVER && a->dead[flight.from]) ||
                (flight.to != OUTBOX_SERVER && a->dead[flight.to]);
    if (!lost && a->filter != NULL) lost = !a->filter(a, &flight);
    if (!lost) deliver(a, &flight);
    buffer_free(&flight.bytes);
    return true;
}

void arena_deliver(struct arena *a)
{
    while (arena_step(a)) continue;
}

void arena_deadline(struct arena *a, uint32_t party)
{
    struct outbox out = {0};
    starve_begin(a);
    enum status status = party == OUTBOX_SERVER
                             ? round_deadline(&a->round, a->now_ms, &out)
                             : session_deadline(&a->session[party], a->now_ms, &out);
    starve_end(a);
    REQUIRE(status == STATUS_OK || status == STATUS_NOMEM);
    post_all(a, party, &out);
}

void arena_wait(struct arena *a)
{
    uint64_t next = a->round.deadline_ms;
    for (uint32_t v = 0; v < a->n; v++)
        if (!a->dead[v] && a->session[v].deadline_ms < next) next = a->session[v].deadline_ms;
    if (next == UINT64_MAX) return;
    a->now_ms = next;
    arena_deadline(a, OUTBOX_SERVER);
    for (uint32_t v = 0; v < a->n; v++)
        if (!a->dead[v]) arena_deadline(a, v);
}

void arena_run(struct arena *a)
{
    for (size_t i = 0; i < 1000; i++) {
        arena_deliver(a);
        if (a->round.phase >= PHASE_DONE && a->n_flights == 0) return;
        arena_wait(a);
    }
    status_bug(__FILE__, __LINE__, "the round ends");
}

bool arena_sums_exact(const struct arena *a)
{
    const struct round *r = &a->round;
    size_t at = 0;
    for (uint32_t l = 0; l < r->plan.n_segments; l++) {
        const struct segment *segment = &r->plan.segment[l];
        size_t start = at;
        at += segment->dim;
        size_t members = bits_common(&segment->members, &r->survivors);
        bool open = members >= (size_t)r->plan.params.m + r->plan.params.c;
        if (open != (r->opened[l].n == segment->dim)) return false;
        if (!open) continue;
        for (size_t i = 0; i < segment->dim; i++) {
            uint32_t sum = 0;
            for (uint32_t v = 0; v < a->n; v++)
                if (bits_has(&r->survivors, v) && bits_has(&segment->members, v))
                    sum += a->input[v][start + i];
            if ((sum & UINT32_MAX >> (32 - r->plan.grid.bits)) != r->opened[l].value[i])
                return false;
        }
    }
    return true;
}
