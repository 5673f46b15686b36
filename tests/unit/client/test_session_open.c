/* SPDX-License-Identifier: Apache-2.0 */
/* Survivor sets that a session refuses. */
#include <string.h>

#include "tests/lib/check.h"
#include "tests/unit/client/victim.h"

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

/* A root and paths that fit the set, and the digests that are shown. */
static void root_again(const struct arena *a, struct forged_survivors *f)
{
    struct hash leaf[5] = {{{0}}};
    size_t count = 0, rank = 0;
    for (uint32_t v = 0; v < a->n; v++)
        if (bits_has(&f->statement.survivors, v))
            leaf[count++] =
                v == VICTIM ? a->round.site[v].digest : hash_of("digest", f->witness.digest[v]);
    AUTO(merkle_tree_free) struct merkle_tree tree = {0};
    CHECK_OK(merkle_tree_new(&tree, leaf, count));
    f->statement.root = merkle_tree_root(&tree);
    for (uint32_t v = 0; v < a->n; v++)
        if (bits_has(&f->statement.survivors, v))
            merkle_tree_path(v == VICTIM ? &f->witness.own : &f->witness.path[v], &tree, rank++);
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
    f->witness.own.node[0].bytes[0] ^= 1;
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

/* The others' digests: a statement that fits what it shows, with one thing wrong. */
#define OTHER 2

static void sign_anew(const struct arena *a, struct forged_survivors *f,
                      const struct digest *digest, uint32_t signer)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    digest_write(&bytes, digest, a->key[signer].identity);
    f->witness.digest[OTHER] = victim_keep(&bytes);
    root_again(a, f);
}

static struct digest digest_of_other(const struct arena *a, const struct forged_survivors *f)
{
    struct digest digest = {0};
    CHECK_OK(digest_read(&digest, f->witness.digest[OTHER], a->manifest.member[OTHER].identity));
    return digest;
}

#define OTHERWISE(field)                                                                           \
    static void digest_with_other_##field(struct arena *a, void *content)                          \
    {                                                                                              \
        struct forged_survivors *f = content;                                                      \
        struct digest digest = digest_of_other(a, f);                                              \
        *(uint8_t *)&digest.field ^= 1;                                                            \
        sign_anew(a, f, &digest, OTHER);                                                           \
    }
OTHERWISE(session)
OTHERWISE(plan)
OTHERWISE(roster)
OTHERWISE(dealers)
OTHERWISE(from)

static void digest_signed_by_another(struct arena *a, void *content)
{
    struct forged_survivors *f = content;
    const struct digest digest = digest_of_other(a, f);
    sign_anew(a, f, &digest, 4);
}

static void digest_signed_again(struct arena *a, void *content)
{
    struct forged_survivors *f = content;
    const struct digest digest = digest_of_other(a, f);
    sign_anew(a, f, &digest, OTHER);
}

static void no_digest(struct arena *a, void *content)
{
    struct forged_survivors *f = content;
    f->witness.digest[OTHER] = (struct view){0};
    root_again(a, f);
}

static void digest_at_another_rank(struct arena *a, void *content)
{
    (void)a;
    struct forged_survivors *f = content;
    f->witness.path[OTHER] = f->witness.path[OTHER + 1];
}

/* Two digests under the root, in exchanged places. */
static void digests_exchanged(struct arena *a, void *content)
{
    struct forged_survivors *f = content;
    const struct view other = f->witness.digest[OTHER], next = f->witness.digest[OTHER + 1];
    f->witness.digest[OTHER] = next;
    f->witness.digest[OTHER + 1] = other;
    root_again(a, f);
    f->witness.digest[OTHER] = other;
    f->witness.digest[OTHER + 1] = next;
}

static void digest_of_the_victim_itself(struct arena *a, void *content)
{
    struct forged_survivors *f = content;
    f->witness.digest[VICTIM] = buffer_view(&a->round.site[VICTIM].head);
    f->witness.path[VICTIM] = f->witness.own;
}

static void who_was_told_otherwise_is_no_survivor(void)
{
    struct forgery same = {.kind = MSG_SURVIVORS, .site = VICTIM, .change = digest_signed_again};
    CHECK_NUMBER(REASON_NONE, victim_refusal(victim_open, forge, &same));
    REFUSED(SURVIVORS, SURVIVORS, no_digest);
    REFUSED(SURVIVORS, SURVIVORS, digest_signed_by_another);
    REFUSED(SURVIVORS, SURVIVORS, digest_with_other_session);
    REFUSED(SURVIVORS, SURVIVORS, digest_with_other_plan);
    REFUSED(SURVIVORS, SURVIVORS, digest_with_other_roster);
    REFUSED(SURVIVORS, SURVIVORS, digest_with_other_dealers);
    REFUSED(SURVIVORS, SURVIVORS, digest_with_other_from);
    REFUSED(SURVIVORS, SURVIVORS, digest_at_another_rank);
    REFUSED(SURVIVORS, SURVIVORS, digests_exchanged);
    REFUSED(SURVIVORS, SURVIVORS, digest_of_the_victim_itself);
}

/* On a ring, of a site that the reader holds nothing of. */
static void digest_of_a_stranger(struct arena *a, void *content)
{
    struct forged_survivors *f = content;
    size_t rank = 0;
    for (uint32_t v = 0; v < a->n; v++) {
        if (!bits_has(&f->statement.survivors, v)) continue;
        if (v != VICTIM && f->witness.digest[v].n == 0) {
            f->witness.digest[v] = buffer_view(&a->round.site[v].head);
            merkle_tree_path(&f->witness.path[v], &a->round.digests, rank);
        }
        rank++;
    }
}

static void nobody_elses_digest_is_shown(void)
{
    REFUSED_ON_RING(SURVIVORS, SURVIVORS, digest_of_a_stranger);
}

static bool without_input_of_3(struct arena *a, struct flight *flight)
{
    if (flight->from == 3 && flight_kind(flight) == MSG_MASKED) return false;
    return forge(a, flight);
}

static void statement_that_opens_more(struct arena *a, void *content)
{
    (void)a;
    struct forged_survivors *f = content;
    CHECK(!bits_has(&f->statement.opened, 1));
    bits_set(&f->statement.opened, 1);
}

/* Segment 1 needs all of its four members, and one has sent nothing. */
static void a_segment_below_its_minimum_stays_sealed(void)
{
    AUTO(arena_close) struct arena a = {0};
    static const uint64_t dims[2] = {3, 2};
    static const uint32_t members[2] = {31, 15};
    arena_open(&a, 5, 1, 3, 2, dims, members, 32, 1);
    struct forgery forgery = {
        .kind = MSG_SURVIVORS, .site = VICTIM, .change = statement_that_opens_more};
    a.filter = without_input_of_3;
    a.context = &forgery;
    arena_begin(&a);
    arena_run(&a);
    CHECK(forgery.done);
    CHECK_NUMBER(REASON_SURVIVORS, a.last_refusal[VICTIM]);
    CHECK_NUMBER(0, victim_memories(&a, MEMORY_CONFIRM));
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
    victim_open(&a);
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
    AUTO(witness_free) struct witness witness = {0};
    CHECK_OK(witness_new(&witness, a->n));
    survivors_write(&flight->bytes, &other, &witness, a->coordinator.identity);
    return true;
}

static void a_second_survivor_set_is_equivocation(void)
{
    enum msg_kind before_release = MSG_QUORUM, after_release = MSG_RESULT;
    CHECK_NUMBER(REASON_EQUIVOCATION,
                 victim_refusal(victim_open, say_something_else, &before_release));
    AUTO(arena_close) struct arena a = {0};
    victim_open(&a);
    a.filter = say_something_else;
    a.context = &after_release;
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(REASON_EQUIVOCATION, a.last_refusal[VICTIM]);
    CHECK_NUMBER(1, victim_memories(&a, MEMORY_CONFIRM));
}

static enum reason alone(void *context, const struct plan *plan, const struct bits *survivors)
{
    (void)context;
    CHECK_NUMBER(1, plan->round);
    CHECK_NUMBER(5, bits_count(survivors));
    return REASON_ISOLATED;
}

static bool set_weigh(struct arena *a, struct flight *flight)
{
    a->session[VICTIM].config.weigh = alone;
    if (flight->to == OUTBOX_SERVER && flight->from == VICTIM)
        CHECK(flight_kind(flight) != MSG_CONFIRM);
    return true;
}

static void what_the_site_itself_refuses_is_not_confirmed(void)
{
    CHECK_NUMBER(REASON_ISOLATED, victim_refusal(victim_open, set_weigh, NULL));
}

static void count_pads(struct arena *a, uint32_t site, uint32_t segment, const struct pad *pad,
                       size_t n)
{
    size_t *counted = a->context;
    (void)site, (void)segment, (void)pad;
    CHECK_NUMBER(7, n);
    *counted += 1;
}

/* Its own pad, and those of its six neighbours. */
static void on_a_ring_pads_run_between_neighbours_alone(void)
{
    AUTO(arena_close) struct arena a = {0};
    size_t counted = 0;
    victim_open_ring(&a);
    a.pad_spy = count_pads;
    a.context = &counted;
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(2 * VICTIM_RING_SITES, counted);
    CHECK(a.round.phase == PHASE_DONE && arena_sums_exact(&a));
}

int main(void)
{
    RUN(a_survivor_set_against_the_rules_is_refused);
    RUN(who_was_told_otherwise_is_no_survivor);
    RUN(nobody_elses_digest_is_shown);
    RUN(a_segment_below_its_minimum_stays_sealed);
    RUN(a_survivor_who_never_dealt_is_refused);
    RUN(too_few_survivors_are_refused);
    RUN(a_second_survivor_set_is_equivocation);
    RUN(what_the_site_itself_refuses_is_not_confirmed);
    RUN(on_a_ring_pads_run_between_neighbours_alone);
    return check_done();
}
