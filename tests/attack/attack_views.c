/* SPDX-License-Identifier: Apache-2.0 */
/* A3 and A4, split views: the coordinator tells some sites that the victim survived and others that
 * it dropped, to get shares of both its secrets. Five sites, of which one (4) colludes and confirms
 * whatever it is asked to; T = t = 4. */
#include <string.h>

#include "tests/attack/row.h"
#include "tests/attack/split.h"

#define VICTIM SPLIT_VICTIM
#define TRAITOR SPLIT_TRAITOR

static const uint64_t dims[1] = {4};

static void no_split_gets_two_quorums_or_both_kinds_of_shares(void)
{
    for (uint32_t told = 0; told < 16; told++) {
        AUTO(arena_close) struct arena a = {0};
        arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1 + told);
        struct split split = {.told_second = told};
        a.filter = split_views_of;
        a.context = &split;
        arena_begin(&a);
        arena_deliver(&a);
        uint32_t n[2] = {0};
        for (size_t second = 0; second < 2; second++) {
            AUTO(buffer_free) struct buffer bytes = {0};
            n[second] = split_quorum(&a, &split, second, &bytes);
            for (uint32_t v = 0; v < a.n; v++)
                if (split.confirmed[second][v])
                    arena_repeat(&a, &(struct flight){OUTBOX_SERVER, v, bytes});
            arena_deliver(&a);
        }
        CHECK(n[0] < a.plan.params.quorum || n[1] < a.plan.params.quorum);
        CHECK(split.pair_shares == 0 || split.self_shares == 0);
        CHECK((split.pair_shares + split.self_shares > 0) ==
              (n[0] >= a.plan.params.quorum || n[1] >= a.plan.params.quorum));
        split_free(&split);
    }
}

/* The second statement comes to a site that confirmed the first. */
static void who_hears_both_statements_has_the_proof(void)
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1);
    struct split split = {0};
    a.filter = split_views_of;
    a.context = &split;
    arena_begin(&a);
    arena_deliver(&a);
    arena_post(&a, OUTBOX_SERVER, 0, &split.second[0]);
    a.filter = NULL;
    arena_step(&a);
    CHECK_REFUSED(EQUIVOCATION, a.last_refusal[0]);
    CHECK_NUMBER(SESSION_IDLE, a.session[0].phase);
    split_free(&split);
}

/* However many sign the other statement: who confirmed one releases nothing for another. */
static void no_quorum_moves_a_site_from_what_it_confirmed(void)
{
    for (int ring = 0; ring < 2; ring++) {
        AUTO(arena_close) struct arena a = {0};
        arena_open(&a, ring == 1 ? 9 : 5, 1, 2, 1, dims, NULL, 32, 1);
        if (ring == 1) arena_ring(&a, 7);
        struct split split = {0};
        a.filter = split_views_of;
        a.context = &split;
        arena_begin(&a);
        arena_deliver(&a);
        CHECK_NUMBER(SESSION_QUORUM, a.session[0].phase);
        AUTO(buffer_free) struct buffer quorum = {0};
        forge_quorum(&a, &quorum, &split.second_hash);
        arena_post(&a, OUTBOX_SERVER, 0, &quorum);
        arena_deliver(&a);
        CHECK_REFUSED(CONFIRMATIONS, a.last_refusal[0]);
        CHECK_NUMBER(0, split.pair_shares + split.self_shares);
        split_free(&split);
    }
}

static void name_other_dealers(struct arena *a, void *content)
{
    (void)a;
    ((struct forged_survivors *)content)->statement.dealers.bytes[0] ^= 1;
}

static void a_statement_names_the_dealers_that_all_were_told(void)
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1);
    struct forgery forgery = {.kind = MSG_SURVIVORS, .site = VICTIM, .change = name_other_dealers};
    a.filter = forge;
    a.context = &forgery;
    arena_begin(&a);
    arena_run(&a);
    CHECK_REFUSED(SURVIVORS, a.last_refusal[VICTIM]);
}

/* A victim is told of too few dealers, others drop by the coordinator's choice, and what is left of
 * the victim's pads is its own: holders that took it for a survivor would give that away. */
enum shown { NO_DIGEST, ITS_DIGEST, FORGED_DIGEST };
struct blindfold {
    bool on_ring;             /* then pad neighbours of the victim are chosen */
    uint32_t hidden, cleared; /* sets of sites */
    enum shown shown;
    size_t inputs, shares; /* of the victim */
};

static void hide_dealers(const struct blindfold *b, struct inbox *inbox)
{
    for (uint32_t v = 0; v < inbox->n; v++) {
        if ((b->hidden >> v & 1) == 0) continue;
        bits_clear(&inbox->dealers, v);
        inbox->header[v] = inbox->sealed[v] = (struct view){0};
    }
}

/* In the coordinator's books the victim is a survivor, with its digest or with a better one. */
static void count_in(struct arena *a, const struct blindfold *b, struct view letter)
{
    struct masked_input masked = {0};
    struct digest digest = {0};
    struct contributor *site = &a->round.site[VICTIM];
    CHECK_OK(masked_read(&masked, letter, &a->round.plan, VICTIM));
    CHECK_OK(digest_read(&digest, masked.digest, a->manifest.member[VICTIM].identity));
    CHECK(!hash_equal(&digest.dealers, &a->round.dealers_hash));
    digest.dealers = a->round.dealers_hash;
    if (b->shown == ITS_DIGEST) write_bytes(&site->head, masked.digest.at, masked.digest.n);
    if (b->shown == FORGED_DIGEST) digest_write(&site->head, &digest, a->coordinator.identity);
    site->digest = hash_of("digest", buffer_view(&site->head));
    bits_set(&a->round.survivors, VICTIM);
}

static bool blind(struct arena *a, struct flight *flight)
{
    struct blindfold *b = a->context;
    const enum msg_kind kind = flight_kind(flight);
    if (flight_is(flight, MSG_INBOX, VICTIM)) {
        AUTO(inbox_free) struct inbox inbox = {0};
        CHECK_OK(inbox_read(&inbox, buffer_view(&flight->bytes), a->n, SIZE_MAX,
                            a->manifest.coordinator.identity));
        hide_dealers(b, &inbox);
        struct buffer other = {0};
        inbox_write(&other, &inbox, a->coordinator.identity);
        buffer_free(&flight->bytes);
        flight->bytes = other;
    }
    if (flight_is(flight, MSG_MASKED, VICTIM)) {
        b->inputs++;
        count_in(a, b, buffer_view(&flight->bytes));
        return false;
    }
    if (kind == MSG_UNMASK && flight->from != VICTIM) {
        AUTO(unmask_free) struct unmask unmask = {0};
        CHECK_OK(unmask_read(&unmask, buffer_view(&flight->bytes), a->n,
                             a->manifest.member[flight->from].identity));
        const struct bundle *bundle = &unmask.bundle[VICTIM];
        for (uint32_t p = 0; p < bundle->n; p++) b->shares += bundle->place[p].have;
    }
    return kind != MSG_MASKED || (b->cleared >> flight->from & 1) == 0;
}

/* The honest holders see through it, the victim does, and nothing of it is released. */
static void blind_in_vain(struct arena *a, struct blindfold *b)
{
    a->filter = blind;
    a->context = b;
    while (a->round.phase < PHASE_COLLECT) CHECK(arena_step(a));
    for (uint32_t v = 0, n = 0; b->on_ring && v < a->n && n < 4; v++)
        if (graph_linked(&a->round.pads[0], VICTIM, v))
            *(n++ < 2 ? &b->hidden : &b->cleared) |= 1U << v;
    arena_deliver(a);
    for (uint32_t v = 0; v < a->n; v++)
        if ((b->cleared >> v & 1) != 0) arena_gone(a, v);
    arena_run(a);
    CHECK_NUMBER(1, b->inputs);
    CHECK_NUMBER(0, b->shares);
    CHECK_NUMBER(PHASE_FAILED, a->round.phase);
    CHECK_REFUSED(SURVIVORS, a->last_refusal[VICTIM]);
    for (uint32_t v = 0; v < a->n; v++)
        if ((b->cleared >> v & 1) == 0 &&
            graph_holder_number(&a->round.graph, VICTIM, v) != GRAPH_NONE)
            CHECK_REFUSED(SURVIVORS, a->last_refusal[v]);
}

/* On a ring, two of the victim's pad neighbours are hidden and two cleared away. */
static void no_ring_is_cut_by_hiding_and_clearing(void)
{
    for (enum shown shown = NO_DIGEST; shown <= FORGED_DIGEST; shown++) {
        AUTO(arena_close) struct arena a = {0};
        arena_open(&a, 9, 1, 2, 1, dims, NULL, 32, 1);
        arena_ring(&a, 7);
        struct blindfold b = {.on_ring = true, .shown = shown};
        arena_begin(&a);
        blind_in_vain(&a, &b);
    }
}

/* Segment 1 has six members: three are hidden from the victim, the other two cleared away. */
static void no_small_segment_is_emptied_by_hiding_and_clearing(void)
{
    static const uint64_t two[2] = {4, 4};
    static const uint32_t members[2] = {0x1ff, 0x3f};
    for (enum shown shown = NO_DIGEST; shown <= FORGED_DIGEST; shown++) {
        AUTO(arena_close) struct arena a = {0};
        arena_open(&a, 9, 1, 2, 2, two, members, 32, 1);
        struct blindfold b = {.hidden = 0x31, .cleared = 0x6, .shown = shown};
        arena_begin(&a);
        blind_in_vain(&a, &b);
    }
}

/* On a ring one site is shown another order: it deals to other neighbours, and what it signs is of
 * another session for all the rest. */
static struct buffer strayed;

static void hide_a_position(struct arena *a, void *content)
{
    (void)a;
    ((struct positions *)content)->nonce[TRAITOR] = (struct view){0};
}

static bool keep_shares(struct arena *a, struct flight *flight)
{
    if (flight_is(flight, MSG_SHARES, VICTIM))
        write_bytes(&strayed, flight->bytes.at, flight->bytes.n);
    return forge(a, flight);
}

static void add_the_strayed(struct arena *a, void *content)
{
    struct inbox *inbox = content;
    AUTO(shares_free) struct shares shares = {0};
    CHECK_OK(shares_read(&shares, buffer_view(&strayed), graph_holders(&a->session[VICTIM].graph),
                         SIZE_MAX));
    bits_set(&inbox->dealers, VICTIM);
    inbox->header[VICTIM] = shares.header;
    inbox->head[VICTIM] = header_hash(shares.header);
    inbox->sealed[VICTIM] = shares.sealed[0];
}

static void who_was_shown_another_ring_is_in_another_session(void)
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 9, 1, 2, 1, dims, NULL, 32, 1);
    arena_ring(&a, 7);
    struct forgery forgery = {.kind = MSG_POSITIONS, .site = VICTIM, .change = hide_a_position};
    a.filter = keep_shares;
    a.context = &forgery;
    arena_begin(&a);
    while (strayed.n == 0) CHECK(arena_step(&a));
    CHECK(!hash_equal(&a.session[VICTIM].roster_hash, &a.round.roster_hash));
    CHECK_REFUSED(SHARE, a.blamed[VICTIM]);
    const uint32_t reader = graph_holder(&a.round.graph, VICTIM, 0);
    forgery = (struct forgery){.kind = MSG_INBOX, .site = reader, .change = add_the_strayed};
    while (!forgery.done) CHECK(arena_step(&a));
    CHECK_REFUSED(ROSTER, a.last_refusal[reader]);
    buffer_free(&strayed);
}

static void mixed_shares(void)
{
    RUN(no_split_gets_two_quorums_or_both_kinds_of_shares);
    RUN(no_quorum_moves_a_site_from_what_it_confirmed);
}

static void other_views(void)
{
    RUN(who_hears_both_statements_has_the_proof);
    RUN(a_statement_names_the_dealers_that_all_were_told);
    RUN(no_ring_is_cut_by_hiding_and_clearing);
    RUN(no_small_segment_is_emptied_by_hiding_and_clearing);
    RUN(who_was_shown_another_ring_is_in_another_session);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {
        {"A3", "both kinds of shares of one site", mixed_shares},
        {"A4", "different survivors, dealers or rings for different sites", other_views},
    };
    return row_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
