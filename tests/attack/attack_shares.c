/* SPDX-License-Identifier: Apache-2.0 */
/* A14, bad shares: by the dealer, so that a secret cannot be rebuilt when it is needed, and by the
 * responder, so that the sum is wrong or the round dies without a culprit. */
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/forge.h"

#define LIAR 1

static const uint64_t dims[1] = {4};

static void open_small(struct arena *a)
{
    arena_open(a, 5, 1, 2, 1, dims, NULL, 32, 1);
}

/* The dealer seals a bundle for site 0 that its own root does not have. */
static uint8_t spare[4096];

static void seal_another(struct arena *a, void *content)
{
    (void)a;
    struct shares *shares = content;
    memcpy(spare, shares->sealed[0].at, shares->sealed[0].n);
    spare[shares->sealed[0].n - 1] ^= 1;
    shares->sealed[0].at = spare;
}

static void a_bad_dealer_is_named_by_who_opens_its_share(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    struct forgery forgery = {.kind = MSG_SHARES, .site = LIAR, .change = seal_another};
    a.filter = forge;
    a.context = &forgery;
    arena_begin(&a);
    while (a.last_refusal[0] == REASON_NONE) CHECK(arena_step(&a));
    CHECK_NUMBER(REASON_SHARE, a.last_refusal[0]);
    CHECK_NUMBER(LIAR, a.session[0].about);
    CHECK(!a.has_input[0]); /* nothing masked was sent */
    arena_run(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    CHECK(arena_sums_exact(&a));
}

/* The dealer seals junk for everybody. */
static uint8_t junk[5][4096];

static void seal_junk(struct arena *a, void *content)
{
    (void)a;
    struct shares *shares = content;
    for (uint32_t i = 0; i < shares->n; i++) {
        if (shares->sealed[i].n == 0) continue;
        memcpy(junk[i], shares->sealed[i].at, shares->sealed[i].n);
        junk[i][30] ^= 1;
        shares->sealed[i].at = junk[i];
    }
}

static void who_spoils_the_shares_of_many_is_convicted(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    struct forgery forgery = {.kind = MSG_SHARES, .site = LIAR, .change = seal_junk};
    a.filter = forge;
    a.context = &forgery;
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(PHASE_FAILED, a.round.phase);
    for (uint32_t v = 0; v < a.n; v++) {
        CHECK(!a.has_input[v] || v == LIAR); /* it cost nobody an input */
        CHECK(round_convicts(&a.round, v) == (v == LIAR));
    }
}

/* One false accusation, by a site that may be corrupt, convicts nobody. */
static void a_single_accuser_convicts_nobody(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    struct forgery forgery = {.kind = MSG_SHARES, .site = LIAR, .change = seal_another};
    a.filter = forge;
    a.context = &forgery;
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(1, a.round.site[LIAR].accusers);
    for (uint32_t v = 0; v < a.n; v++) CHECK(!round_convicts(&a.round, v));
}

/* Shares of another seed than the one it committed to, all of them consistent. */
static void commit_to_another(struct arena *a, void *content)
{
    (void)a;
    ((struct header *)content)->self[0].bytes[0] ^= 1;
}

static void a_dealer_of_another_seed_is_named_by_the_aggregator(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    struct forgery forgery = {.kind = MSG_HEADER, .site = LIAR, .change = commit_to_another};
    a.filter = forge;
    a.context = &forgery;
    arena_begin(&a);
    while (a.round.phase < PHASE_COLLECT) CHECK(arena_step(&a));
    struct session *liar = &a.session[LIAR];
    liar->header.n = 0;
    write_bytes(&liar->header, a.round.site[LIAR].header.at, a.round.site[LIAR].header.n);
    arena_run(&a);
    CHECK_NUMBER(PHASE_FAILED, a.round.phase);
    CHECK_NUMBER(REASON_SHARE, a.round.why);
    CHECK_NUMBER(LIAR, a.round.about);
    for (uint32_t v = 0; v < a.n; v++) CHECK(round_convicts(&a.round, v) == (v == LIAR));
}

static void give_another_share(struct arena *a, void *content)
{
    (void)a;
    ((struct unmask *)content)->bundle[0].share[BUNDLE_SELF(0)][7] ^= 1;
}

static void a_bad_responder_is_named_and_not_needed(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    struct forgery forgery = {.kind = MSG_UNMASK, .site = LIAR, .change = give_another_share};
    a.filter = forge;
    a.context = &forgery;
    arena_begin(&a);
    arena_run(&a);
    CHECK(forgery.done);
    CHECK_NUMBER(REASON_SHARE, a.blamed[LIAR]);
    CHECK(!bits_has(&a.round.revealed, LIAR));
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    CHECK(arena_sums_exact(&a));
}

int main(void)
{
    RUN(a_bad_dealer_is_named_by_who_opens_its_share);
    RUN(who_spoils_the_shares_of_many_is_convicted);
    RUN(a_single_accuser_convicts_nobody);
    RUN(a_dealer_of_another_seed_is_named_by_the_aggregator);
    RUN(a_bad_responder_is_named_and_not_needed);
    return check_done();
}
