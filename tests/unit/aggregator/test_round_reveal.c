/* SPDX-License-Identifier: Apache-2.0 */
/* What the round answers to revealed shares, and when it has enough of them. */
#include "aggregator/round.h"

#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/liar.h"

static void unmask_from_2(struct arena *a, void *content)
{
    (void)a;
    ((struct unmask *)content)->from = 2;
}

static void unmask_other_survivors(struct arena *a, void *content)
{
    (void)a;
    ((struct unmask *)content)->survivors.bytes[0] ^= 1;
}

static void unmask_other_session(struct arena *a, void *content)
{
    (void)a;
    ((struct unmask *)content)->session[0] ^= 1;
}

/* The first bundle that it reveals, of a survivor's shares. */
static struct bundle *first_of(void *content)
{
    struct unmask *unmask = content;
    uint32_t v = 0;
    while (v < unmask->n && unmask->bundle[v].n == 0) v++;
    REQUIRE(v < unmask->n);
    return &unmask->bundle[v];
}

static void unmask_other_share(struct arena *a, void *content)
{
    (void)a;
    first_of(content)->place[BUNDLE_SELF(0)].share[0] ^= 1;
}

static void unmask_other_salt(struct arena *a, void *content)
{
    (void)a;
    first_of(content)->place[BUNDLE_SELF(0)].salt[0] ^= 1;
}

static void unmask_other_commitment(struct arena *a, void *content)
{
    (void)a;
    first_of(content)->place[BUNDLE_PAIR].commitment.bytes[0] ^= 1;
}

static void unmask_less(struct arena *a, void *content)
{
    (void)a;
    first_of(content)->place[BUNDLE_SELF(0)].have = false;
}

/* The wrong kind: a living site's pair seed. */
static void unmask_pair(struct arena *a, void *content)
{
    (void)a;
    first_of(content)->place[BUNDLE_PAIR].have = true;
}

static void unmask_less_noise(struct arena *a, void *content)
{
    first_of(content)->place[BUNDLE_NOISE(&a->plan, 1)].have = false;
}

/* A later part's seed: it follows from the first one's, but nobody asked for it. */
static void unmask_more_noise(struct arena *a, void *content)
{
    first_of(content)->place[BUNDLE_NOISE(&a->plan, 2)].have = true;
}

static void unmask_other_noise(struct arena *a, void *content)
{
    first_of(content)->place[BUNDLE_NOISE(&a->plan, 1)].share[0] ^= 1;
}

static void unmask_fewer_places(struct arena *a, void *content)
{
    (void)a;
    first_of(content)->n--;
}

static void unmask_nothing_of_one(struct arena *a, void *content)
{
    (void)a;
    first_of(content)->n = 0;
}

static void wrong_revelations_are_blamed(void)
{
    BLAMED(SURVIVORS, UNMASK, unmask_from_2);
    BLAMED(SURVIVORS, UNMASK, unmask_other_survivors);
    BLAMED(SHARE, UNMASK, unmask_other_share);
    BLAMED(SHARE, UNMASK, unmask_other_salt);
    BLAMED(SHARE, UNMASK, unmask_other_commitment);
    BLAMED(SHARE, UNMASK, unmask_less);
    BLAMED(SHARE, UNMASK, unmask_pair);
    liar_tries(LIAR_NOISE, MSG_UNMASK, unmask_less_noise, STATUS_OK, REASON_SHARE);
    liar_tries(LIAR_NOISE, MSG_UNMASK, unmask_more_noise, STATUS_OK, REASON_SHARE);
    liar_tries(LIAR_NOISE, MSG_UNMASK, unmask_other_noise, STATUS_OK, REASON_SHARE);
    BLAMED(SHARE, UNMASK, unmask_fewer_places);
    BLAMED(SHARE, UNMASK, unmask_nothing_of_one);
    REFUSED(STATE, UNMASK, unmask_other_session);
}

/* Shares of a dealer that the liar holds nothing of: not in U2, or no neighbour on the ring. */
static void unmask_of_a_stranger(struct arena *a, void *content)
{
    struct unmask *unmask = content;
    uint32_t v = 0;
    while (unmask->bundle[v].n > 0) v++;
    CHECK(v < a->n);
    CHECK_OK(bundle_new(&unmask->bundle[v], first_of(content)->n));
    for (uint32_t p = 0; p < unmask->bundle[v].n; p++)
        unmask->bundle[v].place[p] = first_of(content)->place[p];
}

static bool silent_dealer(struct arena *a, struct flight *flight)
{
    return (a->plan.params.k > 0 || !flight_is(flight, MSG_SHARES, 2)) && forge(a, flight);
}

static void shares_of_strangers_are_blamed(void)
{
    for (enum liar_world world = 0; world < LIAR_WORLDS; world++) {
        AUTO(arena_close) struct arena a = {0};
        liar_open(&a, world);
        struct forgery forgery = {.kind = MSG_UNMASK, .site = LIAR, .change = unmask_of_a_stranger};
        a.filter = silent_dealer;
        a.context = &forgery;
        arena_begin(&a);
        arena_run(&a);
        CHECK(forgery.done);
        CHECK_NUMBER(REASON_SHARE, a.blamed[LIAR]);
    }
}

/* Nobody waits for more than t shares of each dealer, on the ring for t of its own neighbours. */
static void t_shares_of_each_dealer_are_enough(void)
{
    for (enum liar_world world = 0; world < LIAR_WORLDS; world++) {
        AUTO(arena_close) struct arena a = {0};
        liar_open(&a, world);
        arena_begin(&a);
        while (a.round.phase < PHASE_REVEAL) CHECK(arena_step(&a));
        const uint32_t t = a.plan.params.t;
        for (;;) {
            bool enough = true;
            for (uint32_t v = 0; v < a.n && a.round.phase == PHASE_REVEAL; v++) {
                uint32_t rows = 0;
                for (uint32_t u = 0; u < a.n; u++)
                    if (bits_has(&a.round.revealed, u) &&
                        graph_holder_number(&a.round.graph, v, u) != GRAPH_NONE)
                        rows++;
                CHECK_NUMBER(rows < t ? rows : t, a.round.site[v].n_revealed);
                enough = enough && rows >= t;
            }
            CHECK(enough == (a.round.phase == PHASE_DONE));
            if (a.round.phase == PHASE_DONE) break;
            CHECK(arena_step(&a));
        }
        CHECK(bits_count(&a.round.revealed) < a.n);
        CHECK(arena_sums_exact(&a));
        /* And no share is kept. */
        for (uint32_t v = 0; v < a.n; v++)
            CHECK(a.round.site[v].revealed == NULL && a.round.site[v].dealt.leaf == NULL);
    }
}

/* What the result says about the sums: one hash a segment, nothing of a sealed one. */
static bool names_the_sums(const struct round *r)
{
    struct hash_state state;
    hash_start(&state, "sums");
    for (uint32_t l = 0; l < r->plan.n_segments; l++) {
        AUTO(buffer_free) struct buffer packed = {0};
        write_packed(&packed, r->opened[l].value, r->opened[l].n, r->plan.grid.bits);
        const struct hash sum = hash_long("sum", buffer_view(&packed));
        hash_add(&state, sum.bytes, HASH_BYTES);
    }
    const struct hash sums = hash_end(&state);
    return hash_equal(&sums, &r->result.sums);
}

/* A site whose only segment stays sealed has no seed to rebuild: nobody waits for its shares. */
static void sealed_segments_need_no_shares(void)
{
    AUTO(arena_close) struct arena a = {0};
    static const uint64_t dims[2] = {3, 2};
    static const uint32_t members[2] = {0x3c, 0x03};
    arena_open(&a, 6, 0, 2, 2, dims, members, 32, 1);
    struct silence silence = {MSG_MASKED, 1};
    a.filter = liar_silence;
    a.context = &silence;
    arena_begin(&a);
    while (a.round.phase < PHASE_REVEAL) {
        if (!arena_step(&a)) arena_wait(&a);
    }
    CHECK_NUMBER(0, a.round.site[1].n_places);
    CHECK_NUMBER(1, a.round.site[0].n_places);
    CHECK_NUMBER(1, a.round.site[2].n_places);
    arena_run(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    CHECK(arena_sums_exact(&a));
    CHECK_NUMBER(0, a.round.opened[1].n);
    CHECK(names_the_sums(&a.round));
}

int main(void)
{
    RUN(wrong_revelations_are_blamed);
    RUN(shares_of_strangers_are_blamed);
    RUN(t_shares_of_each_dealer_are_enough);
    RUN(sealed_segments_need_no_shares);
    return check_done();
}
