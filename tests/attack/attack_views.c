/* SPDX-License-Identifier: Apache-2.0 */
/* A3 and A4, split views: the coordinator tells some sites that the victim survived and others that
 * it dropped, to get shares of both its secrets. Five sites, of which one (4) colludes and confirms
 * whatever it is asked to; T = t = 4. */
#include <string.h>

#include "tests/lib/check.h"
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
    CHECK_OK(merkle_root(&statement.root, leaf, n));
    split->first_hash = r->survivors_hash;
    split->second_hash = survivors_hash(&statement);
    size_t rank = 0;
    for (uint32_t v = 0; v < a->n; v++) {
        if (!bits_has(&survivors, v)) continue;
        struct merkle_path path = {0};
        CHECK_OK(merkle_path_of(&path, leaf, n, rank++));
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
    split->pair_shares += unmask.bundle[VICTIM].have[BUNDLE_PAIR];
    split->self_shares += unmask.bundle[VICTIM].have[BUNDLE_SELF(0)];
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
    CHECK_NUMBER(REASON_EQUIVOCATION, a.last_refusal[0]);
    CHECK_NUMBER(SESSION_IDLE, a.session[0].phase);
    for (uint32_t v = 0; v < a.n; v++) buffer_free(&split.second[v]);
}

int main(void)
{
    RUN(no_split_gets_two_quorums_or_both_kinds_of_shares);
    RUN(who_hears_both_statements_has_the_proof);
    return check_done();
}
