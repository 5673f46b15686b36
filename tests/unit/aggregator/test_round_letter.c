/* SPDX-License-Identifier: Apache-2.0 */
/* What each site is told in each phase, as often as it is asked for. */
#include "aggregator/round.h"

#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/liar.h"
#include "tests/lib/oom.h"

static struct view told(const struct arena *a, struct buffer *letter, uint32_t site)
{
    letter->n = 0;
    CHECK_OK(round_letter(letter, &a->round, site));
    return buffer_view(letter);
}

/* Let it run until a phase; one site is silent from then on. */
static void reach(struct arena *a, enum phase phase)
{
    while (a->round.phase < phase)
        if (!arena_step(a)) arena_wait(a);
}

static const enum msg_kind kinds[PHASE_COUNT] = {
    [PHASE_POSITIONS] = MSG_ROSTER, [PHASE_COLLECT] = MSG_INBOX, [PHASE_CONFIRM] = MSG_SURVIVORS,
    [PHASE_REVEAL] = MSG_QUORUM,    [PHASE_DONE] = MSG_RESULT,   [PHASE_FAILED] = MSG_ABORT,
};

/* Site 4 goes after its advert: it is asked for nothing any more. */
static void who_is_asked_in_a_phase_has_a_letter_and_nobody_else(void)
{
    for (enum liar_world world = 0; world < LIAR_WORLDS; world++) {
        AUTO(arena_close) struct arena a = {0};
        liar_open(&a, world);
        struct silence silence = {world == LIAR_RING ? MSG_POSITION : MSG_SHARES, 1U << 4};
        a.filter = liar_silence;
        a.context = &silence;
        arena_begin(&a);
        AUTO(buffer_free) struct buffer letter = {0};
        CHECK_STATUS(STATUS_STATE, round_letter(&letter, &a.round, 0));
        for (enum phase phase = PHASE_POSITIONS; phase <= PHASE_DONE; phase++) {
            reach(&a, phase);
            if (phase == PHASE_POSITIONS && world == LIAR_COMPLETE) continue;
            const enum msg_kind shares = world == LIAR_RING ? MSG_POSITIONS : MSG_ROSTER;
            const enum msg_kind kind = phase == PHASE_SHARES ? shares : kinds[phase];
            for (uint32_t v = 0; v < a.n; v++) {
                const bool gone =
                    v == 4 && phase > (world == LIAR_RING ? PHASE_POSITIONS : PHASE_SHARES);
                letter.n = 0;
                CHECK_STATUS(gone ? STATUS_STATE : STATUS_OK, round_letter(&letter, &a.round, v));
                CHECK_NUMBER(gone ? 0 : kind, msg_kind_of(buffer_view(&letter)));
            }
            letter.n = 0;
            CHECK_STATUS(STATUS_STATE, round_letter(&letter, &a.round, a.n));
            CHECK_STATUS(STATUS_STATE, round_letter(&letter, &a.round, OUTBOX_SERVER));
            CHECK_NUMBER(0, letter.n);
        }
        CHECK_NUMBER(PHASE_DONE, a.round.phase);
    }
}

static void the_same_letter_comes_as_often_as_it_is_asked_for(void)
{
    AUTO(arena_close) struct arena a = {0};
    liar_open(&a, LIAR_RING);
    arena_begin(&a);
    AUTO(buffer_free) struct buffer first = {0}, again = {0};
    for (enum phase phase = PHASE_POSITIONS; phase <= PHASE_DONE; phase++) {
        reach(&a, phase);
        const struct view once = told(&a, &first, 0), twice = told(&a, &again, 0);
        CHECK_NUMBER(once.n, twice.n);
        CHECK_BYTES(once.at, twice.at, once.n);
    }
}

/* Of each dealer that it holds for, and of no other, header, shares and path; of all, the hash. */
static void an_inbox_has_what_its_reader_holds(void)
{
    for (enum liar_world world = 0; world < LIAR_WORLDS; world++) {
        AUTO(arena_close) struct arena a = {0};
        liar_open(&a, world);
        arena_begin(&a);
        reach(&a, PHASE_COLLECT);
        const struct graph *graph = &a.round.graph;
        for (uint32_t u = 0; u < a.n; u++) {
            AUTO(buffer_free) struct buffer letter = {0};
            AUTO(inbox_free) struct inbox inbox = {0};
            CHECK_OK(inbox_read(&inbox, told(&a, &letter, u), a.n, 4096,
                                a.manifest.coordinator.identity));
            CHECK(bits_equal(&a.round.dealers, &inbox.dealers));
            const struct hash all = inbox_hash(&inbox.dealers, inbox.head);
            CHECK(hash_equal(&a.round.dealers_hash, &all));
            for (uint32_t v = 0; v < a.n; v++) {
                const struct dealing *dealt = &a.round.site[v].dealt;
                const uint32_t number = graph_holder_number(graph, v, u);
                CHECK((inbox.header[v].n > 0) == (number != GRAPH_NONE));
                CHECK((inbox.sealed[v].n > 0) == (number != GRAPH_NONE && v != u));
                if (number == GRAPH_NONE) continue;
                CHECK(merkle_check(&dealt->header.root, &dealt->leaf[number], graph_holders(graph),
                                   number, &inbox.path[v]));
            }
        }
    }
}

/* Its own path; of the other survivors that it holds for, and of no other, the signed digest. */
static void a_statement_comes_with_what_its_reader_has_to_see(void)
{
    for (enum liar_world world = 0; world < LIAR_WORLDS; world++) {
        AUTO(arena_close) struct arena a = {0};
        liar_open(&a, world);
        struct silence silence = {MSG_MASKED, 1U << 2};
        a.filter = liar_silence;
        a.context = &silence;
        arena_begin(&a);
        reach(&a, PHASE_CONFIRM);
        for (uint32_t u = 0; u < a.n; u++) {
            if (u == 2) continue;
            AUTO(buffer_free) struct buffer letter = {0};
            AUTO(survivors_free) struct survivors statement = {0};
            AUTO(witness_free) struct witness witness = {0};
            CHECK_OK(survivors_read(&statement, &witness, told(&a, &letter, u), a.n, 2,
                                    a.manifest.coordinator.identity));
            const struct hash all = survivors_hash(&statement);
            CHECK(hash_equal(&a.round.survivors_hash, &all));
            for (uint32_t v = 0, rank = 0; v < a.n; v++) {
                const bool holds = graph_holder_number(&a.round.graph, v, u) != GRAPH_NONE;
                CHECK((witness.digest[v].n > 0) == (holds && v != u && v != 2));
                if (v == 2) continue;
                if (witness.digest[v].n > 0) {
                    struct digest digest = {0};
                    const struct hash hash = hash_of("digest", witness.digest[v]);
                    CHECK_OK(
                        digest_read(&digest, witness.digest[v], a.manifest.member[v].identity));
                    CHECK(digest.from == v && hash_equal(&a.round.site[v].digest, &hash));
                }
                if (v == u || holds)
                    CHECK(merkle_check(&statement.root, &a.round.site[v].digest, a.n - 1, rank,
                                       v == u ? &witness.own : &witness.path[v]));
                rank++;
            }
        }
    }
}

static void the_end_is_told_with_its_reason(void)
{
    AUTO(arena_close) struct arena a = {0};
    liar_open(&a, LIAR_COMPLETE);
    struct silence silence = {MSG_MASKED, 3};
    a.filter = liar_silence;
    a.context = &silence;
    arena_begin(&a);
    arena_run(&a);
    AUTO(buffer_free) struct buffer letter = {0};
    struct abort_notice notice = {0};
    CHECK_OK(abort_read(&notice, told(&a, &letter, 4), a.manifest.coordinator.identity));
    CHECK(notice.reason == REASON_QUORUM && notice.from == OUTBOX_SERVER);
}

static void without_memory_there_is_no_letter(void)
{
    AUTO(arena_close) struct arena a = {0};
    liar_open(&a, LIAR_RING);
    arena_begin(&a);
    for (enum phase phase = PHASE_POSITIONS; phase <= PHASE_DONE; phase++) {
        reach(&a, phase);
        OOM_EACH {
            struct buffer letter = {0};
            enum status status = round_letter(&letter, &a.round, 0);
            oom_stop();
            if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
            CHECK(oom_hit() == (status != STATUS_OK));
            buffer_free(&letter);
        }
    }
}

int main(void)
{
    RUN(who_is_asked_in_a_phase_has_a_letter_and_nobody_else);
    RUN(the_same_letter_comes_as_often_as_it_is_asked_for);
    RUN(an_inbox_has_what_its_reader_holds);
    RUN(a_statement_comes_with_what_its_reader_has_to_see);
    RUN(the_end_is_told_with_its_reason);
    RUN(without_memory_there_is_no_letter);
    return check_done();
}
