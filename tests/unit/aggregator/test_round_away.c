/* SPDX-License-Identifier: Apache-2.0 */
/* Sites whose connections are lost, and that come back: also all at once, as when it was the
 * coordinator's own network. */
#include "tests/lib/arena.h"
#include "tests/lib/check.h"
#include "tests/lib/liar.h"

static void lose(struct arena *a, uint32_t n)
{
    struct outbox out = {0};
    for (uint32_t v = 0; v < n; v++) CHECK_OK(round_gone(&a->round, v, a->now_ms, &out));
    outbox_free(&out);
}

static void who_is_back_is_waited_for(void)
{
    AUTO(arena_close) struct arena a = {0};
    liar_open(&a, LIAR_COMPLETE);
    struct silence silence = {MSG_MASKED, 0x1f};
    a.filter = liar_silence;
    a.context = &silence;
    arena_begin(&a);
    arena_deliver(&a);
    lose(&a, 5);
    CHECK_NUMBER(PHASE_COLLECT, a.round.phase);
    a.filter = NULL;
    round_back(&a.round, 77);
    for (uint32_t v = 0; v < 5; v++) {
        round_back(&a.round, v);
        arena_greet(&a, v);
    }
    arena_run(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    CHECK_NUMBER(5, bits_count(&a.round.survivors));
    CHECK(arena_sums_exact(&a));
}

static void too_many_silent_positions_are_waited_for(void)
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 12, 1, 2, 1, &(uint64_t){3}, NULL, 32, 1);
    arena_ring(&a, 9);
    struct silence silence = {MSG_POSITION, 7};
    a.filter = liar_silence;
    a.context = &silence;
    arena_begin(&a);
    arena_deliver(&a);
    lose(&a, 3);
    CHECK_NUMBER(PHASE_POSITIONS, a.round.phase);
    struct outbox out = {0};
    CHECK_OK(round_deadline(&a.round, a.round.deadline_ms, &out));
    CHECK_NUMBER(PHASE_FAILED, a.round.phase);
    CHECK_NUMBER(REASON_POSITIONS, a.round.why);
    outbox_free(&out);
}

int main(void)
{
    RUN(who_is_back_is_waited_for);
    RUN(too_many_silent_positions_are_waited_for);
    return check_done();
}
