/* SPDX-License-Identifier: Apache-2.0 */
/* A3 and A4, split views: the coordinator tells some sites that the victim survived and others that
 * it dropped, to get shares of both its secrets. Five sites, of which one (4) colludes and confirms
 * whatever it is asked to; T = t = 4. */
#include <string.h>

#include "tests/attack/row.h"
#include "tests/lib/forge.h"

#define VICTIM 3
#define TRAITOR 4

static const uint64_t dims[1] = {4};

/* The two statements, and which honest sites are told the second. */
struct split {
    uint32_t told_second;
    struct buffer second[ARENA_SITES_MAX];
    struct hash first_hash, second_hash;
    /* What came back. */
    bool confirmed[2][ARENA_SITES_MAX];
    struct confirm confirm[2][ARENA_SITES_MAX];
    size_t pair_shares, self_shares; /* of the victim, by honest sites */
};

/* Both statements are well formed: a root over the digests of their survivors. */
static void make_second(struct arena *a, struct split *split)
{
    struct round *r = &a->round;
    AUTO(bits_free) struct bits survivors = {0};
    CHECK_OK(bits_copy(&survivors, &r->survivors));
    bits_clear(&survivors, VICTIM);
    struct hash leaf[ARENA_SITES_MAX] = {{{0}}};
    size_t n = 0;
    for (uint32_t v = 0; v < a->n; v++)
        if (bits_has(&survivors, v)) leaf[n++] = r->site[v].digest;
    struct survivors statement = {.plan = r->plan_hash,
                                  .roster = r->roster_hash,
                                  .dealers = r->dealers_hash,
                                  .survivors = survivors,
                                  .opened = r->opened_set};
    memcpy(statement.session, r->plan.session, MSG_SESSION_BYTES);
    AUTO(merkle_tree_free) struct merkle_tree tree = {0};
    CHECK_OK(merkle_tree_new(&tree, leaf, n));
    statement.root = merkle_tree_root(&tree);
    split->first_hash = r->survivors_hash;
    split->second_hash = survivors_hash(&statement);
    size_t rank = 0;
    for (uint32_t v = 0; v < a->n; v++) {
        if (!bits_has(&survivors, v)) continue;
        struct merkle_path path = {0};
        merkle_tree_path(&path, &tree, rank++);
        survivors_write(&split->second[v], &statement, &path, a->coordinator.identity);
    }
}

static void note_confirm(struct arena *a, struct split *split, const struct flight *flight)
{
    struct confirm confirm = {0};
    CHECK_OK(confirm_read(&confirm, buffer_view(&flight->bytes)));
    const bool second =
        confirm_check(&confirm, &split->second_hash, a->manifest.member[flight->from].identity);
    split->confirmed[second][flight->from] = true;
    split->confirm[second][flight->from] = confirm;
}

static void note_shares(struct arena *a, struct split *split, const struct flight *flight)
{
    AUTO(unmask_free) struct unmask unmask = {0};
    CHECK_OK(unmask_read(&unmask, buffer_view(&flight->bytes), a->n,
                         a->manifest.member[flight->from].identity));
    split->pair_shares += unmask.bundle[VICTIM].place[BUNDLE_PAIR].have;
    split->self_shares += unmask.bundle[VICTIM].place[BUNDLE_SELF(0)].have;
}

/* The coordinator of this scene: tells what it likes, keeps what it gets, answers nothing. */
static bool two_faces(struct arena *a, struct flight *flight)
{
    struct split *split = a->context;
    switch (flight_kind(flight)) {
    case MSG_SURVIVORS:
        if (split->second[0].n == 0) make_second(a, split);
        if (flight->to != VICTIM && (split->told_second >> flight->to & 1) != 0) {
            flight->bytes.n = 0;
            write_bytes(&flight->bytes, split->second[flight->to].at, split->second[flight->to].n);
        }
        return flight->to != TRAITOR;
    case MSG_CONFIRM:
        note_confirm(a, split, flight);
        return false;
    case MSG_UNMASK:
        note_shares(a, split, flight);
        return false;
    default:
        return true;
    }
}

/* All confirmations of one statement that the coordinator got, the traitor's among them. */
static uint32_t write_quorum(struct arena *a, struct split *split, bool second, struct buffer *out)
{
    struct confirm confirm[ARENA_SITES_MAX] = {0};
    struct quorum quorum = {.confirm = confirm};
    memcpy(quorum.session, a->round.plan.session, MSG_SESSION_BYTES);
    struct confirm *last = &split->confirm[second][TRAITOR];
    *last = (struct confirm){.from = TRAITOR};
    confirm_sign(last, second ? &split->second_hash : &split->first_hash, a->key[TRAITOR].identity);
    split->confirmed[second][TRAITOR] = true;
    for (uint32_t v = 0; v < a->n; v++)
        if (split->confirmed[second][v]) confirm[quorum.n++] = split->confirm[second][v];
    quorum_write(out, &quorum);
    return quorum.n;
}

static void no_split_gets_two_quorums_or_both_kinds_of_shares(void)
{
    for (uint32_t told = 0; told < 16; told++) {
        AUTO(arena_close) struct arena a = {0};
        arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1 + told);
        struct split split = {.told_second = told};
        a.filter = two_faces;
        a.context = &split;
        arena_begin(&a);
        arena_deliver(&a);
        uint32_t n[2] = {0};
        for (size_t second = 0; second < 2; second++) {
            AUTO(buffer_free) struct buffer bytes = {0};
            n[second] = write_quorum(&a, &split, second, &bytes);
            for (uint32_t v = 0; v < a.n; v++)
                if (split.confirmed[second][v])
                    arena_repeat(&a, &(struct flight){OUTBOX_SERVER, v, bytes});
            arena_deliver(&a);
        }
        CHECK(n[0] < a.plan.params.quorum || n[1] < a.plan.params.quorum);
        CHECK(split.pair_shares == 0 || split.self_shares == 0);
        CHECK((split.pair_shares + split.self_shares > 0) ==
              (n[0] >= a.plan.params.quorum || n[1] >= a.plan.params.quorum));
        for (uint32_t v = 0; v < a.n; v++) buffer_free(&split.second[v]);
    }
}

/* The second statement comes to a site that confirmed the first. */
static void who_hears_both_statements_has_the_proof(void)
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1);
    struct split split = {0};
    a.filter = two_faces;
    a.context = &split;
    arena_begin(&a);
    arena_deliver(&a);
    arena_post(&a, OUTBOX_SERVER, 0, &split.second[0]);
    a.filter = NULL;
    arena_step(&a);
    CHECK_REFUSED(EQUIVOCATION, a.last_refusal[0]);
    CHECK_NUMBER(SESSION_IDLE, a.session[0].phase);
    for (uint32_t v = 0; v < a.n; v++) buffer_free(&split.second[v]);
}

/* However many sign the other statement: who confirmed one releases nothing for another. */
static void no_quorum_moves_a_site_from_what_it_confirmed(void)
{
    for (int ring = 0; ring < 2; ring++) {
        AUTO(arena_close) struct arena a = {0};
        arena_open(&a, ring == 1 ? 9 : 5, 1, 2, 1, dims, NULL, 32, 1);
        if (ring == 1) arena_ring(&a, 7);
        struct split split = {0};
        a.filter = two_faces;
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
        for (uint32_t v = 0; v < a.n; v++) buffer_free(&split.second[v]);
    }
}

/* One site is told of fewer dealers, so that its vector lacks a pad; the statement that all sites
 * confirm does not fit what it was told. */
static void hide_a_dealer(struct arena *a, void *content)
{
    (void)a;
    struct inbox *inbox = content;
    bits_clear(&inbox->dealers, TRAITOR);
    inbox->header[TRAITOR] = inbox->sealed[TRAITOR] = (struct view){0};
}

/* All but the traitor survive, the victim with the input that it sent: it knows them as dealers. */
static void write_statement(const struct arena *a, struct buffer *out, uint32_t reader)
{
    AUTO(bits_free) struct bits all = {0}, opened = {0};
    AUTO(merkle_tree_free) struct merkle_tree tree = {0};
    struct hash leaf[TRAITOR] = {{{0}}};
    struct merkle_path path = {0};
    CHECK_OK(bits_new(&all, a->n));
    CHECK_OK(bits_new(&opened, 1));
    bits_fill(&all);
    bits_clear(&all, TRAITOR);
    bits_fill(&opened);
    for (uint32_t v = 0; v < TRAITOR; v++) leaf[v] = a->session[v].digest_hash;
    CHECK_OK(merkle_tree_new(&tree, leaf, TRAITOR));
    merkle_tree_path(&path, &tree, reader);
    struct survivors statement = {.plan = a->round.plan_hash,
                                  .roster = a->round.roster_hash,
                                  .dealers = a->round.dealers_hash,
                                  .survivors = all,
                                  .opened = opened,
                                  .root = merkle_tree_root(&tree)};
    memcpy(statement.session, a->round.plan.session, MSG_SESSION_BYTES);
    survivors_write(out, &statement, &path, a->coordinator.identity);
}

static bool no_survivors(struct arena *a, struct flight *flight)
{
    return forge(a, flight) && flight_kind(flight) != MSG_SURVIVORS;
}

static void who_was_told_of_other_dealers_does_not_confirm(void)
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1);
    struct forgery forgery = {.kind = MSG_INBOX, .site = VICTIM, .change = hide_a_dealer};
    a.filter = no_survivors;
    a.context = &forgery;
    arena_begin(&a);
    arena_deliver(&a);
    for (uint32_t v = 0; v < TRAITOR; v++) {
        AUTO(buffer_free) struct buffer letter = {0};
        CHECK_NUMBER(SESSION_SURVIVORS, a.session[v].phase);
        write_statement(&a, &letter, v);
        AUTO(outbox_free) struct outbox out = {0};
        (void)!session_message(&a.session[v], buffer_view(&letter), a.now_ms, &out);
        if (v == VICTIM)
            CHECK_REFUSED(SURVIVORS, a.session[v].why);
        else
            CHECK_NUMBER(REASON_NONE, a.session[v].why);
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

static void split_views(void)
{
    RUN(who_hears_both_statements_has_the_proof);
    RUN(who_was_told_of_other_dealers_does_not_confirm);
    RUN(who_was_shown_another_ring_is_in_another_session);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {
        {"A3", "both kinds of shares of one site", mixed_shares},
        {"A4", "different survivors, dealers or rings for different sites", split_views},
    };
    return row_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
