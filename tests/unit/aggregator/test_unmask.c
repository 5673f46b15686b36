/* SPDX-License-Identifier: Apache-2.0 */
/* A round that lacks one letter for the end, and then one thing changed. One site has dropped after
 * it dealt, so that both kinds of seeds are rebuilt. */
#include "aggregator/unmask.h"

#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/liar.h"
#include "tests/lib/oom.h"

#define DROPPED 3

static bool no_input_of_the_dropped(struct arena *a, struct flight *flight)
{
    (void)a;
    return flight->from != DROPPED || flight_kind(flight) != MSG_MASKED;
}

/* Up to the last share that is needed, which is under way. */
static void play(struct arena *a, enum liar_world world)
{
    liar_open(a, world);
    a->filter = no_input_of_the_dropped;
    arena_begin(a);
    while (a->round.phase < PHASE_REVEAL)
        if (!arena_step(a)) arena_wait(a);
    while (a->n_flights > 0 && flight_kind(&a->flight[0]) != MSG_UNMASK) CHECK(arena_step(a));
    CHECK_NUMBER(PHASE_REVEAL, a->round.phase);
    CHECK_NUMBER(1, round_recovered(&a->round));
}

static void finish(struct arena *a)
{
    while (a->round.phase == PHASE_REVEAL)
        if (!arena_step(a)) arena_wait(a);
}

static void expect_failure(struct arena *a, enum reason why, uint32_t about)
{
    finish(a);
    CHECK_NUMBER(PHASE_FAILED, a->round.phase);
    CHECK_NUMBER(why, a->round.why);
    CHECK_NUMBER(about, a->round.about);
    CHECK_NUMBER(0, a->round.opened[0].n + a->round.opened[1].n);
}

static void seeds_of_both_kinds_are_rebuilt(void)
{
    for (enum liar_world world = 0; world < LIAR_WORLDS; world++) {
        AUTO(arena_close) struct arena a = {0};
        play(&a, world);
        finish(&a);
        CHECK_NUMBER(PHASE_DONE, a.round.phase);
        CHECK(arena_sums_exact(&a));
    }
}

/* Deliver so many of the letters that carry shares. */
static void take_shares(struct arena *a, size_t count)
{
    for (size_t i = 0; i < count; i++) CHECK(arena_step(a));
}

static void fewer_than_t_shares_of_a_dealer_open_nothing(void)
{
    for (enum liar_world world = 0; world < LIAR_WORLDS; world++) {
        AUTO(arena_close) struct arena a = {0};
        play(&a, world);
        take_shares(&a, a.plan.params.t - 1);
        while (a.n_flights > 0) arena_lose_one(&a, 0);
        enum reason why = REASON_NONE;
        CHECK_OK(unmask_total(&a.round, &why));
        CHECK_NUMBER(REASON_QUORUM, why);
        expect_failure(&a, REASON_QUORUM, OUTBOX_SERVER);
    }
}

/* The share that the first responder gave of a dealer's secret number i. */
static uint8_t *share_of(struct arena *a, uint32_t dealer, uint32_t i)
{
    return a->round.site[dealer].revealed + i * a->plan.params.t * SHARE_BYTES;
}

static void a_share_that_does_not_fit_names_its_dealer(void)
{
    static const struct {
        uint32_t dealer, secret;
    } wrong[] = {{1, 0}, {2, 1}, {DROPPED, 0}};
    for (size_t i = 0; i < 6; i++) {
        AUTO(arena_close) struct arena a = {0};
        play(&a, LIAR_COMPLETE);
        take_shares(&a, 1);
        uint8_t *share = share_of(&a, wrong[i / 2].dealer, wrong[i / 2].secret);
        share[0] ^= 1;
        /* Or not a field element at all. */
        if (i % 2 == 1) memset(share, 0xff, SHARE_BYTES);
        expect_failure(&a, REASON_SHARE, wrong[i / 2].dealer);
    }
}

static void a_seed_that_was_not_committed_to_is_not_used(void)
{
    AUTO(arena_close) struct arena self = {0}, pair = {0};
    play(&self, LIAR_COMPLETE);
    self.round.site[2].dealt.header.self[1].bytes[0] ^= 1;
    expect_failure(&self, REASON_SHARE, 2);
    play(&pair, LIAR_COMPLETE);
    pair.round.site[DROPPED].keys.mask_key[0] ^= 1;
    expect_failure(&pair, REASON_SHARE, DROPPED);
}

/* One has dropped out: the seed of part 2 is behind the two self seeds. */
static void noise_is_taken_away_as_it_was_committed_to_or_not_at_all(void)
{
    AUTO(arena_close) struct arena share = {0}, hash = {0}, unasked = {0};
    play(&share, LIAR_NOISE);
    take_shares(&share, 1);
    share_of(&share, 2, 2)[0] ^= 1;
    expect_failure(&share, REASON_SHARE, 2);
    play(&hash, LIAR_NOISE);
    hash.round.site[4].dealt.header.noise[1].bytes[0] ^= 1;
    expect_failure(&hash, REASON_SHARE, 4);
    play(&unasked, LIAR_NOISE);
    unasked.round.site[4].dealt.header.noise[0].bytes[0] ^= 1;
    unasked.round.site[4].dealt.header.noise[2].bytes[0] ^= 1;
    finish(&unasked);
    CHECK(unasked.round.phase == PHASE_DONE && arena_sums_exact(&unasked));
}

static void a_sum_against_its_checksum_is_thrown_away(void)
{
    for (uint32_t l = 0; l < 2; l++) {
        for (size_t last = 0; last < 2; last++) {
            AUTO(arena_close) struct arena a = {0};
            play(&a, LIAR_COMPLETE);
            a.round.total[l].value[last == 0 ? 1 : a.round.total[l].n - 1]++;
            expect_failure(&a, REASON_CHECKSUM, OUTBOX_SERVER);
        }
    }
}

static void threads_give_the_same_sum(void)
{
    for (enum liar_world world = 0; world < LIAR_WORLDS; world++) {
        AUTO(arena_close) struct arena a = {0};
        play(&a, world);
        a.round.threads = 3;
        finish(&a);
        CHECK(a.round.phase == PHASE_DONE && arena_sums_exact(&a));
    }
}

static void without_memory_the_round_ends(void)
{
    size_t done = 0, failed = 0;
    for (size_t k = 1; done == 0; k++) {
        AUTO(arena_close) struct arena a = {0};
        play(&a, LIAR_NOISE);
        while (bits_count(&a.round.revealed) + 1 < a.plan.params.t) CHECK(arena_step(&a));
        AUTO(buffer_free) struct buffer last = {0};
        uint32_t from = a.flight[0].from;
        write_bytes(&last, a.flight[0].bytes.at, a.flight[0].bytes.n);
        oom_start(k);
        enum status status = liar_tell(&a, from, &last);
        oom_stop();
        if (status == STATUS_OK) {
            CHECK(a.round.phase == PHASE_DONE && arena_sums_exact(&a));
            done++;
        } else {
            CHECK_STATUS(STATUS_NOMEM, status);
            CHECK_NUMBER(PHASE_FAILED, a.round.phase);
            CHECK_NUMBER(REASON_MEMORY, a.round.why);
            CHECK_NUMBER(0, a.round.opened[0].n + a.round.opened[1].n);
            failed++;
        }
    }
    CHECK(failed > 5);
}

int main(void)
{
    RUN(seeds_of_both_kinds_are_rebuilt);
    RUN(fewer_than_t_shares_of_a_dealer_open_nothing);
    RUN(a_share_that_does_not_fit_names_its_dealer);
    RUN(a_seed_that_was_not_committed_to_is_not_used);
    RUN(noise_is_taken_away_as_it_was_committed_to_or_not_at_all);
    RUN(a_sum_against_its_checksum_is_thrown_away);
    RUN(threads_give_the_same_sum);
    RUN(without_memory_the_round_ends);
    return check_done();
}
