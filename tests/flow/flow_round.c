/* SPDX-License-Identifier: Apache-2.0 */
/* Whole rounds between the shipping state machines, without sockets: exact sums, any dropout. */
#include <string.h>

#include "tests/lib/arena.h"
#include "tests/lib/check.h"

static const uint64_t dims[3] = {5, 1, 9};

static void open_small(struct arena *a, uint64_t seed)
{
    arena_open(a, 5, 1, 2, 3, dims, NULL, 32, seed);
}

static void everybody_stays_and_the_sum_is_exact(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a, 1);
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    CHECK_NUMBER(5, bits_count(&a.round.survivors));
    CHECK(arena_sums_exact(&a));
    struct hash transcript = result_transcript(&a.round.result);
    for (uint32_t v = 0; v < a.n; v++) {
        CHECK_NUMBER(SESSION_IDLE, a.session[v].phase);
        CHECK(hash_equal(&transcript, &a.session[v].transcript));
    }
}

static void a_second_round_continues_the_transcript(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a, 2);
    for (uint32_t round = 1; round <= 3; round++) {
        arena_begin(&a);
        arena_run(&a);
        CHECK_NUMBER(PHASE_DONE, a.round.phase);
        CHECK_NUMBER(round, a.round.plan.round);
        CHECK(arena_sums_exact(&a));
    }
}

/* The message after which a site dies: it is still sent, and nothing after it. */
struct death {
    enum msg_kind last;
    uint32_t sites; /* bit mask */
};

static bool dies_after(struct arena *a, struct flight *flight)
{
    const struct death *death = a->context;
    if (flight->from == OUTBOX_SERVER || (death->sites >> flight->from & 1) == 0) return true;
    if (msg_kind_of(buffer_view(&flight->bytes)) == death->last) a->dead[flight->from] = true;
    return true;
}

static void up_to_n_minus_t_may_vanish_after_any_message(void)
{
    static const enum msg_kind kinds[] = {MSG_ADVERT, MSG_SHARES, MSG_MASKED, MSG_CONFIRM,
                                          MSG_UNMASK};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (uint32_t sites = 0; sites < 32; sites++) {
            AUTO(arena_close) struct arena a = {0};
            open_small(&a, 100 + sites);
            struct death death = {.last = kinds[k], .sites = sites};
            a.filter = dies_after;
            a.context = &death;
            arena_begin(&a);
            arena_run(&a);
            /* n = 5, c = 1: t = T = 4, so one site may go. */
            bool enough = __builtin_popcount(sites) <= 1;
            /* Whoever dies after its shares are out has done all that the round needs. */
            if (kinds[k] == MSG_UNMASK) enough = true;
            CHECK_NUMBER(enough ? PHASE_DONE : PHASE_FAILED, a.round.phase);
            if (enough) CHECK(arena_sums_exact(&a));
            if (!enough) CHECK(a.round.why == REASON_QUORUM || a.round.why == REASON_CONFIRMATIONS);
            for (uint32_t l = 0; l < 3 && !enough; l++) CHECK_NUMBER(0, a.round.opened[l].n);
        }
    }
}

static bool shuffled_twice(struct arena *a, struct flight *flight)
{
    /* Every third letter comes twice, some time later. */
    size_t *count = a->context;
    if (++*count % 3 == 0 && *count < 300) {
        struct buffer copy = {0};
        write_bytes(&copy, flight->bytes.at, flight->bytes.n);
        arena_post(a, flight->from, flight->to, &copy);
    }
    return true;
}

static void duplicates_and_disorder_do_no_harm(void)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        AUTO(arena_close) struct arena a = {0};
        open_small(&a, 200 + seed);
        size_t count = 0;
        a.filter = shuffled_twice;
        a.context = &count;
        a.shuffle = true;
        arena_begin(&a);
        arena_run(&a);
        CHECK_NUMBER(PHASE_DONE, a.round.phase);
        CHECK(arena_sums_exact(&a));
    }
}

static void a_segment_below_its_minimum_stays_sealed(void)
{
    /* Segment 1 has four members and needs m + c = 4; one of them drops after dealing. */
    static const uint32_t members[3] = {31, 15, 31};
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 5, 1, 3, 3, dims, members, 32, 3);
    struct death death = {.last = MSG_SHARES, .sites = 1};
    a.filter = dies_after;
    a.context = &death;
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    CHECK_NUMBER(5, a.round.opened[0].n);
    CHECK_NUMBER(0, a.round.opened[1].n);
    CHECK_NUMBER(9, a.round.opened[2].n);
    CHECK(arena_sums_exact(&a));
}

static void narrow_rings_are_exact_too(void)
{
    static const uint64_t one[1] = {33};
    for (unsigned bits = 14; bits <= 32; bits += 3) {
        AUTO(arena_close) struct arena a = {0};
        arena_open(&a, 4, 0, 1, 1, one, NULL, bits, bits);
        arena_begin(&a);
        arena_run(&a);
        CHECK_NUMBER(PHASE_DONE, a.round.phase);
        CHECK(arena_sums_exact(&a));
    }
}

static void a_site_that_missed_a_round_joins_the_next(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a, 4);
    struct death death = {.last = MSG_SHARES, .sites = 2};
    a.filter = dies_after;
    a.context = &death;
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    CHECK_NUMBER(1, round_recovered(&a.round));
    /* It comes back as after a restart: no session, the old transcript. */
    session_free(&a.session[1]);
    struct session_config config = a.session[0].config;
    config.self = 1;
    config.identity = a.key[1].identity;
    CHECK_OK(session_new(&a.session[1], &config));
    a.session[1].last_round = 1;
    a.dead[1] = false;
    a.filter = NULL;
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    CHECK_NUMBER(5, bits_count(&a.round.survivors));
    CHECK(arena_sums_exact(&a));
    size_t followed = 0;
    for (size_t i = 0; i < a.n_memories; i++)
        if (a.memory_site[i] == 1 && a.memory[i].kind == MEMORY_FOLLOW) followed++;
    CHECK_NUMBER(1, followed); /* the history that it caught up with is remembered, once */
}

static void on_a_ring_too(void)
{
    /* As many as may drop do, after each message. */
    static const enum msg_kind kinds[] = {MSG_ADVERT, MSG_SHARES, MSG_MASKED, MSG_CONFIRM};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        AUTO(arena_close) struct arena a = {0};
        arena_open(&a, 16, 1, 3, 3, dims, NULL, 32, 5 + k);
        arena_ring(&a, 14);
        CHECK(a.plan.params.k > 0 && a.plan.params.k < 15);
        struct death death = {.last = kinds[k], .sites = 1U << 3 | 1U << 11};
        a.filter = dies_after;
        a.context = &death;
        arena_begin(&a);
        arena_run(&a);
        CHECK_NUMBER(PHASE_DONE, a.round.phase);
        CHECK_NUMBER(kinds[k] < MSG_MASKED ? 14 : 16, bits_count(&a.round.survivors));
        CHECK_NUMBER(kinds[k] == MSG_SHARES ? 2 : 0, round_recovered(&a.round));
        CHECK(arena_sums_exact(&a));
    }
}

/* The first letter of a kind from or to site 1 is lost. */
struct loss {
    enum msg_kind kind;
    bool done;
};

static bool loses_once(struct arena *a, struct flight *flight)
{
    struct loss *loss = a->context;
    const bool lost = !loss->done && (flight->from == 1 || flight->to == 1) &&
                      msg_kind_of(buffer_view(&flight->bytes)) == loss->kind;
    loss->done = loss->done || lost;
    return !lost;
}

/* When the connection begins anew, the coordinator says again what it said last, and the site what
 * it answered: nobody is missed, and no deadline passes. */
static void a_lost_letter_costs_a_reconnection_and_nothing_else(void)
{
    static const enum msg_kind kinds[] = {
        MSG_OPENING, MSG_ADVERT,    MSG_ROSTER,  MSG_POSITION, MSG_POSITIONS, MSG_SHARES, MSG_INBOX,
        MSG_MASKED,  MSG_SURVIVORS, MSG_CONFIRM, MSG_QUORUM,   MSG_UNMASK,    MSG_RESULT};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        AUTO(arena_close) struct arena a = {0};
        /* Thresholds of all sites: each is waited for in each phase. */
        arena_open(&a, 9, 0, 3, 3, dims, NULL, 32, 7);
        arena_ring(&a, 9);
        struct loss loss = {.kind = kinds[k]};
        a.filter = loses_once;
        a.context = &loss;
        const uint64_t start = a.now_ms;
        arena_begin(&a);
        arena_deliver(&a);
        CHECK(loss.done);
        CHECK(a.session[1].phase != SESSION_IDLE || kinds[k] == MSG_OPENING);
        arena_greet(&a, 1);
        arena_deliver(&a);
        CHECK(a.now_ms == start);
        CHECK_NUMBER(PHASE_DONE, a.round.phase);
        CHECK_NUMBER(9, bits_count(&a.round.survivors));
        CHECK(arena_sums_exact(&a));
        for (uint32_t v = 0; v < a.n; v++) CHECK_NUMBER(SESSION_IDLE, a.session[v].phase);
    }
}

static void the_end_must_be_this_federations(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a, 5);
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    static const uint8_t last[] = {1, 2, 3};
    struct finish finish = {.manifest = manifest_hash(&a.manifest), .state = {last, sizeof last}};
    const struct hash before = a.session[0].transcript;
    struct view state = {0};
    for (int wrong = 0; wrong < 3; wrong++) {
        AUTO(buffer_free) struct buffer bytes = {0};
        struct finish sent = finish;
        if (wrong == 0) sent.manifest.bytes[0] ^= 1;
        finish_write(&bytes, &sent, wrong == 1 ? a.key[1].identity : a.coordinator.identity);
        enum status status = session_finish(&a.session[0], buffer_view(&bytes), &state);
        CHECK_STATUS(wrong < 2 ? STATUS_AUTH : STATUS_OK, status);
        CHECK_NUMBER(wrong < 2 ? 0 : sizeof last, state.n);
        CHECK(hash_equal(&before, &a.session[0].transcript));
    }
}

int main(void)
{
    RUN(everybody_stays_and_the_sum_is_exact);
    RUN(a_second_round_continues_the_transcript);
    RUN(up_to_n_minus_t_may_vanish_after_any_message);
    RUN(duplicates_and_disorder_do_no_harm);
    RUN(a_segment_below_its_minimum_stays_sealed);
    RUN(narrow_rings_are_exact_too);
    RUN(a_site_that_missed_a_round_joins_the_next);
    RUN(on_a_ring_too);
    RUN(a_lost_letter_costs_a_reconnection_and_nothing_else);
    RUN(the_end_must_be_this_federations);
    return check_done();
}
