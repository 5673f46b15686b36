/* SPDX-License-Identifier: Apache-2.0 */
/* A study that allocates blocks, round after round through the shipping state machines: six sites
 * that judge each plan, of which now and then one says nothing when it should send its input. */
#include <math.h>
#include <string.h>

#include "aggregator/course.h"
#include "tests/lib/check.h"
#include "tests/lib/forge.h"
#include "tests/lib/small.h"

enum { SITES = 6, ROUNDS = 12, MOST = 2000 };

static struct settings_error why;

struct world {
    struct arena arena;
    struct study study;
    struct course course;
    struct bits cohort;
    uint32_t silent;     /* bit mask of those whose input is lost */
    size_t bytes[SITES]; /* of each site's input in this round */
};

static void world_close(struct world *w)
{
    arena_close(&w->arena);
    course_free(&w->course);
    bits_free(&w->cohort);
}

/* As each site judges: the plan is the study's, for a state that keeps everything. */
static enum reason judge(void *context, const struct plan *plan, struct view state)
{
    (void)state;
    const struct world *w = context;
    return schedule_check(&w->course.schedule, plan, &w->course.state.keep, 0);
}

static bool listen(struct arena *a, struct flight *flight)
{
    struct world *w = a->context;
    if (flight_kind(flight) != MSG_MASKED) return true;
    if ((w->silent >> flight->from & 1) != 0) return false;
    w->bytes[flight->from] = flight->bytes.n;
    return true;
}

static void world_open(struct world *w, enum study_allocation mode, double epsilon, double share,
                       bool exits)
{
    *w = (struct world){0};
    small_allocation(&w->study, STUDY_SITE, mode);
    w->study.privacy.epsilon = epsilon;
    w->study.rounds.count = ROUNDS;
    w->study.rounds.coordinates = share;
    w->study.model.spec.exits = exits;
    AUTO(state_free) struct state state = {0};
    small_state(&state, &w->study, false);
    CHECK_OK(course_new(&w->course, &w->study, SITES, state.weight, &why));
    CHECK_OK(bits_new(&w->cohort, SITES));
    bits_fill(&w->cohort);
    arena_open(&w->arena, SITES, 1, 2, 1, &w->course.layout.n, NULL, 32, 1);
    w->arena.filter = listen;
    w->arena.context = w;
    for (uint32_t v = 0; v < SITES; v++) {
        w->arena.session[v].config.judge = judge;
        w->arena.session[v].config.context = w;
    }
}

static void begin(struct world *w)
{
    struct arena *a = &w->arena;
    AUTO(plan_free) struct plan last = a->plan;
    a->plan = (struct plan){0};
    CHECK_OK(course_plan(&a->plan, &w->course, &w->cohort));
    a->plan.manifest = last.manifest;
    a->plan.study = last.study;
    a->plan.state = last.state;
    memset(w->bytes, 0, sizeof w->bytes);
    for (uint32_t v = 0; v < SITES; v++) a->dead[v] = false;
    arena_begin(a);
}

/* What is not in the sums of the round stays as it was, to the bit. */
static void apply(struct world *w, uint32_t *sealed)
{
    const struct round *round = &w->arena.round;
    const struct layout *layout = &w->course.layout;
    float before[MOST];
    memcpy(before, w->course.state.weight, layout->n * sizeof *before);
    CHECK_OK(course_apply(&w->course, round));
    for (uint32_t s = 0; s < layout->n_segments; s++) {
        uint32_t l = 0;
        while (l < round->plan.n_segments && schedule_layer(layout, &round->plan, l) != s) l++;
        const size_t at = layout_segment_first(layout, s);
        const size_t size = layout_segment_size(layout, s, NULL) * sizeof *before;
        const bool same = memcmp(before + at, w->course.state.weight + at, size) == 0;
        CHECK(same == !bits_has(&round->opened_set, l));
        *sealed += l < round->plan.n_segments && same;
    }
}

/* Beside a signature, hashes and the like an input has the sender's own coordinates, and a checksum
 * of each own segment. */
static void check_bytes(const struct world *w)
{
    const struct plan *plan = &w->arena.round.plan;
    size_t frills = 0;
    for (uint32_t v = 0; v < SITES; v++) {
        size_t own = 0;
        for (uint32_t l = 0; l < plan->n_segments; l++)
            if (bits_has(&plan->segment[l].members, v))
                own += packed_bytes(plan->segment[l].dim + 1, plan->grid.bits);
        if (w->bytes[v] == 0) continue;
        if (frills == 0) frills = w->bytes[v] - own;
        CHECK_NUMBER(frills + own, w->bytes[v]);
    }
}

static void play(enum study_allocation mode, double share, bool exits)
{
    AUTO(world_close) struct world w = {0};
    world_open(&w, mode, mode == STUDY_ALLOCATION_PRIVATE ? 3 : (double)INFINITY, share, exits);
    uint32_t sealed = 0, rounds = 0;
    while (!course_done(&w.course)) {
        w.silent = rounds++ % 2 == 0 ? 0 : 1u << rounds / 2 % SITES;
        if (mode == STUDY_ALLOCATION_EXCLUSIVE) w.silent &= 2 + 8 + 32;
        begin(&w);
        arena_run(&w.arena);
        CHECK_NUMBER(PHASE_DONE, w.arena.round.phase);
        CHECK_NUMBER(SITES - (size_t)__builtin_popcount(w.silent),
                     bits_count(&w.arena.round.survivors));
        CHECK(arena_sums_exact(&w.arena));
        check_bytes(&w);
        if (w.arena.round.phase != PHASE_DONE) return;
        apply(&w, &sealed);
    }
    CHECK_NUMBER(ROUNDS, rounds);
    /* Three holders and no more, one of whom is silent. */
    CHECK((sealed > 0) == (mode == STUDY_ALLOCATION_PAPER || mode == STUDY_ALLOCATION_PRIVATE ||
                           mode == STUDY_ALLOCATION_PREFIX));
}

static void every_block_opens_to_the_sum_of_its_surviving_holders(void)
{
    for (enum study_allocation mode = STUDY_ALLOCATION_PAPER; mode <= STUDY_ALLOCATION_EXCLUSIVE;
         mode++)
        play(mode, 1, false);
}

/* Random-k, and DepthFL's classifiers behind the blocks. */
static void shares_of_blocks_with_exits_do_too(void)
{
    play(STUDY_ALLOCATION_PRIVATE, 0.25, false);
    play(STUDY_ALLOCATION_PREFIX, 1, true);
    play(STUDY_ALLOCATION_PREFIX, 0.25, true);
}

/* Two of a block's three holders, the third being replaced: each site refuses by itself. */
static void swap_holders(struct arena *a, void *content)
{
    (void)a;
    struct bits *members = &((struct plan *)content)->segment[1].members;
    uint32_t in = 0, out = 0;
    while (bits_has(members, in)) in++;
    while (!bits_has(members, out)) out++;
    bits_set(members, in);
    bits_clear(members, out);
}

static void other_holders_are_refused_by_every_site(void)
{
    for (uint32_t v = 0; v < SITES; v++) {
        AUTO(world_close) struct world w = {0};
        world_open(&w, STUDY_ALLOCATION_PRIVATE, 3, 1, false);
        struct forgery forgery = {.kind = MSG_PLAN, .site = v, .change = swap_holders};
        w.arena.filter = forge;
        w.arena.context = &forgery;
        begin(&w);
        arena_deliver(&w.arena);
        CHECK(forgery.done);
        CHECK_NUMBER(REASON_SEGMENTS, w.arena.last_refusal[v]);
    }
}

int main(void)
{
    RUN(every_block_opens_to_the_sum_of_its_surviving_holders);
    RUN(shares_of_blocks_with_exits_do_too);
    RUN(other_holders_are_refused_by_every_site);
    return check_done();
}
