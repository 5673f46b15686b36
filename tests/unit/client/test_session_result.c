/* SPDX-License-Identifier: Apache-2.0 */
/* Results that a session refuses, and those that it follows. */
#include <string.h>

#include "tests/lib/check.h"
#include "tests/unit/client/victim.h"

static uint8_t blob_of_result[1024];

/* A result that continues the site's history, but signed by a site. */
static void add_false_result(struct arena *a, void *content)
{
    AUTO(buffer_free) struct buffer result = {0}, blob = {0};
    result_write(&result, &(struct result){.round = 1}, a->key[1].identity);
    write_blob(&blob, result.at, result.n);
    memcpy(blob_of_result, blob.at, blob.n);
    struct opening *opening = content;
    opening->n_results = 1;
    opening->results = (struct view){blob_of_result, blob.n};
}

static void a_missed_result_that_the_coordinator_did_not_sign_is_refused(void)
{
    REFUSED(SIGNATURE, OPENING, add_false_result);
}

static void result_of_other_round(struct arena *a, void *content)
{
    (void)a;
    struct result *result = content;
    result->round++;
}

static void result_of_other_history(struct arena *a, void *content)
{
    (void)a;
    struct result *result = content;
    result->previous.bytes[0] ^= 1;
}

static void result_of_other_plan(struct arena *a, void *content)
{
    (void)a;
    struct result *result = content;
    result->plan.bytes[0] ^= 1;
}

static void result_of_other_survivors(struct arena *a, void *content)
{
    (void)a;
    struct result *result = content;
    result->survivors.bytes[0] ^= 1;
}

static void result_of_other_count(struct arena *a, void *content)
{
    (void)a;
    struct result *result = content;
    result->n_survivors--;
}

static void a_result_of_something_else_is_refused(void)
{
    REFUSED(RESULT, RESULT, result_of_other_round);
    REFUSED(RESULT, RESULT, result_of_other_history);
    REFUSED(RESULT, RESULT, result_of_other_plan);
    REFUSED(RESULT, RESULT, result_of_other_survivors);
    REFUSED(RESULT, RESULT, result_of_other_count);
}

static void each_plan_continues_the_result_before_it(void)
{
    AUTO(arena_close) struct arena a = {0};
    victim_open(&a);
    for (uint32_t round = 1; round <= 2; round++) {
        arena_begin(&a);
        arena_run(&a);
        CHECK_NUMBER(PHASE_DONE, a.round.phase);
        const struct hash transcript = result_transcript(&a.round.result);
        CHECK(hash_equal(&transcript, &a.session[VICTIM].transcript));
        CHECK_NUMBER(round, victim_memories(&a, MEMORY_RESULT));
        CHECK(victim_rests(&a.session[VICTIM]));
    }
}

static bool no_result(struct arena *a, struct flight *flight)
{
    (void)a;
    return !(flight->to == VICTIM && flight_kind(flight) == MSG_RESULT);
}

static void a_result_that_was_missed_is_followed(void)
{
    AUTO(arena_close) struct arena a = {0};
    victim_open(&a);
    arena_begin(&a);
    a.filter = no_result;
    arena_run(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    struct session *s = &a.session[VICTIM];
    CHECK_NUMBER(SESSION_RESULT, s->phase);
    AUTO(buffer_free) struct buffer missed = {0}, bytes = {0};
    write_blob(&missed, a.round.result_bytes.at, a.round.result_bytes.n);
    const struct hash transcript = result_transcript(&a.round.result);
    arena_begin(&a);
    opening_write(&bytes, &(struct opening){.plan = buffer_view(&a.round.plan_bytes),
                                            .n_results = 1,
                                            .results = buffer_view(&missed)});
    AUTO(outbox_free) struct outbox out = {0};
    CHECK_OK(session_message(s, buffer_view(&bytes), a.now_ms, &out));
    CHECK(hash_equal(&transcript, &s->transcript));
    CHECK_NUMBER(2, s->last_round);
    CHECK_NUMBER(2, out.n_entries); /* FOLLOW and PLAN */
}

int main(void)
{
    RUN(a_missed_result_that_the_coordinator_did_not_sign_is_refused);
    RUN(a_result_of_something_else_is_refused);
    RUN(each_plan_continues_the_result_before_it);
    RUN(a_result_that_was_missed_is_followed);
    return check_done();
}
