/* SPDX-License-Identifier: Apache-2.0 */
/* Random worlds, random mishaps: a round ends with the exact sum or with a reason, and what the
 * promises say about keys, shares, segments and traffic holds all the way. It is counted here, from
 * letters and pads alone. Arguments: how many worlds, and the first one's seed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/seal.h"
#include "protocol/removal.h"
#include "tests/lib/check.h"
#include "tests/lib/forge.h"

#define SESSIONS 2
#define SEGMENTS_MAX 4

/* One use of a pad. */
struct use {
    uint8_t key[MASK_KEY_BYTES];
    uint32_t session, segment, site;
    int sign;
    bool self;
};

/* What a site has let out in this session. */
struct seen {
    struct hash input;
    bool sent;
    bool *pair, *self; /* shares of whose secrets, n each */
};

struct world {
    struct arena arena;
    struct rng rng; /* of the mishaps */
    uint64_t seed;
    uint32_t session;
    /* Out of a thousand letters. */
    uint32_t lost, doubled, late;
    bool fatal;    /* sites may die and connections be lost for good; else all is made good */
    size_t frills; /* bytes of a MASKED that are not elements: the same for all */
    size_t n_uses, room;
    struct use *use;
    struct seen *seen;
};

static struct world *world_of(struct arena *a)
{
    return a->context;
}

static bool chance(struct world *w, uint32_t per_thousand)
{
    return rng_below(&w->rng, 1000) < per_thousand;
}

static uint32_t between(struct world *w, uint32_t least, uint32_t most)
{
    return least + (uint32_t)rng_below(&w->rng, most - least + 1);
}

static uint32_t own_segments(const struct plan *plan, uint32_t site)
{
    uint32_t own = 0;
    for (uint32_t l = 0; l < plan->n_segments; l++)
        own += bits_has(&plan->segment[l].members, site);
    return own;
}

/* --- what must hold ----------------------------------------------------------------------------
 */

/* One input, of the size of the sender's own segments. */
static void see_masked(struct world *w, uint32_t from, struct view letter)
{
    const struct plan *plan = &w->arena.round.plan;
    struct seen *seen = &w->seen[from];
    const struct hash hash = hash_of("input", letter);
    CHECK(!seen->sent || hash_equal(&hash, &seen->input));
    seen->sent = true;
    seen->input = hash;
    size_t elements = 0;
    for (uint32_t l = 0; l < plan->n_segments; l++)
        if (bits_has(&plan->segment[l].members, from))
            elements += packed_bytes(plan->segment[l].dim + 1, plan->grid.bits);
    if (w->frills == 0) w->frills = letter.n - elements;
    CHECK_NUMBER(w->frills + elements, letter.n);
    CHECK(w->frills < 600 + HASH_BYTES * (size_t)plan->n_segments);
}

/* To each holder a share of the pair seed, of each own segment's seed and of each seed of noise,
 * and nothing else. */
static void see_shares(struct world *w, uint32_t from, struct view letter)
{
    const struct arena *a = &w->arena;
    AUTO(shares_free) struct shares shares = {0};
    CHECK_OK(shares_read(&shares, letter, graph_holders(&a->round.graph), SIZE_MAX));
    CHECK(a->plan.params.k == 0 || shares.n <= a->plan.params.k);
    const size_t want =
        SEAL_EXTRA_BYTES + HASH_BYTES +
        (1 + own_segments(&a->round.plan, from) + a->plan.removable) * (size_t)SHARE_BYTES;
    for (uint32_t i = 0; i < shares.n; i++)
        if (shares.sealed[i].n > 0) CHECK_NUMBER(want, shares.sealed[i].n);
}

static bool opened_by_rule(const struct round *r, uint32_t l)
{
    return bits_common(&r->plan.segment[l].members, &r->survivors) >=
           (size_t)r->plan.params.m + r->plan.params.c;
}

/* Of a survivor's noise the seed of one part, and never of one that the sum has to keep. */
static void see_noise(const struct arena *a, const struct bundle *bundle)
{
    const struct plan *plan = &a->round.plan;
    const size_t dropped = bits_count(&plan->cohort) - bits_count(&a->round.survivors);
    for (uint32_t k = 1; k <= plan->removable && bundle->n > 0; k++)
        if (bundle->place[BUNDLE_NOISE(plan, k)].have) CHECK_NUMBER(dropped + 1, k);
}

/* Of no peer both kinds, and of sealed segments nothing. */
static void see_unmask(struct world *w, uint32_t from, struct view letter)
{
    const struct arena *a = &w->arena;
    struct seen *seen = &w->seen[from];
    AUTO(unmask_free) struct unmask unmask = {0};
    CHECK_OK(unmask_read(&unmask, letter, a->n, a->manifest.member[from].identity));
    for (uint32_t v = 0; v < a->n; v++) {
        const struct bundle *bundle = &unmask.bundle[v];
        for (uint32_t p = 0; p < bundle->n; p++) {
            if (!bundle->place[p].have) continue;
            *(p == BUNDLE_PAIR ? &seen->pair[v] : &seen->self[v]) = true;
            if (p != BUNDLE_PAIR && p < BUNDLE_NOISE(&a->round.plan, 1))
                CHECK(opened_by_rule(&a->round, p - 1));
        }
        see_noise(a, bundle);
        CHECK(!(seen->pair[v] && seen->self[v]));
    }
}

static void see(struct arena *a, const struct flight *flight)
{
    const struct view letter = buffer_view(&flight->bytes);
    if (flight_kind(flight) == MSG_MASKED) see_masked(world_of(a), flight->from, letter);
    if (flight_kind(flight) == MSG_SHARES) see_shares(world_of(a), flight->from, letter);
    if (flight_kind(flight) == MSG_UNMASK) see_unmask(world_of(a), flight->from, letter);
}

/* A pad of its own, and one per dealer that the segment's graph joins it to. */
static void see_pads(struct arena *a, uint32_t site, uint32_t segment, const struct pad *pad,
                     size_t n)
{
    struct world *w = world_of(a);
    const struct round *r = &a->round;
    size_t want = 1;
    for (uint32_t v = 0; v < a->n; v++)
        want += bits_has(&r->dealers, v) && graph_linked(&r->pads[segment], site, v);
    CHECK_NUMBER(want, n);
    const uint32_t degree = r->plan.segment[segment].degree;
    CHECK(degree == 0 || n <= 1 + (size_t)degree ||
          bits_count(&r->plan.segment[segment].members) <= degree);
    CHECK(bits_has(&r->plan.segment[segment].members, site));
    while (w->n_uses + n > w->room) {
        w->room = 2 * w->room + n;
        w->use = realloc(w->use, w->room * sizeof *w->use);
        REQUIRE(w->use != NULL);
    }
    for (size_t i = 0; i < n; i++) {
        struct use *use = &w->use[w->n_uses++];
        *use = (struct use){.session = w->session,
                            .segment = segment,
                            .site = site,
                            .sign = pad[i].sign,
                            .self = i == 0};
        memcpy(use->key, pad[i].key, MASK_KEY_BYTES);
    }
}

static int by_key(const void *a, const void *b)
{
    return memcmp(((const struct use *)a)->key, ((const struct use *)b)->key, MASK_KEY_BYTES);
}

/* Over all sites, segments and sessions: a self key is used once, a pair key at its two ends. */
static void check_uses(struct world *w)
{
    if (w->n_uses > 0) qsort(w->use, w->n_uses, sizeof *w->use, by_key);
    for (size_t i = 0, ends = 1; i < w->n_uses; i += ends, ends = 1) {
        while (i + ends < w->n_uses && by_key(&w->use[i], &w->use[i + ends]) == 0) ends++;
        const struct use *first = &w->use[i], *last = &w->use[i + ends - 1];
        CHECK(ends <= 2);
        if (ends < 2) continue;
        CHECK(!first->self && !last->self && first->sign == -last->sign);
        CHECK(first->session == last->session && first->segment == last->segment &&
              first->site != last->site);
    }
}

/* --- mishaps -----------------------------------------------------------------------------------
 */

static bool happen(struct arena *a, struct flight *flight)
{
    struct world *w = world_of(a);
    if (chance(w, w->doubled)) arena_repeat(a, flight);
    if (w->fatal && flight->from != OUTBOX_SERVER && chance(w, 5)) a->dead[flight->from] = true;
    /* Who dealt and then is gone may leave a segment below its minimum. */
    if (w->fatal && flight_kind(flight) == MSG_MASKED && chance(w, 60)) {
        a->dead[flight->from] = true;
        return false;
    }
    if (chance(w, w->late)) {
        arena_repeat(a, flight);
        return false;
    }
    return !chance(w, w->lost);
}

static void interfere(struct world *w)
{
    struct arena *a = &w->arena;
    const uint32_t v = (uint32_t)rng_below(&w->rng, a->n);
    if (a->dead[v]) return;
    if (chance(w, 20)) arena_greet(a, v);
    if (w->fatal && chance(w, 3)) arena_gone(a, v);
}

/* That the worlds were not too quiet. */
struct count {
    size_t sums, sealed, removed; /* removed: sums from which noise was taken away */
};

static bool at_rest(const struct arena *a)
{
    for (uint32_t v = 0; v < a->n; v++)
        if (!a->dead[v] && a->session[v].phase != SESSION_IDLE) return false;
    return a->round.phase >= PHASE_DONE;
}

static void play(struct world *w)
{
    struct arena *a = &w->arena;
    for (size_t quiet = 0; !at_rest(a) && quiet < 2000;) {
        interfere(w);
        if (arena_step(a)) continue;
        quiet++;
        /* Where all is made good, connections come back before a deadline passes. */
        if (w->fatal || a->round.phase >= PHASE_DONE)
            arena_wait(a);
        else
            for (uint32_t v = 0; v < a->n; v++) arena_greet(a, v);
    }
    CHECK(at_rest(a));
}

static void check_end(const struct world *w, struct count *count)
{
    const struct round *r = &w->arena.round;
    if (r->phase == PHASE_DONE) {
        CHECK(arena_sums_exact(&w->arena));
        count->sums++;
        count->removed += removal_first(&r->plan, &r->survivors) > 0;
        for (uint32_t l = 0; l < r->plan.n_segments; l++) count->sealed += r->opened[l].n == 0;
    }
    if (r->phase == PHASE_FAILED) CHECK(r->why != REASON_NONE);
    for (uint32_t l = 0; l < r->plan.n_segments && r->phase == PHASE_FAILED; l++)
        CHECK_NUMBER(0, r->opened[l].n);
    if (w->fatal) return;
    CHECK_NUMBER(PHASE_DONE, r->phase);
    CHECK(bits_equal(&r->plan.cohort, &r->survivors));
}

/* --- worlds ------------------------------------------------------------------------------------
 */

static void draw_members(struct world *w, uint32_t least)
{
    struct plan *plan = &w->arena.plan;
    for (uint32_t l = 0; l < plan->n_segments; l++) {
        struct segment *segment = &plan->segment[l];
        const uint32_t share = chance(w, 400) ? 0 : between(w, 300, 1000);
        for (uint32_t v = 0; v < w->arena.n && bits_count(&segment->members) > least; v++)
            if (!chance(w, share)) bits_clear(&segment->members, v);
        const uint32_t count = (uint32_t)bits_count(&segment->members);
        if (plan->params.k > 0)
            segment->degree = count > 4 && chance(w, 800) ? 2 * between(w, 1, (count - 1) / 2) : 0;
    }
}

static void open_world(struct world *w)
{
    const bool ring = chance(w, 250);
    const uint32_t n = ring ? between(w, 14, 30) : between(w, 3, 24);
    const uint32_t c = between(w, 0, ring ? 2 : (n - 1) / 3);
    const uint32_t m = between(w, 1, params_threshold(n, c) - c);
    const uint32_t segments = between(w, 1, SEGMENTS_MAX);
    uint64_t dim[SEGMENTS_MAX];
    for (uint32_t l = 0; l < segments; l++) dim[l] = between(w, 1, 20);
    struct arena *a = &w->arena;
    arena_open(a, n, c, m, segments, dim, NULL, between(w, 20, 32), w->seed);
    if (ring) arena_ring(a, n - between(w, 0, 3));
    const bool noise = !ring && chance(w, 400);
    if (noise) arena_noise(a, between(w, 20, 200));
    if (!noise) draw_members(w, m + c);
    if (mask_available(MASK_AES256_CTR) && chance(w, 300)) a->plan.cipher = MASK_AES256_CTR;
    a->context = w;
    a->filter = happen;
    a->spy = see;
    a->pad_spy = see_pads;
    w->seen = calloc(n, sizeof *w->seen);
    REQUIRE(w->seen != NULL);
}

static void forget_session(struct world *w)
{
    for (uint32_t v = 0; v < w->arena.n; v++) {
        free(w->seen[v].pair);
        free(w->seen[v].self);
        w->seen[v] = (struct seen){0};
    }
}

static void begin_session(struct world *w)
{
    struct arena *a = &w->arena;
    w->frills = 0;
    for (uint32_t v = 0; v < a->n; v++) {
        w->seen[v].pair = calloc(a->n, sizeof(bool));
        w->seen[v].self = calloc(a->n, sizeof(bool));
        REQUIRE(w->seen[v].pair != NULL && w->seen[v].self != NULL);
    }
    arena_begin(a);
}

static void try_world(uint64_t seed, struct count *count)
{
    struct world w = {.seed = seed};
    rng_numbered(&w.rng, seed);
    w.fatal = chance(&w, 600);
    w.lost = chance(&w, 500) ? between(&w, 0, w.fatal ? 30 : 300) : 0;
    w.doubled = between(&w, 0, 100);
    w.late = chance(&w, 500) ? between(&w, 0, 200) : 0;
    open_world(&w);
    w.arena.shuffle = chance(&w, 500);
    const size_t before = check_failures();
    for (w.session = 0; w.session < SESSIONS; w.session++) {
        begin_session(&w);
        play(&w);
        check_end(&w, count);
        forget_session(&w);
        /* A site that has died has lost its place in the history, which is another test's matter.
         */
        if (w.fatal) break;
    }
    check_uses(&w);
    if (check_failures() > before) printf("in the world of seed %llu\n", (unsigned long long)seed);
    arena_close(&w.arena);
    free(w.seen);
    free(w.use);
}

static size_t worlds = 30;
static uint64_t first = 1;

static void whatever_happens_the_promises_hold(void)
{
    struct count count = {0};
    for (uint64_t seed = first; seed < first + worlds; seed++) try_world(seed, &count);
    printf("%zu worlds, %zu sums, %zu of them without surplus noise, %zu segments sealed\n", worlds,
           count.sums, count.removed, count.sealed);
    CHECK(count.sums > worlds / 3 && count.sealed > 0 && count.removed > 0);
}

int main(int argc, char **argv)
{
    if (argc > 1) worlds = strtoul(argv[1], NULL, 10);
    if (argc > 2) first = strtoul(argv[2], NULL, 10);
    RUN(whatever_happens_the_promises_hold);
    return check_done();
}
