/* SPDX-License-Identifier: Apache-2.0 */
/* A round of eight sites of which one dropped out, up to where the sum would be opened: from here
 * on the noise alone. */
#include "aggregator/surplus.h"

#include <string.h>

#include "protocol/removal.h"
#include "tests/lib/check.h"
#include "tests/lib/liar.h"
#include "tests/lib/oom.h"

#define DIM 5 /* of both segments */

static bool lose_inputs(struct arena *a, struct flight *flight)
{
    const uint32_t *lost = a->context;
    return flight_kind(flight) != MSG_MASKED || (*lost >> flight->from & 1) == 0;
}

/* Opened is 1 in every element. */
static void play(struct arena *a, uint32_t lost)
{
    liar_open(a, LIAR_NOISE);
    a->filter = lose_inputs;
    a->context = &lost;
    arena_begin(a);
    while (a->round.phase < PHASE_REVEAL)
        if (!arena_step(a)) arena_wait(a);
    for (uint32_t l = 0; l < 2; l++) {
        CHECK_OK(opened_new(&a->round.opened[l], a->plan.segment[l].dim));
        for (size_t i = 0; i < a->round.opened[l].n; i++) a->round.opened[l].value[i] = 1;
    }
}

/* The seeds of the first part that is too much, as the sites had them. */
static void fill(struct surplus *surplus, const struct arena *a)
{
    CHECK_OK(surplus_new(surplus, &a->round));
    CHECK_NUMBER(0, surplus->n);
    for (uint32_t v = 0; v < a->n && surplus->first > 0; v++) {
        if (!bits_has(&a->round.survivors, v)) continue;
        uint8_t *seed = surplus->seed[surplus->n++];
        memcpy(seed, a->noise_seed[v], SHARE_BYTES);
        for (uint32_t k = 1; k < surplus->first; k++) removal_next(seed);
    }
}

/* 1 less all later parts of all survivors, modulo 2^bits. */
static void sum_too_much(uint32_t sum[static DIM], const struct arena *a, uint32_t first)
{
    struct xnoise parts;
    CHECK_OK(removal_parts(&parts, &a->round.plan));
    for (size_t i = 0; i < DIM; i++) sum[i] = 1;
    for (uint32_t v = 0; v < a->n; v++) {
        uint8_t seed[SHARE_BYTES];
        memcpy(seed, a->noise_seed[v], sizeof seed);
        for (uint32_t k = 1; k <= parts.removable; k++, removal_next(seed)) {
            AUTO(noise_free) struct noise part = {0};
            CHECK_OK(removal_draw(&part, DIM, parts.sigma[k], seed, &a->round.plan_hash,
                                  &a->round.roster_hash));
            if (first == 0 || k < first || !bits_has(&a->round.survivors, v)) continue;
            for (size_t i = 0; i < DIM; i++) sum[i] -= part.value[i];
        }
    }
    for (size_t i = 0; i < DIM; i++) sum[i] &= UINT32_MAX >> (32 - a->plan.grid.bits);
}

static void check_taken(const struct arena *a, uint32_t first)
{
    uint32_t want[DIM];
    sum_too_much(want, a, first);
    const size_t n = a->round.opened[0].n;
    CHECK_NUMBER(DIM, n + a->round.opened[1].n);
    CHECK_BYTES(want, a->round.opened[0].value, n * sizeof *want);
    CHECK_BYTES(want + n, a->round.opened[1].value, (DIM - n) * sizeof *want);
}

static void all_that_is_too_much_is_taken_away(void)
{
    static const uint32_t lost[] = {0, 0x20, 0xa0};
    for (uint32_t i = 0; i < 3; i++) {
        AUTO(arena_close) struct arena a = {0};
        play(&a, lost[i]);
        AUTO(surplus_free) struct surplus surplus = {0};
        fill(&surplus, &a);
        CHECK_NUMBER(i + 1, surplus.first);
        CHECK_NUMBER(8 - i, surplus.n);
        CHECK_OK(surplus_take(&a.round, &surplus));
        check_taken(&a, i + 1);
    }
}

static void of_the_fewest_survivors_nothing_is_too_much(void)
{
    AUTO(arena_close) struct arena a = {0};
    play(&a, 0xb0);
    AUTO(surplus_free) struct surplus surplus = {0};
    fill(&surplus, &a);
    CHECK(surplus.first == 0 && surplus.seed == NULL);
    CHECK_OK(surplus_take(&a.round, &surplus));
    check_taken(&a, 0);
}

static void it_is_taken_modulo_the_ring(void)
{
    AUTO(arena_close) struct arena a = {0};
    play(&a, 0);
    a.plan.grid.bits = a.round.plan.grid.bits = 20;
    AUTO(surplus_free) struct surplus surplus = {0};
    fill(&surplus, &a);
    CHECK_OK(surplus_take(&a.round, &surplus));
    check_taken(&a, 1);
}

static void threads_take_the_same(void)
{
    for (unsigned threads = 2; threads <= 16; threads += 7) {
        AUTO(arena_close) struct arena a = {0};
        play(&a, 0x20);
        a.round.threads = threads;
        AUTO(surplus_free) struct surplus surplus = {0};
        fill(&surplus, &a);
        CHECK_OK(surplus_take(&a.round, &surplus));
        check_taken(&a, 2);
    }
}

static void it_needs_memory(void)
{
    AUTO(arena_close) struct arena a = {0};
    play(&a, 0);
    size_t failed = 0;
    OOM_EACH {
        struct surplus surplus = {0};
        enum status status = surplus_new(&surplus, &a.round);
        oom_stop();
        if (status == STATUS_OK) {
            surplus_free(&surplus);
            fill(&surplus, &a);
            oom_resume();
            status = surplus_take(&a.round, &surplus);
            oom_stop();
        } else {
            CHECK(surplus.seed == NULL);
        }
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        failed += status != STATUS_OK;
        surplus_free(&surplus);
    }
    CHECK(failed > 20); /* seven survivors and more, of three parts each */
}

int main(void)
{
    RUN(all_that_is_too_much_is_taken_away);
    RUN(of_the_fewest_survivors_nothing_is_too_much);
    RUN(it_is_taken_modulo_the_ring);
    RUN(threads_take_the_same);
    RUN(it_needs_memory);
    return check_done();
}
