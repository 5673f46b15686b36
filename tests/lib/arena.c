/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/arena.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "client/submit.h"
#include "tests/lib/oom.h"

static void must(enum status status)
{
    REQUIRE(status == STATUS_OK);
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

static void post(struct arena *a, uint32_t from, uint32_t to, struct buffer *bytes)
{
    arena_post(a, from, to, bytes);
    if (a->spy != NULL) a->spy(a, &a->flight[a->n_flights - 1]);
}

/* Everything that a site wants done. */
static void post_all(struct arena *a, uint32_t from, struct outbox *out)
{
    for (size_t i = 0; i < out->n_entries; i++) {
        struct memory memory = {0};
        must(memory_read(&memory, buffer_view(&out->entry[i])));
        if (a->n_memories < sizeof a->memory / sizeof *a->memory) {
            a->memory_site[a->n_memories] = from;
            a->memory[a->n_memories++] = memory;
        }
    }
    for (size_t i = 0; i < out->n_letters; i++) {
        const struct view letter = blob_view(out->letter[i].bytes);
        struct buffer copy = {0};
        write_bytes(&copy, letter.at, letter.n);
        post(a, from, out->letter[i].to, &copy);
    }
    outbox_free(out);
}

/* Without memory for it a letter is lost. */
static void post_letter(struct arena *a, uint32_t site)
{
    AUTO(buffer_free) struct buffer letter = {0};
    starve_begin(a);
    enum status status = round_letter(&letter, &a->round, site);
    starve_end(a);
    if (status == STATUS_OK) post(a, OUTBOX_SERVER, site, &letter);
}

/* After each call of the round: what it noted, and the letters of a phase that has begun. */
static void settle(struct arena *a, struct outbox *out)
{
    REQUIRE(out->n_letters == 0 && out->n_entries == 0);
    for (size_t i = 0; i < out->n_notes; i++)
        if (out->note[i].site < a->n) a->blamed[out->note[i].site] = out->note[i].reason;
    outbox_free(out);
    if (a->told == a->round.phase) return;
    a->told = a->round.phase;
    for (uint32_t v = 0; v < a->n; v++) post_letter(a, v);
}

void arena_opening(struct arena *a, struct buffer *out)
{
    struct opening opening = {.plan = buffer_view(&a->round.plan_bytes),
                              .n_results = a->n_results,
                              .results = buffer_view(&a->results)};
    opening_write(out, &opening);
}

void arena_begin(struct arena *a)
{
    struct plan plan = {0};
    must(plan_copy(&plan, &a->plan));
    uint32_t round = a->round.plan.round + 1;
    if (a->round.phase == PHASE_DONE) {
        a->transcript = result_transcript(&a->round.result);
        a->n_results++;
        write_blob(&a->results, a->round.result_bytes.at, a->round.result_bytes.n);
    }
    round_free(&a->round);
    rng_bytes(&a->rng, plan.session, sizeof plan.session);
    plan.round = round;
    plan.previous = a->transcript;
    struct round_config config = {.manifest = &a->manifest, .identity = a->coordinator.identity};
    must(round_start(&a->round, &config, &plan, a->now_ms));
    a->told = PHASE_KEYS;
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
                             struct noised *noised)
{
    AUTO(wipe_pads) struct pad *pad = NULL;
    size_t n_pads = 0;
    starve_begin(a);
    enum status status = session_pads(&a->session[v], l, &pad, &n_pads);
    starve_end(a);
    TRY(status);
    if (a->pad_spy != NULL) a->pad_spy(a, v, l, pad, n_pads);
    const struct plan *plan = &a->session[v].plan;
    const struct mask_how how = {.cipher = plan->cipher, .bits = plan->grid.bits};
    must(mask_add(part, noised, pad, n_pads, &how, 0));
    return STATUS_OK;
}

/* The noise of a site, and behind it of that noise what stays in any case. */
static enum status draw_noise(struct arena *a, uint32_t v, struct noise *noise, struct noise *stays)
{
    const struct session *s = &a->session[v];
    starve_begin(a);
    enum status status = submit_noise(noise, s, s->config.rng);
    starve_end(a);
    TRY(status);
    arena_noise_stays(a, v, noise, stays);
    return STATUS_OK;
}

/* Random input, masked as the real road masks it. */
static enum status make_input(struct arena *a, uint32_t v, struct outbox *out)
{
    struct session *s = &a->session[v];
    AUTO(noise_free) struct noise noise = {0}, stays = {0};
    if (s->plan.removable > 0) TRY(draw_noise(a, v, &noise, &stays));
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
            if (noise.n > 0) {
                noised.value[i] += noise.value[at - dim + i];
                input[i] += stays.value[at - dim + i];
            }
            sum += noised.value[i];
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
        enum status answer = round_message(&a->round, flight->from, in, a->now_ms, &out);
        starve_end(a);
        a->answer[flight->from] = answer;
        if (answer == STATUS_OK && a->round_spy != NULL) a->round_spy(a, flight->from, in);
        settle(a, &out);
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

static void round_late(struct arena *a)
{
    struct outbox out = {0};
    const bool late = a->round.phase < PHASE_DONE && a->now_ms >= a->round.deadline_ms;
    starve_begin(a);
    enum status status = round_deadline(&a->round, a->now_ms, &out);
    starve_end(a);
    REQUIRE(status == STATUS_OK || status == STATUS_NOMEM);
    if (late && a->round_spy != NULL) a->round_spy(a, OUTBOX_SERVER, (struct view){0});
    settle(a, &out);
}

void arena_deadline(struct arena *a, uint32_t party)
{
    if (party == OUTBOX_SERVER) {
        round_late(a);
        return;
    }
    struct outbox out = {0};
    starve_begin(a);
    enum status status = session_deadline(&a->session[party], a->now_ms, &out);
    starve_end(a);
    REQUIRE(status == STATUS_OK || status == STATUS_NOMEM);
    post_all(a, party, &out);
}

void arena_gone(struct arena *a, uint32_t site)
{
    struct outbox out = {0};
    starve_begin(a);
    enum status status = round_gone(&a->round, site, a->now_ms, &out);
    starve_end(a);
    REQUIRE(status == STATUS_OK || status == STATUS_NOMEM);
    if (a->round_spy != NULL) a->round_spy(a, site, (struct view){0});
    settle(a, &out);
}

void arena_greet(struct arena *a, uint32_t site)
{
    AUTO(outbox_free) struct outbox out = {0};
    must(session_hello(&a->session[site], &out));
    REQUIRE(out.n_letters == 1 && out.letter[0].to == OUTBOX_SERVER);
    struct hello hello = {0};
    must(hello_read(&hello, blob_view(out.letter[0].bytes), a->manifest.member[site].identity));
    REQUIRE(hello.from == site);
    const bool in = memcmp(hello.session, a->round.plan.session, MSG_SESSION_BYTES) == 0;
    if (a->round.phase > PHASE_KEYS) {
        if (in) post_letter(a, site);
        return;
    }
    if (!bits_has(&a->round.plan.cohort, site)) return;
    struct buffer opening = {0};
    arena_opening(a, &opening);
    post(a, OUTBOX_SERVER, site, &opening);
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
    AUTO(noise_free) struct noise kept = {0};
    arena_noise_kept(a, &kept);
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
            uint32_t sum = kept.value[start + i];
            for (uint32_t v = 0; v < a->n; v++)
                if (bits_has(&r->survivors, v) && bits_has(&segment->members, v))
                    sum += a->input[v][start + i];
            if ((sum & UINT32_MAX >> (32 - r->plan.grid.bits)) != r->opened[l].value[i])
                return false;
        }
    }
    return true;
}
