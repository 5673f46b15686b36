/* SPDX-License-Identifier: Apache-2.0 */
/* Each answer that a round gives to a site, and each reason for which it fails. Five sites, one may
 * collude, thresholds are 4: the round does without the liar, site 1. */
#include "aggregator/round.h"

#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/forge.h"
#include "tests/lib/oom.h"

#define LIAR 1

static const uint64_t dims[2] = {3, 2};

static void open_small(struct arena *a)
{
    arena_open(a, 5, 1, 2, 2, dims, NULL, 32, 1);
}

/* --- one liar, and the round goes on
 * --------------------------------------------------------------- */

/* A changed letter: what the round answers, and what it notes about the sender. */
static void lie(enum msg_kind kind, void (*change)(struct arena *, void *), enum status answer,
                enum reason blamed)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    struct forgery forgery = {.kind = kind, .site = LIAR, .change = change};
    a.filter = forge;
    a.context = &forgery;
    arena_begin(&a);
    while (!forgery.done) CHECK(arena_step(&a));
    CHECK_STATUS(answer, a.answer[LIAR]);
    CHECK_NUMBER(blamed, a.blamed[LIAR]);
    CHECK(a.round.site[LIAR].out == (blamed != REASON_NONE));
    arena_run(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    CHECK(arena_sums_exact(&a));
}

/* Blamed: its message was taken, to its disadvantage. */
#define BLAMED(reason, kind, change) lie(MSG_##kind, change, STATUS_OK, REASON_##reason)
/* Refused: nothing changed, it may send the right one yet. */
#define REFUSED(status, kind, change) lie(MSG_##kind, change, STATUS_##status, REASON_NONE)

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
    BLAMED(SHARE, SHARES, shares_other_leaf);
    BLAMED(SHARE, SHARES, shares_none_for_0);
    BLAMED(SHARE, SHARES, shares_for_itself);
}

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
}

static void unmask_from_2(struct arena *a, void *content)
{
    (void)a;
    ((struct unmask *)content)->from = 2;
}

static void unmask_other_survivors(struct arena *a, void *content)
{
    (void)a;
    ((struct unmask *)content)->survivors.bytes[0] ^= 1;
}

static void unmask_other_session(struct arena *a, void *content)
{
    (void)a;
    ((struct unmask *)content)->session[0] ^= 1;
}

static void unmask_other_share(struct arena *a, void *content)
{
    (void)a;
    ((struct unmask *)content)->bundle[0].share[BUNDLE_SELF(0)][0] ^= 1;
}

static void unmask_other_salt(struct arena *a, void *content)
{
    (void)a;
    ((struct unmask *)content)->bundle[0].salt[BUNDLE_SELF(0)][0] ^= 1;
}

static void unmask_other_commitment(struct arena *a, void *content)
{
    (void)a;
    ((struct unmask *)content)->bundle[0].commitment[BUNDLE_PAIR].bytes[0] ^= 1;
}

static void unmask_less(struct arena *a, void *content)
{
    (void)a;
    ((struct unmask *)content)->bundle[0].have[BUNDLE_SELF(0)] = false;
}

/* The wrong kind: a living site's pair seed. */
static void unmask_pair(struct arena *a, void *content)
{
    (void)a;
    ((struct unmask *)content)->bundle[0].have[BUNDLE_PAIR] = true;
}

static void unmask_fewer_places(struct arena *a, void *content)
{
    (void)a;
    ((struct unmask *)content)->bundle[0].n--;
}

static void unmask_nothing_of_0(struct arena *a, void *content)
{
    (void)a;
    ((struct unmask *)content)->bundle[0].n = 0;
}

static void wrong_revelations_are_blamed(void)
{
    BLAMED(SURVIVORS, UNMASK, unmask_from_2);
    BLAMED(SURVIVORS, UNMASK, unmask_other_survivors);
    BLAMED(SHARE, UNMASK, unmask_other_share);
    BLAMED(SHARE, UNMASK, unmask_other_salt);
    BLAMED(SHARE, UNMASK, unmask_other_commitment);
    BLAMED(SHARE, UNMASK, unmask_less);
    BLAMED(SHARE, UNMASK, unmask_pair);
    BLAMED(SHARE, UNMASK, unmask_fewer_places);
    BLAMED(SHARE, UNMASK, unmask_nothing_of_0);
}

static void another_sessions_messages_are_ignored(void)
{
    REFUSED(STATE, ADVERT, advert_other_session);
    REFUSED(STATE, HEADER, header_other_session);
    REFUSED(STATE, DIGEST, digest_other_session);
    REFUSED(STATE, CONFIRM, confirm_other_session);
    REFUSED(STATE, UNMASK, unmask_other_session);
}

/* A share of a dealer that is not in U2: site 2 has not dealt. */
static bool silent_dealer(struct arena *a, struct flight *flight)
{
    return !flight_is(flight, MSG_SHARES, 2) && forge(a, flight);
}

static void unmask_of_2(struct arena *a, void *content)
{
    (void)a;
    struct unmask *unmask = content;
    unmask->bundle[2] = unmask->bundle[0];
}

static void shares_of_nobody_are_blamed(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    struct forgery forgery = {.kind = MSG_UNMASK, .site = LIAR, .change = unmask_of_2};
    a.filter = silent_dealer;
    a.context = &forgery;
    arena_begin(&a);
    arena_run(&a);
    CHECK(forgery.done);
    CHECK_NUMBER(REASON_SHARE, a.blamed[LIAR]);
}

/* --- any message
 * ---------------------------------------------------------------------------------- */

struct damage {
    enum msg_kind kind;
    bool done;
};

/* The last byte of a signed letter is its signature's; inside SHARES and MASKED the head has one.
 */
static bool damage(struct arena *a, struct flight *flight)
{
    struct damage *d = a->context;
    if (flight->from != LIAR || !flight_is(flight, d->kind, LIAR)) return true;
    bool headed = d->kind == MSG_SHARES || d->kind == MSG_MASKED;
    flight->bytes.at[headed ? 60 : flight->bytes.n - 1] ^= 1;
    d->done = true;
    return true;
}

static void a_message_that_its_sender_did_not_sign_is_refused(void)
{
    static const enum msg_kind kinds[] = {MSG_ADVERT, MSG_SHARES, MSG_MASKED, MSG_CONFIRM,
                                          MSG_UNMASK};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        AUTO(arena_close) struct arena a = {0};
        open_small(&a);
        struct damage d = {.kind = kinds[i]};
        a.filter = damage;
        a.context = &d;
        arena_begin(&a);
        while (!d.done) CHECK(arena_step(&a));
        CHECK_STATUS(STATUS_AUTH, a.answer[LIAR]);
        CHECK(!a.round.site[LIAR].out);
    }
}

static enum status tell(struct arena *a, uint32_t from, const struct buffer *bytes)
{
    struct outbox out = {0};
    enum status status = round_message(&a->round, from, buffer_view(bytes), a->now_ms, &out);
    outbox_free(&out);
    return status;
}

static void noise_is_malformed(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    arena_begin(&a);
    AUTO(buffer_free) struct buffer noise = {0};
    write_u32(&noise, 0);
    CHECK_STATUS(STATUS_FORMAT, tell(&a, 0, &noise));
    noise.n = 0;
    CHECK_STATUS(STATUS_FORMAT, tell(&a, 0, &noise));
}

/* Step until the letter at hand is of a kind and from a site; hand out a copy of it. */
static void catch_letter(struct arena *a, enum msg_kind kind, uint32_t from, struct buffer *out)
{
    for (;;) {
        for (size_t i = 0; i < a->n_flights; i++) {
            const struct flight *flight = &a->flight[i];
            if (flight->from != from || flight_kind(flight) != kind) continue;
            write_bytes(out, flight->bytes.at, flight->bytes.n);
            return;
        }
        REQUIRE(arena_step(a));
    }
}

static void strangers_and_the_uninvited_are_ignored(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    bits_clear(&a.plan.cohort, 4);
    for (uint32_t l = 0; l < 2; l++) bits_clear(&a.plan.segment[l].members, 4);
    arena_begin(&a);
    AUTO(buffer_free) struct buffer advert = {0};
    catch_letter(&a, MSG_ADVERT, 0, &advert);
    CHECK_STATUS(STATUS_STATE, tell(&a, 5, &advert));
    CHECK_STATUS(STATUS_STATE, tell(&a, OUTBOX_SERVER, &advert));
    CHECK_STATUS(STATUS_STATE, tell(&a, 4, &advert));
    struct abort_notice quit = {.from = 4, .about = 0, .reason = REASON_SHARE};
    memcpy(quit.session, a.round.plan.session, sizeof quit.session);
    AUTO(buffer_free) struct buffer notice = {0};
    abort_write(&notice, &quit, a.key[4].identity);
    CHECK_STATUS(STATUS_STATE, tell(&a, 4, &notice));
    /* Somebody else's letter under one's own name. */
    CHECK_STATUS(STATUS_AUTH, tell(&a, 3, &advert));
    CHECK_OK(tell(&a, 0, &advert));
    CHECK_STATUS(STATUS_STATE, tell(&a, 0, &advert));
}

static bool silent_liar(struct arena *a, struct flight *flight)
{
    return !(flight->from == LIAR && flight_kind(flight) == *(const enum msg_kind *)a->context);
}

/* Who left a stage out is not asked in the next, even if it knows what to say. */
static void who_was_dropped_is_not_heard_any_more(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    enum msg_kind kind = MSG_ADVERT;
    a.filter = silent_liar;
    a.context = &kind;
    arena_begin(&a);
    arena_deliver(&a);
    arena_wait(&a);
    AUTO(buffer_free) struct buffer letter = {0}, header = {0}, forged = {0};
    catch_letter(&a, MSG_SHARES, 0, &letter);
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
    CHECK_STATUS(STATUS_STATE, tell(&a, LIAR, &forged));
    CHECK(!a.round.site[LIAR].out && !bits_has(&a.round.dealers, LIAR));
}

static void who_sent_no_input_does_not_confirm(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    enum msg_kind kind = MSG_MASKED;
    a.filter = silent_liar;
    a.context = &kind;
    arena_begin(&a);
    arena_deliver(&a);
    arena_wait(&a);
    CHECK_NUMBER(PHASE_CONFIRM, a.round.phase);
    struct confirm confirm = {.from = LIAR};
    memcpy(confirm.session, a.round.plan.session, sizeof confirm.session);
    confirm_sign(&confirm, &a.round.survivors_hash, a.key[LIAR].identity);
    AUTO(buffer_free) struct buffer bytes = {0};
    confirm_write(&bytes, &confirm);
    CHECK_STATUS(STATUS_STATE, tell(&a, LIAR, &bytes));
    CHECK_NUMBER(0, bits_count(&a.round.confirmed));
}

static void a_message_out_of_phase_is_ignored(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    arena_begin(&a);
    struct buffer letter[5] = {{0}};
    static const enum msg_kind kinds[] = {MSG_ADVERT, MSG_SHARES, MSG_MASKED, MSG_CONFIRM,
                                          MSG_UNMASK};
    for (size_t i = 0; i < 5; i++) catch_letter(&a, kinds[i], 0, &letter[i]);
    arena_run(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    for (size_t i = 0; i < 5; i++) CHECK_STATUS(STATUS_STATE, tell(&a, 0, &letter[i]));
    for (size_t i = 0; i < 5; i++) buffer_free(&letter[i]);
}

static void early_and_late_messages_change_nothing(void)
{
    static const enum msg_kind kinds[] = {MSG_ADVERT, MSG_SHARES, MSG_MASKED, MSG_CONFIRM,
                                          MSG_UNMASK};
    /* Letters of one run told to another run of the same seed, phase by phase. */
    AUTO(arena_close) struct arena first = {0}, second = {0};
    open_small(&first);
    open_small(&second);
    arena_begin(&first);
    arena_begin(&second);
    struct buffer letter[5] = {{0}}, again = {0};
    for (size_t i = 0; i < 5; i++) catch_letter(&first, kinds[i], 0, &letter[i]);
    for (size_t at = 0; at < 5; at++) {
        again.n = 0;
        catch_letter(&second, kinds[at], 0, &again);
        enum phase phase = second.round.phase;
        for (size_t i = 0; i < 5; i++)
            if (i != at) CHECK_STATUS(STATUS_STATE, tell(&second, 0, &letter[i]));
        CHECK_NUMBER(phase, second.round.phase);
    }
    arena_run(&second);
    CHECK_NUMBER(PHASE_DONE, second.round.phase);
    CHECK(arena_sums_exact(&second));
    buffer_free(&again);
    for (size_t i = 0; i < 5; i++) buffer_free(&letter[i]);
}

/* --- who leaves, who is waited for
 * ------------------------------------------------------------------ */

static void who_gives_up_is_out(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    arena_begin(&a);
    AUTO(buffer_free) struct buffer advert = {0}, notice = {0}, forged = {0};
    catch_letter(&a, MSG_ADVERT, LIAR, &advert);
    struct abort_notice quit = {.from = LIAR, .reason = REASON_BUDGET};
    abort_write(&forged, &quit, a.key[LIAR].identity);
    CHECK_STATUS(STATUS_STATE, tell(&a, LIAR, &forged)); /* another session's */
    memcpy(quit.session, a.round.plan.session, sizeof quit.session);
    forged.n = 0;
    abort_write(&forged, &quit, a.key[0].identity);
    CHECK_STATUS(STATUS_AUTH, tell(&a, LIAR, &forged));
    abort_write(&notice, &quit, a.key[LIAR].identity);
    CHECK_OK(tell(&a, LIAR, &notice));
    CHECK(a.round.site[LIAR].out);
    CHECK_STATUS(STATUS_STATE, tell(&a, LIAR, &advert));
    arena_run(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    CHECK(!bits_has(&a.round.survivors, LIAR));
    CHECK(arena_sums_exact(&a));
}

static void awaited_are_those_who_have_not_answered(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    arena_begin(&a);
    AUTO(bits_free) struct bits awaited = {0};
    CHECK_OK(round_awaited(&awaited, &a.round));
    CHECK_NUMBER(5, bits_count(&awaited));
    AUTO(buffer_free) struct buffer advert = {0};
    catch_letter(&a, MSG_ADVERT, 0, &advert);
    CHECK_OK(tell(&a, 0, &advert));
    struct outbox out = {0};
    CHECK_OK(round_gone(&a.round, 2, a.now_ms, &out));
    CHECK_OK(round_gone(&a.round, 77, a.now_ms, &out));
    bits_free(&awaited);
    CHECK_OK(round_awaited(&awaited, &a.round));
    CHECK_NUMBER(3, bits_count(&awaited));
    CHECK(!bits_has(&awaited, 0) && !bits_has(&awaited, 2));
    OOM_EACH {
        struct bits other = {0};
        enum status status = round_awaited(&other, &a.round);
        oom_stop();
        if (status != STATUS_OK) CHECK(status == STATUS_NOMEM && other.word == NULL);
        bits_free(&other);
    }
    arena_run(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    bits_free(&awaited);
    CHECK_OK(round_awaited(&awaited, &a.round));
    CHECK_NUMBER(0, bits_count(&awaited));
    outbox_free(&out);
}

static void who_was_away_may_come_back(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    arena_begin(&a);
    struct outbox out = {0};
    CHECK_OK(round_gone(&a.round, LIAR, a.now_ms, &out));
    CHECK(a.round.site[LIAR].away);
    arena_run(&a);
    CHECK(!a.round.site[LIAR].away);
    CHECK_NUMBER(5, bits_count(&a.round.survivors));
    CHECK_OK(round_gone(&a.round, LIAR, a.now_ms, &out));
    CHECK(!a.round.site[LIAR].away);
    outbox_free(&out);
}

static bool only_from_0(struct arena *a, struct flight *flight)
{
    return flight->from == OUTBOX_SERVER || flight->from == 0 ||
           flight_kind(flight) != *(const enum msg_kind *)a->context;
}

static void the_round_ends_when_all_others_are_gone(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    enum msg_kind kind = MSG_ADVERT;
    a.filter = only_from_0;
    a.context = &kind;
    arena_begin(&a);
    arena_deliver(&a);
    CHECK_NUMBER(PHASE_KEYS, a.round.phase);
    struct outbox out = {0};
    for (uint32_t v = 1; v < 5; v++) CHECK_OK(round_gone(&a.round, v, a.now_ms, &out));
    CHECK_NUMBER(PHASE_FAILED, a.round.phase);
    CHECK_NUMBER(REASON_QUORUM, a.round.why);
    outbox_free(&out);
}

/* --- failures of the whole round
 * ---------------------------------------------------------------------- */

static void too_few_answers_end_the_round(void)
{
    static const struct {
        enum msg_kind kind;
        enum reason why;
    } rows[] = {{MSG_ADVERT, REASON_QUORUM},
                {MSG_SHARES, REASON_QUORUM},
                {MSG_MASKED, REASON_QUORUM},
                {MSG_CONFIRM, REASON_CONFIRMATIONS},
                {MSG_UNMASK, REASON_QUORUM}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_close) struct arena a = {0};
        open_small(&a);
        enum msg_kind kind = rows[i].kind;
        a.filter = only_from_0;
        a.context = &kind;
        arena_begin(&a);
        arena_deliver(&a);
        a.now_ms = a.round.deadline_ms - 1;
        arena_deadline(&a, OUTBOX_SERVER);
        CHECK_NUMBER(i, a.round.phase);
        a.now_ms++;
        arena_deadline(&a, OUTBOX_SERVER);
        CHECK_NUMBER(PHASE_FAILED, a.round.phase);
        CHECK_NUMBER(rows[i].why, a.round.why);
        CHECK(a.round.deadline_ms == UINT64_MAX);
        CHECK_NUMBER(0, a.round.opened[0].n);
        /* Everybody is told. */
        CHECK_NUMBER(5, a.n_flights);
        arena_deliver(&a);
        for (uint32_t v = 0; v < a.n; v++) {
            CHECK_NUMBER(SESSION_IDLE, a.session[v].phase);
            CHECK_NUMBER(rows[i].why, a.session[v].why);
        }
    }
}

static bool three_answer(struct arena *a, struct flight *flight)
{
    return !(flight->from >= 3 && flight->from < 5 &&
             flight_kind(flight) == *(const enum msg_kind *)a->context);
}

/* Three are enough for every segment, but below T. */
static void below_t_sites_are_asked_for_nothing_more(void)
{
    static const enum msg_kind kinds[] = {MSG_ADVERT, MSG_SHARES, MSG_MASKED};
    for (size_t i = 0; i < 3; i++) {
        AUTO(arena_close) struct arena a = {0};
        open_small(&a);
        enum msg_kind kind = kinds[i];
        a.filter = three_answer;
        a.context = &kind;
        arena_begin(&a);
        arena_run(&a);
        CHECK_NUMBER(PHASE_FAILED, a.round.phase);
        CHECK_NUMBER(REASON_QUORUM, a.round.why);
        for (uint32_t v = 0; v < a.n; v++) CHECK_NUMBER(REASON_NONE, a.last_refusal[v]);
    }
}

/* Two members leave a segment that needs three of four, though T sites stay. */
static bool two_are_silent(struct arena *a, struct flight *flight)
{
    return !(flight->from < 1 && flight_kind(flight) == *(const enum msg_kind *)a->context);
}

static void a_segment_without_its_minimum_ends_the_key_stages(void)
{
    static const uint32_t members[2] = {31, 7};
    for (enum msg_kind kind = MSG_ADVERT; kind <= MSG_SHARES; kind += MSG_SHARES - MSG_ADVERT) {
        AUTO(arena_close) struct arena a = {0};
        arena_open(&a, 5, 1, 2, 2, dims, members, 32, 1);
        a.filter = two_are_silent;
        a.context = &kind;
        arena_begin(&a);
        arena_run(&a);
        CHECK_NUMBER(PHASE_FAILED, a.round.phase);
        CHECK_NUMBER(REASON_QUORUM, a.round.why);
        /* No site had to say so. */
        for (uint32_t v = 0; v < a.n; v++) CHECK_NUMBER(REASON_NONE, a.last_refusal[v]);
    }
}

static void header_other_self(struct arena *a, void *content)
{
    (void)a;
    ((struct header *)content)->self[1].bytes[0] ^= 1;
}

static void a_dealer_who_dealt_another_seed_is_named(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    struct forgery forgery = {.kind = MSG_HEADER, .site = LIAR, .change = header_other_self};
    a.filter = forge;
    a.context = &forgery;
    /* The liar knows its own header. */
    arena_begin(&a);
    while (a.round.phase < PHASE_COLLECT) CHECK(arena_step(&a));
    struct session *liar = &a.session[LIAR];
    liar->header.n = 0;
    write_bytes(&liar->header, a.round.site[LIAR].header.at, a.round.site[LIAR].header.n);
    arena_run(&a);
    CHECK_NUMBER(PHASE_FAILED, a.round.phase);
    CHECK_NUMBER(REASON_SHARE, a.round.why);
    CHECK_NUMBER(LIAR, a.round.about);
    CHECK_NUMBER(0, a.round.opened[0].n);
}

/* An input whose checksum element is not the sum of the others, well signed. */
static bool false_checksum(struct arena *a, struct flight *flight)
{
    if (flight->from != LIAR || flight_kind(flight) != MSG_MASKED) return true;
    struct masked_input masked = {0};
    struct digest digest = {0};
    const uint8_t *identity = a->manifest.member[LIAR].identity;
    CHECK_OK(masked_read(&masked, buffer_view(&flight->bytes), &a->round.plan, LIAR));
    CHECK_OK(digest_read(&digest, masked.digest, identity));
    flight->bytes.at[flight->bytes.n - 1] ^= 1;
    digest.segment[1] = masked_digest(masked.body[1]);
    AUTO(buffer_free) struct buffer head = {0}, other = {0};
    digest_write(&head, &digest, a->key[LIAR].identity);
    masked.digest = buffer_view(&head);
    masked_write(&other, &masked);
    buffer_free(&flight->bytes);
    flight->bytes = other;
    other = (struct buffer){0};
    return true;
}

static void a_sum_against_its_checksum_ends_the_round(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    a.filter = false_checksum;
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(PHASE_FAILED, a.round.phase);
    CHECK_NUMBER(REASON_CHECKSUM, a.round.why);
    CHECK_NUMBER(0, a.round.opened[0].n + a.round.opened[1].n);
}

/* --- memory
 * ------------------------------------------------------------------------------------------ */

static void a_round_without_memory_does_not_start(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    const struct round_config config = {&a.manifest, a.coordinator.identity};
    OOM_EACH {
        oom_stop();
        struct plan plan = {0};
        struct round round = {0};
        CHECK_OK(plan_copy(&plan, &a.plan));
        oom_resume();
        enum status status = round_start(&round, &config, &plan, 0);
        oom_stop();
        CHECK(plan.cohort.word == NULL);
        if (status != STATUS_OK) CHECK(status == STATUS_NOMEM && round.site == NULL);
        round_free(&round);
    }
}

static void a_message_without_memory_ends_the_round(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    arena_begin(&a);
    AUTO(buffer_free) struct buffer advert = {0};
    catch_letter(&a, MSG_ADVERT, 0, &advert);
    oom_start(1);
    enum status status = tell(&a, 0, &advert);
    oom_stop();
    CHECK_STATUS(STATUS_NOMEM, status);
    CHECK_NUMBER(PHASE_FAILED, a.round.phase);
    CHECK_NUMBER(REASON_MEMORY, a.round.why);
}

int main(void)
{
    RUN(wrong_adverts_are_blamed);
    RUN(wrong_shares_are_blamed);
    RUN(wrong_inputs_are_blamed_and_not_added);
    RUN(wrong_confirmations_are_refused);
    RUN(wrong_revelations_are_blamed);
    RUN(another_sessions_messages_are_ignored);
    RUN(shares_of_nobody_are_blamed);
    RUN(a_message_that_its_sender_did_not_sign_is_refused);
    RUN(noise_is_malformed);
    RUN(strangers_and_the_uninvited_are_ignored);
    RUN(who_was_dropped_is_not_heard_any_more);
    RUN(who_sent_no_input_does_not_confirm);
    RUN(a_message_out_of_phase_is_ignored);
    RUN(early_and_late_messages_change_nothing);
    RUN(who_gives_up_is_out);
    RUN(awaited_are_those_who_have_not_answered);
    RUN(who_was_away_may_come_back);
    RUN(the_round_ends_when_all_others_are_gone);
    RUN(too_few_answers_end_the_round);
    RUN(below_t_sites_are_asked_for_nothing_more);
    RUN(a_segment_without_its_minimum_ends_the_key_stages);
    RUN(a_dealer_who_dealt_another_seed_is_named);
    RUN(a_sum_against_its_checksum_ends_the_round);
    RUN(a_round_without_memory_does_not_start);
    RUN(a_message_without_memory_ends_the_round);
    return check_done();
}
