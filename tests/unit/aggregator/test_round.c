/* SPDX-License-Identifier: Apache-2.0 */
/* Who is heard when, and each reason for which a round fails. Five sites, one may collude,
 * thresholds are 4: the round does without the liar, site 1. */
#include "aggregator/round.h"

#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/liar.h"
#include "tests/lib/oom.h"

/* --- any message ------------------------------------------------------------------------------ */

struct damage {
    enum msg_kind kind;
    bool done;
};

/* The last byte of a signed letter is its signature's; inside SHARES and MASKED the head has one.
 */
static bool damage(struct arena *a, struct flight *flight)
{
    struct damage *d = a->context;
    if (flight->from != LIAR || !flight_is(flight, d->kind, LIAR)) return true;
    bool headed = d->kind == MSG_SHARES || d->kind == MSG_MASKED;
    flight->bytes.at[headed ? 60 : flight->bytes.n - 1] ^= 1;
    d->done = true;
    return true;
}

static void a_message_that_its_sender_did_not_sign_is_refused(void)
{
    static const enum msg_kind kinds[] = {MSG_ADVERT, MSG_SHARES, MSG_MASKED, MSG_CONFIRM,
                                          MSG_UNMASK};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        AUTO(arena_close) struct arena a = {0};
        liar_open(&a, LIAR_COMPLETE);
        struct damage d = {.kind = kinds[i]};
        a.filter = damage;
        a.context = &d;
        arena_begin(&a);
        while (!d.done) CHECK(arena_step(&a));
        CHECK_STATUS(STATUS_AUTH, a.answer[LIAR]);
        CHECK(!a.round.site[LIAR].out);
    }
}

static void noise_is_malformed(void)
{
    AUTO(arena_close) struct arena a = {0};
    liar_open(&a, LIAR_COMPLETE);
    arena_begin(&a);
    AUTO(buffer_free) struct buffer noise = {0};
    write_u32(&noise, 0);
    CHECK_STATUS(STATUS_FORMAT, liar_tell(&a, 0, &noise));
    noise.n = 0;
    CHECK_STATUS(STATUS_FORMAT, liar_tell(&a, 0, &noise));
}

static void strangers_and_the_uninvited_are_ignored(void)
{
    AUTO(arena_close) struct arena a = {0};
    liar_open(&a, LIAR_COMPLETE);
    bits_clear(&a.plan.cohort, 4);
    for (uint32_t l = 0; l < 2; l++) bits_clear(&a.plan.segment[l].members, 4);
    arena_begin(&a);
    AUTO(buffer_free) struct buffer advert = {0};
    liar_catch(&a, MSG_ADVERT, 0, &advert);
    CHECK_STATUS(STATUS_STATE, liar_tell(&a, 5, &advert));
    CHECK_STATUS(STATUS_STATE, liar_tell(&a, OUTBOX_SERVER, &advert));
    CHECK_STATUS(STATUS_STATE, liar_tell(&a, 4, &advert));
    struct abort_notice quit = {.from = 4, .about = 0, .reason = REASON_SHARE};
    memcpy(quit.session, a.round.plan.session, sizeof quit.session);
    AUTO(buffer_free) struct buffer notice = {0};
    abort_write(&notice, &quit, a.key[4].identity);
    CHECK_STATUS(STATUS_STATE, liar_tell(&a, 4, &notice));
    /* Somebody else's letter under one's own name. */
    CHECK_STATUS(STATUS_AUTH, liar_tell(&a, 3, &advert));
    CHECK_OK(liar_tell(&a, 0, &advert));
    CHECK_STATUS(STATUS_STATE, liar_tell(&a, 0, &advert));
}

static void a_message_out_of_phase_is_ignored(void)
{
    AUTO(arena_close) struct arena a = {0};
    liar_open(&a, LIAR_COMPLETE);
    arena_begin(&a);
    struct buffer letter[5] = {{0}};
    static const enum msg_kind kinds[] = {MSG_ADVERT, MSG_SHARES, MSG_MASKED, MSG_CONFIRM,
                                          MSG_UNMASK};
    for (size_t i = 0; i < 5; i++) liar_catch(&a, kinds[i], 0, &letter[i]);
    arena_run(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    for (size_t i = 0; i < 5; i++) CHECK_STATUS(STATUS_STATE, liar_tell(&a, 0, &letter[i]));
    for (size_t i = 0; i < 5; i++) buffer_free(&letter[i]);
    /* Who complains after the end is not heard either. */
    struct abort_notice quit = {.from = 0, .about = LIAR, .reason = REASON_SHARE};
    memcpy(quit.session, a.round.plan.session, sizeof quit.session);
    AUTO(buffer_free) struct buffer notice = {0};
    abort_write(&notice, &quit, a.key[0].identity);
    CHECK_STATUS(STATUS_STATE, liar_tell(&a, 0, &notice));
    CHECK_NUMBER(0, a.round.site[LIAR].accusers);
}

static void early_and_late_messages_change_nothing(void)
{
    static const enum msg_kind kinds[] = {MSG_ADVERT, MSG_SHARES, MSG_MASKED, MSG_CONFIRM,
                                          MSG_UNMASK};
    /* Letters of one run told to another run of the same seed, phase by phase. */
    AUTO(arena_close) struct arena first = {0}, second = {0};
    liar_open(&first, LIAR_COMPLETE);
    liar_open(&second, LIAR_COMPLETE);
    arena_begin(&first);
    arena_begin(&second);
    struct buffer letter[5] = {{0}}, again = {0};
    for (size_t i = 0; i < 5; i++) liar_catch(&first, kinds[i], 0, &letter[i]);
    for (size_t at = 0; at < 5; at++) {
        again.n = 0;
        liar_catch(&second, kinds[at], 0, &again);
        enum phase phase = second.round.phase;
        for (size_t i = 0; i < 5; i++)
            if (i != at) CHECK_STATUS(STATUS_STATE, liar_tell(&second, 0, &letter[i]));
        CHECK_NUMBER(phase, second.round.phase);
    }
    arena_run(&second);
    CHECK_NUMBER(PHASE_DONE, second.round.phase);
    CHECK(arena_sums_exact(&second));
    buffer_free(&again);
    for (size_t i = 0; i < 5; i++) buffer_free(&letter[i]);
}

/* --- failures of the whole round -------------------------------------------------------------- */

static void too_few_answers_end_the_round(void)
{
    static const struct {
        enum msg_kind kind;
        enum phase phase;
        enum reason why;
    } rows[] = {{MSG_ADVERT, PHASE_KEYS, REASON_QUORUM},
                {MSG_SHARES, PHASE_SHARES, REASON_QUORUM},
                {MSG_MASKED, PHASE_COLLECT, REASON_QUORUM},
                {MSG_CONFIRM, PHASE_CONFIRM, REASON_CONFIRMATIONS},
                {MSG_UNMASK, PHASE_REVEAL, REASON_QUORUM},
                {MSG_POSITION, PHASE_POSITIONS, REASON_POSITIONS}};
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        const size_t row = i / 2;
        const enum liar_world world = i % 2;
        if (rows[row].kind == MSG_POSITION && world != LIAR_RING) continue;
        AUTO(arena_close) struct arena a = {0};
        liar_open(&a, world);
        struct silence silence = {rows[row].kind, ~1U};
        a.filter = liar_silence;
        a.context = &silence;
        arena_begin(&a);
        arena_deliver(&a);
        a.now_ms = a.round.deadline_ms - 1;
        arena_deadline(&a, OUTBOX_SERVER);
        CHECK_NUMBER(rows[row].phase, a.round.phase);
        a.now_ms++;
        arena_deadline(&a, OUTBOX_SERVER);
        CHECK_NUMBER(PHASE_FAILED, a.round.phase);
        CHECK_NUMBER(rows[row].why, a.round.why);
        CHECK(a.round.deadline_ms == UINT64_MAX);
        CHECK_NUMBER(0, a.round.opened[0].n);
        /* Everybody is told. */
        CHECK_NUMBER(a.n, a.n_flights);
        arena_deliver(&a);
        for (uint32_t v = 0; v < a.n; v++) {
            CHECK_NUMBER(SESSION_IDLE, a.session[v].phase);
            CHECK_NUMBER(rows[row].why, a.session[v].why);
        }
    }
}

/* Three are enough for every segment, but below T. */
static void below_t_sites_are_asked_for_nothing_more(void)
{
    static const enum msg_kind kinds[] = {MSG_ADVERT, MSG_SHARES, MSG_MASKED};
    for (size_t i = 0; i < 3; i++) {
        AUTO(arena_close) struct arena a = {0};
        liar_open(&a, LIAR_COMPLETE);
        struct silence silence = {kinds[i], 0x18};
        a.filter = liar_silence;
        a.context = &silence;
        arena_begin(&a);
        arena_run(&a);
        CHECK_NUMBER(PHASE_FAILED, a.round.phase);
        CHECK_NUMBER(REASON_QUORUM, a.round.why);
        for (uint32_t v = 0; v < a.n; v++) CHECK_NUMBER(REASON_NONE, a.last_refusal[v]);
    }
}

static void a_dealer_who_dealt_another_seed_is_named(void)
{
    AUTO(arena_close) struct arena a = {0};
    liar_open(&a, LIAR_COMPLETE);
    arena_begin(&a);
    while (a.round.phase < PHASE_COLLECT) CHECK(arena_step(&a));
    /* As if it had promised another one from the beginning. */
    a.round.site[LIAR].dealt.header.self[1].bytes[0] ^= 1;
    arena_run(&a);
    CHECK_NUMBER(PHASE_FAILED, a.round.phase);
    CHECK_NUMBER(REASON_SHARE, a.round.why);
    CHECK_NUMBER(LIAR, a.round.about);
    CHECK_NUMBER(0, a.round.opened[0].n);
    for (uint32_t v = 0; v < a.n; v++) CHECK(round_convicts(&a.round, v) == (v == LIAR));
}

/* --- memory ----------------------------------------------------------------------------------- */

static void a_round_without_memory_does_not_start(void)
{
    AUTO(arena_close) struct arena a = {0};
    liar_open(&a, LIAR_COMPLETE);
    const struct round_config config = {&a.manifest, a.coordinator.identity};
    OOM_EACH {
        oom_stop();
        struct plan plan = {0};
        struct round round = {0};
        CHECK_OK(plan_copy(&plan, &a.plan));
        oom_resume();
        enum status status = round_start(&round, &config, &plan, 0);
        oom_stop();
        CHECK(plan.cohort.word == NULL);
        if (status != STATUS_OK) CHECK(status == STATUS_NOMEM && round.site == NULL);
        round_free(&round);
    }
}

static void pads_that_cannot_be_grown_are_not_planned(void)
{
    AUTO(arena_close) struct arena a = {0};
    liar_open(&a, LIAR_COMPLETE);
    const struct round_config config = {&a.manifest, a.coordinator.identity};
    struct plan plan = {0};
    struct round round = {0};
    CHECK_OK(plan_copy(&plan, &a.plan));
    plan.cipher = MASK_CIPHERS;
    CHECK_STATUS(STATUS_RANGE, round_start(&round, &config, &plan, 0));
    CHECK(round.site == NULL && plan.cohort.word == NULL);
}

static void a_message_without_memory_ends_the_round(void)
{
    AUTO(arena_close) struct arena a = {0};
    liar_open(&a, LIAR_COMPLETE);
    arena_begin(&a);
    AUTO(buffer_free) struct buffer advert = {0};
    liar_catch(&a, MSG_ADVERT, 0, &advert);
    oom_start(1);
    enum status status = liar_tell(&a, 0, &advert);
    oom_stop();
    CHECK_STATUS(STATUS_NOMEM, status);
    CHECK_NUMBER(PHASE_FAILED, a.round.phase);
    CHECK_NUMBER(REASON_MEMORY, a.round.why);
}

int main(void)
{
    RUN(a_message_that_its_sender_did_not_sign_is_refused);
    RUN(noise_is_malformed);
    RUN(strangers_and_the_uninvited_are_ignored);
    RUN(a_message_out_of_phase_is_ignored);
    RUN(early_and_late_messages_change_nothing);
    RUN(too_few_answers_end_the_round);
    RUN(below_t_sites_are_asked_for_nothing_more);
    RUN(a_dealer_who_dealt_another_seed_is_named);
    RUN(a_round_without_memory_does_not_start);
    RUN(pads_that_cannot_be_grown_are_not_planned);
    RUN(a_message_without_memory_ends_the_round);
    return check_done();
}
