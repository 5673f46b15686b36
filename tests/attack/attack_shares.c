/* SPDX-License-Identifier: Apache-2.0 */
/* A14, bad shares: by the dealer, so that a secret cannot be rebuilt when it is needed, and by the
 * responder, so that the sum is wrong or the round dies without a culprit. */
#include <string.h>

#include "crypto/seal.h"
#include "tests/attack/row.h"
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
    CHECK_REFUSED(SHARE, a.last_refusal[0]);
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

/* A round whose liar changes its shares. */
static void run_with(struct arena *a, void (*change)(struct arena *, void *))
{
    struct forgery forgery = {.kind = MSG_SHARES, .site = LIAR, .change = change};
    open_small(a);
    a->filter = forge;
    a->context = &forgery;
    arena_begin(a);
    arena_run(a);
}

static void who_spoils_the_shares_of_many_is_convicted(void)
{
    AUTO(arena_close) struct arena a = {0};
    run_with(&a, seal_junk);
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
    run_with(&a, seal_another);
    CHECK_NUMBER(1, a.round.site[LIAR].accusers);
    for (uint32_t v = 0; v < a.n; v++) CHECK(!round_convicts(&a.round, v));
}

/* What the liar's seal for a site binds, under one header or the other. */
static void bind(const struct arena *a, struct buffer *out, uint32_t to, struct view header)
{
    const struct hash head = header_hash(header);
    write_bytes(out, a->round.plan.session, MSG_SESSION_BYTES);
    write_bytes(out, a->round.plan_hash.bytes, HASH_BYTES);
    write_bytes(out, a->round.roster_hash.bytes, HASH_BYTES);
    write_u32(out, LIAR);
    write_u32(out, to);
    write_bytes(out, head.bytes, HASH_BYTES);
}

static void free_sealed(struct buffer (*sealed)[5])
{
    for (size_t v = 0; v < 5; v++) buffer_free(&(*sealed)[v]);
}

/* Shares of another seed than the one it committed to, all of them consistent: another header, and
 * the same shares sealed under it. */
static bool commit_to_another(struct arena *a, struct flight *flight)
{
    if (!flight_is(flight, MSG_SHARES, LIAR)) return true;
    AUTO(shares_free) struct shares shares = {0};
    AUTO(buffer_free) struct buffer other = {0}, letter = {0};
    AUTO(free_sealed) struct buffer sealed[5] = {{0}};
    struct header header = {0};
    CHECK_OK(shares_read(&shares, buffer_view(&flight->bytes), a->n, SIZE_MAX));
    const struct view before = shares.header;
    CHECK_OK(header_read(&header, before, a->manifest.member[LIAR].identity));
    header.self[0].bytes[0] ^= 1;
    header_write(&other, &header, a->key[LIAR].identity);
    shares.header = buffer_view(&other);
    for (uint32_t v = 0; v < a->n; v++) {
        if (v == LIAR) continue;
        AUTO(buffer_free) struct buffer old_bound = {0}, bound = {0}, plain = {0};
        const uint8_t *key = a->session[LIAR].peer[v].seal_key;
        bind(a, &old_bound, v, before);
        bind(a, &bound, v, shares.header);
        CHECK_OK(seal_read(&plain, shares.sealed[v], buffer_view(&old_bound), key));
        CHECK_OK(seal_write(&sealed[v], buffer_view(&plain), buffer_view(&bound), key, &a->rng));
        shares.sealed[v] = buffer_view(&sealed[v]);
    }
    a->session[LIAR].header_hash = header_hash(shares.header);
    shares_write(&letter, &shares);
    buffer_free(&flight->bytes);
    flight->bytes = letter;
    letter = (struct buffer){0};
    return true;
}

static void a_dealer_of_another_seed_is_named_by_the_aggregator(void)
{
    AUTO(arena_close) struct arena a = {0};
    open_small(&a);
    a.filter = commit_to_another;
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(PHASE_FAILED, a.round.phase);
    CHECK_REFUSED(SHARE, a.round.why);
    CHECK_NUMBER(LIAR, a.round.about);
    for (uint32_t v = 0; v < a.n; v++) {
        CHECK(a.has_input[v]);
        CHECK(round_convicts(&a.round, v) == (v == LIAR));
    }
}

static void give_another_share(struct arena *a, void *content)
{
    (void)a;
    ((struct unmask *)content)->bundle[0].place[BUNDLE_SELF(0)].share[7] ^= 1;
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
    CHECK_REFUSED(SHARE, a.blamed[LIAR]);
    CHECK(!bits_has(&a.round.revealed, LIAR));
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    CHECK(arena_sums_exact(&a));
}

static void bad_shares(void)
{
    RUN(a_bad_dealer_is_named_by_who_opens_its_share);
    RUN(who_spoils_the_shares_of_many_is_convicted);
    RUN(a_single_accuser_convicts_nobody);
    RUN(a_dealer_of_another_seed_is_named_by_the_aggregator);
    RUN(a_bad_responder_is_named_and_not_needed);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {
        {"A14", "bad shares, dealt or given back", bad_shares},
    };
    return row_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
