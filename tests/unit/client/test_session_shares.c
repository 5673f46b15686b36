/* SPDX-License-Identifier: Apache-2.0 */
/* Shares that a session refuses. */
#include <string.h>

#include "tests/lib/check.h"
#include "tests/unit/client/victim.h"

/* Site 1's header, changed and signed again, and listed as such. */
static void rewrite_header(struct arena *a, struct inbox *inbox, void (*change)(struct header *))
{
    struct header header = {0};
    CHECK_OK(header_read(&header, inbox->header[1], a->manifest.member[1].identity));
    change(&header);
    AUTO(buffer_free) struct buffer bytes = {0};
    header_write(&bytes, &header, a->key[1].identity);
    inbox->header[1] = victim_keep(&bytes);
    inbox->head[1] = header_hash(inbox->header[1]);
}

static void header_of_site_2(struct header *header)
{
    header->from = 2;
}

static void header_of_other_plan(struct header *header)
{
    header->plan.bytes[0] ^= 1;
}

static void header_of_other_roster(struct header *header)
{
    header->roster.bytes[0] ^= 1;
}

static void header_of_fewer_segments(struct header *header)
{
    header->n_selfs--;
}

static void header_of_fewer_noises(struct header *header)
{
    header->n_noises--;
}

static void header_of_other_root(struct header *header)
{
    header->root.bytes[0] ^= 1;
}

#define HEADER_CHANGE(name)                                                                        \
    static void in_##name(struct arena *a, void *content)                                          \
    {                                                                                              \
        rewrite_header(a, content, name);                                                          \
    }
HEADER_CHANGE(header_of_site_2)
HEADER_CHANGE(header_of_other_plan)
HEADER_CHANGE(header_of_other_roster)
HEADER_CHANGE(header_of_fewer_segments)
HEADER_CHANGE(header_of_fewer_noises)
HEADER_CHANGE(header_of_other_root)

static void header_not_as_listed(struct arena *a, void *content)
{
    (void)a;
    struct inbox *inbox = content;
    inbox->head[1].bytes[0] ^= 1;
}

static void header_left_out(struct arena *a, void *content)
{
    (void)a;
    struct inbox *inbox = content;
    inbox->header[1] = (struct view){0};
}

static void own_dealing_missing(struct arena *a, void *content)
{
    (void)a;
    struct inbox *inbox = content;
    bits_clear(&inbox->dealers, VICTIM);
}

static void own_header_changed(struct arena *a, void *content)
{
    (void)a;
    struct inbox *inbox = content;
    inbox->header[VICTIM] = inbox->header[1];
    inbox->head[VICTIM] = inbox->head[1];
}

static void a_header_of_something_else_is_refused(void)
{
    REFUSED(ROSTER, INBOX, in_header_of_site_2);
    REFUSED(ROSTER, INBOX, in_header_of_other_plan);
    REFUSED(ROSTER, INBOX, in_header_of_other_roster);
    REFUSED(ROSTER, INBOX, in_header_of_fewer_segments);
    REFUSED_WITH_NOISE(ROSTER, INBOX, in_header_of_fewer_noises);
    REFUSED(ROSTER, INBOX, header_not_as_listed);
    REFUSED(ROSTER, INBOX, header_left_out);
    REFUSED(ROSTER, INBOX, own_dealing_missing);
    REFUSED(ROSTER, INBOX, own_header_changed);
}

/* Dealers of whose shares the victim holds some, or none. */
static uint32_t a_dealer(const struct arena *a, bool held)
{
    uint32_t v = VICTIM + 1;
    while (graph_linked(&a->session[VICTIM].graph, VICTIM, v) != held) v++;
    return v;
}

static void shares_that_it_does_not_hold(struct arena *a, void *content)
{
    struct inbox *inbox = content;
    const uint32_t v = a_dealer(a, false);
    inbox->header[v] = a->round.site[v].dealt.shares.header;
    inbox->sealed[v] = inbox->sealed[a_dealer(a, true)];
}

static void shares_that_it_holds_left_out(struct arena *a, void *content)
{
    struct inbox *inbox = content;
    inbox->header[a_dealer(a, true)] = (struct view){0};
}

static void own_header_not_as_dealt(struct arena *a, void *content)
{
    (void)a;
    struct inbox *inbox = content;
    inbox->head[VICTIM].bytes[0] ^= 1;
}

static void on_a_ring_the_shares_are_those_that_it_holds_and_no_others(void)
{
    REFUSED_ON_RING(ROSTER, INBOX, shares_that_it_does_not_hold);
    REFUSED_ON_RING(ROSTER, INBOX, shares_that_it_holds_left_out);
    REFUSED_ON_RING(ROSTER, INBOX, own_header_not_as_dealt);
}

static void damage_sealed(struct arena *a, void *content)
{
    (void)a;
    struct inbox *inbox = content;
    AUTO(buffer_free) struct buffer bytes = {0};
    write_bytes(&bytes, inbox->sealed[1].at, inbox->sealed[1].n);
    bytes.at[bytes.n - 1] ^= 1;
    inbox->sealed[1] = victim_keep(&bytes);
}

static void exchange_sealed(struct arena *a, void *content)
{
    (void)a;
    struct inbox *inbox = content;
    struct view first = inbox->sealed[1];
    inbox->sealed[1] = inbox->sealed[2];
    inbox->sealed[2] = first;
}

static void other_path(struct arena *a, void *content)
{
    (void)a;
    struct inbox *inbox = content;
    inbox->path[1].node[0].bytes[0] ^= 1;
}

/* The dealer itself seals something else than it committed to. */
static void seal_another_share(struct arena *a, void *content)
{
    struct inbox *inbox = content;
    const struct session *s = &a->session[VICTIM];
    const uint8_t *key = s->peer[1].seal_key;
    AUTO(buffer_free) struct buffer bound = {0}, plain = {0}, sealed = {0};
    write_bytes(&bound, s->plan.session, MSG_SESSION_BYTES);
    write_bytes(&bound, s->plan_hash.bytes, HASH_BYTES);
    write_bytes(&bound, s->roster_hash.bytes, HASH_BYTES);
    write_u32(&bound, 1);
    write_u32(&bound, VICTIM);
    write_bytes(&bound, inbox->head[1].bytes, HASH_BYTES);
    CHECK_OK(seal_read(&plain, inbox->sealed[1], buffer_view(&bound), key));
    plain.at[0] ^= 1;
    CHECK_OK(seal_write(&sealed, buffer_view(&plain), buffer_view(&bound), key, &a->rng));
    inbox->sealed[1] = victim_keep(&sealed);
}

static void a_share_that_is_not_the_committed_one_is_refused(void)
{
    REFUSED(SHARE, INBOX, seal_another_share);
    REFUSED(SHARE, INBOX, damage_sealed);
    REFUSED(SHARE, INBOX, exchange_sealed);
    REFUSED(SHARE, INBOX, other_path);
    REFUSED(SHARE, INBOX, in_header_of_other_root);
}

static void two_dealers_missing(struct arena *a, void *content)
{
    (void)a;
    struct inbox *inbox = content;
    bits_clear(&inbox->dealers, 2);
    bits_clear(&inbox->dealers, 3);
}

static void too_few_dealers_are_refused(void)
{
    REFUSED(QUORUM, INBOX, two_dealers_missing);
}

static bool roster_without_site_1(struct arena *a, struct flight *flight)
{
    (void)a;
    return !(flight->from == 1 && flight_kind(flight) == MSG_ADVERT);
}

/* Site 1 never was in the roster, and yet a dealer. */
static void a_dealer_outside_the_roster_is_refused(void)
{
    AUTO(arena_close) struct arena a = {0};
    victim_open(&a);
    a.filter = roster_without_site_1;
    arena_begin(&a);
    arena_deliver(&a);
    arena_wait(&a);
    while (a.session[VICTIM].phase != SESSION_INBOX) CHECK(arena_step(&a));
    struct inbox inbox = {0};
    CHECK_OK(inbox_new(&inbox, a.n));
    memcpy(inbox.session, a.round.plan.session, MSG_SESSION_BYTES);
    bits_set(&inbox.dealers, 1);
    AUTO(buffer_free) struct buffer bytes = {0};
    inbox_write(&bytes, &inbox, a.coordinator.identity);
    inbox_free(&inbox);
    struct outbox out = {0};
    CHECK_STATUS(STATUS_AUTH,
                 session_message(&a.session[VICTIM], buffer_view(&bytes), a.now_ms, &out));
    CHECK_NUMBER(REASON_MEMBER, a.session[VICTIM].why);
    CHECK_NUMBER(1, a.session[VICTIM].about);
    outbox_free(&out);
}

int main(void)
{
    RUN(a_header_of_something_else_is_refused);
    RUN(on_a_ring_the_shares_are_those_that_it_holds_and_no_others);
    RUN(a_share_that_is_not_the_committed_one_is_refused);
    RUN(too_few_dealers_are_refused);
    RUN(a_dealer_outside_the_roster_is_refused);
    return check_done();
}
