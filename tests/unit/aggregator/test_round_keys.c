/* SPDX-License-Identifier: Apache-2.0 */
/* What the round answers to adverts, positions and dealt shares. */
#include "aggregator/round.h"

#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/liar.h"

static void advert_from_2(struct arena *a, void *content)
{
    (void)a;
    ((struct advert *)content)->from = 2;
}

static void advert_other_plan(struct arena *a, void *content)
{
    (void)a;
    ((struct advert *)content)->plan.bytes[0] ^= 1;
}

static void advert_low_mask_key(struct arena *a, void *content)
{
    (void)a;
    memset(((struct advert *)content)->mask_key, 0, KX_PUBLIC_BYTES);
}

static void advert_low_enc_key(struct arena *a, void *content)
{
    (void)a;
    memset(((struct advert *)content)->enc_key, 0, KX_PUBLIC_BYTES);
}

/* Site 0's advert was taken before. */
static void advert_stolen_mask_key(struct arena *a, void *content)
{
    CHECK(bits_has(&a->round.adverts, 0));
    memcpy(((struct advert *)content)->mask_key, a->round.site[0].keys.mask_key, KX_PUBLIC_BYTES);
}

static void advert_stolen_enc_key(struct arena *a, void *content)
{
    memcpy(((struct advert *)content)->enc_key, a->round.site[0].keys.enc_key, KX_PUBLIC_BYTES);
}

static void advert_mask_key_for_enc(struct arena *a, void *content)
{
    memcpy(((struct advert *)content)->enc_key, a->round.site[0].keys.mask_key, KX_PUBLIC_BYTES);
}

static void advert_enc_key_for_mask(struct arena *a, void *content)
{
    memcpy(((struct advert *)content)->mask_key, a->round.site[0].keys.enc_key, KX_PUBLIC_BYTES);
}

static void advert_one_key(struct arena *a, void *content)
{
    (void)a;
    struct advert *advert = content;
    memcpy(advert->mask_key, advert->enc_key, KX_PUBLIC_BYTES);
}

/* A position where there is none to have, and none where there is one. */
static void advert_other_graph(struct arena *a, void *content)
{
    struct advert *advert = content;
    advert->position = a->plan.params.k == 0 ? (struct hash){{1}} : (struct hash){{0}};
}

static void advert_other_session(struct arena *a, void *content)
{
    (void)a;
    ((struct advert *)content)->session[0] ^= 1;
}

static void wrong_adverts_are_blamed(void)
{
    BLAMED(ROSTER, ADVERT, advert_from_2);
    BLAMED(ROSTER, ADVERT, advert_other_plan);
    BLAMED(ROSTER, ADVERT, advert_low_mask_key);
    BLAMED(ROSTER, ADVERT, advert_low_enc_key);
    BLAMED(ROSTER, ADVERT, advert_stolen_mask_key);
    BLAMED(ROSTER, ADVERT, advert_stolen_enc_key);
    BLAMED(ROSTER, ADVERT, advert_mask_key_for_enc);
    BLAMED(ROSTER, ADVERT, advert_enc_key_for_mask);
    BLAMED(ROSTER, ADVERT, advert_one_key);
    BLAMED(ROSTER, ADVERT, advert_other_graph);
    REFUSED(STATE, ADVERT, advert_other_session);
}

static void position_from_2(struct arena *a, void *content)
{
    (void)a;
    ((struct position *)content)->from = 2;
}

static void position_other_nonce(struct arena *a, void *content)
{
    (void)a;
    ((struct position *)content)->nonce[0] ^= 1;
}

static void position_other_session(struct arena *a, void *content)
{
    (void)a;
    ((struct position *)content)->session[0] ^= 1;
}

static void a_position_that_was_not_committed_to_is_blamed(void)
{
    liar_tries(LIAR_RING, MSG_POSITION, position_from_2, STATUS_OK, REASON_POSITIONS);
    liar_tries(LIAR_RING, MSG_POSITION, position_other_nonce, STATUS_OK, REASON_POSITIONS);
    liar_tries(LIAR_RING, MSG_POSITION, position_other_session, STATUS_STATE, REASON_NONE);
}

static void two_may_keep_their_positions_to_themselves(void)
{
    for (uint32_t silent = 0; silent <= 4; silent++) {
        AUTO(arena_close) struct arena a = {0};
        arena_open(&a, 12, 1, 2, 1, &(uint64_t){3}, NULL, 32, 1);
        arena_ring(&a, silent == 4 ? 11 : 9);
        /* Four: as two, but there T does without one only. */
        struct silence silence = {MSG_POSITION, silent == 4 ? 3 : (1U << silent) - 1};
        a.filter = liar_silence;
        a.context = &silence;
        arena_begin(&a);
        arena_run(&a);
        CHECK_NUMBER(silent < 3 ? PHASE_DONE : PHASE_FAILED, a.round.phase);
        const enum reason why[] = {REASON_NONE, REASON_NONE, REASON_NONE, REASON_POSITIONS,
                                   REASON_QUORUM};
        CHECK_NUMBER(why[silent], a.round.why);
        if (silent == 4) continue;
        CHECK_NUMBER(12 - silent, bits_count(&a.round.placed));
        if (silent < 3) CHECK(arena_sums_exact(&a));
        /* Nobody dealt anything on a ring that was refused. */
        CHECK_NUMBER(silent < 3 ? 12 - silent : 0, bits_count(&a.round.dealers));
    }
}

static void in_a_complete_graph_nobody_is_asked_for_a_position(void)
{
    AUTO(arena_close) struct arena a = {0};
    liar_open(&a, LIAR_COMPLETE);
    arena_begin(&a);
    while (a.round.phase == PHASE_KEYS) CHECK(arena_step(&a));
    CHECK_NUMBER(PHASE_SHARES, a.round.phase);
    CHECK(bits_equal(&a.round.adverts, &a.round.placed));
    struct position position = {.from = LIAR};
    memcpy(position.session, a.round.plan.session, sizeof position.session);
    AUTO(buffer_free) struct buffer letter = {0};
    position_write(&letter, &position, a.key[LIAR].identity);
    CHECK_STATUS(STATUS_STATE, liar_tell(&a, LIAR, &letter));
}

/* What orders the ring stands where the roster's hash stood, and is in all that follows. */
static void the_positions_take_the_place_of_the_roster(void)
{
    AUTO(arena_close) struct arena a = {0};
    liar_open(&a, LIAR_RING);
    arena_begin(&a);
    while (a.round.phase == PHASE_KEYS) CHECK(arena_step(&a));
    const struct hash roster = a.round.roster_hash;
    while (a.round.phase == PHASE_POSITIONS) CHECK(arena_step(&a));
    struct view nonce[9];
    for (uint32_t v = 0; v < 9; v++)
        nonce[v] = (struct view){a.round.site[v].nonce, MSG_NONCE_BYTES};
    const struct hash placed = positions_hash(&roster, nonce, 9);
    CHECK(hash_equal(&placed, &a.round.roster_hash));
    CHECK_NUMBER(6, graph_holders(&a.round.graph));
    while (a.round.phase == PHASE_SHARES) CHECK(arena_step(&a));
    for (uint32_t v = 0; v < 9; v++)
        CHECK(hash_equal(&placed, &a.round.site[v].dealt.header.roster));
}

static void header_other_root(struct arena *a, void *content)
{
    (void)a;
    ((struct header *)content)->root.bytes[0] ^= 1;
}

static void header_from_2(struct arena *a, void *content)
{
    (void)a;
    ((struct header *)content)->from = 2;
}

static void header_other_plan(struct arena *a, void *content)
{
    (void)a;
    ((struct header *)content)->plan.bytes[0] ^= 1;
}

static void header_other_roster(struct arena *a, void *content)
{
    (void)a;
    ((struct header *)content)->roster.bytes[0] ^= 1;
}

static void header_fewer_selfs(struct arena *a, void *content)
{
    (void)a;
    ((struct header *)content)->n_selfs--;
}

static void header_fewer_noises(struct arena *a, void *content)
{
    (void)a;
    ((struct header *)content)->n_noises--;
}

static void header_one_noise(struct arena *a, void *content)
{
    (void)a;
    ((struct header *)content)->n_noises++;
}

static void header_other_session(struct arena *a, void *content)
{
    (void)a;
    ((struct header *)content)->session[0] ^= 1;
}

static void shares_other_leaf(struct arena *a, void *content)
{
    (void)a;
    ((struct shares *)content)->leaf[2].bytes[0] ^= 1;
}

static void shares_none_for_0(struct arena *a, void *content)
{
    (void)a;
    ((struct shares *)content)->sealed[0] = (struct view){0};
}

static void shares_for_itself(struct arena *a, void *content)
{
    (void)a;
    struct shares *shares = content;
    shares->sealed[LIAR] = shares->sealed[0];
}

static void wrong_shares_are_blamed(void)
{
    BLAMED(SHARE, HEADER, header_other_root);
    BLAMED(SHARE, HEADER, header_from_2);
    BLAMED(SHARE, HEADER, header_other_plan);
    BLAMED(SHARE, HEADER, header_other_roster);
    BLAMED(SHARE, HEADER, header_fewer_selfs);
    liar_tries(LIAR_NOISE, MSG_HEADER, header_fewer_noises, STATUS_OK, REASON_SHARE);
    liar_tries(LIAR_COMPLETE, MSG_HEADER, header_one_noise, STATUS_OK, REASON_SHARE);
    BLAMED(SHARE, SHARES, shares_other_leaf);
    BLAMED(SHARE, SHARES, shares_none_for_0);
    REFUSED(STATE, HEADER, header_other_session);
    /* On a ring it is not among its holders. */
    liar_tries(LIAR_COMPLETE, MSG_SHARES, shares_for_itself, STATUS_OK, REASON_SHARE);
}

/* Who left a stage out is not asked in the next, even if it knows what to say. */
static void who_was_dropped_is_not_heard_any_more(void)
{
    AUTO(arena_close) struct arena a = {0};
    liar_open(&a, LIAR_COMPLETE);
    struct silence silence = {MSG_ADVERT, 1U << LIAR};
    a.filter = liar_silence;
    a.context = &silence;
    arena_begin(&a);
    arena_deliver(&a);
    arena_wait(&a);
    AUTO(buffer_free) struct buffer letter = {0}, header = {0}, forged = {0};
    liar_catch(&a, MSG_SHARES, 0, &letter);
    AUTO(shares_free) struct shares shares = {0};
    struct header committed = {0};
    CHECK_OK(shares_read(&shares, buffer_view(&letter), 4, SIZE_MAX));
    CHECK_OK(header_read(&committed, shares.header, a.manifest.member[0].identity));
    committed.from = LIAR;
    header_write(&header, &committed, a.key[LIAR].identity);
    shares.header = buffer_view(&header);
    /* Its rank is that of site 2: the empty place moves there. */
    shares.sealed[0] = shares.sealed[1];
    shares.sealed[1] = (struct view){0};
    shares_write(&forged, &shares);
    CHECK_STATUS(STATUS_STATE, liar_tell(&a, LIAR, &forged));
    CHECK(!a.round.site[LIAR].out && !bits_has(&a.round.dealers, LIAR));
}

/* Two members leave a segment that needs three of four, though T sites stay. */
static void a_segment_without_its_minimum_ends_the_key_stages(void)
{
    static const enum msg_kind kinds[] = {MSG_ADVERT, MSG_POSITION, MSG_SHARES};
    static const uint64_t dims[2] = {3, 2};
    static const uint32_t members[2] = {0x1ff, 7};
    for (size_t i = 0; i < 6; i++) {
        const bool ring = i < 3;
        if (!ring && kinds[i % 3] == MSG_POSITION) continue;
        AUTO(arena_close) struct arena a = {0};
        arena_open(&a, 9, 1, 2, 2, dims, members, 32, 1);
        if (ring) arena_ring(&a, 7);
        struct silence silence = {kinds[i % 3], 1};
        a.filter = liar_silence;
        a.context = &silence;
        arena_begin(&a);
        arena_run(&a);
        CHECK_NUMBER(PHASE_FAILED, a.round.phase);
        CHECK_NUMBER(REASON_QUORUM, a.round.why);
        /* No site had to say so. */
        for (uint32_t v = 0; v < a.n; v++) CHECK_NUMBER(REASON_NONE, a.last_refusal[v]);
    }
}

int main(void)
{
    RUN(wrong_adverts_are_blamed);
    RUN(a_position_that_was_not_committed_to_is_blamed);
    RUN(two_may_keep_their_positions_to_themselves);
    RUN(in_a_complete_graph_nobody_is_asked_for_a_position);
    RUN(the_positions_take_the_place_of_the_roster);
    RUN(wrong_shares_are_blamed);
    RUN(who_was_dropped_is_not_heard_any_more);
    RUN(a_segment_without_its_minimum_ends_the_key_stages);
    return check_done();
}
