/* SPDX-License-Identifier: Apache-2.0 */
/* Each reason that a session gives, by a coordinator (or peers) who lie in exactly one thing. The
 * victim is site 0 of five; 1 may collude; thresholds are 4, minimum m + c = 3. */
#include <string.h>

#include "base/secret.h"
#include "tests/lib/check.h"
#include "tests/lib/forge.h"
#include "tests/lib/oom.h"

#define VICTIM 0

static const uint64_t dims[2] = {3, 2};
/* Site 4 is not in segment 1. */
static const uint32_t members[2] = {31, 15};

static void open_small(struct arena *a, uint64_t seed)
{
    arena_open(a, 5, 1, 2, 2, dims, members, 32, seed);
}

/* Idle, without secrets. */
static bool at_rest(const struct session *s)
{
    static const uint8_t zero[sizeof s->self_seed] = {0};
    static const struct peer nobody = {0};
    bool rests = s->phase == SESSION_IDLE && s->deadline_ms == UINT64_MAX && !s->named &&
                 secret_equal(s->seed, zero, sizeof s->seed) &&
                 secret_equal(s->enc_seed, zero, sizeof s->enc_seed) &&
                 secret_equal(s->self_seed, zero, sizeof s->self_seed);
    for (uint32_t v = 0; v < s->config.manifest->n; v++)
        rests = rests && secret_equal(&s->peer[v], &nobody, sizeof nobody);
    return rests;
}

static size_t memories(const struct arena *a, enum memory_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < a->n_memories; i++)
        count += a->memory_site[i] == VICTIM && a->memory[i].kind == kind;
    return count;
}

struct outcome {
    enum reason why;
    size_t releases; /* whether shares had been released before */
};

/* Play a round against the victim with one filter; tell why the victim left. */
static struct outcome play(arena_filter *filter, void *context)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a, 1);
    a.filter = filter;
    a.context = context;
    arena_begin(&a);
    while (arena_step(&a) && a.last_refusal[VICTIM] == REASON_NONE) continue;
    const struct outcome end = {a.last_refusal[VICTIM], memories(&a, MEMORY_RELEASE)};
    if (end.why == REASON_NONE) return end;
    CHECK(at_rest(&a.session[VICTIM]));
    /* The other side is told why, if a plan was read: the last letter is the victim's notice. */
    const struct flight *last = &a.flight[a.n_flights - 1];
    struct abort_notice notice = {0};
    if (a.n_flights == 0 || last->from != VICTIM) {
        CHECK_NUMBER(0, memories(&a, MEMORY_PLAN));
        return end;
    }
    CHECK_OK(abort_read(&notice, buffer_view(&last->bytes), a.manifest.member[VICTIM].identity));
    CHECK_NUMBER(end.why, notice.reason);
    return end;
}

static enum reason refusal(arena_filter *filter, void *context)
{
    return play(filter, context).why;
}

static enum reason forged(enum msg_kind kind, void (*change)(struct arena *, void *))
{
    struct forgery forgery = {.kind = kind, .site = VICTIM, .change = change};
    const struct outcome end = play(forge, &forgery);
    CHECK(forgery.done);
    CHECK((kind == MSG_RESULT) == (end.releases > 0));
    return end.why;
}

#define REFUSED(reason, kind, change) CHECK_NUMBER(REASON_##reason, forged(MSG_##kind, change))

/* --- plans ------------------------------------------------------------------------------------ */

static void change_manifest(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    plan->manifest.bytes[0] ^= 1;
}

static void another_manifest_is_refused(void)
{
    REFUSED(MANIFEST, PLAN, change_manifest);
}

static void change_study(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    plan->study.bytes[31] ^= 1;
}

static void another_study_is_refused(void)
{
    REFUSED(STUDY, PLAN, change_study);
}

static void round_zero(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    plan->round = 0;
}

static void a_round_that_is_not_new_is_refused(void)
{
    REFUSED(REPLAY, PLAN, round_zero);
}

static void change_model_hash(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    plan->state.bytes[5] ^= 1;
}

static void change_model(struct arena *a, void *content)
{
    (void)a;
    static const uint8_t other[] = {1};
    struct opening *opening = content;
    opening->state = (struct view){other, sizeof other};
}

static void a_model_without_the_planned_hash_is_refused(void)
{
    REFUSED(MODEL, PLAN, change_model_hash);
    REFUSED(MODEL, OPENING, change_model);
}

static void fewer_sites(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    plan->params.n = 4;
}

static void low_share_threshold(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    plan->params.t = 3;
}

static void low_quorum(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    plan->params.quorum = 3;
}

static void nobody_colludes(struct arena *a, void *content)
{
    struct plan *plan = content;
    a->manifest.floor.c = 1;
    plan->manifest = manifest_hash(&a->manifest);
    plan->params.c = 0;
}

static void fewer_honest(struct arena *a, void *content)
{
    struct plan *plan = content;
    a->manifest.floor.m = 2;
    plan->manifest = manifest_hash(&a->manifest);
    plan->params.m = 1;
}

static void small_cohort(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    for (uint32_t v = 3; v < 5; v++) {
        bits_clear(&plan->cohort, v);
        for (uint32_t l = 0; l < plan->n_segments; l++) bits_clear(&plan->segment[l].members, v);
    }
}

static void unsound_thresholds_are_refused(void)
{
    REFUSED(THRESHOLD, PLAN, fewer_sites);
    REFUSED(THRESHOLD, PLAN, low_share_threshold);
    REFUSED(THRESHOLD, PLAN, low_quorum);
    REFUSED(THRESHOLD, PLAN, nobody_colludes);
    REFUSED(THRESHOLD, PLAN, fewer_honest);
    REFUSED(THRESHOLD, PLAN, small_cohort);
}

static void leave_victim_out(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    bits_clear(&plan->cohort, VICTIM);
}

static void a_cohort_without_this_site_is_refused(void)
{
    REFUSED(COHORT, PLAN, leave_victim_out);
}

static void member_outside_cohort(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    bits_clear(&plan->cohort, 4);
}

static void two_members(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    bits_clear(&plan->segment[1].members, 2);
    bits_clear(&plan->segment[1].members, 3);
}

static void a_segment_with_too_few_members_is_refused(void)
{
    REFUSED(CONTRIBUTORS, PLAN, member_outside_cohort);
    REFUSED(CONTRIBUTORS, PLAN, two_members);
}

static void narrow_ring(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    plan->grid.bits = GRID_BITS_MIN;
}

static void a_ring_that_could_wrap_is_refused(void)
{
    REFUSED(RING, PLAN, narrow_ring);
}

static void unknown_cipher(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    plan->cipher = CIPHER_COUNT;
}

static void an_unknown_cipher_is_refused(void)
{
    REFUSED(CIPHER, PLAN, unknown_cipher);
}

static void other_history(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    plan->previous.bytes[0] ^= 1;
}

static void another_history_is_refused(void)
{
    REFUSED(FORK, PLAN, other_history);
}

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

static enum reason too_expensive(void *context, const struct plan *plan, struct view state)
{
    (void)context, (void)plan, (void)state;
    return REASON_BUDGET;
}

static bool set_judge(struct arena *a, struct flight *flight)
{
    (void)flight;
    a->session[VICTIM].config.judge = too_expensive;
    return true;
}

static void the_sites_own_judgement_counts(void)
{
    CHECK_NUMBER(REASON_BUDGET, refusal(set_judge, NULL));
}

/* --- any message ------------------------------------------------------------------------------ */

struct damage {
    enum msg_kind kind;
    size_t from_end; /* which byte is changed */
};

static bool damage(struct arena *a, struct flight *flight)
{
    const struct damage *d = a->context;
    if (flight->to == VICTIM && flight_is(flight, d->kind, VICTIM))
        flight->bytes.at[flight->bytes.n - d->from_end] ^= 1;
    return true;
}

static const enum msg_kind from_server[] = {MSG_ROSTER, MSG_INBOX, MSG_SURVIVORS, MSG_RESULT};

static void a_message_that_the_coordinator_did_not_sign_is_refused(void)
{
    for (size_t i = 0; i < sizeof from_server / sizeof *from_server; i++) {
        struct damage d = {.kind = from_server[i], .from_end = 70};
        CHECK_NUMBER(REASON_SIGNATURE, refusal(damage, &d));
        d.from_end = 1;
        CHECK_NUMBER(REASON_SIGNATURE, refusal(damage, &d));
    }
    /* The plan's signature stands before the empty state and the count of results. */
    struct damage d = {.kind = MSG_OPENING, .from_end = 9};
    CHECK_NUMBER(REASON_SIGNATURE, refusal(damage, &d));
}

static bool cut(struct arena *a, struct flight *flight)
{
    const struct damage *d = a->context;
    if (flight->to == VICTIM && flight_is(flight, d->kind, VICTIM)) flight->bytes.n = 60;
    return true;
}

static void a_malformed_message_is_refused(void)
{
    for (size_t i = 0; i < sizeof from_server / sizeof *from_server; i++) {
        struct damage d = {.kind = from_server[i]};
        CHECK_NUMBER(REASON_FORMAT, refusal(cut, &d));
    }
    struct damage quorum = {.kind = MSG_QUORUM};
    CHECK_NUMBER(REASON_FORMAT, refusal(cut, &quorum));
}

static void noise_is_refused(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a, 1);
    struct outbox out = {0};
    CHECK_STATUS(STATUS_FORMAT,
                 session_message(&a.session[0], (struct view){(const uint8_t *)"?", 1}, 0, &out));
    CHECK_NUMBER(REASON_FORMAT, a.session[0].why);
    outbox_free(&out);
}

/* --- rosters ---------------------------------------------------------------------------------- */

static uint8_t spare[2][4096];

/* A copy that outlives the change. */
static struct view keep(size_t slot, const struct buffer *bytes)
{
    REQUIRE(bytes->status == STATUS_OK && bytes->n <= sizeof spare[slot]);
    memcpy(spare[slot], bytes->at, bytes->n);
    return (struct view){spare[slot], bytes->n};
}

/* Site 1's advert, changed and signed by `signer`. */
static void rewrite_advert(struct arena *a, struct roster *roster,
                           void (*change)(struct arena *, struct advert *), uint32_t signer)
{
    struct advert advert = {0};
    CHECK_OK(advert_read(&advert, roster->advert[1], a->manifest.member[1].identity));
    change(a, &advert);
    AUTO(buffer_free) struct buffer bytes = {0};
    advert_write(&bytes, &advert, a->key[signer].identity);
    roster->advert[1] = keep(0, &bytes);
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
    roster->advert[VICTIM] = keep(0, &bytes);
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
    open_small(&a, 1);
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

/* --- inboxes ---------------------------------------------------------------------------------- */

static void rewrite_header(struct arena *a, struct inbox *inbox, void (*change)(struct header *),
                           uint32_t signer)
{
    struct header header = {0};
    CHECK_OK(header_read(&header, inbox->header[1], a->manifest.member[1].identity));
    change(&header);
    AUTO(buffer_free) struct buffer bytes = {0};
    header_write(&bytes, &header, a->key[signer].identity);
    inbox->header[1] = keep(0, &bytes);
}

static void header_as_it_is(struct header *header)
{
    (void)header;
}

static void header_signed_by_another(struct arena *a, void *content)
{
    rewrite_header(a, content, header_as_it_is, 2);
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

static void header_of_other_root(struct header *header)
{
    header->root.bytes[0] ^= 1;
}

#define HEADER_CHANGE(name)                                                                        \
    static void in_##name(struct arena *a, void *content)                                          \
    {                                                                                              \
        rewrite_header(a, content, name, 1);                                                       \
    }
HEADER_CHANGE(header_of_site_2)
HEADER_CHANGE(header_of_other_plan)
HEADER_CHANGE(header_of_other_roster)
HEADER_CHANGE(header_of_fewer_segments)
HEADER_CHANGE(header_of_other_root)

static void a_dealer_that_did_not_sign_is_refused(void)
{
    REFUSED(SIGNATURE, INBOX, header_signed_by_another);
}

static void own_header_missing(struct arena *a, void *content)
{
    (void)a;
    struct inbox *inbox = content;
    inbox->header[VICTIM] = (struct view){0};
}

static void own_header_changed(struct arena *a, void *content)
{
    (void)a;
    struct inbox *inbox = content;
    inbox->header[VICTIM] = inbox->header[1];
}

static void a_header_of_something_else_is_refused(void)
{
    REFUSED(ROSTER, INBOX, in_header_of_site_2);
    REFUSED(ROSTER, INBOX, in_header_of_other_plan);
    REFUSED(ROSTER, INBOX, in_header_of_other_roster);
    REFUSED(ROSTER, INBOX, in_header_of_fewer_segments);
    REFUSED(ROSTER, INBOX, own_header_missing);
    REFUSED(ROSTER, INBOX, own_header_changed);
}

static void damage_sealed(struct arena *a, void *content)
{
    (void)a;
    struct inbox *inbox = content;
    AUTO(buffer_free) struct buffer bytes = {0};
    write_bytes(&bytes, inbox->sealed[1].at, inbox->sealed[1].n);
    bytes.at[bytes.n - 1] ^= 1;
    inbox->sealed[1] = keep(0, &bytes);
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

static void a_share_that_is_not_the_committed_one_is_refused(void)
{
    REFUSED(SHARE, INBOX, damage_sealed);
    REFUSED(SHARE, INBOX, exchange_sealed);
    REFUSED(SHARE, INBOX, other_path);
    REFUSED(SHARE, INBOX, in_header_of_other_root);
}

static void two_dealers_missing(struct arena *a, void *content)
{
    (void)a;
    struct inbox *inbox = content;
    inbox->header[2] = inbox->header[3] = (struct view){0};
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
    open_small(&a, 1);
    a.filter = roster_without_site_1;
    arena_begin(&a);
    arena_deliver(&a);
    arena_wait(&a);
    while (a.session[VICTIM].phase != SESSION_INBOX) CHECK(arena_step(&a));
    struct inbox inbox = {0};
    CHECK_OK(inbox_new(&inbox, a.n));
    memcpy(inbox.session, a.round.plan.session, MSG_SESSION_BYTES);
    inbox.header[1] = buffer_view(&a.session[VICTIM].header);
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

/* --- survivor sets ---------------------------------------------------------------------------- */

static void statement_of_other_plan(struct arena *a, void *content)
{
    (void)a;
    struct forged_survivors *f = content;
    f->statement.plan.bytes[0] ^= 1;
}

static void statement_of_other_roster(struct arena *a, void *content)
{
    (void)a;
    struct forged_survivors *f = content;
    f->statement.roster.bytes[0] ^= 1;
}

static void statement_of_other_dealers(struct arena *a, void *content)
{
    (void)a;
    struct forged_survivors *f = content;
    f->statement.dealers.bytes[0] ^= 1;
}

/* A root that fits the set, with the victim's digest where it looks for it, first of all. */
static void root_again(const struct arena *a, struct forged_survivors *f)
{
    struct hash leaf[ARENA_SITES_MAX] = {a->round.site[VICTIM].digest};
    const size_t n = bits_count(&f->statement.survivors);
    CHECK_OK(merkle_root(&f->statement.root, leaf, n));
    CHECK_OK(merkle_path_of(&f->path, leaf, n, 0));
}

static void statement_without_victim(struct arena *a, void *content)
{
    struct forged_survivors *f = content;
    bits_clear(&f->statement.survivors, VICTIM);
    root_again(a, f);
}

static void statement_that_opens_less(struct arena *a, void *content)
{
    (void)a;
    struct forged_survivors *f = content;
    bits_clear(&f->statement.opened, 0);
}

static void statement_with_other_root(struct arena *a, void *content)
{
    (void)a;
    struct forged_survivors *f = content;
    f->statement.root.bytes[0] ^= 1;
}

static void statement_with_other_path(struct arena *a, void *content)
{
    (void)a;
    struct forged_survivors *f = content;
    f->path.node[0].bytes[0] ^= 1;
}

static void a_survivor_set_against_the_rules_is_refused(void)
{
    REFUSED(SURVIVORS, SURVIVORS, statement_of_other_plan);
    REFUSED(SURVIVORS, SURVIVORS, statement_of_other_roster);
    REFUSED(SURVIVORS, SURVIVORS, statement_of_other_dealers);
    REFUSED(SURVIVORS, SURVIVORS, statement_without_victim);
    REFUSED(SURVIVORS, SURVIVORS, statement_that_opens_less);
    REFUSED(SURVIVORS, SURVIVORS, statement_with_other_root);
    REFUSED(SURVIVORS, SURVIVORS, statement_with_other_path);
}

static bool silent_dealer(struct arena *a, struct flight *flight)
{
    if (flight->from == 3 && flight_kind(flight) == MSG_SHARES) return false;
    return forge(a, flight);
}

static void statement_with_site_3(struct arena *a, void *content)
{
    struct forged_survivors *f = content;
    bits_set(&f->statement.survivors, 3);
    root_again(a, f);
}

static void a_survivor_who_never_dealt_is_refused(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a, 1);
    struct forgery forgery = {
        .kind = MSG_SURVIVORS, .site = VICTIM, .change = statement_with_site_3};
    a.filter = silent_dealer;
    a.context = &forgery;
    arena_begin(&a);
    arena_run(&a);
    CHECK(forgery.done);
    CHECK_NUMBER(REASON_SURVIVORS, a.last_refusal[VICTIM]);
}

static void statement_of_three(struct arena *a, void *content)
{
    (void)a;
    struct forged_survivors *f = content;
    bits_clear(&f->statement.survivors, 4);
    bits_clear(&f->statement.survivors, 3);
}

static void too_few_survivors_are_refused(void)
{
    REFUSED(QUORUM, SURVIVORS, statement_of_three);
}

/* After the confirmation comes another statement, signed as well. */
static bool say_something_else(struct arena *a, struct flight *flight)
{
    if (flight->to != VICTIM || flight_kind(flight) != *(const enum msg_kind *)a->context)
        return true;
    struct survivors other = {.survivors = a->round.survivors, .opened = a->round.opened_set};
    memcpy(other.session, a->round.plan.session, MSG_SESSION_BYTES);
    flight->bytes.n = 0;
    survivors_write(&flight->bytes, &other, &(struct merkle_path){0}, a->coordinator.identity);
    return true;
}

static void a_second_survivor_set_is_equivocation(void)
{
    enum msg_kind before_release = MSG_QUORUM, after_release = MSG_RESULT;
    CHECK_NUMBER(REASON_EQUIVOCATION, refusal(say_something_else, &before_release));
    AUTO(arena_close) struct arena a = {0};
    open_small(&a, 1);
    a.filter = say_something_else;
    a.context = &after_release;
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(REASON_EQUIVOCATION, a.last_refusal[VICTIM]);
    CHECK_NUMBER(1, memories(&a, MEMORY_CONFIRM));
}

/* --- quorums ---------------------------------------------------------------------------------- */

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
    open_small(&a, 1);
    struct forgery forgery = {.kind = MSG_QUORUM, .site = VICTIM, .change = outsider_confirms};
    a.filter = silent_input;
    a.context = &forgery;
    arena_begin(&a);
    arena_run(&a);
    CHECK(forgery.done);
    CHECK_NUMBER(REASON_CONFIRMATIONS, a.last_refusal[VICTIM]);
    CHECK_NUMBER(0, memories(&a, MEMORY_RELEASE));
}

/* --- results ---------------------------------------------------------------------------------- */

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

/* --- what is ignored, given up, or survived ----------------------------------------------------
 */

static bool twice(struct arena *a, struct flight *flight)
{
    size_t *repeats = a->context;
    if (flight->to == VICTIM && *repeats < 30) {
        (*repeats)++;
        arena_repeat(a, flight);
    }
    return true;
}

static void what_comes_twice_is_ignored(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a, 1);
    size_t repeats = 0;
    a.filter = twice;
    a.context = &repeats;
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    CHECK(memories(&a, MEMORY_INPUT) == 1 && memories(&a, MEMORY_CONFIRM) == 1);
    CHECK(memories(&a, MEMORY_RELEASE) == 1 && memories(&a, MEMORY_RESULT) == 1);
}

/* Bring the victim into a phase. */
static void play_until(struct arena *a, enum session_phase phase)
{
    open_small(a, 1);
    arena_begin(a);
    while (a->session[VICTIM].phase != phase) REQUIRE(arena_step(a));
}

static void another_sessions_message_is_ignored(void)
{
    AUTO(arena_close) struct arena a = {0};
    play_until(&a, SESSION_RESULT);
    struct abort_notice notice = {.from = OUTBOX_SERVER, .reason = REASON_QUORUM};
    AUTO(buffer_free) struct buffer bytes = {0};
    abort_write(&bytes, &notice, a.coordinator.identity);
    struct outbox out = {0};
    struct session *s = &a.session[VICTIM];
    CHECK_STATUS(STATUS_STATE, session_message(s, buffer_view(&bytes), a.now_ms, &out));
    CHECK_NUMBER(REASON_WRONG_SESSION, s->why);
    CHECK_NUMBER(SESSION_RESULT, s->phase);
    CHECK_NUMBER(0, out.n_letters);
    outbox_free(&out);
}

static void the_coordinators_abort_ends_the_session(void)
{
    for (enum session_phase phase = SESSION_ROSTER; phase < SESSION_PHASES; phase++) {
        if (phase == SESSION_INPUT) continue; /* the arena answers at once */
        AUTO(arena_close) struct arena a = {0};
        play_until(&a, phase);
        struct abort_notice notice = {.from = OUTBOX_SERVER, .about = 2, .reason = REASON_QUORUM};
        memcpy(notice.session, a.round.plan.session, MSG_SESSION_BYTES);
        AUTO(buffer_free) struct buffer bytes = {0};
        abort_write(&bytes, &notice, a.coordinator.identity);
        struct outbox out = {0};
        struct session *s = &a.session[VICTIM];
        CHECK_OK(session_message(s, buffer_view(&bytes), a.now_ms, &out));
        CHECK_NUMBER(REASON_QUORUM, s->why);
        CHECK(at_rest(s));
        CHECK_NUMBER(0, out.n_letters);
        CHECK_STATUS(STATUS_STATE, session_message(s, buffer_view(&bytes), a.now_ms, &out));
        outbox_free(&out);
    }
}

static void an_abort_by_someone_else_is_refused(void)
{
    AUTO(arena_close) struct arena a = {0};
    play_until(&a, SESSION_INBOX);
    struct abort_notice notice = {.from = OUTBOX_SERVER, .reason = REASON_QUORUM};
    AUTO(buffer_free) struct buffer bytes = {0};
    abort_write(&bytes, &notice, a.key[1].identity);
    struct outbox out = {0};
    CHECK_STATUS(STATUS_AUTH,
                 session_message(&a.session[VICTIM], buffer_view(&bytes), a.now_ms, &out));
    CHECK_NUMBER(REASON_SIGNATURE, a.session[VICTIM].why);
    outbox_free(&out);
}

static void each_phase_has_a_deadline(void)
{
    for (enum session_phase phase = SESSION_ROSTER; phase < SESSION_PHASES; phase++) {
        if (phase == SESSION_INPUT) continue;
        AUTO(arena_close) struct arena a = {0};
        play_until(&a, phase);
        struct session *s = &a.session[VICTIM];
        struct outbox out = {0};
        CHECK_OK(session_deadline(s, s->deadline_ms - 1, &out));
        CHECK_NUMBER(phase, s->phase);
        CHECK_OK(session_deadline(s, s->deadline_ms, &out));
        CHECK_NUMBER(REASON_DEADLINE, s->why);
        CHECK_NUMBER(1, out.n_letters);
        CHECK(at_rest(s));
        CHECK_OK(session_deadline(s, UINT64_MAX, &out));
        CHECK_NUMBER(1, out.n_letters);
        outbox_free(&out);
    }
}

static void hello_names_study_and_transcript(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a, 1);
    a.session[3].transcript.bytes[0] = 9;
    struct outbox out = {0};
    CHECK_OK(session_hello(&a.session[3], &out));
    struct hello hello = {0};
    CHECK_OK(hello_read(&hello, buffer_view(&out.letter[0].bytes), a.manifest.member[3].identity));
    CHECK_NUMBER(3, hello.from);
    CHECK_NUMBER(9, hello.transcript.bytes[0]);
    CHECK(hash_equal(&hello.study, &a.manifest.study));
    outbox_free(&out);
}

static void memories_come_back_as_written(void)
{
    struct memory memory = {.kind = MEMORY_CONFIRM, .round = 7, .n_survivors = 3}, back = {0};
    memory.session[4] = 1;
    memory.hash.bytes[5] = 2;
    AUTO(buffer_free) struct buffer bytes = {0};
    memory_write(&bytes, &memory);
    CHECK_OK(memory_read(&back, buffer_view(&bytes)));
    CHECK(back.kind == memory.kind && back.round == 7 && back.n_survivors == 3);
    CHECK_BYTES(memory.session, back.session, sizeof back.session);
    CHECK(hash_equal(&memory.hash, &back.hash));
    struct memory untouched = {.round = 99};
    for (size_t n = 0; n < bytes.n; n++)
        CHECK_STATUS(STATUS_FORMAT, memory_read(&untouched, (struct view){bytes.at, n}));
    write_u8(&bytes, 0);
    CHECK_STATUS(STATUS_FORMAT, memory_read(&untouched, buffer_view(&bytes)));
    bytes.n--;
    bytes.at[0] = 200;
    CHECK_STATUS(STATUS_FORMAT, memory_read(&untouched, buffer_view(&bytes)));
    bytes.at[0] = 0;
    CHECK_STATUS(STATUS_FORMAT, memory_read(&untouched, buffer_view(&bytes)));
    CHECK_NUMBER(99, untouched.round);
}

static void a_session_without_memory_is_not_made(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a, 1);
    struct session session = {0};
    OOM_EACH {
        enum status status = session_new(&session, &a.session[0].config);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((session.peer != NULL) == (status == STATUS_OK));
        session_free(&session);
    }
}

int main(void)
{
    RUN(another_manifest_is_refused);
    RUN(another_study_is_refused);
    RUN(a_round_that_is_not_new_is_refused);
    RUN(a_model_without_the_planned_hash_is_refused);
    RUN(unsound_thresholds_are_refused);
    RUN(a_cohort_without_this_site_is_refused);
    RUN(a_segment_with_too_few_members_is_refused);
    RUN(a_ring_that_could_wrap_is_refused);
    RUN(an_unknown_cipher_is_refused);
    RUN(another_history_is_refused);
    RUN(a_missed_result_that_the_coordinator_did_not_sign_is_refused);
    RUN(the_sites_own_judgement_counts);
    RUN(a_message_that_the_coordinator_did_not_sign_is_refused);
    RUN(a_malformed_message_is_refused);
    RUN(noise_is_refused);
    RUN(keys_that_nobody_enrolled_are_refused);
    RUN(a_wrong_roster_is_refused);
    RUN(an_old_advert_in_a_new_roster_is_refused);
    RUN(too_few_in_the_roster_are_refused);
    RUN(a_segment_that_lost_its_members_is_refused);
    RUN(a_dealer_that_did_not_sign_is_refused);
    RUN(a_header_of_something_else_is_refused);
    RUN(a_share_that_is_not_the_committed_one_is_refused);
    RUN(too_few_dealers_are_refused);
    RUN(a_dealer_outside_the_roster_is_refused);
    RUN(a_survivor_set_against_the_rules_is_refused);
    RUN(a_survivor_who_never_dealt_is_refused);
    RUN(too_few_survivors_are_refused);
    RUN(a_second_survivor_set_is_equivocation);
    RUN(fewer_than_t_confirmations_are_refused);
    RUN(who_is_no_survivor_does_not_count);
    RUN(a_result_of_something_else_is_refused);
    RUN(what_comes_twice_is_ignored);
    RUN(another_sessions_message_is_ignored);
    RUN(the_coordinators_abort_ends_the_session);
    RUN(an_abort_by_someone_else_is_refused);
    RUN(each_phase_has_a_deadline);
    RUN(hello_names_study_and_transcript);
    RUN(memories_come_back_as_written);
    RUN(a_session_without_memory_is_not_made);
    return check_done();
}
