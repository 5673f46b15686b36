/* SPDX-License-Identifier: Apache-2.0 */
/* The key stages of a round: adverts, positions on the ring, dealt shares. */
#include "aggregator/round_step.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/kx.h"
#include "protocol/pads.h"

static bool same_key(const uint8_t a[static KX_PUBLIC_BYTES],
                     const uint8_t b[static KX_PUBLIC_BYTES])
{
    return memcmp(a, b, KX_PUBLIC_BYTES) == 0;
}

/* The sites refuse a roster in which a key comes twice; noticed here, it costs its author the round
 * and nobody else. */
static bool repeats(const struct round *r, const struct advert *advert)
{
    if (same_key(advert->mask_key, advert->enc_key)) return true;
    for (uint32_t v = 0; v < r->config.manifest->n; v++) {
        const struct advert *other = &r->site[v].keys;
        if (bits_has(&r->adverts, v) && (same_key(other->mask_key, advert->mask_key) ||
                                         same_key(other->mask_key, advert->enc_key) ||
                                         same_key(other->enc_key, advert->mask_key) ||
                                         same_key(other->enc_key, advert->enc_key)))
            return true;
    }
    return false;
}

enum status round_take_advert(struct round *r, uint32_t from, struct view in, struct outbox *out)
{
    struct advert advert = {0};
    TRY(advert_read(&advert, in, r->config.manifest->member[from].identity));
    TRY(round_same(r, advert.session));
    if (advert.from != from || !hash_equal(&advert.plan, &r->plan_hash) ||
        !kx_acceptable(advert.mask_key) || !kx_acceptable(advert.enc_key) ||
        hash_is_zero(&advert.position) != (r->plan.params.k == 0) || repeats(r, &advert))
        return round_blame(r, from, REASON_ROSTER, out);
    write_bytes(&r->site[from].advert, in.at, in.n);
    TRY(r->site[from].advert.status);
    r->site[from].keys = advert;
    bits_set(&r->adverts, from);
    return STATUS_OK;
}

static void free_views(struct view **view)
{
    free(*view);
}

static enum status write_roster(struct round *r)
{
    const uint32_t n = r->config.manifest->n;
    AUTO(free_views) struct view *advert = calloc(n, sizeof *advert);
    if (advert == NULL) return STATUS_NOMEM;
    for (uint32_t v = 0; v < n; v++)
        if (bits_has(&r->adverts, v)) advert[v] = buffer_view(&r->site[v].advert);
    r->roster_hash = roster_hash(&r->plan_hash, advert, n);
    struct roster roster = {.n = n, .advert = advert};
    memcpy(roster.session, r->plan.session, MSG_SESSION_BYTES);
    buffer_free(&r->common);
    roster_write(&r->common, &roster, r->config.identity);
    return r->common.status;
}

/* In a complete graph nobody has a position to open: who sent keys is placed. */
enum status round_end_keys(struct round *r, enum reason *why)
{
    if (!round_enough(r, &r->adverts)) {
        *why = REASON_QUORUM;
        return STATUS_OK;
    }
    for (uint32_t v = 0; v < r->config.manifest->n && r->plan.params.k == 0; v++)
        if (bits_has(&r->adverts, v)) bits_set(&r->placed, v);
    return write_roster(r);
}

enum status round_take_position(struct round *r, uint32_t from, struct view in, struct outbox *out)
{
    struct position position = {0};
    TRY(position_read(&position, in, r->config.manifest->member[from].identity));
    TRY(round_same(r, position.session));
    const struct hash commitment = position_commit(&position); /* it binds the sender's number */
    if (!hash_equal(&commitment, &r->site[from].keys.position))
        return round_blame(r, from, REASON_POSITIONS, out);
    memcpy(r->site[from].nonce, position.nonce, MSG_NONCE_BYTES);
    bits_set(&r->placed, from);
    return STATUS_OK;
}

/* From here on the hash over the positions stands where the roster's stood. */
static enum status write_positions(struct round *r)
{
    const uint32_t n = r->config.manifest->n;
    AUTO(free_views) struct view *nonce = calloc(n, sizeof *nonce);
    if (nonce == NULL) return STATUS_NOMEM;
    for (uint32_t v = 0; v < n; v++)
        if (bits_has(&r->placed, v)) nonce[v] = (struct view){r->site[v].nonce, MSG_NONCE_BYTES};
    r->roster_hash = positions_hash(&r->roster_hash, nonce, n);
    struct positions positions = {.n = n, .nonce = nonce};
    memcpy(positions.session, r->plan.session, MSG_SESSION_BYTES);
    buffer_free(&r->common);
    positions_write(&r->common, &positions, r->config.identity);
    return r->common.status;
}

static enum status make_graphs(struct round *r)
{
    TRY(graph_new(&r->graph, &r->placed, r->plan.params.k, &r->roster_hash));
    AUTO(bits_free) struct bits joined = {0};
    TRY(bits_new(&joined, r->placed.n));
    for (uint32_t l = 0; l < r->plan.n_segments; l++) {
        const struct segment *segment = &r->plan.segment[l];
        const struct hash order = pads_order(&r->roster_hash, l);
        for (uint32_t v = 0; v < joined.n; v++) {
            bits_clear(&joined, v);
            if (bits_has(&r->placed, v) && bits_has(&segment->members, v)) bits_set(&joined, v);
        }
        TRY(graph_new(&r->pads[l], &joined, segment->degree, &order));
    }
    return STATUS_OK;
}

enum status round_end_positions(struct round *r, enum reason *why)
{
    if (bits_count(&r->adverts) - bits_count(&r->placed) > PARAMS_SILENT_MAX)
        *why = REASON_POSITIONS;
    else if (!round_enough(r, &r->placed))
        *why = REASON_QUORUM;
    if (*why != REASON_NONE) return STATUS_OK;
    TRY(r->plan.params.k > 0 ? write_positions(r) : STATUS_OK);
    return make_graphs(r);
}

void dealing_settle(struct dealing *dealing)
{
    buffer_free(&dealing->bytes);
    shares_free(&dealing->shares);
    merkle_tree_free(&dealing->tree);
}

void dealing_free(struct dealing *dealing)
{
    dealing_settle(dealing);
    free(dealing->leaf);
    dealing->leaf = NULL;
}

/* Parse the letter where it is to stay. */
static enum status dealing_new(struct dealing *out, const struct round *r, uint32_t from,
                               struct view in)
{
    const size_t limit = bundle_sealed_max(&r->plan);
    AUTO(dealing_free) struct dealing d = {0};
    write_bytes(&d.bytes, in.at, in.n);
    TRY(d.bytes.status);
    TRY(shares_read(&d.shares, buffer_view(&d.bytes), graph_holders(&r->graph), limit));
    TRY(header_read(&d.header, d.shares.header, r->config.manifest->member[from].identity));
    TRY(round_same(r, d.header.session));
    TRY(merkle_tree_new(&d.tree, d.shares.leaf, d.shares.n));
    d.leaf = d.shares.leaf;
    d.shares.leaf = NULL;
    d.head = header_hash(d.shares.header);
    *out = d;
    d = (struct dealing){0};
    return STATUS_OK;
}

/* Every holder but the dealer itself has a sealed bundle, and the root is over the leaves. */
static bool dealing_fits(const struct dealing *d, const struct round *r, uint32_t from)
{
    const struct hash root = merkle_tree_root(&d->tree);
    const uint32_t own = graph_holder_number(&r->graph, from, from);
    for (uint32_t i = 0; i < d->shares.n; i++)
        if ((d->shares.sealed[i].n == 0) != (i == own)) return false;
    return d->header.from == from && d->header.n_selfs == r->plan.n_segments &&
           d->header.n_noises == r->plan.removable && hash_equal(&root, &d->header.root) &&
           hash_equal(&d->header.plan, &r->plan_hash) &&
           hash_equal(&d->header.roster, &r->roster_hash);
}

enum status round_take_shares(struct round *r, uint32_t from, struct view in, struct outbox *out)
{
    AUTO(dealing_free) struct dealing dealt = {0};
    TRY(dealing_new(&dealt, r, from, in));
    if (!dealing_fits(&dealt, r, from)) return round_blame(r, from, REASON_SHARE, out);
    r->site[from].dealt = dealt;
    dealt = (struct dealing){0};
    bits_set(&r->dealers, from);
    return STATUS_OK;
}

static void free_heads(struct hash **head)
{
    free(*head);
}

enum status round_end_shares(struct round *r, enum reason *why)
{
    if (!round_enough(r, &r->dealers)) {
        *why = REASON_QUORUM;
        return STATUS_OK;
    }
    AUTO(free_heads) struct hash *head = calloc(r->dealers.n, sizeof *head);
    if (head == NULL) return STATUS_NOMEM;
    for (uint32_t v = 0; v < r->dealers.n; v++) head[v] = r->site[v].dealt.head;
    r->dealers_hash = inbox_hash(&r->dealers, head);
    return STATUS_OK;
}
