/* SPDX-License-Identifier: Apache-2.0 */
/* Shares of this site's seeds for their holders, and those that it holds for the others. */
#include "client/session_step.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/kdf.h"
#include "protocol/removal.h"

/* --- what dealer and recipient do alike ------------------------------------------------------- */

static enum status shape_bundle(struct bundle *out, const struct session *s, uint32_t dealer)
{
    TRY(bundle_new(out, bundle_places(&s->plan)));
    out->place[BUNDLE_PAIR].have = true;
    for (uint32_t k = 1; k <= s->plan.removable; k++)
        out->place[BUNDLE_NOISE(&s->plan, k)].have = true;
    for (uint32_t l = 0; l < s->plan.n_segments; l++)
        out->place[BUNDLE_SELF(l)].have = bits_has(&s->plan.segment[l].members, dealer);
    return STATUS_OK;
}

/* Derive the salts of a bundle's shares, and what they commit to. */
static void commit(struct bundle *bundle, const struct session *s, uint32_t dealer,
                   uint32_t recipient, const uint8_t master[static HASH_BYTES])
{
    for (uint32_t p = 0; p < bundle->n; p++) {
        struct place *place = &bundle->place[p];
        if (!place->have) continue;
        bundle_salt(place->salt, master, p);
        place->commitment =
            bundle_commit(s->plan.session, dealer, recipient, p, place->salt, place->share);
    }
}

/* What a seal binds. A header that is bound here needs no signature for the recipient. */
static void bind(struct buffer *out, const struct session *s, uint32_t dealer, uint32_t recipient,
                 const struct hash *head)
{
    write_bytes(out, s->plan.session, MSG_SESSION_BYTES);
    write_bytes(out, s->plan_hash.bytes, HASH_BYTES);
    write_bytes(out, s->roster_hash.bytes, HASH_BYTES);
    write_u32(out, dealer);
    write_u32(out, recipient);
    write_bytes(out, head->bytes, HASH_BYTES);
}

/* Who holds for whom is mutual, so that one key serves both ways. */
static enum status make_seal_key(struct session *s, uint32_t v)
{
    struct peer *peer = &s->peer[v];
    uint8_t shared[KX_SHARED_BYTES];
    if (kx_agree(shared, &s->enc_pair, peer->enc_key) != STATUS_OK)
        return session_refuse(s, REASON_ROSTER, v);
    kdf_derive(peer->seal_key, shared, "enc", (struct view){s->roster_hash.bytes, HASH_BYTES});
    secret_wipe(shared, sizeof shared);
    return STATUS_OK;
}

/* --- dealing ---------------------------------------------------------------------------------- */

/* Everything that this site deals out, while it deals; one entry per holder. */
struct deal {
    uint32_t n;
    uint8_t *share;                                   /* of the seed in hand; secret */
    struct bundle *bundle;                            /* secret */
    uint8_t (*salt)[HASH_BYTES];                      /* master salts; secret */
    uint8_t noise[XNOISE_REMOVABLE_MAX][SHARE_BYTES]; /* seeds of the removable parts; secret */
    struct buffer header;
    struct buffer *sealed;
    struct shares shares; /* the message */
};

static void deal_free(struct deal *deal)
{
    if (deal->share != NULL) secret_wipe(deal->share, deal->n * SHARE_BYTES);
    if (deal->salt != NULL) secret_wipe(deal->salt, deal->n * sizeof *deal->salt);
    secret_wipe(deal->noise, sizeof deal->noise);
    for (uint32_t i = 0; deal->bundle != NULL && i < deal->n; i++) bundle_free(&deal->bundle[i]);
    for (uint32_t i = 0; deal->sealed != NULL && i < deal->n; i++) buffer_free(&deal->sealed[i]);
    free(deal->share);
    free(deal->bundle);
    free(deal->salt);
    free(deal->sealed);
    buffer_free(&deal->header);
    shares_free(&deal->shares);
}

static enum status make_room(struct deal *deal, const struct session *s)
{
    const uint32_t n = graph_holders(&s->graph);
    deal->n = deal->shares.n = n;
    deal->share = calloc(n, SHARE_BYTES);
    deal->bundle = calloc(n, sizeof *deal->bundle);
    deal->salt = calloc(n, sizeof *deal->salt);
    deal->sealed = calloc(n, sizeof *deal->sealed);
    deal->shares.leaf = calloc(n, sizeof *deal->shares.leaf);
    deal->shares.sealed = calloc(n, sizeof *deal->shares.sealed);
    if (deal->share == NULL || deal->bundle == NULL || deal->salt == NULL || deal->sealed == NULL ||
        deal->shares.leaf == NULL || deal->shares.sealed == NULL)
        return STATUS_NOMEM;
    for (uint32_t i = 0; i < n; i++) TRY(shape_bundle(&deal->bundle[i], s, s->config.self));
    return STATUS_OK;
}

static enum status split(struct deal *deal, const struct session *s, uint32_t place,
                         const uint8_t *seed)
{
    TRY(share_split(deal->share, seed, deal->n, s->plan.params.t, &SHARE_FIELD, s->config.rng));
    for (uint32_t i = 0; i < deal->n; i++)
        memcpy(deal->bundle[i].place[place].share, deal->share + (size_t)i * SHARE_BYTES,
               SHARE_BYTES);
    return STATUS_OK;
}

static enum status write_header(struct deal *deal, struct session *s)
{
    struct header header = {.plan = s->plan_hash,
                            .roster = s->roster_hash,
                            .from = s->config.self,
                            .n_selfs = s->plan.n_segments,
                            .n_noises = s->plan.removable};
    memcpy(header.session, s->plan.session, MSG_SESSION_BYTES);
    TRY(merkle_root(&header.root, deal->shares.leaf, deal->n));
    for (uint32_t l = 0; l < s->plan.n_segments; l++)
        if (session_mine(s, l))
            header.self[l] =
                hash_of("self seed", (struct view){.at = s->self_seed[l], .n = SHARE_BYTES});
    for (uint32_t k = 0; k < header.n_noises; k++) header.noise[k] = removal_commit(deal->noise[k]);
    header_write(&deal->header, &header, s->config.identity);
    TRY(deal->header.status);
    deal->shares.header = buffer_view(&deal->header);
    s->header_hash = header_hash(deal->shares.header);
    return STATUS_OK;
}

/* The seeds of all removable parts, from the first one's. */
static enum status split_noise(struct deal *deal, const struct session *s)
{
    for (uint32_t k = 0; k < s->plan.removable; k++) {
        memcpy(deal->noise[k], k == 0 ? s->noise_seed : deal->noise[k - 1], SHARE_BYTES);
        if (k > 0) removal_next(deal->noise[k]);
        TRY(split(deal, s, BUNDLE_NOISE(&s->plan, k + 1), deal->noise[k]));
    }
    return STATUS_OK;
}

/* Split the seeds and commit to what each holder gets. */
static enum status make_shares(struct deal *deal, struct session *s)
{
    TRY(split(deal, s, BUNDLE_PAIR, s->seed));
    for (uint32_t l = 0; l < s->plan.n_segments; l++)
        if (session_mine(s, l)) TRY(split(deal, s, BUNDLE_SELF(l), s->self_seed[l]));
    TRY(split_noise(deal, s));
    for (uint32_t i = 0; i < deal->n; i++) {
        rng_bytes(s->config.rng, deal->salt[i], sizeof deal->salt[i]);
        commit(&deal->bundle[i], s, s->config.self, graph_holder(&s->graph, s->config.self, i),
               deal->salt[i]);
        deal->shares.leaf[i] = bundle_leaf(&deal->bundle[i]);
    }
    return write_header(deal, s);
}

/* Seal for holder number i what it gets; keep what this site holds of itself. */
static enum status hand_out(struct deal *deal, struct session *s, uint32_t i)
{
    const uint32_t self = s->config.self, v = graph_holder(&s->graph, self, i);
    struct bundle *bundle = &deal->bundle[i];
    if (v == self) {
        s->peer[self].bundle = *bundle;
        *bundle = (struct bundle){0};
        return STATUS_OK;
    }
    AUTO(buffer_wipe) struct buffer plain = {0};
    for (uint32_t p = 0; p < bundle->n; p++)
        if (bundle->place[p].have) write_bytes(&plain, bundle->place[p].share, SHARE_BYTES);
    write_bytes(&plain, deal->salt[i], sizeof deal->salt[i]);
    TRY(plain.status);
    AUTO(buffer_free) struct buffer bound = {0};
    bind(&bound, s, self, v, &s->header_hash);
    TRY(bound.status);
    TRY(make_seal_key(s, v));
    TRY(seal_write(&deal->sealed[i], buffer_view(&plain), buffer_view(&bound), s->peer[v].seal_key,
                   s->config.rng));
    deal->shares.sealed[i] = buffer_view(&deal->sealed[i]);
    return STATUS_OK;
}

enum status session_deal(struct session *s, uint64_t now_ms, struct outbox *out)
{
    AUTO(deal_free) struct deal deal = {0};
    TRY(make_room(&deal, s));
    TRY(make_shares(&deal, s));
    for (uint32_t i = 0; i < deal.n; i++) TRY(hand_out(&deal, s, i));
    secret_wipe(s->seed, sizeof s->seed);
    secret_wipe(&s->enc_pair, sizeof s->enc_pair);
    struct buffer bytes = {0};
    shares_write(&bytes, &deal.shares);
    TRY(session_answer(s, &bytes, out));
    session_wait(s, SESSION_INBOX, WAIT_SHARES, now_ms);
    return STATUS_OK;
}

/* --- taking ----------------------------------------------------------------------------------- */

static enum status open_bundle(struct session *s, uint32_t dealer, const struct hash *head,
                               struct view sealed)
{
    AUTO(buffer_free) struct buffer bound = {0};
    AUTO(buffer_wipe) struct buffer plain = {0};
    bind(&bound, s, dealer, s->config.self, head);
    TRY(bound.status);
    struct peer *peer = &s->peer[dealer];
    TRY(seal_read(&plain, sealed, buffer_view(&bound), peer->seal_key));
    TRY(shape_bundle(&peer->bundle, s, dealer));
    struct reader r = reader_of(buffer_view(&plain));
    for (uint32_t p = 0; p < peer->bundle.n; p++)
        if (peer->bundle.place[p].have) read_bytes(&r, peer->bundle.place[p].share, SHARE_BYTES);
    uint8_t master[HASH_BYTES];
    read_bytes(&r, master, sizeof master);
    commit(&peer->bundle, s, dealer, s->config.self, master);
    secret_wipe(master, sizeof master);
    return reader_end(&r);
}

/* What a dealer committed to. Its signature is not looked at: the coordinator has done so, and the
 * seal that binds these bytes is the dealer's. */
static enum status check_header(struct session *s, struct header *header, struct view in,
                                uint32_t dealer)
{
    if (in.n < SIGN_BYTES) return session_refuse(s, REASON_FORMAT, dealer);
    TRY(header_read(header, (struct view){.at = in.at, .n = in.n - SIGN_BYTES}, NULL));
    if (header->from != dealer || !hash_equal(&header->plan, &s->plan_hash) ||
        !hash_equal(&header->roster, &s->roster_hash) || header->n_selfs != s->plan.n_segments ||
        header->n_noises != s->plan.removable)
        return session_refuse(s, REASON_ROSTER, dealer);
    return STATUS_OK;
}

/* One dealer, and the shares that it dealt to this site when this one holds any. */
static enum status check_dealer(struct session *s, const struct inbox *inbox, uint32_t v)
{
    const uint32_t self = s->config.self;
    if (!bits_has(&s->roster, v)) return session_refuse(s, REASON_MEMBER, v);
    const uint32_t number = graph_holder_number(&s->graph, v, self);
    const bool given = inbox->header[v].n > 0;
    if (given != (number != GRAPH_NONE) ||
        (v == self && !hash_equal(&inbox->head[v], &s->header_hash)))
        return session_refuse(s, REASON_ROSTER, v);
    if (!given) return STATUS_OK;
    const struct hash head = header_hash(inbox->header[v]);
    if (!hash_equal(&head, &inbox->head[v])) return session_refuse(s, REASON_ROSTER, v);
    if (v == self) return STATUS_OK;
    struct header header = {0};
    TRY(check_header(s, &header, inbox->header[v], v));
    const enum status status = open_bundle(s, v, &head, inbox->sealed[v]);
    if (status == STATUS_NOMEM) return status;
    if (status != STATUS_OK) return session_refuse(s, REASON_SHARE, v);
    const struct hash leaf = bundle_leaf(&s->peer[v].bundle);
    if (!merkle_check(&header.root, &leaf, graph_holders(&s->graph), number, &inbox->path[v]))
        return session_refuse(s, REASON_SHARE, v);
    return STATUS_OK;
}

/* Agree on a pair secret with every dealer that a pad joins to this site. */
static enum status agree(struct session *s)
{
    const uint32_t self = s->config.self;
    for (uint32_t v = 0; v < s->dealers.n; v++) {
        bool joined = false;
        for (uint32_t l = 0; l < s->plan.n_segments && bits_has(&s->dealers, v); l++)
            joined = joined || (session_mine(s, l) && graph_linked(&s->pads[l], self, v));
        struct peer *peer = &s->peer[v];
        if (joined && kx_agree(peer->shared, &s->mask_pair, peer->mask_key) != STATUS_OK)
            return session_refuse(s, REASON_ROSTER, v);
    }
    secret_wipe(&s->mask_pair, sizeof s->mask_pair);
    return STATUS_OK;
}

enum status session_take_inbox(struct session *s, struct view in, uint64_t now_ms,
                               struct outbox *out)
{
    (void)out;
    AUTO(inbox_free) struct inbox inbox = {0};
    TRY(inbox_read(&inbox, in, s->config.manifest->n, bundle_sealed_max(&s->plan),
                   s->config.manifest->coordinator.identity));
    TRY(session_same(s, inbox.session));
    for (uint32_t v = 0; v < inbox.n; v++)
        if (bits_has(&inbox.dealers, v)) TRY(check_dealer(s, &inbox, v));
    if (!bits_has(&inbox.dealers, s->config.self))
        return session_refuse(s, REASON_ROSTER, s->config.self);
    TRY(session_enough(s, &inbox.dealers));
    s->dealers_hash = inbox_hash(&inbox.dealers, inbox.head);
    s->dealers = inbox.dealers;
    inbox.dealers = (struct bits){0};
    TRY(agree(s));
    blob_free(&s->answer);
    s->release_ms = now_ms + s->plan.release_ms;
    session_wait(s, SESSION_INPUT, WAIT_INPUT, now_ms);
    return STATUS_OK;
}
