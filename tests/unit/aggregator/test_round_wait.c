/* SPDX-License-Identifier: Apache-2.0 */
/* Who leaves, who is waited for and who is not. Five sites, one may collude, thresholds are 4. */
#include "aggregator/round.h"

#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/liar.h"
#include "tests/lib/oom.h"

static void who_gives_up_is_out(void)
{
    AUTO(arena_close) struct arena a = {0};
    liar_open(&a, LIAR_COMPLETE);
    arena_begin(&a);
    AUTO(buffer_free) struct buffer advert = {0}, notice = {0}, forged = {0};
    liar_catch(&a, MSG_ADVERT, LIAR, &advert);
    struct abort_notice quit = {.from = LIAR, .reason = REASON_BUDGET};
    abort_write(&forged, &quit, a.key[LIAR].identity);
    CHECK_STATUS(STATUS_STATE, liar_tell(&a, LIAR, &forged)); /* another session's */
    memcpy(quit.session, a.round.plan.session, sizeof quit.session);
    forged.n = 0;
    abort_write(&forged, &quit, a.key[0].identity);
    CHECK_STATUS(STATUS_AUTH, liar_tell(&a, LIAR, &forged));
    abort_write(&notice, &quit, a.key[LIAR].identity);
    CHECK_OK(liar_tell(&a, LIAR, &notice));
    CHECK(a.round.site[LIAR].out);
    CHECK_STATUS(STATUS_STATE, liar_tell(&a, LIAR, &advert));
    /* And nobody waits for it. */
    arena_deliver(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    CHECK(!bits_has(&a.round.survivors, LIAR));
    CHECK(arena_sums_exact(&a));
}

static void awaited_are_those_who_have_not_answered(void)
{
    AUTO(arena_close) struct arena a = {0};
    liar_open(&a, LIAR_COMPLETE);
    arena_begin(&a);
    AUTO(bits_free) struct bits awaited = {0};
    CHECK_OK(round_awaited(&awaited, &a.round));
    CHECK_NUMBER(5, bits_count(&awaited));
    AUTO(buffer_free) struct buffer advert = {0};
    liar_catch(&a, MSG_ADVERT, 0, &advert);
    CHECK_OK(liar_tell(&a, 0, &advert));
    struct outbox out = {0};
    CHECK_OK(round_gone(&a.round, 2, a.now_ms, &out));
    CHECK_OK(round_gone(&a.round, 77, a.now_ms, &out));
    bits_free(&awaited);
    CHECK_OK(round_awaited(&awaited, &a.round));
    CHECK_NUMBER(3, bits_count(&awaited));
    CHECK(!bits_has(&awaited, 0) && !bits_has(&awaited, 2));
    OOM_EACH {
        struct bits other = {0};
        enum status status = round_awaited(&other, &a.round);
        oom_stop();
        if (status != STATUS_OK) CHECK(status == STATUS_NOMEM && other.word == NULL);
        bits_free(&other);
    }
    arena_run(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    bits_free(&awaited);
    CHECK_OK(round_awaited(&awaited, &a.round));
    CHECK_NUMBER(0, bits_count(&awaited));
    outbox_free(&out);
}

static void who_was_away_may_come_back(void)
{
    AUTO(arena_close) struct arena a = {0};
    liar_open(&a, LIAR_COMPLETE);
    arena_begin(&a);
    struct outbox out = {0};
    CHECK_OK(round_gone(&a.round, LIAR, a.now_ms, &out));
    CHECK(a.round.site[LIAR].away);
    arena_run(&a);
    CHECK(!a.round.site[LIAR].away);
    CHECK_NUMBER(5, bits_count(&a.round.survivors));
    CHECK_OK(round_gone(&a.round, LIAR, a.now_ms, &out));
    CHECK(!a.round.site[LIAR].away);
    outbox_free(&out);
}

/* All but one lose their connection before they have sent an answer of some kind. */
static void lose_all_but_one(struct arena *a, enum msg_kind kind)
{
    liar_open(a, LIAR_COMPLETE);
    static struct silence silence;
    silence = (struct silence){kind, 0x1e};
    a->filter = liar_silence;
    a->context = &silence;
    arena_begin(a);
    arena_deliver(a);
    struct outbox out = {0};
    for (uint32_t v = 1; v < 5; v++) CHECK_OK(round_gone(&a->round, v, a->now_ms, &out));
    outbox_free(&out);
}

static void the_round_waits_for_those_it_cannot_do_without(void)
{
    AUTO(arena_close) struct arena a = {0};
    lose_all_but_one(&a, MSG_CONFIRM);
    CHECK_NUMBER(PHASE_CONFIRM, a.round.phase);
    a.filter = NULL;
    struct outbox out = {0};
    for (uint32_t v = 1; v < 5; v++) {
        struct confirm confirm = {.from = v};
        memcpy(confirm.session, a.round.plan.session, MSG_SESSION_BYTES);
        confirm_sign(&confirm, &a.round.survivors_hash, a.key[v].identity);
        AUTO(buffer_free) struct buffer bytes = {0};
        confirm_write(&bytes, &confirm);
        CHECK_OK(round_message(&a.round, v, buffer_view(&bytes), a.now_ms, &out));
        if (a.round.phase != PHASE_CONFIRM) break;
    }
    CHECK_NUMBER(PHASE_REVEAL, a.round.phase);
    outbox_free(&out);
}

/* What too few of its members have put in stays sealed, and is no reason to wait. */
static void the_round_does_not_wait_for_a_segment_that_it_can_seal(void)
{
    AUTO(arena_close) struct arena a = {0};
    const uint64_t dim[] = {3, 2};
    const uint32_t members[] = {0x1f, 0x07};
    arena_open(&a, 5, 1, 2, 2, dim, members, 32, 7);
    struct silence silence = {MSG_MASKED, 1u << LIAR};
    a.filter = liar_silence;
    a.context = &silence;
    arena_begin(&a);
    arena_deliver(&a);
    CHECK_NUMBER(PHASE_COLLECT, a.round.phase);
    struct outbox out = {0};
    CHECK_OK(round_gone(&a.round, LIAR, a.now_ms, &out));
    CHECK_NUMBER(PHASE_CONFIRM, a.round.phase);
    CHECK(bits_has(&a.round.opened_set, 0) && !bits_has(&a.round.opened_set, 1));
    outbox_free(&out);
}

static void the_round_does_not_wait_for_those_that_are_out(void)
{
    AUTO(arena_close) struct arena a = {0};
    lose_all_but_one(&a, MSG_CONFIRM);
    struct outbox out = {0};
    CHECK_OK(round_out(&a.round, 77, a.now_ms, &out));
    for (uint32_t v = 1; v < 5; v++) {
        CHECK_NUMBER(PHASE_CONFIRM, a.round.phase);
        CHECK_OK(round_out(&a.round, v, a.now_ms, &out));
    }
    CHECK_NUMBER(PHASE_FAILED, a.round.phase);
    CHECK_NUMBER(REASON_CONFIRMATIONS, a.round.why);
    CHECK_OK(round_out(&a.round, 0, a.now_ms, &out));
    CHECK(!a.round.site[0].out);
    outbox_free(&out);
}

static void the_round_ends_at_its_deadline_when_all_others_are_gone(void)
{
    AUTO(arena_close) struct arena a = {0};
    lose_all_but_one(&a, MSG_ADVERT);
    CHECK_NUMBER(PHASE_KEYS, a.round.phase);
    struct outbox out = {0};
    CHECK_OK(round_deadline(&a.round, a.round.deadline_ms, &out));
    CHECK_NUMBER(PHASE_FAILED, a.round.phase);
    CHECK_NUMBER(REASON_QUORUM, a.round.why);
    outbox_free(&out);
}

int main(void)
{
    RUN(who_gives_up_is_out);
    RUN(awaited_are_those_who_have_not_answered);
    RUN(who_was_away_may_come_back);
    RUN(the_round_waits_for_those_it_cannot_do_without);
    RUN(the_round_does_not_wait_for_a_segment_that_it_can_seal);
    RUN(the_round_does_not_wait_for_those_that_are_out);
    RUN(the_round_ends_at_its_deadline_when_all_others_are_gone);
    return check_done();
}
