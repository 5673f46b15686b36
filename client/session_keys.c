/* SPDX-License-Identifier: Apache-2.0 */
/* The key stages of a session: check the roster, deal shares, check the shares dealt to us. */
#include "client/session_step.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/kdf.h"
#include "crypto/seal.h"

/* Keys of the roster so far: none may come twice. */
struct keys {
    size_t n;
    uint8_t (*key)[KX_PUBLIC_BYTES];
};

static void keys_free(struct keys *keys)
{
    free(keys->key);
}

static bool keys_repeat(const struct keys *keys, const struct advert *advert)
{
    for (size_t i = 0; i < keys->n; i++)
        if (memcmp(keys->key[i], advert->mask_key, KX_PUBLIC_BYTES) == 0 ||
            memcmp(keys->key[i], advert->enc_key, KX_PUBLIC_BYTES) == 0)
            return true;
    return memcmp(advert->mask_key, advert->enc_key, KX_PUBLIC_BYTES) == 0;
}

static enum status check_advert(struct session *s, struct view in, uint32_t from, struct keys *keys)
{
    struct advert advert = {0};
    enum status status = advert_read(&advert, in, s->config.manifest->member[from].identity);
    if (status == STATUS_AUTH) return session_refuse(s, REASON_SIGNATURE, from);
    TRY(status);
    if (advert.from != from || !bits_has(&s->plan.cohort, from))
        return session_refuse(s, REASON_MEMBER, from);
    /* The plan's hash binds the session, so that an advert of another session is refused here. */
    if (!hash_equal(&advert.plan, &s->plan_hash) || keys_repeat(keys, &advert) ||
        !kx_acceptable(advert.mask_key) || !kx_acceptable(advert.enc_key))
        return session_refuse(s, REASON_ROSTER, from);
    memcpy(keys->key[keys->n++], advert.mask_key, KX_PUBLIC_BYTES);
    memcpy(keys->key[keys->n++], advert.enc_key, KX_PUBLIC_BYTES);
    memcpy(s->peer[from].mask_key, advert.mask_key, KX_PUBLIC_BYTES);
    memcpy(s->peer[from].enc_key, advert.enc_key, KX_PUBLIC_BYTES);
    return STATUS_OK;
}

static enum status check_roster(struct session *s, const struct roster *roster)
{
    AUTO(keys_free) struct keys keys = {0};
    keys.key = calloc(2 * (size_t)roster->n, sizeof *keys.key);
    if (keys.key == NULL) return STATUS_NOMEM;
    TRY(bits_new(&s->roster, roster->n));
    for (uint32_t v = 0; v < roster->n; v++) {
        if (roster->advert[v].n == 0) continue;
        TRY(check_advert(s, roster->advert[v], v, &keys));
        bits_set(&s->roster, v);
    }
    struct view own = roster->advert[s->config.self];
    if (own.n != s->advert.n || memcmp(own.at, s->advert.at, own.n) != 0)
        return session_refuse(s, REASON_ROSTER, s->config.self);
    if (bits_count(&s->roster) < s->plan.params.quorum)
        return session_refuse(s, REASON_QUORUM, OUTBOX_SERVER);
    if (!session_segments_full(s, &s->roster))
        return session_refuse(s, REASON_CONTRIBUTORS, OUTBOX_SERVER);
    return STATUS_OK;
}

/* Everything this site deals out, while it deals. */
struct deal {
    uint8_t *share[1 + MSG_SEGMENTS_MAX]; /* per place: n shares */
    struct hash *leaf;                    /* per site of U1 */
    struct buffer *sealed;                /* per site of U1 */
    size_t n, count;                      /* members; sites of U1 */
};

static void deal_free(struct deal *deal)
{
    for (size_t p = 0; p <= MSG_SEGMENTS_MAX; p++) {
        if (deal->share[p] != NULL) secret_wipe(deal->share[p], deal->n * SHARE_BYTES);
        free(deal->share[p]);
    }
    for (size_t i = 0; i < deal->count && deal->sealed != NULL; i++) buffer_free(&deal->sealed[i]);
    free(deal->sealed);
    free(deal->leaf);
}

static enum status split(const struct session *s, struct deal *deal, uint32_t place,
                         const uint8_t *secret)
{
    deal->share[place] = calloc(deal->n, SHARE_BYTES);
    if (deal->share[place] == NULL) return STATUS_NOMEM;
    return share_split(deal->share[place], secret, deal->n, s->plan.params.t, &SHARE_FIELD,
                       s->config.rng);
}

/* What AEAD binds: session, plan, roster, dealer, recipient. */
static void bind(struct buffer *out, const struct session *s, uint32_t dealer, uint32_t recipient)
{
    write_bytes(out, s->plan.session, MSG_SESSION_BYTES);
    write_bytes(out, s->plan_hash.bytes, HASH_BYTES);
    write_bytes(out, s->roster_hash.bytes, HASH_BYTES);
    write_u32(out, dealer);
    write_u32(out, recipient);
}

static enum status seal_key(const struct session *s, uint32_t v, uint8_t key[static SEAL_KEY_BYTES])
{
    uint8_t shared[KX_SHARED_BYTES];
    TRY(kx_agree(shared, s->enc_seed, s->peer[v].enc_key, "enc"));
    kdf_derive(key, shared, "enc", (struct view){s->roster_hash.bytes, HASH_BYTES});
    secret_wipe(shared, sizeof shared);
    return STATUS_OK;
}

/* Fill in what a bundle's places commit to. */
static void bundle_fill(const struct session *s, struct bundle *bundle, uint32_t dealer,
                        uint32_t recipient, const uint8_t master[static HASH_BYTES])
{
    for (uint32_t p = 0; p < bundle->n; p++) {
        if (!bundle->have[p]) continue;
        bundle_salt(bundle->salt[p], master, p);
        bundle->commitment[p] =
            bundle_commit(s->plan.session, dealer, recipient, p, bundle->salt[p], bundle->share[p]);
    }
}

static void shape_bundle(const struct session *s, struct bundle *bundle, uint32_t dealer)
{
    *bundle = (struct bundle){.n = 1 + s->plan.n_segments};
    bundle->have[BUNDLE_PAIR] = true;
    for (uint32_t l = 0; l < s->plan.n_segments; l++)
        bundle->have[BUNDLE_SELF(l)] = bits_has(&s->plan.segment[l].members, dealer);
}

size_t session_sealed_max(const struct plan *plan)
{
    return SEAL_EXTRA_BYTES + HASH_BYTES + (1 + (size_t)plan->n_segments) * SHARE_BYTES;
}

/* Make the leaf for recipient v and, unless it is this site, seal the shares for it. */
static enum status deal_to(struct session *s, struct deal *deal, uint32_t v, size_t rank)
{
    uint8_t master[HASH_BYTES];
    rng_bytes(s->config.rng, master, sizeof master);
    const uint32_t self = s->config.self;
    struct bundle bundle;
    shape_bundle(s, &bundle, self);
    AUTO(buffer_wipe) struct buffer plain = {0};
    for (uint32_t p = 0; p < bundle.n; p++) {
        if (!bundle.have[p]) continue;
        memcpy(bundle.share[p], deal->share[p] + (size_t)v * SHARE_BYTES, SHARE_BYTES);
        write_bytes(&plain, bundle.share[p], SHARE_BYTES);
    }
    write_bytes(&plain, master, sizeof master);
    bundle_fill(s, &bundle, self, v, master);
    secret_wipe(master, sizeof master);
    deal->leaf[rank] = bundle_leaf(&bundle);
    if (v == self) {
        s->peer[self].bundle = bundle;
        secret_wipe(&bundle, sizeof bundle);
        return STATUS_OK;
    }
    secret_wipe(&bundle, sizeof bundle);
    TRY(plain.status);
    AUTO(buffer_free) struct buffer bound = {0};
    bind(&bound, s, self, v);
    TRY(bound.status);
    uint8_t key[SEAL_KEY_BYTES];
    TRY(seal_key(s, v, key));
    enum status status = seal_write(&deal->sealed[rank], buffer_view(&plain), buffer_view(&bound),
                                    key, s->config.rng);
    secret_wipe(key, sizeof key);
    return status;
}

static enum status write_header(struct session *s, const struct deal *deal)
{
    struct header header = {.plan = s->plan_hash,
                            .roster = s->roster_hash,
                            .from = s->config.self,
                            .n_selfs = s->plan.n_segments};
    memcpy(header.session, s->plan.session, MSG_SESSION_BYTES);
    TRY(merkle_root(&header.root, deal->leaf, deal->count));
    for (uint32_t l = 0; l < s->plan.n_segments; l++)
        if (session_mine(s, l))
            header.self[l] =
                hash_of("self seed", (struct view){.at = s->self_seed[l], .n = SHARE_BYTES});
    header_write(&s->header, &header, s->config.identity);
    return s->header.status;
}

static enum status send_shares(struct session *s, struct outbox *out)
{
    const uint32_t n = s->config.manifest->n;
    AUTO(deal_free) struct deal deal = {.n = n, .count = bits_count(&s->roster)};
    deal.leaf = calloc(deal.count, sizeof *deal.leaf);
    deal.sealed = calloc(deal.count, sizeof *deal.sealed);
    if (deal.leaf == NULL || deal.sealed == NULL) return STATUS_NOMEM;
    TRY(split(s, &deal, BUNDLE_PAIR, s->seed));
    for (uint32_t l = 0; l < s->plan.n_segments; l++)
        if (session_mine(s, l)) TRY(split(s, &deal, BUNDLE_SELF(l), s->self_seed[l]));
    size_t rank = 0;
    for (uint32_t v = 0; v < n; v++)
        if (bits_has(&s->roster, v)) TRY(deal_to(s, &deal, v, rank++));
    TRY(write_header(s, &deal));
    AUTO(shares_free) struct shares shares = {.header = buffer_view(&s->header)};
    shares.sealed = calloc(deal.count, sizeof *shares.sealed);
    shares.leaf = deal.leaf;
    deal.leaf = NULL;
    if (shares.sealed == NULL) return STATUS_NOMEM;
    shares.n = (uint32_t)deal.count;
    for (size_t i = 0; i < deal.count; i++) shares.sealed[i] = buffer_view(&deal.sealed[i]);
    struct buffer bytes = {0};
    shares_write(&bytes, &shares);
    return outbox_send(out, OUTBOX_SERVER, &bytes);
}

enum status session_take_roster(struct session *s, struct view in, uint64_t now_ms,
                                struct outbox *out)
{
    AUTO(roster_free) struct roster roster = {0};
    TRY(roster_read(&roster, in, s->config.manifest->n, s->config.manifest->coordinator.identity));
    TRY(session_same(s, roster.session));
    TRY(check_roster(s, &roster));
    s->roster_hash = roster_hash(&s->plan_hash, roster.advert, roster.n);
    session_wait(s, SESSION_INBOX, WAIT_SHARES, now_ms);
    return send_shares(s, out);
}

static enum status open_bundle(struct session *s, uint32_t dealer, struct view sealed)
{
    AUTO(buffer_free) struct buffer bound = {0};
    AUTO(buffer_wipe) struct buffer plain = {0};
    bind(&bound, s, dealer, s->config.self);
    TRY(bound.status);
    uint8_t key[SEAL_KEY_BYTES];
    TRY(seal_key(s, dealer, key));
    enum status status = seal_read(&plain, sealed, buffer_view(&bound), key);
    secret_wipe(key, sizeof key);
    TRY(status);
    struct bundle *bundle = &s->peer[dealer].bundle;
    shape_bundle(s, bundle, dealer);
    struct reader r = reader_of(buffer_view(&plain));
    for (uint32_t p = 0; p < bundle->n; p++)
        if (bundle->have[p]) read_bytes(&r, bundle->share[p], SHARE_BYTES);
    uint8_t master[HASH_BYTES];
    read_bytes(&r, master, sizeof master);
    bundle_fill(s, bundle, dealer, s->config.self, master);
    secret_wipe(master, sizeof master);
    return reader_end(&r);
}

/* One dealer's header, and the shares that it dealt to this site. */
static enum status check_dealer(struct session *s, const struct inbox *inbox, uint32_t v,
                                size_t own_rank)
{
    if (!bits_has(&s->roster, v)) return session_refuse(s, REASON_MEMBER, v);
    if (v == s->config.self) {
        bool same = inbox->header[v].n == s->header.n && inbox->sealed[v].n == 0 &&
                    memcmp(inbox->header[v].at, s->header.at, s->header.n) == 0;
        return same ? STATUS_OK : session_refuse(s, REASON_ROSTER, v);
    }
    struct header header = {0};
    enum status status =
        header_read(&header, inbox->header[v], s->config.manifest->member[v].identity);
    if (status == STATUS_AUTH) return session_refuse(s, REASON_SIGNATURE, v);
    TRY(status);
    if (header.from != v || !hash_equal(&header.plan, &s->plan_hash) ||
        !hash_equal(&header.roster, &s->roster_hash) || header.n_selfs != s->plan.n_segments)
        return session_refuse(s, REASON_ROSTER, v);
    status = open_bundle(s, v, inbox->sealed[v]);
    if (status == STATUS_NOMEM) return status;
    if (status != STATUS_OK) return session_refuse(s, REASON_SHARE, v);
    struct hash leaf = bundle_leaf(&s->peer[v].bundle);
    if (!merkle_check(&header.root, &leaf, bits_count(&s->roster), own_rank, &inbox->path[v]))
        return session_refuse(s, REASON_SHARE, v);
    return STATUS_OK;
}

enum status session_take_inbox(struct session *s, struct view in, uint64_t now_ms,
                               struct outbox *out)
{
    (void)out;
    AUTO(inbox_free) struct inbox inbox = {0};
    TRY(inbox_read(&inbox, in, s->config.manifest->n, session_sealed_max(&s->plan),
                   s->config.manifest->coordinator.identity));
    TRY(session_same(s, inbox.session));
    size_t own_rank = 0;
    for (uint32_t v = 0; v < s->config.self; v++) own_rank += bits_has(&s->roster, v);
    TRY(bits_new(&s->dealers, inbox.n));
    for (uint32_t v = 0; v < inbox.n; v++) {
        if (inbox.header[v].n == 0) continue;
        TRY(check_dealer(s, &inbox, v, own_rank));
        bits_set(&s->dealers, v);
    }
    if (!bits_has(&s->dealers, s->config.self))
        return session_refuse(s, REASON_ROSTER, s->config.self);
    if (bits_count(&s->dealers) < s->plan.params.quorum)
        return session_refuse(s, REASON_QUORUM, OUTBOX_SERVER);
    if (!session_segments_full(s, &s->dealers))
        return session_refuse(s, REASON_CONTRIBUTORS, OUTBOX_SERVER);
    s->dealers_hash = inbox_hash(inbox.header, inbox.n);
    for (uint32_t v = 0; v < inbox.n; v++) {
        if (!bits_has(&s->dealers, v) || v == s->config.self) continue;
        if (kx_agree(s->peer[v].shared, s->seed, s->peer[v].mask_key, "mask") != STATUS_OK)
            return session_refuse(s, REASON_ROSTER, v);
    }
    session_wait(s, SESSION_INPUT, WAIT_INPUT, now_ms);
    return STATUS_OK;
}
