/* SPDX-License-Identifier: Apache-2.0 */
/* Letters that come again, for an answer or another letter may have been lost. */
#include "tests/lib/check.h"
#include "tests/unit/client/victim.h"

/* What the victim was told and said last. */
struct last {
    enum msg_kind kind; /* of the letter that is repeated */
    struct buffer told, said;
};

static bool listen(struct arena *a, struct flight *flight)
{
    struct last *last = a->context;
    if (flight->to != VICTIM || flight_kind(flight) != last->kind) return true;
    write_bytes(&last->told, flight->bytes.at, flight->bytes.n);
    return true;
}

static void hear(struct arena *a, const struct flight *letter)
{
    struct last *last = a->context;
    if (letter->from != VICTIM) return;
    last->said.n = 0;
    write_bytes(&last->said, letter->bytes.at, letter->bytes.n);
}

/* Bring a world to where the victim has answered the kind of letter, and say it again. */
static void answer_again(void (*open)(struct arena *), enum msg_kind kind, enum session_phase after)
{
    AUTO(arena_close) struct arena a = {0};
    struct last last = {.kind = kind};
    open(&a);
    a.filter = listen;
    a.spy = hear;
    a.context = &last;
    arena_begin(&a);
    struct session *s = &a.session[VICTIM];
    while (s->phase != after) REQUIRE(arena_step(&a));
    const uint64_t deadline = s->deadline_ms;
    for (size_t i = 0; i < 2; i++) {
        AUTO(outbox_free) struct outbox out = {0};
        CHECK_OK(session_message(s, buffer_view(&last.told), a.now_ms + 7, &out));
        CHECK_NUMBER(after, s->phase);
        CHECK_NUMBER(deadline, s->deadline_ms);
        CHECK(out.n_letters == 1 && out.n_entries == 0 && out.n_notes == 0);
        const struct view again = blob_view(out.letter[0].bytes);
        CHECK_NUMBER(last.said.n, again.n);
        CHECK_BYTES(last.said.at, again.at, again.n);
        CHECK_NUMBER(OUTBOX_SERVER, out.letter[0].to);
    }
    /* The end of the session is the end of the answer. */
    AUTO(outbox_free) struct outbox out = {0};
    session_quit(s, REASON_DEADLINE, &out);
    (void)!session_message(s, buffer_view(&last.told), a.now_ms, &out);
    for (size_t i = 0; i < out.n_letters; i++)
        CHECK(msg_kind_of(blob_view(out.letter[i].bytes)) == MSG_ABORT);
    buffer_free(&last.told);
    buffer_free(&last.said);
}

static void what_comes_again_is_answered_again_with_the_same_bytes(void)
{
    answer_again(victim_open, MSG_OPENING, SESSION_ROSTER);
    answer_again(victim_open, MSG_ROSTER, SESSION_INBOX);
    answer_again(victim_open, MSG_INBOX, SESSION_SURVIVORS);
    answer_again(victim_open, MSG_SURVIVORS, SESSION_QUORUM);
    answer_again(victim_open, MSG_QUORUM, SESSION_RESULT);
    answer_again(victim_open_ring, MSG_ROSTER, SESSION_POSITIONS);
    answer_again(victim_open_ring, MSG_POSITIONS, SESSION_INBOX);
}

static void a_letter_before_the_last_is_ignored(void)
{
    AUTO(arena_close) struct arena a = {0};
    struct last last = {.kind = MSG_ROSTER};
    victim_open(&a);
    a.filter = listen;
    a.context = &last;
    arena_begin(&a);
    struct session *s = &a.session[VICTIM];
    while (s->phase != SESSION_SURVIVORS) REQUIRE(arena_step(&a));
    AUTO(outbox_free) struct outbox out = {0};
    CHECK_STATUS(STATUS_STATE, session_message(s, buffer_view(&last.told), a.now_ms, &out));
    CHECK_NUMBER(REASON_PHASE, s->why);
    CHECK_NUMBER(0, out.n_letters);
    buffer_free(&last.told);
}

/* Behind another result, for the coordinator does not know what the site has seen. */
static void the_plan_in_progress_is_answered_whatever_surrounds_it(void)
{
    AUTO(arena_close) struct arena a = {0};
    victim_until(&a, SESSION_ROSTER);
    AUTO(buffer_free) struct buffer result = {0}, blob = {0}, bytes = {0};
    result_write(&result, &(struct result){.round = 1}, a.coordinator.identity);
    write_blob(&blob, result.at, result.n);
    opening_write(&bytes, &(struct opening){.plan = buffer_view(&a.round.plan_bytes),
                                            .n_results = 1,
                                            .results = buffer_view(&blob)});
    struct session *s = &a.session[VICTIM];
    AUTO(outbox_free) struct outbox out = {0};
    CHECK_OK(session_message(s, buffer_view(&bytes), a.now_ms, &out));
    CHECK_NUMBER(1, out.n_letters);
    const struct view again = blob_view(out.letter[0].bytes);
    CHECK_NUMBER(s->advert.n, again.n);
    CHECK_BYTES(s->advert.at, again.at, again.n);
    /* Later it is an old letter like any other. */
    while (s->phase != SESSION_INBOX) REQUIRE(arena_step(&a));
    CHECK_STATUS(STATUS_STATE, session_message(s, buffer_view(&bytes), a.now_ms, &out));
    CHECK_NUMBER(REASON_PHASE, s->why);
    CHECK_NUMBER(1, out.n_letters);
}

static void while_it_works_a_site_answers_nothing_and_knows_how_long_it_may(void)
{
    AUTO(arena_close) struct arena a = {0};
    struct last last = {.kind = MSG_INBOX};
    victim_open(&a);
    a.plan.release_ms = 500;
    a.filter = listen;
    a.context = &last;
    arena_begin(&a);
    a.has_input[VICTIM] = true; /* the arena gives none */
    struct session *s = &a.session[VICTIM];
    while (s->phase != SESSION_INPUT) REQUIRE(arena_step(&a));
    CHECK_NUMBER(500, session_release_in(s, a.now_ms));
    CHECK_NUMBER(1, session_release_in(s, a.now_ms + 499));
    CHECK_NUMBER(0, session_release_in(s, a.now_ms + 500));
    CHECK_NUMBER(0, session_release_in(s, UINT64_MAX));
    AUTO(outbox_free) struct outbox out = {0};
    CHECK_STATUS(STATUS_STATE, session_message(s, buffer_view(&last.told), a.now_ms, &out));
    CHECK_NUMBER(REASON_PHASE, s->why);
    CHECK_NUMBER(0, out.n_letters);
    buffer_free(&last.told);
}

int main(void)
{
    RUN(what_comes_again_is_answered_again_with_the_same_bytes);
    RUN(a_letter_before_the_last_is_ignored);
    RUN(the_plan_in_progress_is_answered_whatever_surrounds_it);
    RUN(while_it_works_a_site_answers_nothing_and_knows_how_long_it_may);
    return check_done();
}
