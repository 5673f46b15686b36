/* SPDX-License-Identifier: Apache-2.0 */
/* A world's sites, its federation and its plan; how it goes on is in arena.c. */
#include "tests/lib/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    member_of(&m->coordinator, &a->coordinator, true);
    sign_public(m->governor[0], a->governor.identity);
    for (uint32_t v = 0; v < a->n; v++) {
        char name[16];
        snprintf(name, sizeof name, "site-%u", v + 1);
        must(keyfile_make(&a->key[v], name, &a->rng));
        member_of(&m->member[v], &a->key[v], true);
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
    const struct grid_goal goal = {.clip = 1.0, .dim = total, .n_sites = a->n, .bits = bits};
    must(grid_plan(&p->grid, &goal));
    must(grid_noise(&p->grid, a->n, 4));
}

static void *one_each(const struct arena *a, size_t bytes)
{
    void *array = calloc(a->n, bytes);
    REQUIRE(array != NULL);
    return array;
}

void arena_open(struct arena *a, uint32_t n, uint32_t c, uint32_t m, uint32_t segments,
                const uint64_t *dim, const uint32_t *members, unsigned bits, uint64_t seed)
{
    REQUIRE(n > 0 && n <= ARENA_SITES_MAX && (members == NULL || n <= 32));
    *a = (struct arena){.n = n, .now_ms = 1000000};
    a->key = one_each(a, sizeof *a->key);
    a->session = one_each(a, sizeof *a->session);
    a->dead = one_each(a, sizeof *a->dead);
    a->input = one_each(a, sizeof *a->input);
    a->noise_seed = one_each(a, sizeof *a->noise_seed);
    a->has_input = one_each(a, sizeof *a->has_input);
    a->last_refusal = one_each(a, sizeof *a->last_refusal);
    a->blamed = one_each(a, sizeof *a->blamed);
    a->answer = one_each(a, sizeof *a->answer);
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

void arena_ring(struct arena *a, uint32_t quorum)
{
    struct params *p = &a->plan.params;
    p->quorum = quorum;
    must(params_ring(&p->k, &p->t, p->n, p->c, p->quorum));
    for (uint32_t l = 0; l < a->plan.n_segments; l++) a->plan.segment[l].degree = p->k;
}

void arena_close(struct arena *a)
{
    for (uint32_t v = 0; v < a->n; v++) {
        session_free(&a->session[v]);
        free(a->input[v]);
    }
    for (size_t i = 0; i < a->n_flights; i++) buffer_free(&a->flight[i].bytes);
    free(a->flight);
    free(a->key);
    free(a->session);
    free(a->dead);
    free(a->input);
    free(a->noise_seed);
    free(a->has_input);
    free(a->last_refusal);
    free(a->blamed);
    free(a->answer);
    buffer_free(&a->results);
    round_free(&a->round);
    plan_free(&a->plan);
    manifest_free(&a->manifest);
    *a = (struct arena){0};
}
