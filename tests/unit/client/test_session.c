/* SPDX-License-Identifier: Apache-2.0 */
/* What holds in every phase of a session: lies, repetitions, deadlines. */
#include <string.h>

#include "base/secret.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/unit/client/victim.h"

struct damage {
    enum msg_kind kind;
    size_t from_end; /* which byte is changed */
};

static bool damage(struct arena *a, struct flight *flight)
{
    const struct damage *d = a->context;
    if (flight->to == VICTIM && flight_is(flight, d->kind, VICTIM))
        flight->bytes.at[flight->bytes.n - d->from_end] ^= 1;
    return true;
}

static const enum msg_kind from_server[] = {MSG_ROSTER, MSG_INBOX, MSG_SURVIVORS, MSG_RESULT};

static void a_message_that_the_coordinator_did_not_sign_is_refused(void)
{
    for (size_t i = 0; i < sizeof from_server / sizeof *from_server; i++) {
        struct damage d = {.kind = from_server[i], .from_end = 70};
        CHECK_NUMBER(REASON_SIGNATURE, victim_refusal(victim_open, damage, &d));
        d.from_end = 1;
        CHECK_NUMBER(REASON_SIGNATURE, victim_refusal(victim_open, damage, &d));
    }
    /* The plan's signature stands before the empty state and the count of results. */
    struct damage d = {.kind = MSG_OPENING, .from_end = 9};
    CHECK_NUMBER(REASON_SIGNATURE, victim_refusal(victim_open, damage, &d));
}

static bool cut(struct arena *a, struct flight *flight)
{
    const struct damage *d = a->context;
    if (flight->to == VICTIM && flight_is(flight, d->kind, VICTIM)) flight->bytes.n = 60;
    return true;
}

static void a_malformed_message_is_refused(void)
{
    for (size_t i = 0; i < sizeof from_server / sizeof *from_server; i++) {
        struct damage d = {.kind = from_server[i]};
        CHECK_NUMBER(REASON_FORMAT, victim_refusal(victim_open, cut, &d));
    }
    struct damage quorum = {.kind = MSG_QUORUM};
    CHECK_NUMBER(REASON_FORMAT, victim_refusal(victim_open, cut, &quorum));
}

static void noise_is_refused(void)
{
    AUTO(arena_close) struct arena a = {0};
    victim_open(&a);
    struct outbox out = {0};
    CHECK_STATUS(STATUS_FORMAT,
                 session_message(&a.session[0], (struct view){(const uint8_t *)"?", 1}, 0, &out));
    CHECK_NUMBER(REASON_FORMAT, a.session[0].why);
    outbox_free(&out);
}

static bool twice(struct arena *a, struct flight *flight)
{
    size_t *repeats = a->context;
    if (flight->to == VICTIM && *repeats < 30) {
        (*repeats)++;
        arena_repeat(a, flight);
    }
    return true;
}

static void what_comes_twice_changes_nothing(void)
{
    AUTO(arena_close) struct arena a = {0};
    victim_open(&a);
    size_t repeats = 0;
    a.filter = twice;
    a.context = &repeats;
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    CHECK(victim_memories(&a, MEMORY_INPUT) == 1 && victim_memories(&a, MEMORY_CONFIRM) == 1);
    CHECK(victim_memories(&a, MEMORY_RELEASE) == 1 && victim_memories(&a, MEMORY_RESULT) == 1);
}

static void another_sessions_message_is_ignored(void)
{
    AUTO(arena_close) struct arena a = {0};
    victim_until(&a, SESSION_RESULT);
    struct abort_notice notice = {.from = OUTBOX_SERVER, .reason = REASON_QUORUM};
    AUTO(buffer_free) struct buffer bytes = {0};
    abort_write(&bytes, &notice, a.coordinator.identity);
    struct outbox out = {0};
    struct session *s = &a.session[VICTIM];
    CHECK_STATUS(STATUS_STATE, session_message(s, buffer_view(&bytes), a.now_ms, &out));
    CHECK_NUMBER(REASON_WRONG_SESSION, s->why);
    CHECK_NUMBER(SESSION_RESULT, s->phase);
    CHECK_NUMBER(0, out.n_letters);
    outbox_free(&out);
}

static void the_coordinators_abort_ends_the_session(void)
{
    for (enum session_phase phase = SESSION_ROSTER; phase < SESSION_PHASES; phase++) {
        if (phase == SESSION_INPUT) continue; /* the arena answers at once */
        AUTO(arena_close) struct arena a = {0};
        victim_until(&a, phase);
        struct abort_notice notice = {.from = OUTBOX_SERVER, .about = 2, .reason = REASON_QUORUM};
        memcpy(notice.session, a.round.plan.session, MSG_SESSION_BYTES);
        AUTO(buffer_free) struct buffer bytes = {0};
        abort_write(&bytes, &notice, a.coordinator.identity);
        struct outbox out = {0};
        struct session *s = &a.session[VICTIM];
        CHECK_OK(session_message(s, buffer_view(&bytes), a.now_ms, &out));
        CHECK_NUMBER(REASON_QUORUM, s->why);
        CHECK(victim_rests(s));
        CHECK_NUMBER(0, out.n_letters);
        CHECK_STATUS(STATUS_STATE, session_message(s, buffer_view(&bytes), a.now_ms, &out));
        outbox_free(&out);
    }
}

static void an_abort_by_someone_else_is_refused(void)
{
    AUTO(arena_close) struct arena a = {0};
    victim_until(&a, SESSION_INBOX);
    struct abort_notice notice = {.from = OUTBOX_SERVER, .reason = REASON_QUORUM};
    AUTO(buffer_free) struct buffer bytes = {0};
    abort_write(&bytes, &notice, a.key[1].identity);
    struct outbox out = {0};
    CHECK_STATUS(STATUS_AUTH,
                 session_message(&a.session[VICTIM], buffer_view(&bytes), a.now_ms, &out));
    CHECK_NUMBER(REASON_SIGNATURE, a.session[VICTIM].why);
    outbox_free(&out);
}

/* The coordinator has moved on, whatever is wrong with its next plan. */
static void a_refused_plan_ends_the_session_that_runs(void)
{
    for (uint32_t later = 0; later < 2; later++) {
        AUTO(arena_close) struct arena a = {0};
        AUTO(plan_free) struct plan plan = {0};
        AUTO(buffer_free) struct buffer bytes = {0}, opening = {0};
        AUTO(outbox_free) struct outbox out = {0};
        victim_until(&a, SESSION_SURVIVORS);
        struct session *s = &a.session[VICTIM];
        CHECK_OK(plan_copy(&plan, &a.round.plan));
        plan.round += later;
        memset(plan.session, 9, sizeof plan.session);
        plan.state.bytes[0] ^= 1;
        plan_write(&bytes, &plan, a.coordinator.identity);
        opening_write(&opening, &(struct opening){.plan = buffer_view(&bytes)});
        CHECK_STATUS(later ? reason_status(REASON_MODEL) : STATUS_STATE,
                     session_message(s, buffer_view(&opening), a.now_ms, &out));
        CHECK_NUMBER(later ? REASON_MODEL : REASON_PHASE, s->why);
        CHECK_NUMBER(later, out.n_letters);
        CHECK(later ? victim_rests(s) : s->phase == SESSION_SURVIVORS);
        if (later == 0) continue;
        struct abort_notice notice = {0};
        CHECK_OK(abort_read(&notice, blob_view(out.letter[0].bytes),
                            a.manifest.member[VICTIM].identity));
        CHECK_BYTES(plan.session, notice.session, sizeof notice.session);
        CHECK_NUMBER(REASON_MODEL, notice.reason);
    }
}

static void each_phase_has_a_deadline(void)
{
    for (enum session_phase phase = SESSION_ROSTER; phase < SESSION_PHASES; phase++) {
        if (phase == SESSION_INPUT) continue;
        AUTO(arena_close) struct arena a = {0};
        victim_until(&a, phase);
        struct session *s = &a.session[VICTIM];
        struct outbox out = {0};
        CHECK_OK(session_deadline(s, s->deadline_ms - 1, &out));
        CHECK_NUMBER(phase, s->phase);
        CHECK_OK(session_deadline(s, s->deadline_ms, &out));
        CHECK_NUMBER(REASON_DEADLINE, s->why);
        CHECK_NUMBER(1, out.n_letters);
        CHECK(victim_rests(s));
        CHECK_OK(session_deadline(s, UINT64_MAX, &out));
        CHECK_NUMBER(1, out.n_letters);
        outbox_free(&out);
    }
}

static void hello_names_study_and_transcript(void)
{
    AUTO(arena_close) struct arena a = {0};
    victim_open(&a);
    a.session[3].transcript.bytes[0] = 9;
    struct outbox out = {0};
    CHECK_OK(session_hello(&a.session[3], &out));
    struct hello hello = {0};
    CHECK_OK(hello_read(&hello, blob_view(out.letter[0].bytes), a.manifest.member[3].identity));
    CHECK_NUMBER(3, hello.from);
    CHECK_NUMBER(9, hello.transcript.bytes[0]);
    static const uint8_t none[MSG_SESSION_BYTES] = {0};
    CHECK_BYTES(none, hello.session, sizeof none);
    CHECK(hash_equal(&hello.study, &a.manifest.study));
    outbox_free(&out);
}

static void hello_names_the_session_that_the_site_is_in(void)
{
    AUTO(arena_close) struct arena a = {0};
    victim_until(&a, SESSION_QUORUM);
    AUTO(outbox_free) struct outbox out = {0};
    CHECK_OK(session_hello(&a.session[VICTIM], &out));
    struct hello hello = {0};
    CHECK_OK(
        hello_read(&hello, blob_view(out.letter[0].bytes), a.manifest.member[VICTIM].identity));
    CHECK_BYTES(a.round.plan.session, hello.session, MSG_SESSION_BYTES);
}

static bool wiped(const void *at, size_t n)
{
    static const uint8_t zero[sizeof(struct peer)] = {0};
    REQUIRE(n <= sizeof zero);
    return secret_equal(at, zero, n);
}

static void secrets_do_not_outlive_their_last_use(void)
{
    AUTO(arena_close) struct arena a = {0};
    victim_until(&a, SESSION_INBOX);
    struct session *s = &a.session[VICTIM];
    CHECK(wiped(s->seed, sizeof s->seed) && wiped(&s->enc_pair, sizeof s->enc_pair));
    CHECK(!wiped(&s->mask_pair, sizeof s->mask_pair));
    CHECK(!wiped(s->self_seed[0], sizeof s->self_seed[0]));
    a.has_input[VICTIM] = true;
    while (s->phase != SESSION_INPUT) REQUIRE(arena_step(&a));
    CHECK(wiped(&s->mask_pair, sizeof s->mask_pair));
    CHECK(!wiped(s->peer[1].shared, sizeof s->peer[1].shared));
    arena_close(&a);
    victim_until(&a, SESSION_SURVIVORS);
    s = &a.session[VICTIM];
    CHECK(wiped(s->self_seed[0], sizeof s->self_seed[0]));
    CHECK(wiped(s->peer[1].shared, sizeof s->peer[1].shared));
    CHECK(s->peer[1].bundle.n > 0);
    while (s->phase != SESSION_RESULT) REQUIRE(arena_step(&a));
    for (uint32_t v = 0; v < a.n; v++) CHECK(wiped(&s->peer[v], sizeof s->peer[v]));
}

static void memories_come_back_as_written(void)
{
    struct memory memory = {.kind = MEMORY_CONFIRM, .round = 7, .n_survivors = 3}, back = {0};
    memory.session[4] = 1;
    memory.hash.bytes[5] = 2;
    memory.proof = (struct view){(const uint8_t *)"proof", 5};
    AUTO(buffer_free) struct buffer bytes = {0};
    memory_write(&bytes, &memory);
    CHECK_OK(memory_read(&back, buffer_view(&bytes)));
    CHECK(back.kind == memory.kind && back.round == 7 && back.n_survivors == 3);
    CHECK_BYTES(memory.session, back.session, sizeof back.session);
    CHECK(hash_equal(&memory.hash, &back.hash));
    CHECK_NUMBER(5, back.proof.n);
    CHECK_BYTES(memory.proof.at, back.proof.at, 5);
    struct memory untouched = {.round = 99};
    for (size_t n = 0; n < bytes.n; n++)
        CHECK_STATUS(STATUS_FORMAT, memory_read(&untouched, (struct view){bytes.at, n}));
    write_u8(&bytes, 0);
    CHECK_STATUS(STATUS_FORMAT, memory_read(&untouched, buffer_view(&bytes)));
    bytes.n--;
    bytes.at[0] = 200;
    CHECK_STATUS(STATUS_FORMAT, memory_read(&untouched, buffer_view(&bytes)));
    bytes.at[0] = 0;
    CHECK_STATUS(STATUS_FORMAT, memory_read(&untouched, buffer_view(&bytes)));
    CHECK_NUMBER(99, untouched.round);
}

static void a_session_without_memory_is_not_made(void)
{
    AUTO(arena_close) struct arena a = {0};
    victim_open(&a);
    struct session session = {0};
    OOM_EACH {
        enum status status = session_new(&session, &a.session[0].config);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((session.peer != NULL) == (status == STATUS_OK));
        session_free(&session);
    }
}

int main(void)
{
    RUN(a_message_that_the_coordinator_did_not_sign_is_refused);
    RUN(a_malformed_message_is_refused);
    RUN(noise_is_refused);
    RUN(what_comes_twice_changes_nothing);
    RUN(another_sessions_message_is_ignored);
    RUN(the_coordinators_abort_ends_the_session);
    RUN(an_abort_by_someone_else_is_refused);
    RUN(a_refused_plan_ends_the_session_that_runs);
    RUN(each_phase_has_a_deadline);
    RUN(hello_names_study_and_transcript);
    RUN(hello_names_the_session_that_the_site_is_in);
    RUN(memories_come_back_as_written);
    RUN(a_session_without_memory_is_not_made);
    RUN(secrets_do_not_outlive_their_last_use);
    return check_done();
}
