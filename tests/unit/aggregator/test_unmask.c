/* SPDX-License-Identifier: Apache-2.0 */
/* A round that has all it needs, and then one thing changed. Site 3 of five has dropped after it
 * dealt, so that both kinds of seeds are rebuilt. */
#include "aggregator/unmask.h"

#include <string.h>

#include "tests/lib/arena.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

#define DROPPED 3

static const uint64_t dims[2] = {4, 3};

static bool no_input_of_the_dropped(struct arena *a, struct flight *flight)
{
    (void)a;
    return !(flight->from == DROPPED && msg_kind_of(buffer_view(&flight->bytes)) == MSG_MASKED);
}

static void throw_away(struct round *r)
{
    for (uint32_t l = 0; l < MSG_SEGMENTS_MAX; l++) opened_free(&r->opened[l]);
}

static void play(struct arena *a)
{
    arena_open(a, 5, 1, 2, 2, dims, NULL, 32, 1);
    a->filter = no_input_of_the_dropped;
    arena_begin(a);
    arena_run(a);
    CHECK_NUMBER(PHASE_DONE, a->round.phase);
    CHECK_NUMBER(1, round_recovered(&a->round));
    throw_away(&a->round);
}

static enum reason unmask(struct arena *a)
{
    enum reason why = REASON_FORMAT;
    CHECK_OK(unmask_total(&a->round, &why));
    return why;
}

static void the_sum_is_opened_again_and_again(void)
{
    AUTO(arena_close) struct arena a = {0};
    play(&a);
    for (size_t i = 0; i < 2; i++) {
        CHECK_NUMBER(REASON_NONE, unmask(&a));
        CHECK(arena_sums_exact(&a));
        throw_away(&a.round);
    }
}

static void fewer_than_t_responders_open_nothing(void)
{
    AUTO(arena_close) struct arena a = {0};
    play(&a);
    bits_clear(&a.round.revealed, 0);
    CHECK_NUMBER(REASON_QUORUM, unmask(&a));
    CHECK_NUMBER(0, a.round.opened[0].n);
}

/* The share that responder 0 gave of a dealer's secret. */
static uint8_t *share_of(struct arena *a, uint32_t dealer, uint32_t place)
{
    return a->round.site[0].revealed.bundle[dealer].share[place];
}

static void a_share_that_does_not_fit_names_its_dealer(void)
{
    const struct {
        uint32_t dealer, place;
    } wrong[] = {{1, BUNDLE_SELF(0)}, {2, BUNDLE_SELF(1)}, {DROPPED, BUNDLE_PAIR}};
    for (size_t i = 0; i < 3; i++) {
        AUTO(arena_close) struct arena a = {0};
        play(&a);
        share_of(&a, wrong[i].dealer, wrong[i].place)[0] ^= 1;
        CHECK_NUMBER(REASON_SHARE, unmask(&a));
        CHECK_NUMBER(wrong[i].dealer, a.round.about);
        CHECK_NUMBER(0, a.round.opened[0].n);
        /* Not a field element at all. */
        memset(share_of(&a, wrong[i].dealer, wrong[i].place), 0xff, SHARE_BYTES);
        CHECK_NUMBER(REASON_SHARE, unmask(&a));
        CHECK_NUMBER(wrong[i].dealer, a.round.about);
    }
}

static void a_seed_that_was_not_committed_to_is_not_used(void)
{
    AUTO(arena_close) struct arena a = {0};
    play(&a);
    a.round.site[2].committed.self[1].bytes[0] ^= 1;
    CHECK_NUMBER(REASON_SHARE, unmask(&a));
    CHECK_NUMBER(2, a.round.about);
    a.round.site[2].committed.self[1].bytes[0] ^= 1;
    a.round.site[DROPPED].keys.mask_key[0] ^= 1;
    CHECK_NUMBER(REASON_SHARE, unmask(&a));
    CHECK_NUMBER(DROPPED, a.round.about);
}

static void a_sum_against_its_checksum_is_thrown_away(void)
{
    for (uint32_t l = 0; l < 2; l++) {
        AUTO(arena_close) struct arena a = {0};
        play(&a);
        a.round.total[l].value[1]++;
        CHECK_NUMBER(REASON_CHECKSUM, unmask(&a));
        CHECK_NUMBER(OUTBOX_SERVER, a.round.about);
        throw_away(&a.round);
        a.round.total[l].value[1]--;
        a.round.total[l].value[dims[l]]++;
        CHECK_NUMBER(REASON_CHECKSUM, unmask(&a));
    }
}

static void without_memory_it_says_so(void)
{
    AUTO(arena_close) struct arena a = {0};
    play(&a);
    OOM_EACH {
        enum reason why = REASON_NONE;
        enum status status = unmask_total(&a.round, &why);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        if (status == STATUS_OK) CHECK(why == REASON_NONE && arena_sums_exact(&a));
        throw_away(&a.round);
    }
}

int main(void)
{
    RUN(the_sum_is_opened_again_and_again);
    RUN(fewer_than_t_responders_open_nothing);
    RUN(a_share_that_does_not_fit_names_its_dealer);
    RUN(a_seed_that_was_not_committed_to_is_not_used);
    RUN(a_sum_against_its_checksum_is_thrown_away);
    RUN(without_memory_it_says_so);
    return check_done();
}
