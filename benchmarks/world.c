/* SPDX-License-Identifier: Apache-2.0 */
#include "benchmarks/world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "benchmarks/bench.h"
#include "dp/noise.h"

static double cpu_ms(void)
{
    return 1e3 * bench_seconds();
}

static bool lost(const struct world *w, uint32_t v)
{
    return v > 0 && (uint64_t)(v * 37 % 100) < w->set.lost;
}

void world_open(struct world *w, const struct setting *set)
{
    *w = (struct world){.set = *set, .now_ms = 1000};
    rng_numbered(&w->rng, 1);
    struct manifest *m = &w->manifest;
    *m = (struct manifest){.n = set->n,
                           .epoch = 1,
                           .n_governors = 1,
                           .governors_needed = 1,
                           .floor = {.m = 1, .max_epsilon = 100, .max_delta = 1e-3}};
    bench_must(keyfile_make(&w->coordinator, "coordinator", &w->rng));
    member_of(&m->coordinator, &w->coordinator, true);
    memcpy(m->governor[0], m->coordinator.identity, SIGN_PUBLIC_BYTES);
    m->member = calloc(set->n, sizeof *m->member);
    w->key = calloc(set->n, sizeof *w->key);
    w->session = calloc(set->n, sizeof *w->session);
    w->sum = calloc(set->d, sizeof *w->sum);
    if (m->member == NULL || w->key == NULL || w->session == NULL || w->sum == NULL)
        bench_must(STATUS_NOMEM);
    for (uint32_t v = 0; v < set->n; v++) {
        char name[16];
        snprintf(name, sizeof name, "site-%u", v);
        bench_must(keyfile_make(&w->key[v], name, &w->rng));
        member_of(&m->member[v], &w->key[v], true);
    }
    for (uint32_t v = 0; v < set->n; v++) {
        const struct session_config config = {
            .manifest = m, .self = v, .rng = &w->rng, .identity = w->key[v].identity, .threads = 1};
        bench_must(session_new(&w->session[v], &config));
    }
}

void world_close(struct world *w)
{
    for (uint32_t v = 0; v < w->set.n; v++) session_free(&w->session[v]);
    round_free(&w->round);
    manifest_free(&w->manifest);
    free(w->session);
    free(w->key);
    free(w->sum);
}

/* The clip that the grid's power of two fits best, so that the ring can be as narrow as the round's
 * figures say. */
static double clip_of(uint64_t d)
{
    int exponent = 0;
    return 2 * frexp(GRID_FINENESS * sqrt((double)d), &exponent) * (1 + 1e-9);
}

static void begin(struct world *w)
{
    const struct setting *set = &w->set;
    struct params params = {.n = set->n, .c = set->c, .m = 1};
    params.quorum = params.t = params_threshold(set->n, set->c);
    if (set->ring) {
        params.quorum = set->n - set->n * (set->lost < 10 ? 10 : set->lost + 1) / 100;
        bench_must(params_ring(&params.k, &params.t, set->n, set->c, params.quorum));
    }
    struct plan plan = {.round = 1,
                        .step = STEP_TRAIN,
                        .params = params,
                        .sampling = 1,
                        .cipher = set->cipher,
                        .n_segments = 1};
    plan.manifest = manifest_hash(&w->manifest);
    plan.study = w->manifest.study;
    plan.state = hash_of("state", (struct view){0});
    for (size_t i = 0; i < WAIT_COUNT; i++) plan.wait_ms[i] = 1000;
    bench_must(bits_new(&plan.cohort, set->n));
    bits_fill(&plan.cohort);
    plan.segment[0] = (struct segment){
        .name = "all", .dim = set->d, .degree = params_segment_degree(&params, set->n)};
    bench_must(bits_copy(&plan.segment[0].members, &plan.cohort));
    const struct grid_goal goal = {
        .clip = clip_of(set->d), .dim = set->d, .n_sites = set->n, .bits = set->bits};
    bench_must(grid_plan(&plan.grid, &goal));
    bench_must(grid_noise(&plan.grid, set->n, 4));
    const struct round_config config = {.manifest = &w->manifest,
                                        .identity = w->coordinator.identity};
    bench_must(round_start(&w->round, &config, &plan, w->now_ms));
    w->round.threads = 1;
}

/* One letter to a site, and what it answers to the coordinator; both timed. */
static void exchange(struct world *w, uint32_t v, struct view letter, enum step_of step)
{
    AUTO(outbox_free) struct outbox out = {0}, notes = {0};
    double before = cpu_ms();
    bench_must(session_message(&w->session[v], letter, w->now_ms, &out));
    w->site_ms[step] += cpu_ms() - before;
    if (v == 0) w->down += letter.n;
    for (size_t i = 0; i < out.n_letters; i++) {
        const struct view answer = blob_view(out.letter[i].bytes);
        const enum phase phase = w->round.phase;
        if (v == 0) w->up += answer.n;
        before = cpu_ms();
        enum status status = round_message(&w->round, v, answer, w->now_ms, &notes);
        if (status != STATUS_STATE) bench_must(status); /* late: enough have answered */
        w->server_ms[phase == PHASE_REVEAL && w->round.phase == PHASE_DONE ? PHASE_DONE : phase] +=
            cpu_ms() - before;
    }
}

static void letters(struct world *w, enum step_of step, const struct bits *to)
{
    const enum phase phase = w->round.phase;
    /* All letters are of one phase, and the answers come after them: as over a network. */
    struct buffer *letter = calloc(w->set.n, sizeof *letter);
    if (letter == NULL) bench_must(STATUS_NOMEM);
    for (uint32_t v = 0; v < w->set.n; v++) {
        if (!bits_has(to, v)) continue;
        const double before = cpu_ms();
        bench_must(round_letter(&letter[v], &w->round, v));
        w->server_ms[phase == PHASE_DONE ? PHASE_REVEAL : phase] += cpu_ms() - before;
    }
    for (uint32_t v = 0; v < w->set.n; v++) {
        if (letter[v].n > 0) exchange(w, v, buffer_view(&letter[v]), step);
        buffer_free(&letter[v]);
    }
    free(letter);
}

static void open_round(struct world *w)
{
    AUTO(buffer_free) struct buffer opening = {0};
    const struct opening all = {.plan = buffer_view(&w->round.plan_bytes)};
    opening_write(&opening, &all);
    bench_must(opening.status);
    for (uint32_t v = 0; v < w->set.n; v++) exchange(w, v, buffer_view(&opening), AT_PLAN);
}

static void noised_of(struct world *w, struct noised *noised, uint32_t v)
{
    const size_t d = w->set.d;
    bench_must(noised_new(noised, d + 1));
    const uint32_t ring = UINT32_MAX >> (32 - w->set.bits);
    for (size_t i = 0; i < d; i++) noised->value[i] = (uint32_t)(v * 2654435761u + i) >> 12;
    for (size_t i = 0; i < d; i++) noised->value[d] += noised->value[i];
    for (size_t i = 0; i < d; i++) w->sum[i] = (w->sum[i] + noised->value[i]) & ring;
}

struct mask_how world_how(const struct world *w)
{
    return (struct mask_how){.cipher = w->set.cipher, .bits = w->set.bits, .threads = 1};
}

/* What the first site does with its vector, all pads included; thrown away. */
static void time_input(struct world *w)
{
    struct encoded encoded = {0};
    struct noised noised = {0};
    struct masked masked = {0};
    struct pad *pad = NULL;
    size_t n_pads = 0;
    bench_must(encoded_new(&encoded, w->set.d));
    struct noise noise = {0};
    double before = cpu_ms();
    bench_must(noise_draw(&noise, w->set.d, 1000, NOISE_EXACT, &w->rng));
    bench_must(noise_add(&noised, &encoded, &noise));
    w->site_ms[AT_NOISE] = (cpu_ms() - before) * w->set.n;
    const struct mask_how mask = world_how(w);
    before = cpu_ms();
    bench_must(session_pads(&w->session[0], 0, &pad, &n_pads));
    bench_must(mask_add(&masked, &noised, pad, n_pads, &mask, 0));
    w->site_ms[AT_INPUT] = (cpu_ms() - before) * w->set.n;
    w->pads = n_pads;
    free(pad);
    masked_free(&masked);
    encoded_free(&encoded);
}

/* Only the pads that do not cancel: the own one, and those towards lost sites. */
static size_t pads_left(const struct world *w, uint32_t v, struct pad *pad)
{
    const struct session *s = &w->session[v];
    size_t kept = 1, at = 1;
    for (uint32_t u = 0; u < w->set.n; u++) {
        if (u == v || !bits_has(&s->dealers, u) || !graph_linked(&s->pads[0], v, u)) continue;
        if (lost(w, u)) pad[kept++] = pad[at];
        at++;
    }
    return kept;
}

static void put_in(struct world *w, uint32_t v)
{
    struct session *s = &w->session[v];
    AUTO(outbox_free) struct outbox out = {0}, notes = {0};
    struct noised noised = {0};
    struct masked part[MSG_SEGMENTS_MAX] = {{0}};
    struct pad *pad = NULL;
    size_t n_pads = 0;
    noised_of(w, &noised, v);
    bench_must(session_pads(s, 0, &pad, &n_pads));
    n_pads = pads_left(w, v, pad);
    w->taken_pads += n_pads;
    const struct mask_how mask = world_how(w);
    bench_must(mask_add(&part[0], &noised, pad, n_pads, &mask, 0));
    free(pad);
    double before = cpu_ms();
    bench_must(session_input(s, part, w->now_ms, &out));
    if (v == 0) w->site_ms[AT_INPUT] += (cpu_ms() - before) * w->set.n;
    masked_free(&part[0]);
    blob_free(&s->answer); /* kept for repeats; of a thousand sites they would not fit in memory */
    const struct view message = blob_view(out.letter[0].bytes);
    if (v == 0) w->up += message.n;
    before = cpu_ms();
    bench_must(round_message(&w->round, v, message, w->now_ms, &notes));
    w->server_ms[PHASE_COLLECT] += cpu_ms() - before;
}

static void collect(struct world *w)
{
    time_input(w);
    for (uint32_t v = 0; v < w->set.n; v++)
        if (!lost(w, v)) put_in(w, v);
    AUTO(outbox_free) struct outbox notes = {0};
    w->now_ms += 2000;
    const double before = cpu_ms();
    if (w->round.phase == PHASE_COLLECT) bench_must(round_deadline(&w->round, w->now_ms, &notes));
    w->server_ms[PHASE_COLLECT] += cpu_ms() - before;
}

void world_run(struct world *w)
{
    begin(w);
    open_round(w);
    if (w->set.ring) {
        letters(w, AT_ROSTER, &w->round.adverts);
        letters(w, AT_POSITIONS, &w->round.placed);
    } else {
        letters(w, AT_ROSTER, &w->round.adverts);
    }
    letters(w, AT_INBOX, &w->round.dealers);
    collect(w);
    letters(w, AT_SURVIVORS, &w->round.survivors);
    letters(w, AT_QUORUM, &w->round.survivors);
    letters(w, AT_RESULT, &w->round.survivors);
    if (w->round.phase != PHASE_DONE ||
        memcmp(w->round.opened[0].value, w->sum, w->set.d * sizeof *w->sum) != 0) {
        fprintf(stderr, "world: the sum is wrong (%s)\n", reason_id(w->round.why));
        exit(1);
    }
}
