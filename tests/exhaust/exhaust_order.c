/* SPDX-License-Identifier: Apache-2.0 */
/* Every order of events between a coordinator and three sites, all honest, over a network that is
 * not: each letter may be overtaken, lost or doubled, each connection may begin anew, each deadline
 * may come at any time, up to a number of such faults (first argument), from a phase on (second).
 * What must hold is counted here, from the letters alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/arena.h"
#include "tests/lib/check.h"
#include "tests/lib/explore.h"

#define SITES 3
#define PADS_MAX 64

static const uint64_t dims[1] = {2};

enum what { DELIVER, LOSE, DOUBLE, GREET, DEADLINE };

/* What one site has let out. */
struct seen {
    uint32_t n_inputs, n_confirms, n_unmasks;
    struct hash input, confirm;
    bool pair[SITES], self[SITES]; /* shares of whose secrets, of either kind */
};

struct order {
    struct arena arena;
    unsigned faults; /* left */
    struct seen seen[SITES];
    struct hash statement; /* of the survivor set, once there is one */
    bool stated;
    struct hash pads[PADS_MAX]; /* keys that were used, with their segment and user */
    size_t n_pads;
};

static struct order *order_of(struct arena *a)
{
    return a->context;
}

static void see_input(struct arena *a, uint32_t from, struct view letter)
{
    struct seen *seen = &order_of(a)->seen[from];
    const struct hash hash = hash_of("input", letter);
    /* One input per session: bytes that are sent again are the same bytes. */
    CHECK(seen->n_inputs == 0 || hash_equal(&seen->input, &hash));
    seen->input = hash;
    seen->n_inputs++;
}

static void see_confirm(struct arena *a, uint32_t from, struct view letter)
{
    struct order *o = order_of(a);
    struct seen *seen = &o->seen[from];
    struct confirm confirm = {0};
    CHECK_OK(confirm_read(&confirm, letter));
    const struct hash hash = hash_of("confirm", letter);
    CHECK(seen->n_confirms == 0 || hash_equal(&seen->confirm, &hash));
    seen->confirm = hash;
    seen->n_confirms++;
    /* Nothing is confirmed before the coordinator said it, and before the own input was sent. */
    CHECK(o->stated && seen->n_inputs > 0);
    CHECK(confirm_check(&confirm, &o->statement, a->manifest.member[from].identity));
}

static void see_survivors(struct arena *a, struct view letter)
{
    struct order *o = order_of(a);
    AUTO(survivors_free) struct survivors survivors = {0};
    AUTO(witness_free) struct witness witness = {0};
    CHECK_OK(
        survivors_read(&survivors, &witness, letter, SITES, 1, a->manifest.coordinator.identity));
    const struct hash hash = survivors_hash(&survivors);
    /* One statement, about sites that sent something, at least T; opened by the rule. */
    CHECK(!o->stated || hash_equal(&o->statement, &hash));
    o->statement = hash;
    o->stated = true;
    size_t count = 0;
    for (uint32_t v = 0; v < SITES; v++) {
        if (!bits_has(&survivors.survivors, v)) continue;
        CHECK(o->seen[v].n_inputs > 0);
        count++;
    }
    CHECK(count >= a->plan.params.quorum);
    CHECK(bits_has(&survivors.opened, 0) == (count >= a->plan.params.m + a->plan.params.c));
}

static void see_unmask(struct arena *a, uint32_t from, struct view letter)
{
    struct order *o = order_of(a);
    struct seen *seen = &o->seen[from];
    AUTO(unmask_free) struct unmask unmask = {0};
    CHECK_OK(unmask_read(&unmask, letter, SITES, a->manifest.member[from].identity));
    seen->n_unmasks++;
    for (uint32_t v = 0; v < SITES; v++) {
        if (unmask.bundle[v].n == 0) continue;
        seen->pair[v] = seen->pair[v] || unmask.bundle[v].place[BUNDLE_PAIR].have;
        seen->self[v] = seen->self[v] || unmask.bundle[v].place[BUNDLE_SELF(0)].have;
        CHECK(!(seen->pair[v] && seen->self[v]));
        /* Who confirmed is in, and is not unmasked as if it were gone. */
        CHECK(!(seen->pair[v] && o->seen[v].n_confirms > 0));
    }
    size_t confirmed = 0;
    for (uint32_t v = 0; v < SITES; v++) confirmed += o->seen[v].n_confirms > 0;
    CHECK(seen->n_confirms > 0 && confirmed >= a->plan.params.quorum);
    CHECK(hash_equal(&unmask.survivors, &o->statement));
}

static void see(struct arena *a, const struct flight *letter)
{
    const struct view in = buffer_view(&letter->bytes);
    switch (msg_kind_of(in)) {
    case MSG_MASKED:
        see_input(a, letter->from, in);
        break;
    case MSG_CONFIRM:
        see_confirm(a, letter->from, in);
        break;
    case MSG_SURVIVORS:
        see_survivors(a, in);
        break;
    case MSG_UNMASK:
        see_unmask(a, letter->from, in);
        break;
    default:
        break;
    }
}

/* No site uses a pad twice; what two sites share they use with opposite signs. */
static void see_pads(struct arena *a, uint32_t site, uint32_t segment, const struct pad *pad,
                     size_t n)
{
    struct order *o = order_of(a);
    for (size_t i = 0; i < n; i++) {
        struct hash_state state;
        hash_start(&state, "pad");
        hash_add(&state, pad[i].key, MASK_KEY_BYTES);
        hash_add_u64(&state, segment);
        hash_add_u64(&state, pad[i].sign > 0);
        const struct hash hash = hash_end(&state);
        for (size_t j = 0; j < o->n_pads; j++) CHECK(!hash_equal(&hash, &o->pads[j]));
        CHECK(o->n_pads < PADS_MAX);
        if (o->n_pads < PADS_MAX) o->pads[o->n_pads++] = hash;
    }
    /* Its own, and one per other dealer. */
    CHECK_NUMBER(bits_count(&a->session[site].dealers), n);
}

static bool at_rest(const struct arena *a)
{
    for (uint32_t v = 0; v < SITES; v++)
        if (a->session[v].phase != SESSION_IDLE) return false;
    return a->round.phase >= PHASE_DONE;
}

static uint64_t deadline_of(const struct arena *a, uint32_t party)
{
    return party == SITES ? a->round.deadline_ms : a->session[party].deadline_ms;
}

static size_t add_event(struct event *event, size_t n, enum what what, size_t which,
                        const char *name, unsigned a, unsigned b)
{
    REQUIRE(n < EXPLORE_EVENTS_MAX);
    event[n] = (struct event){.what = what, .which = (uint32_t)which};
    snprintf(event[n].name, sizeof event[n].name, "%s-%u-%d", name, a, (int)b);
    return n + 1;
}

static bool same_letter(const struct flight *x, const struct flight *y)
{
    return x->from == y->from && x->to == y->to && x->bytes.n == y->bytes.n &&
           memcmp(x->bytes.at, y->bytes.at, x->bytes.n) == 0;
}

static size_t events(const void *self, struct event event[static EXPLORE_EVENTS_MAX])
{
    const struct order *o = self;
    const struct arena *a = &o->arena;
    size_t n = 0;
    for (size_t i = 0; i < a->n_flights; i++) {
        const struct flight *flight = &a->flight[i];
        bool twin = false;
        for (size_t j = 0; j < i; j++) twin = twin || same_letter(flight, &a->flight[j]);
        if (twin) continue;
        const unsigned kind = msg_kind_of(buffer_view(&flight->bytes));
        const unsigned who = flight->from == OUTBOX_SERVER ? flight->to : flight->from;
        n = add_event(event, n, DELIVER, i, "give", kind, who);
        if (o->faults == 0) continue;
        n = add_event(event, n, LOSE, i, "lose", kind, who);
        n = add_event(event, n, DOUBLE, i, "double", kind, who);
    }
    for (uint32_t v = 0; v < SITES && o->faults > 0; v++)
        n = add_event(event, n, GREET, v, "greet", v, 0);
    for (uint32_t p = 0; p <= SITES; p++)
        if (deadline_of(a, p) != UINT64_MAX && (o->faults > 0 || a->n_flights == 0))
            n = add_event(event, n, DEADLINE, p, "late", p, 0);
    return n;
}

static void pass_deadline(struct arena *a, uint32_t party)
{
    const uint64_t now = a->now_ms;
    a->now_ms = deadline_of(a, party);
    arena_deadline(a, party == SITES ? OUTBOX_SERVER : party);
    a->now_ms = now;
}

static void apply(void *self, const struct event *event)
{
    struct order *o = self;
    struct arena *a = &o->arena;
    const enum phase round_before = a->round.phase;
    enum session_phase before[SITES];
    for (uint32_t v = 0; v < SITES; v++) before[v] = a->session[v].phase;
    if (event->what != DELIVER && !(event->what == DEADLINE && a->n_flights == 0)) o->faults--;
    if (event->what == DOUBLE) arena_repeat(a, &a->flight[event->which]);
    if (event->what == DEADLINE)
        pass_deadline(a, event->which);
    else if (event->what == GREET)
        arena_greet(a, event->which);
    else if (event->what == LOSE)
        arena_lose_one(a, event->which);
    else
        arena_deliver_one(a, event->which);

    CHECK(a->round.phase >= round_before);
    for (uint32_t v = 0; v < SITES; v++) {
        const enum session_phase after = a->session[v].phase;
        CHECK(after >= before[v] || after == SESSION_IDLE);
        CHECK((after == SESSION_IDLE) == (a->session[v].deadline_ms == UINT64_MAX));
    }
    CHECK((a->round.phase >= PHASE_DONE) == (a->round.deadline_ms == UINT64_MAX));
    if (a->round.phase == PHASE_DONE) CHECK(arena_sums_exact(a));
    if (a->round.phase == PHASE_FAILED) CHECK_NUMBER(0, a->round.opened[0].n);
    /* With nothing under way and no deadline to come, all is over. */
    struct event next[EXPLORE_EVENTS_MAX];
    if (events(o, next) == 0) CHECK(at_rest(a));
}

/* A state as bytes: small numbers, one each. */
struct sketch {
    size_t n;
    uint8_t at[256];
};

static void draw(struct sketch *out, uint64_t small)
{
    REQUIRE(small < 256 && out->n < sizeof out->at);
    out->at[out->n++] = (uint8_t)small;
}

static void draw_bits(struct sketch *out, const struct bits *bits, const uint32_t *order)
{
    unsigned set = 0;
    for (uint32_t i = 0; i < SITES; i++) set |= (unsigned)bits_has(bits, order[i]) << i;
    draw(out, set);
}

/* The state as seen when the sites are numbered in another order. */
static struct hash key_in_order(const struct order *o, const uint32_t *order)
{
    const struct arena *a = &o->arena;
    struct sketch out = {0};
    draw(&out, o->faults);
    draw(&out, a->round.phase);
    const struct bits *sets[] = {&a->round.adverts, &a->round.dealers, &a->round.survivors,
                                 &a->round.confirmed, &a->round.revealed};
    for (size_t i = 0; i < 5; i++) draw_bits(&out, sets[i], order);
    for (uint32_t i = 0; i < SITES; i++) {
        const struct session *s = &a->session[order[i]];
        const struct seen *seen = &o->seen[order[i]];
        draw(&out, s->phase);
        draw(&out, s->last_round);
        draw(&out, a->round.site[order[i]].out);
        draw(&out, seen->n_inputs);
        draw(&out, seen->n_confirms);
        draw(&out, seen->n_unmasks);
        draw_bits(&out, &s->roster, order);
        draw_bits(&out, &s->dealers, order);
        draw_bits(&out, &s->survivors.survivors, order);
    }
    /* Letters under way, in any order: how many of each kind between each pair. Those to somebody
     * who is done count as delivered. */
    uint8_t count[SITES][2][MSG_KIND_COUNT] = {{{0}}};
    for (size_t f = 0; f < a->n_flights; f++) {
        const struct flight *flight = &a->flight[f];
        const bool up = flight->to == OUTBOX_SERVER;
        const uint32_t who = up ? flight->from : flight->to;
        const enum msg_kind kind = msg_kind_of(buffer_view(&flight->bytes));
        if (up ? a->round.phase >= PHASE_DONE
               : a->session[who].phase == SESSION_IDLE && kind != MSG_OPENING)
            continue;
        for (uint32_t i = 0; i < SITES; i++)
            if (order[i] == who) count[i][up][kind]++;
    }
    REQUIRE(out.n + sizeof count <= sizeof out.at);
    memcpy(out.at + out.n, count, sizeof count);
    return hash_of("state", (struct view){out.at, out.n + sizeof count});
}

/* The sites differ in nothing but their number: the least key of all numberings. */
static uint64_t key(const void *self)
{
    static const uint32_t orders[6][SITES] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                              {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < 6; i++) {
        const struct hash hash = key_in_order(self, orders[i]);
        uint64_t word;
        memcpy(&word, hash.bytes, sizeof word);
        if (word < least) least = word;
    }
    return least;
}

static bool goal(const void *self)
{
    const struct order *o = self;
    return o->arena.round.phase == PHASE_DONE;
}

static unsigned faults = 1;
static enum phase start = PHASE_KEYS; /* all goes well until then */

static void every_order_of_events_keeps_the_promises(void)
{
    static struct order o;
    o.faults = faults;
    arena_open(&o.arena, SITES, 0, 2, 1, dims, NULL, 32, 1);
    o.arena.context = &o;
    o.arena.spy = see;
    o.arena.pad_spy = see_pads;
    arena_begin(&o.arena);
    while (o.arena.round.phase < start) REQUIRE(arena_step(&o.arena));
    const struct world world = {
        .self = &o, .events = events, .apply = apply, .key = key, .goal = goal};
    const struct explored count = explore(&world, EXPLORE_DEPTH_MAX);
    printf("%zu states, %zu events, %zu with a sum\n", count.states, count.events, count.goals);
    CHECK_NUMBER(0, count.violations);
    CHECK_NUMBER(0, count.cut);
    CHECK(count.states > 100 && count.goals > 0);
    arena_close(&o.arena);
}

int main(int argc, char **argv)
{
    if (argc > 1) faults = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2) start = (enum phase)strtoul(argv[2], NULL, 10);
    RUN(every_order_of_events_keeps_the_promises);
    return check_done();
}
