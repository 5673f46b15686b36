/* SPDX-License-Identifier: Apache-2.0 */
/* Noise that can be taken away: plans that a session refuses, and what it releases and forgets. */
#include <string.h>

#include "tests/lib/check.h"
#include "tests/unit/client/victim.h"

static void removes_less(struct arena *a, void *content)
{
    (void)a;
    ((struct plan *)content)->removable--;
}

static void removes_something(struct arena *a, void *content)
{
    (void)a;
    ((struct plan *)content)->removable = 1; /* site 4 is not in all segments */
}

static void keeps_one_out(struct arena *a, void *content)
{
    (void)a;
    bits_clear(&((struct plan *)content)->segment[1].members, 5);
}

static void draws_from_a_table(struct arena *a, void *content)
{
    (void)a;
    ((struct plan *)content)->sampler = NOISE_TABLE;
}

static void noise_that_cannot_be_taken_away_so_is_refused(void)
{
    REFUSED(NOISE, PLAN, removes_something);
    REFUSED_ON_RING(NOISE, PLAN, removes_something);
    REFUSED_WITH_NOISE(NOISE, PLAN, removes_less);
    REFUSED_WITH_NOISE(NOISE, PLAN, keeps_one_out);
    REFUSED_WITH_NOISE(NOISE, PLAN, draws_from_a_table);
}

/* Some inputs are lost, and the victim's shares are looked at. */
struct revelation {
    uint32_t lost; /* set of sites */
    struct unmask unmask;
};

static bool reveal(struct arena *a, struct flight *flight)
{
    struct revelation *r = a->context;
    if (flight_is(flight, MSG_UNMASK, VICTIM))
        CHECK_OK(unmask_read(&r->unmask, buffer_view(&flight->bytes), a->n,
                             a->manifest.member[VICTIM].identity));
    return flight_kind(flight) != MSG_MASKED || (r->lost >> flight->from & 1) == 0;
}

static void check_noise_released(const struct arena *a, const struct revelation *r)
{
    const uint32_t first = (uint32_t)__builtin_popcount(r->lost) + 1;
    for (uint32_t v = 0; v < a->n; v++) {
        const struct bundle *bundle = &r->unmask.bundle[v];
        const bool lost = (r->lost >> v & 1) != 0;
        REQUIRE(bundle->n == bundle_places(&a->plan));
        CHECK(bundle->place[BUNDLE_PAIR].have == lost);
        CHECK(bundle->place[BUNDLE_SELF(0)].have == !lost);
        CHECK(bundle->place[BUNDLE_SELF(1)].have == !lost);
        for (uint32_t k = 1; k <= a->plan.removable; k++)
            CHECK(bundle->place[BUNDLE_NOISE(&a->plan, k)].have == (!lost && k == first));
    }
}

/* Of each survivor's noise the seed behind the dropouts; of who dropped out none. */
static void of_noise_one_seed_is_released(void)
{
    static const uint32_t lost[] = {0, 0x20, 0xa0, 0xb0};
    for (size_t i = 0; i < 4; i++) {
        AUTO(arena_close) struct arena a = {0};
        victim_open_noise(&a);
        struct revelation r = {.lost = lost[i]};
        a.filter = reveal;
        a.context = &r;
        arena_begin(&a);
        arena_run(&a);
        CHECK_NUMBER(PHASE_DONE, a.round.phase);
        check_noise_released(&a, &r);
        unmask_free(&r.unmask);
    }
}

static void the_seed_of_noise_is_forgotten_with_the_input(void)
{
    static const uint8_t zero[SHARE_BYTES] = {0};
    AUTO(arena_close) struct arena a = {0};
    victim_open_noise(&a);
    arena_begin(&a);
    const struct session *s = &a.session[VICTIM];
    while (s->phase != SESSION_INBOX) CHECK(arena_step(&a));
    CHECK(memcmp(zero, s->noise_seed, sizeof zero) != 0);
    while (s->phase != SESSION_SURVIVORS) CHECK(arena_step(&a));
    CHECK_BYTES(zero, s->noise_seed, sizeof zero);
}

int main(void)
{
    RUN(noise_that_cannot_be_taken_away_so_is_refused);
    RUN(of_noise_one_seed_is_released);
    RUN(the_seed_of_noise_is_forgotten_with_the_input);
    return check_done();
}
