/* SPDX-License-Identifier: Apache-2.0 */
/* A19, a key for all: the coordinator and its c sites put together everything that they know. It
 * must open nothing between two honest sites, and rebuild no secret of one. */
#include <stdlib.h>
#include <string.h>

#include "crypto/kdf.h"
#include "tests/attack/row.h"
#include "tests/lib/forge.h"

/* Site 4 conspires: c = 1. */
#define DEALER 0
#define READER 1
#define TRAITOR 4

static const uint64_t dims[1] = {4};

/* All bytes that were ever in the conspirators' memory, one snapshot after the other. */
static struct buffer loot;
static struct buffer sealed[2], header; /* from DEALER to READER and to TRAITOR */

static void bag(const void *at, size_t n)
{
    write_bytes(&loot, at, n);
}

static void rob(const struct arena *a)
{
    const struct session *s = &a->session[TRAITOR];
    bag(s, sizeof *s);
    bag(s->peer, a->n * sizeof *s->peer);
    for (uint32_t v = 0; v < a->n; v++)
        bag(s->peer[v].bundle.place, s->peer[v].bundle.n * sizeof *s->peer[v].bundle.place);
    bag(&a->key[TRAITOR], sizeof a->key[TRAITOR]);
    bag(&a->coordinator, sizeof a->coordinator);
    bag(a->round.site, a->n * sizeof *a->round.site);
}

static bool catch_shares(struct arena *a, struct flight *flight)
{
    if (!flight_is(flight, MSG_SHARES, DEALER)) return true;
    AUTO(shares_free) struct shares shares = {0};
    CHECK_OK(shares_read(&shares, buffer_view(&flight->bytes), a->n, SIZE_MAX));
    write_bytes(&sealed[0], shares.sealed[READER].at, shares.sealed[READER].n);
    write_bytes(&sealed[1], shares.sealed[TRAITOR].at, shares.sealed[TRAITOR].n);
    write_bytes(&header, shares.header.at, shares.header.n);
    return true;
}

static void forget(void)
{
    buffer_free(&loot);
    buffer_free(&header);
    for (size_t i = 0; i < 2; i++) buffer_free(&sealed[i]);
}

/* What the seals of this round bind is public. */
static void bind(const struct arena *a, struct buffer *out, uint32_t from, uint32_t to)
{
    const struct hash head = header_hash(buffer_view(&header));
    write_bytes(out, a->round.plan.session, MSG_SESSION_BYTES);
    write_bytes(out, a->round.plan_hash.bytes, HASH_BYTES);
    write_bytes(out, a->round.roster_hash.bytes, HASH_BYTES);
    write_u32(out, from);
    write_u32(out, to);
    write_bytes(out, head.bytes, HASH_BYTES);
}

/* Whether some 32 bytes of the loot, as they are or as the secret behind a key, open it. */
static bool opens(const struct arena *a, const struct buffer *box, uint32_t to)
{
    const struct view roster = {a->round.roster_hash.bytes, HASH_BYTES};
    AUTO(buffer_free) struct buffer bound = {0};
    bind(a, &bound, DEALER, to);
    for (size_t i = 0; i + SEAL_KEY_BYTES <= loot.n; i += 4) {
        AUTO(buffer_free) struct buffer plain = {0};
        uint8_t key[SEAL_KEY_BYTES];
        memcpy(key, loot.at + i, sizeof key);
        if (seal_read(&plain, buffer_view(box), buffer_view(&bound), key) == STATUS_OK) return true;
        kdf_derive(key, loot.at + i, "enc", roster);
        if (seal_read(&plain, buffer_view(box), buffer_view(&bound), key) == STATUS_OK) return true;
    }
    return false;
}

/* A round of which the conspirators keep everything, up to the moment when inputs are in. */
static void play(struct arena *a)
{
    arena_open(a, 5, 1, 2, 1, dims, NULL, 32, 1);
    a->filter = catch_shares;
    arena_begin(a);
    enum session_phase last = SESSION_PHASES;
    while (a->round.phase < PHASE_CONFIRM) {
        CHECK(arena_step(a));
        const enum session_phase now = a->session[TRAITOR].phase;
        if (now != last) rob(a);
        last = now;
    }
}

static void nothing_between_honest_sites_opens(void)
{
    AUTO(arena_close) struct arena a = {0};
    play(&a);
    CHECK(opens(&a, &sealed[1], TRAITOR)); /* what is for them does */
    CHECK(!opens(&a, &sealed[0], READER));
    forget();
}

/* c shares of a seed are as good as none: whatever they are joined to is not the dealer's. */
static void their_shares_rebuild_nothing(void)
{
    AUTO(arena_close) struct arena a = {0};
    play(&a);
    static const uint32_t number[1] = {TRAITOR};
    AUTO(share_weights_free) struct share_weights weights = {0};
    CHECK_OK(share_weights_new(&weights, number, 1, &SHARE_FIELD));
    const struct bundle *held = &a.session[TRAITOR].peer[DEALER].bundle;
    uint8_t seed[SHARE_BYTES];
    struct kx_pair pair = {0};
    CHECK_OK(share_join(seed, held->place[BUNDLE_PAIR].share, &weights, &SHARE_FIELD));
    kx_pair_of(&pair, seed, "mask");
    CHECK(memcmp(pair.public_key, a.round.site[DEALER].keys.mask_key, KX_PUBLIC_BYTES) != 0);
    CHECK_OK(share_join(seed, held->place[BUNDLE_SELF(0)].share, &weights, &SHARE_FIELD));
    const struct hash hash = hash_of("self seed", (struct view){seed, sizeof seed});
    CHECK(!hash_equal(&hash, &a.round.site[DEALER].dealt.header.self[0]));
    forget();
}

/* They seal a bundle of their own in the name of an honest dealer, under the best key they have. */
static struct buffer forged;

static void in_the_dealers_name(struct arena *a, void *content)
{
    struct inbox *inbox = content;
    AUTO(buffer_free) struct buffer bound = {0}, plain = {0};
    write_packed(&plain, (const uint32_t[24]){7}, 24, 32);
    bind(a, &bound, DEALER, READER);
    CHECK_OK(seal_write(&forged, buffer_view(&plain), buffer_view(&bound),
                        a->session[TRAITOR].peer[READER].seal_key, &a->rng));
    inbox->sealed[DEALER] = buffer_view(&forged);
}

static bool catch_and_forge(struct arena *a, struct flight *flight)
{
    return catch_shares(a, flight) && forge(a, flight);
}

static void nobody_seals_in_an_honest_sites_name(void)
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1);
    struct forgery forgery = {.kind = MSG_INBOX, .site = READER, .change = in_the_dealers_name};
    a.filter = catch_and_forge;
    a.context = &forgery;
    arena_begin(&a);
    while (!forgery.done) CHECK(arena_step(&a));
    CHECK_REFUSED(SHARE, a.last_refusal[READER]);
    CHECK_NUMBER(DEALER, a.session[READER].about);
    CHECK(!a.has_input[READER]);
    buffer_free(&forged);
    forget();
}

static void no_key_for_all(void)
{
    RUN(nothing_between_honest_sites_opens);
    RUN(their_shares_rebuild_nothing);
    RUN(nobody_seals_in_an_honest_sites_name);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {
        {"A19", "all that coordinator and c sites know", no_key_for_all}};
    return row_main(argc, argv, rows, 1);
}
