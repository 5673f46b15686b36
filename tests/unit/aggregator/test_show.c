/* SPDX-License-Identifier: Apache-2.0 */
/* What a coordinator keeps of a round proves what it claims. */
#include "aggregator/show.h"

#include <string.h>

#include "crypto/merkle.h"
#include "protocol/trail_round.h"
#include "tests/lib/arena.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static const uint64_t dims[2] = {7, 3};
static uint32_t left[5][TRAIL_LETTERS]; /* bytes of each site's first letter of a kind */

static void note(struct arena *a, const struct flight *letter)
{
    (void)a;
    const enum trail_letter kind = trail_letter_of(msg_kind_of(buffer_view(&letter->bytes)));
    if (letter->from < 5 && kind < TRAIL_LETTERS && left[letter->from][kind] == 0)
        left[letter->from][kind] = (uint32_t)letter->bytes.n;
}

static void begin(struct arena *a)
{
    memset(left, 0, sizeof left);
    arena_open(a, 5, 1, 2, 2, dims, NULL, 32, 3);
    a->spy = note;
    arena_begin(a);
}

static void read_back(struct trail_round *out, struct buffer *bytes, const struct arena *a)
{
    CHECK_OK(show_round(bytes, &a->round));
    CHECK_OK(trail_round_read(out, buffer_view(bytes), 5, a->manifest.coordinator.identity));
}

static struct hash claim_of(const struct trail_round *shown)
{
    struct survivors claim = {.plan = shown->plan_hash,
                              .roster = shown->roster,
                              .dealers = shown->dealers,
                              .survivors = shown->survivors,
                              .opened = shown->opened};
    memcpy(claim.session, shown->plan.session, sizeof claim.session);
    CHECK_OK(merkle_root(&claim.root, shown->digest, shown->n_digests));
    return survivors_hash(&claim);
}

static void an_opened_round_is_shown_with_the_signatures_for_it(void)
{
    AUTO(arena_close) struct arena a = {0};
    AUTO(buffer_free) struct buffer bytes = {0};
    AUTO(trail_round_free) struct trail_round shown = {0};
    begin(&a);
    arena_run(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    read_back(&shown, &bytes, &a);
    CHECK_NUMBER(REASON_NONE, shown.why);
    CHECK_NUMBER(5, shown.n_digests);
    const struct hash claim = claim_of(&shown);
    CHECK(hash_equal(&claim, &a.round.survivors_hash));
    CHECK(shown.n_confirms >= a.plan.params.quorum);
    for (uint32_t i = 0; i < shown.n_confirms; i++)
        CHECK(confirm_check(&shown.confirm[i], &claim,
                            a.manifest.member[shown.confirm[i].from].identity));
    struct result result = {0};
    CHECK_OK(result_read(&result, shown.result_bytes, a.manifest.coordinator.identity));
    CHECK(hash_equal(&result.survivors, &claim));
}

static void every_answer_is_shown_with_the_bytes_that_left(void)
{
    AUTO(arena_close) struct arena a = {0};
    AUTO(buffer_free) struct buffer bytes = {0};
    AUTO(trail_round_free) struct trail_round shown = {0};
    begin(&a);
    arena_run(&a);
    read_back(&shown, &bytes, &a);
    size_t confirms = 0;
    for (size_t v = 0; v < 5; v++) {
        CHECK_NUMBER(0, shown.taken[v][TRAIL_POSITION]);
        for (int k = 0; k < TRAIL_LETTERS; k++)
            CHECK(shown.taken[v][k] == 0 || shown.taken[v][k] == left[v][k]);
        CHECK(shown.taken[v][TRAIL_ADVERT] > 0 && shown.taken[v][TRAIL_SHARES] > 0);
        CHECK(shown.taken[v][TRAIL_MASKED] > 0);
        confirms += shown.taken[v][TRAIL_CONFIRM] > 0;
    }
    CHECK_NUMBER(shown.n_confirms, confirms);
}

/* As after a crash: the input's body is in the totals, its digest in the journal. */
static void a_recalled_input_counts_the_bytes_that_came(void)
{
    AUTO(arena_close) struct arena a = {0};
    AUTO(outbox_free) struct outbox out = {0};
    begin(&a);
    while (a.round.phase < PHASE_COLLECT) REQUIRE(arena_step(&a));
    while (left[0][TRAIL_MASKED] == 0) REQUIRE(arena_step(&a));
    for (size_t i = 0; i < a.n_flights; i++) {
        const struct view letter = buffer_view(&a.flight[i].bytes);
        if (a.flight[i].from != 0 || msg_kind_of(letter) != MSG_MASKED) continue;
        struct masked_input masked = {0};
        CHECK_OK(masked_read(&masked, letter, &a.round.plan, 0));
        CHECK_OK(round_recall(&a.round, 0, masked.digest, a.now_ms, &out));
    }
    CHECK_NUMBER(left[0][TRAIL_MASKED], a.round.site[0].taken[TRAIL_MASKED]);
}

static void a_failed_round_is_shown_with_its_reason_and_whose_inputs_came(void)
{
    AUTO(arena_close) struct arena a = {0};
    AUTO(buffer_free) struct buffer bytes = {0};
    AUTO(trail_round_free) struct trail_round shown = {0};
    begin(&a);
    while (a.round.phase < PHASE_COLLECT) REQUIRE(arena_step(&a));
    while (bits_count(&a.round.survivors) < 2) REQUIRE(arena_step(&a));
    for (uint32_t v = 0; v < 5; v++)
        if (!bits_has(&a.round.survivors, v)) {
            a.dead[v] = true;
            arena_gone(&a, v);
        }
    arena_run(&a);
    CHECK_NUMBER(PHASE_FAILED, a.round.phase);
    read_back(&shown, &bytes, &a);
    CHECK_NUMBER(REASON_QUORUM, shown.why);
    CHECK_NUMBER(2, shown.n_digests);
    CHECK_NUMBER(0, shown.n_confirms);
    CHECK_NUMBER(0, shown.result_bytes.n);
    CHECK_NUMBER(0, bits_count(&shown.opened));
}

static void without_memory_nothing_is_shown(void)
{
    AUTO(arena_close) struct arena a = {0};
    begin(&a);
    arena_run(&a);
    OOM_EACH {
        AUTO(buffer_free) struct buffer bytes = {0};
        const enum status status = show_round(&bytes, &a.round);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
    }
}

int main(void)
{
    RUN(an_opened_round_is_shown_with_the_signatures_for_it);
    RUN(every_answer_is_shown_with_the_bytes_that_left);
    RUN(a_recalled_input_counts_the_bytes_that_came);
    RUN(a_failed_round_is_shown_with_its_reason_and_whose_inputs_came);
    RUN(without_memory_nothing_is_shown);
    return check_done();
}
