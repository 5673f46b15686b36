/* SPDX-License-Identifier: Apache-2.0 */
/* Rosters and positions that a session refuses. */
#include <string.h>

#include "tests/lib/check.h"
#include "tests/unit/client/victim.h"

/* Site 1's advert, changed and signed by `signer`. */
static void rewrite_advert(struct arena *a, struct roster *roster,
                           void (*change)(struct arena *, struct advert *), uint32_t signer)
{
    struct advert advert = {0};
    CHECK_OK(advert_read(&advert, roster->advert[1], a->manifest.member[1].identity));
    change(a, &advert);
    AUTO(buffer_free) struct buffer bytes = {0};
    advert_write(&bytes, &advert, a->key[signer].identity);
    roster->advert[1] = victim_keep(&bytes);
}

static void advert_as_it_is(struct arena *a, struct advert *advert)
{
    (void)a, (void)advert;
}

static void sign_by_another(struct arena *a, void *content)
{
    rewrite_advert(a, content, advert_as_it_is, 2);
}

static void advert_of_site_2(struct arena *a, struct advert *advert)
{
    (void)a;
    advert->from = 2;
}

static void pose_as_site_2(struct arena *a, void *content)
{
    rewrite_advert(a, content, advert_of_site_2, 1);
}

static void advert_of_another_plan(struct arena *a, struct advert *advert)
{
    (void)a;
    advert->plan.bytes[0] ^= 1;
}

static void from_another_plan(struct arena *a, void *content)
{
    rewrite_advert(a, content, advert_of_another_plan, 1);
}

static void advert_with_low_mask_key(struct arena *a, struct advert *advert)
{
    (void)a;
    memset(advert->mask_key, 0, sizeof advert->mask_key);
}

static void low_mask_key(struct arena *a, void *content)
{
    rewrite_advert(a, content, advert_with_low_mask_key, 1);
}

static void advert_with_low_enc_key(struct arena *a, struct advert *advert)
{
    (void)a;
    memset(advert->enc_key, 0, sizeof advert->enc_key);
    advert->enc_key[0] = 1;
}

static void low_enc_key(struct arena *a, void *content)
{
    rewrite_advert(a, content, advert_with_low_enc_key, 1);
}

static void advert_with_long_enc_key(struct arena *a, struct advert *advert)
{
    (void)a;
    memset(advert->enc_key, 0xff, sizeof advert->enc_key);
    advert->enc_key[sizeof advert->enc_key - 1] = 0x7f;
}

/* Not below the prime: another form of the key 18. */
static void long_enc_key(struct arena *a, void *content)
{
    rewrite_advert(a, content, advert_with_long_enc_key, 1);
}

static void advert_with_stolen_key(struct arena *a, struct advert *advert)
{
    struct advert victim = {0};
    CHECK_OK(advert_read(&victim, buffer_view(&a->session[VICTIM].advert),
                         a->manifest.member[VICTIM].identity));
    memcpy(advert->mask_key, victim.enc_key, sizeof advert->mask_key);
}

static void stolen_key(struct arena *a, void *content)
{
    rewrite_advert(a, content, advert_with_stolen_key, 1);
}

static void advert_with_one_key(struct arena *a, struct advert *advert)
{
    (void)a;
    memcpy(advert->enc_key, advert->mask_key, sizeof advert->enc_key);
}

static void one_key_twice(struct arena *a, void *content)
{
    rewrite_advert(a, content, advert_with_one_key, 1);
}

static void own_advert_missing(struct arena *a, void *content)
{
    (void)a;
    struct roster *roster = content;
    roster->advert[VICTIM] = (struct view){0};
}

/* Signed with the victim's own key, yet not what it sent in this session. */
static void own_advert_changed(struct arena *a, void *content)
{
    struct roster *roster = content;
    struct advert advert = {0};
    CHECK_OK(advert_read(&advert, roster->advert[VICTIM], a->manifest.member[VICTIM].identity));
    advert.mask_key[0] ^= 1;
    AUTO(buffer_free) struct buffer bytes = {0};
    advert_write(&bytes, &advert, a->key[VICTIM].identity);
    roster->advert[VICTIM] = victim_keep(&bytes);
}

static void three_sites_left(struct arena *a, void *content)
{
    (void)a;
    struct roster *roster = content;
    roster->advert[2] = roster->advert[3] = (struct view){0};
}

static void keys_that_nobody_enrolled_are_refused(void)
{
    REFUSED(SIGNATURE, ROSTER, sign_by_another);
    REFUSED(MEMBER, ROSTER, pose_as_site_2);
}

static void a_wrong_roster_is_refused(void)
{
    REFUSED(ROSTER, ROSTER, from_another_plan);
    REFUSED(ROSTER, ROSTER, low_mask_key);
    REFUSED(ROSTER, ROSTER, low_enc_key);
    REFUSED(ROSTER, ROSTER, long_enc_key);
    REFUSED(ROSTER, ROSTER, stolen_key);
    REFUSED(ROSTER, ROSTER, one_key_twice);
    REFUSED(ROSTER, ROSTER, own_advert_missing);
    REFUSED(ROSTER, ROSTER, own_advert_changed);
}

static void too_few_in_the_roster_are_refused(void)
{
    REFUSED(QUORUM, ROSTER, three_sites_left);
}

/* Four of five sites stay, which is enough for T, but segment 1 keeps only two of its members. */
static void thin_segment(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    bits_clear(&plan->segment[1].members, 3);
}

static bool thin_in_phase(struct arena *a, struct flight *flight)
{
    static struct forgery plan = {.kind = MSG_PLAN, .change = thin_segment};
    const enum msg_kind *kind = a->context;
    if (flight_kind(flight) == MSG_OPENING) {
        /* All sites get the same plan. */
        plan.site = flight->to;
        a->context = &plan;
        (void)forge(a, flight);
        struct opening opening = {0};
        CHECK_OK(opening_read(&opening, buffer_view(&flight->bytes)));
        plan_free(&a->round.plan);
        CHECK_OK(plan_read(&a->round.plan, &a->round.plan_hash, opening.plan, a->n,
                           a->manifest.coordinator.identity));
    }
    a->context = (void *)(uintptr_t)kind;
    /* Site 2, a member, is silent from here on. */
    return !(flight->from == 2 && flight_kind(flight) == *kind);
}

/* The round itself would stop here: play on without its check. */
static enum reason thin_refusal(enum msg_kind silent_at)
{
    AUTO(arena_close) struct arena a = {0};
    victim_open(&a);
    a.filter = thin_in_phase;
    a.context = &silent_at;
    arena_begin(&a);
    arena_deliver(&a);
    a.round.plan.params.m = 1;
    arena_wait(&a);
    a.round.plan.params.m = 2;
    arena_deliver(&a);
    return a.last_refusal[VICTIM];
}

static void a_segment_that_lost_its_members_is_refused(void)
{
    CHECK_NUMBER(REASON_CONTRIBUTORS, thin_refusal(MSG_ADVERT));
    CHECK_NUMBER(REASON_CONTRIBUTORS, thin_refusal(MSG_SHARES));
}

static void advert_of_another_session(struct arena *a, struct advert *advert)
{
    (void)a;
    advert->session[0] ^= 1;
    advert->plan.bytes[0] ^= 1;
}

static void from_another_session(struct arena *a, void *content)
{
    rewrite_advert(a, content, advert_of_another_session, 1);
}

static void an_old_advert_in_a_new_roster_is_refused(void)
{
    REFUSED(ROSTER, ROSTER, from_another_session);
}

/* --- positions -------------------------------------------------------------------------------- */

static void advert_with_position(struct arena *a, struct advert *advert)
{
    (void)a;
    advert->position.bytes[0] ^= 1;
}

static void position_in_a_complete_graph(struct arena *a, void *content)
{
    rewrite_advert(a, content, advert_with_position, 1);
}

static void advert_without_position(struct arena *a, struct advert *advert)
{
    (void)a;
    advert->position = (struct hash){0};
}

static void no_position_on_a_ring(struct arena *a, void *content)
{
    rewrite_advert(a, content, advert_without_position, 1);
}

static void a_position_is_committed_to_on_a_ring_and_only_there(void)
{
    REFUSED(ROSTER, ROSTER, position_in_a_complete_graph);
    REFUSED_ON_RING(ROSTER, ROSTER, no_position_on_a_ring);
}

static const uint8_t any_nonce[MSG_NONCE_BYTES] = {7};

static void other_nonce(struct arena *a, void *content)
{
    (void)a;
    struct positions *positions = content;
    positions->nonce[1].at = any_nonce;
}

static void own_nonce_changed(struct arena *a, void *content)
{
    (void)a;
    struct positions *positions = content;
    positions->nonce[VICTIM].at = any_nonce;
}

static void nonce_of_another(struct arena *a, void *content)
{
    (void)a;
    struct positions *positions = content;
    positions->nonce[1] = positions->nonce[2];
}

static void a_position_that_was_not_committed_to_is_refused(void)
{
    REFUSED_ON_RING(POSITIONS, POSITIONS, other_nonce);
    REFUSED_ON_RING(POSITIONS, POSITIONS, own_nonce_changed);
    REFUSED_ON_RING(POSITIONS, POSITIONS, nonce_of_another);
}

static void own_position_missing(struct arena *a, void *content)
{
    (void)a;
    struct positions *positions = content;
    positions->nonce[VICTIM] = (struct view){0};
}

static void three_silent(struct arena *a, void *content)
{
    (void)a;
    struct positions *positions = content;
    for (uint32_t v = 3; v < 6; v++) positions->nonce[v] = (struct view){0};
}

static void missing_positions_are_refused(void)
{
    REFUSED_ON_RING(POSITIONS, POSITIONS, own_position_missing);
    REFUSED_ON_RING(POSITIONS, POSITIONS, three_silent);
}

/* Site 9 gives no keys, site 8 no position. */
static bool silent_twice(struct arena *a, struct flight *flight)
{
    const enum msg_kind kind = flight_kind(flight);
    if (flight->from == 9 && kind == MSG_ADVERT) return false;
    if (flight->from == 8 && kind == MSG_POSITION) return false;
    return a->context == NULL || forge(a, flight);
}

static void two_more_silent(struct arena *a, void *content)
{
    (void)a;
    struct positions *positions = content;
    positions->nonce[7] = (struct view){0};
}

static void nonce_of_an_outsider(struct arena *a, void *content)
{
    (void)a;
    struct positions *positions = content;
    positions->nonce[9] = positions->nonce[7];
}

static enum reason ring_refusal(void (*change)(struct arena *, void *))
{
    AUTO(arena_close) struct arena a = {0};
    victim_open_ring(&a);
    struct forgery forgery = {.kind = MSG_POSITIONS, .site = VICTIM, .change = change};
    a.filter = silent_twice;
    a.context = change == NULL ? NULL : &forgery;
    arena_begin(&a);
    arena_run(&a);
    CHECK(change == NULL || forgery.done);
    CHECK(change != NULL || (a.round.phase == PHASE_DONE && arena_sums_exact(&a)));
    return a.last_refusal[VICTIM];
}

/* T of ten is eight. */
static void who_is_silent_is_left_out_as_long_as_enough_are_left(void)
{
    CHECK_NUMBER(REASON_NONE, ring_refusal(NULL));
    CHECK_NUMBER(REASON_QUORUM, ring_refusal(two_more_silent));
    CHECK_NUMBER(REASON_POSITIONS, ring_refusal(nonce_of_an_outsider));
}

int main(void)
{
    RUN(keys_that_nobody_enrolled_are_refused);
    RUN(a_wrong_roster_is_refused);
    RUN(too_few_in_the_roster_are_refused);
    RUN(a_segment_that_lost_its_members_is_refused);
    RUN(an_old_advert_in_a_new_roster_is_refused);
    RUN(a_position_is_committed_to_on_a_ring_and_only_there);
    RUN(a_position_that_was_not_committed_to_is_refused);
    RUN(missing_positions_are_refused);
    RUN(who_is_silent_is_left_out_as_long_as_enough_are_left);
    return check_done();
}
