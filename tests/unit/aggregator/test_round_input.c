/* SPDX-License-Identifier: Apache-2.0 */
/* What the round answers to masked inputs and confirmations, and how a journal puts inputs back. */
#include "aggregator/round.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/liar.h"

static void digest_from_2(struct arena *a, void *content)
{
    (void)a;
    ((struct digest *)content)->from = 2;
}

static void digest_other_plan(struct arena *a, void *content)
{
    (void)a;
    ((struct digest *)content)->plan.bytes[0] ^= 1;
}

static void digest_other_roster(struct arena *a, void *content)
{
    (void)a;
    ((struct digest *)content)->roster.bytes[0] ^= 1;
}

static void digest_other_dealers(struct arena *a, void *content)
{
    (void)a;
    ((struct digest *)content)->dealers.bytes[0] ^= 1;
}

static void digest_fewer_segments(struct arena *a, void *content)
{
    (void)a;
    ((struct digest *)content)->n_segments--;
}

static void digest_more_segments(struct arena *a, void *content)
{
    (void)a;
    ((struct digest *)content)->n_segments++;
}

static void digest_of_other_body(struct arena *a, void *content)
{
    (void)a;
    ((struct digest *)content)->segment[1].bytes[0] ^= 1;
}

static void digest_other_session(struct arena *a, void *content)
{
    (void)a;
    ((struct digest *)content)->session[0] ^= 1;
}

static void wrong_inputs_are_blamed_and_not_added(void)
{
    BLAMED(FORMAT, DIGEST, digest_from_2);
    BLAMED(FORMAT, DIGEST, digest_other_plan);
    BLAMED(FORMAT, DIGEST, digest_other_roster);
    BLAMED(FORMAT, DIGEST, digest_other_dealers);
    BLAMED(FORMAT, DIGEST, digest_fewer_segments);
    BLAMED(FORMAT, DIGEST, digest_more_segments);
    BLAMED(FORMAT, DIGEST, digest_of_other_body);
    REFUSED(STATE, DIGEST, digest_other_session);
}

/* An input with another last byte, well signed. */
static bool other_last_byte(struct arena *a, struct flight *flight, uint8_t change)
{
    if (flight->from != LIAR || flight_kind(flight) != MSG_MASKED) return true;
    struct masked_input masked = {0};
    struct digest digest = {0};
    const uint8_t *identity = a->manifest.member[LIAR].identity;
    CHECK_OK(masked_read(&masked, buffer_view(&flight->bytes), &a->round.plan, LIAR));
    CHECK_OK(digest_read(&digest, masked.digest, identity));
    flight->bytes.at[flight->bytes.n - 1] ^= change;
    const uint32_t last = masked.n_segments - 1;
    digest.segment[last] = masked_digest(masked.body[last]);
    AUTO(buffer_free) struct buffer head = {0}, other = {0};
    digest_write(&head, &digest, a->key[LIAR].identity);
    masked.digest = buffer_view(&head);
    masked_write(&other, &masked);
    buffer_free(&flight->bytes);
    flight->bytes = other;
    other = (struct buffer){0};
    return true;
}

static bool false_checksum(struct arena *a, struct flight *flight)
{
    return other_last_byte(a, flight, 1);
}

static bool dirty_padding(struct arena *a, struct flight *flight)
{
    return other_last_byte(a, flight, 0x80);
}

static void a_sum_against_its_checksum_ends_the_round(void)
{
    AUTO(arena_close) struct arena a = {0};
    liar_open(&a, LIAR_COMPLETE);
    a.filter = false_checksum;
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(PHASE_FAILED, a.round.phase);
    CHECK_NUMBER(REASON_CHECKSUM, a.round.why);
    CHECK_NUMBER(0, a.round.opened[0].n + a.round.opened[1].n);
}

/* 4 elements of 15 bits leave 4 bits of the last byte. */
static void padding_that_is_not_zero_is_blamed(void)
{
    AUTO(arena_close) struct arena a = {0};
    static const uint64_t dims[2] = {6, 3};
    arena_open(&a, 5, 1, 2, 2, dims, NULL, 15, 1);
    a.filter = dirty_padding;
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(REASON_FORMAT, a.blamed[LIAR]);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    CHECK_NUMBER(4, bits_count(&a.round.survivors));
    CHECK(arena_sums_exact(&a));
}

static void confirm_from_2(struct arena *a, void *content)
{
    (void)a;
    ((struct confirm *)content)->from = 2;
}

static void confirm_other_statement(struct arena *a, void *content)
{
    confirm_sign(content, &(struct hash){{1}}, a->key[LIAR].identity);
}

static void confirm_other_session(struct arena *a, void *content)
{
    (void)a;
    ((struct confirm *)content)->session[0] ^= 1;
}

static void wrong_confirmations_are_refused(void)
{
    REFUSED(AUTH, CONFIRM, confirm_from_2);
    REFUSED(AUTH, CONFIRM, confirm_other_statement);
    REFUSED(STATE, CONFIRM, confirm_other_session);
}

static void who_sent_no_input_does_not_confirm(void)
{
    AUTO(arena_close) struct arena a = {0};
    liar_open(&a, LIAR_COMPLETE);
    struct silence silence = {MSG_MASKED, 1U << LIAR};
    a.filter = liar_silence;
    a.context = &silence;
    arena_begin(&a);
    arena_deliver(&a);
    arena_wait(&a);
    CHECK_NUMBER(PHASE_CONFIRM, a.round.phase);
    struct confirm confirm = {.from = LIAR};
    memcpy(confirm.session, a.round.plan.session, sizeof confirm.session);
    confirm_sign(&confirm, &a.round.survivors_hash, a.key[LIAR].identity);
    AUTO(buffer_free) struct buffer bytes = {0};
    confirm_write(&bytes, &confirm);
    CHECK_STATUS(STATUS_STATE, liar_tell(&a, LIAR, &bytes));
    CHECK_NUMBER(0, bits_count(&a.round.confirmed));
}

/* --- from a journal --------------------------------------------------------------------------- */

/* Everybody's MASKED, not delivered. */
static void catch_inputs(struct arena *a, struct buffer letter[static 5])
{
    liar_open(a, LIAR_COMPLETE);
    arena_begin(a);
    for (uint32_t v = 0; v < 5; v++) liar_catch(a, MSG_MASKED, v, &letter[v]);
    while (a->n_flights > 0) arena_lose_one(a, 0);
    CHECK_NUMBER(PHASE_COLLECT, a->round.phase);
    CHECK_NUMBER(0, bits_count(&a->round.survivors));
}

static void free_letters(struct buffer (*letter)[5])
{
    for (size_t v = 0; v < 5; v++) buffer_free(&(*letter)[v]);
}

static struct view digest_in(const struct arena *a, const struct buffer *letter, uint32_t from)
{
    struct masked_input masked = {0};
    CHECK_OK(masked_read(&masked, buffer_view(letter), &a->round.plan, from));
    return masked.digest;
}

static enum status recall(struct arena *a, uint32_t from, struct view digest)
{
    AUTO(outbox_free) struct outbox out = {0};
    return round_recall(&a->round, from, digest, a->now_ms, &out);
}

/* The same statement as from the whole inputs; the sums stay as they are. */
static void digests_alone_count_inputs_in(void)
{
    AUTO(arena_close) struct arena whole = {0}, heads = {0};
    AUTO(free_letters) struct buffer letter[5] = {{0}};
    catch_inputs(&whole, letter);
    AUTO(free_letters) struct buffer again[5] = {{0}};
    catch_inputs(&heads, again);
    for (uint32_t v = 0; v < 5; v++) {
        CHECK_OK(liar_tell(&whole, v, &letter[v]));
        CHECK_OK(recall(&heads, v, digest_in(&heads, &again[v], v)));
        CHECK(bits_has(&heads.round.survivors, v));
    }
    CHECK_NUMBER(PHASE_CONFIRM, heads.round.phase);
    CHECK(hash_equal(&whole.round.survivors_hash, &heads.round.survivors_hash));
    for (size_t i = 0; i < 4; i++) CHECK_NUMBER(0, heads.round.total[0].value[i]);
    /* And its totals are taken over. */
    CHECK_OK(round_restore(&heads.round, whole.round.total));
    CHECK(whole.round.total[0].value == NULL && whole.round.total[1].value == NULL);
    CHECK_NUMBER(4, heads.round.total[0].n);
}

static void wrong_digests_are_answered_like_wrong_inputs(void)
{
    AUTO(arena_close) struct arena a = {0};
    AUTO(free_letters) struct buffer letter[5] = {{0}};
    catch_inputs(&a, letter);
    CHECK_STATUS(STATUS_AUTH, recall(&a, 1, digest_in(&a, &letter[0], 0)));
    CHECK_STATUS(STATUS_STATE, recall(&a, 5, digest_in(&a, &letter[0], 0)));
    CHECK_STATUS(STATUS_FORMAT, recall(&a, 0, (struct view){0}));
    CHECK_OK(recall(&a, 0, digest_in(&a, &letter[0], 0)));
    CHECK_STATUS(STATUS_STATE, recall(&a, 0, digest_in(&a, &letter[0], 0)));
    CHECK_STATUS(STATUS_STATE, liar_tell(&a, 0, &letter[0]));
    struct digest digest = {0};
    CHECK_OK(digest_read(&digest, digest_in(&a, &letter[1], 1), a.manifest.member[1].identity));
    digest.dealers.bytes[0] ^= 1;
    AUTO(buffer_free) struct buffer other = {0};
    digest_write(&other, &digest, a.key[1].identity);
    CHECK_OK(recall(&a, 1, buffer_view(&other)));
    CHECK(a.round.site[1].out && !bits_has(&a.round.survivors, 1));
    CHECK_STATUS(STATUS_STATE, recall(&a, 1, digest_in(&a, &letter[1], 1)));
}

static void free_totals(struct total (*total)[MSG_SEGMENTS_MAX])
{
    for (size_t l = 0; l < MSG_SEGMENTS_MAX; l++) total_free(&(*total)[l]);
}

static void totals_come_back_after_the_inputs_and_with_their_sizes(void)
{
    AUTO(arena_close) struct arena a = {0};
    AUTO(free_letters) struct buffer letter[5] = {{0}};
    AUTO(free_totals) struct total total[MSG_SEGMENTS_MAX] = {{0}};
    catch_inputs(&a, letter);
    CHECK_OK(total_new(&total[0], 4));
    CHECK_OK(total_new(&total[1], 3));
    CHECK_STATUS(STATUS_STATE, round_restore(&a.round, total));
    for (uint32_t v = 0; v < 5; v++) CHECK_OK(liar_tell(&a, v, &letter[v]));
    total[1].n = 2;
    const uint32_t *before = a.round.total[0].value;
    CHECK_STATUS(STATUS_RANGE, round_restore(&a.round, total));
    CHECK(a.round.total[0].value == before && total[0].n == 4);
    total[1].n = 3;
    CHECK_OK(round_restore(&a.round, total));
    CHECK(total[0].value == NULL && total[1].value == NULL);
    arena_run(&a);
    CHECK_STATUS(STATUS_STATE, round_restore(&a.round, total));
}

int main(void)
{
    RUN(wrong_inputs_are_blamed_and_not_added);
    RUN(a_sum_against_its_checksum_ends_the_round);
    RUN(padding_that_is_not_zero_is_blamed);
    RUN(wrong_confirmations_are_refused);
    RUN(who_sent_no_input_does_not_confirm);
    RUN(digests_alone_count_inputs_in);
    RUN(wrong_digests_are_answered_like_wrong_inputs);
    RUN(totals_come_back_after_the_inputs_and_with_their_sizes);
    return check_done();
}
