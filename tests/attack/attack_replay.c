/* SPDX-License-Identifier: Apache-2.0 */
/* A5 and A24, replays: a plan that was answered, also before a restart; another plan under an old
 * number; letters of an earlier round, each kind. */
#include <string.h>

#include "tests/attack/hospital.h"
#include "tests/attack/row.h"
#include "tests/lib/forge.h"

#define VICTIM 0

static const uint64_t dims[1] = {4};

/* On a ring, where all phases are. */
static void open_small(struct arena *a)
{
    arena_open(a, 9, 1, 2, 1, dims, NULL, 32, 1);
    arena_ring(a, 7);
}

static enum status tell(struct arena *a, const struct buffer *bytes, size_t *letters)
{
    struct outbox out = {0};
    enum status status = session_message(&a->session[VICTIM], buffer_view(bytes), a->now_ms, &out);
    *letters = out.n_letters;
    for (size_t i = 0; i < out.n_letters; i++)
        CHECK_NUMBER(MSG_ABORT, msg_kind_of(blob_view(out.letter[i].bytes)));
    outbox_free(&out);
    return status;
}

static void a_plan_is_answered_once(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    arena_begin(&a);
    AUTO(buffer_free) struct buffer opening = {0};
    arena_opening(&a, &opening);
    arena_run(&a);
    size_t letters;
    CHECK_STATUS(STATUS_STATE, tell(&a, &opening, &letters));
    CHECK_REFUSED(REPLAY, a.session[VICTIM].why);
}

/* The journal gives back the last round and the transcript, and nothing of the session. */
static void restart(struct arena *a, uint32_t last_round)
{
    struct session_config config = a->session[VICTIM].config;
    session_free(&a->session[VICTIM]);
    CHECK_OK(session_new(&a->session[VICTIM], &config));
    a->session[VICTIM].last_round = last_round;
}

static void after_a_restart_the_session_is_lost_and_stays_so(void)
{
    for (enum session_phase phase = SESSION_ROSTER; phase < SESSION_PHASES; phase++) {
        if (phase == SESSION_INPUT) continue;
        AUTO(arena_close) struct arena a = {0};
        open_small(&a);
        arena_begin(&a);
        while (a.session[VICTIM].phase != phase) CHECK(arena_step(&a));
        AUTO(buffer_free) struct buffer opening = {0};
        arena_opening(&a, &opening);
        restart(&a, 1);
        size_t letters;
        CHECK_STATUS(STATUS_STATE, tell(&a, &opening, &letters));
        CHECK_REFUSED(REPLAY, a.session[VICTIM].why);
        /* Whatever else of the session comes is ignored without a word. */
        for (size_t i = 0; i < a.n_flights; i++) {
            if (a.flight[i].to != VICTIM) continue;
            CHECK_STATUS(STATUS_STATE, tell(&a, &a.flight[i].bytes, &letters));
            CHECK_NUMBER(0, letters);
        }
    }
}

static void an_old_number_is_not_used_again_for_another_plan(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    for (size_t i = 0; i < 2; i++) {
        arena_begin(&a);
        arena_run(&a);
    }
    for (uint32_t round = 0; round <= 2; round++) {
        AUTO(plan_free) struct plan plan = {0};
        CHECK_OK(plan_copy(&plan, &a.plan));
        plan.round = round;
        plan.previous = a.session[VICTIM].transcript;
        plan.session[0] = 77;
        AUTO(buffer_free) struct buffer bytes = {0}, opening = {0};
        plan_write(&bytes, &plan, a.coordinator.identity);
        opening_write(&opening, &(struct opening){.plan = buffer_view(&bytes)});
        size_t letters;
        CHECK_STATUS(STATUS_STATE, tell(&a, &opening, &letters));
        CHECK_REFUSED(REPLAY, a.session[VICTIM].why);
    }
}

/* Keep each letter of the first round; in the second, give the old one in place of the new. */
struct tape {
    struct flight letter[256];
    size_t n;
    enum msg_kind kind; /* to be exchanged */
    bool played;
};

static bool record(struct arena *a, struct flight *flight)
{
    struct tape *tape = a->context;
    struct flight *copy = &tape->letter[tape->n++];
    REQUIRE(tape->n < 256);
    *copy = (struct flight){.from = flight->from, .to = flight->to};
    write_bytes(&copy->bytes, flight->bytes.at, flight->bytes.n);
    return true;
}

static bool play(struct arena *a, struct flight *flight)
{
    struct tape *tape = a->context;
    if (!flight_is(flight, tape->kind, VICTIM) || tape->played) return true;
    for (size_t i = 0; i < tape->n; i++) {
        const struct flight *old = &tape->letter[i];
        if (old->from != flight->from || old->to != flight->to || flight_kind(old) != tape->kind)
            continue;
        flight->bytes.n = 0;
        write_bytes(&flight->bytes, old->bytes.at, old->bytes.n);
        tape->played = true;
    }
    return true;
}

/* A letter of the last round changes nothing, so that its receiver goes on waiting for the right
 * one; the round does without the site. */
static void letters_of_another_round_are_ignored(void)
{
    static const enum msg_kind kinds[] = {MSG_ADVERT,  MSG_ROSTER, MSG_POSITION, MSG_POSITIONS,
                                          MSG_SHARES,  MSG_INBOX,  MSG_MASKED,   MSG_SURVIVORS,
                                          MSG_CONFIRM, MSG_QUORUM, MSG_UNMASK,   MSG_RESULT};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        AUTO(arena_close) struct arena a = {0};
        open_small(&a);
        struct tape tape = {.kind = kinds[k]};
        a.filter = record;
        a.context = &tape;
        arena_begin(&a);
        arena_run(&a);
        a.filter = play;
        arena_begin(&a);
        while (!tape.played) CHECK(arena_step(&a));
        const bool up = kinds[k] == MSG_ADVERT || kinds[k] == MSG_POSITION ||
                        kinds[k] == MSG_SHARES || kinds[k] == MSG_MASKED ||
                        kinds[k] == MSG_CONFIRM || kinds[k] == MSG_UNMASK;
        if (up) CHECK_STATUS(STATUS_STATE, a.answer[VICTIM]);
        if (!up) CHECK_REFUSED(WRONG_SESSION, a.session[VICTIM].why);
        CHECK_NUMBER(REASON_NONE, a.last_refusal[VICTIM]);
        CHECK(a.session[VICTIM].phase != SESSION_IDLE);
        arena_run(&a);
        CHECK_NUMBER(PHASE_DONE, a.round.phase);
        CHECK(arena_sums_exact(&a));
        for (size_t i = 0; i < tape.n; i++) buffer_free(&tape.letter[i].bytes);
    }
}

/* A letter that was answered comes again with one byte changed: another answer would be a second
 * one. Nothing comes but the end of the session. */
static void a_changed_letter_has_no_answer(void)
{
    static const enum msg_kind kinds[] = {MSG_ROSTER, MSG_POSITIONS, MSG_INBOX, MSG_SURVIVORS,
                                          MSG_QUORUM};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        AUTO(arena_close) struct arena a = {0};
        AUTO(buffer_free) struct buffer letter = {0};
        open_small(&a);
        arena_begin(&a);
        while (a.n_flights == 0 || a.flight[0].to != VICTIM || flight_kind(a.flight) != kinds[k])
            CHECK(arena_step(&a));
        write_bytes(&letter, a.flight[0].bytes.at, a.flight[0].bytes.n);
        CHECK(arena_step(&a));
        letter.at[letter.n - 1] ^= 1;
        size_t letters;
        CHECK(tell(&a, &letter, &letters) != STATUS_OK);
        if (kinds[k] == MSG_SURVIVORS)
            CHECK_REFUSED(SIGNATURE, a.session[VICTIM].why);
        else
            CHECK_REFUSED(PHASE, a.session[VICTIM].why);
    }
}

static void the_answers_of_a_session_go_with_it(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    struct tape tape = {0};
    a.filter = record;
    a.context = &tape;
    arena_begin(&a);
    arena_run(&a);
    for (size_t i = 0; i < tape.n; i++) {
        size_t letters;
        if (tape.letter[i].to == VICTIM)
            CHECK(tell(&a, &tape.letter[i].bytes, &letters) != STATUS_OK);
        buffer_free(&tape.letter[i].bytes);
    }
}

/* With a journal on disk, whenever it crashed. */
static bool keep_opening(struct arena *a, struct flight *flight)
{
    struct buffer *opening = a->context;
    if (flight_is(flight, MSG_OPENING, HOSPITAL))
        write_bytes(opening, flight->bytes.at, flight->bytes.n);
    return true;
}

static void a_hospital_remembers_what_it_began(void)
{
    static const enum session_phase phases[] = {SESSION_ROSTER, SESSION_INBOX, SESSION_SURVIVORS,
                                                SESSION_QUORUM, SESSION_RESULT};
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
        AUTO(hospital_close) struct hospital h = {0};
        AUTO(buffer_free) struct buffer opening = {0};
        CHECK_NUMBER(REASON_NONE, hospital_open(&h, hospital_study, "min_contributors: 2\n", 20));
        h.filter = keep_opening;
        h.context = &opening;
        arena_begin(&h.arena);
        while (h.site.session.phase != phases[i]) CHECK(arena_step(&h.arena));
        CHECK_NUMBER(REASON_NONE, hospital_restart(&h));
        AUTO(outbox_free) struct outbox out = {0};
        CHECK_STATUS(STATUS_STATE,
                     session_message(&h.site.session, buffer_view(&opening), h.arena.now_ms, &out));
        CHECK_REFUSED(REPLAY, h.site.session.why);
    }
}

static void replays(void)
{
    RUN(a_plan_is_answered_once);
    RUN(an_old_number_is_not_used_again_for_another_plan);
    RUN(letters_of_another_round_are_ignored);
    RUN(a_changed_letter_has_no_answer);
    RUN(the_answers_of_a_session_go_with_it);
}

static void restarts(void)
{
    RUN(after_a_restart_the_session_is_lost_and_stays_so);
    RUN(a_hospital_remembers_what_it_began);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {
        {"A5", "plans and letters sent again", replays},
        {"A24", "two answers around a crash", restarts},
    };
    return row_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
