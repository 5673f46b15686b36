/* SPDX-License-Identifier: Apache-2.0 */
/* Quorums of confirmations that a session refuses. */
#include "tests/lib/check.h"
#include "tests/unit/client/victim.h"

static void one_confirmation_short(struct arena *a, void *content)
{
    (void)a;
    struct quorum *quorum = content;
    quorum->n--;
}

static void one_confirmation_twice(struct arena *a, void *content)
{
    (void)a;
    struct quorum *quorum = content;
    quorum->confirm[1] = quorum->confirm[0];
}

static void one_forged_confirmation(struct arena *a, void *content)
{
    (void)a;
    struct quorum *quorum = content;
    quorum->confirm[1].signature[0] ^= 1;
}

static void confirmed_something_else(struct arena *a, void *content)
{
    struct quorum *quorum = content;
    const struct hash other = {{1}};
    for (uint32_t i = 0; i < quorum->n; i++)
        confirm_sign(&quorum->confirm[i], &other, a->key[quorum->confirm[i].from].identity);
}

static void unknown_confirmer(struct arena *a, void *content)
{
    (void)a;
    struct quorum *quorum = content;
    quorum->confirm[0].from = 77;
}

static void fewer_than_t_confirmations_are_refused(void)
{
    REFUSED(CONFIRMATIONS, QUORUM, one_confirmation_short);
    REFUSED(CONFIRMATIONS, QUORUM, one_confirmation_twice);
    REFUSED(CONFIRMATIONS, QUORUM, one_forged_confirmation);
    REFUSED(CONFIRMATIONS, QUORUM, confirmed_something_else);
    REFUSED(CONFIRMATIONS, QUORUM, unknown_confirmer);
}

/* Site 4 sent no input; its confirmation of the others' statement is not one of a survivor. */
static bool silent_input(struct arena *a, struct flight *flight)
{
    if (flight->from == 4 && flight_kind(flight) == MSG_MASKED) return false;
    return forge(a, flight);
}

static void outsider_confirms(struct arena *a, void *content)
{
    struct quorum *quorum = content;
    quorum->confirm[3].from = 4;
    confirm_sign(&quorum->confirm[3], &a->session[VICTIM].survivors_hash, a->key[4].identity);
}

static void who_is_no_survivor_does_not_count(void)
{
    AUTO(arena_close) struct arena a = {0};
    victim_open(&a);
    struct forgery forgery = {.kind = MSG_QUORUM, .site = VICTIM, .change = outsider_confirms};
    a.filter = silent_input;
    a.context = &forgery;
    arena_begin(&a);
    arena_run(&a);
    CHECK(forgery.done);
    CHECK_NUMBER(REASON_CONFIRMATIONS, a.last_refusal[VICTIM]);
    CHECK_NUMBER(0, victim_memories(&a, MEMORY_RELEASE));
}

int main(void)
{
    RUN(fewer_than_t_confirmations_are_refused);
    RUN(who_is_no_survivor_does_not_count);
    return check_done();
}
