/* SPDX-License-Identifier: Apache-2.0 */
/* The key stages of a round: adverts to roster, shares to inboxes. */
#include "aggregator/round_step.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/kx.h"
#include "crypto/seal.h"

enum status round_take_advert(struct round *r, uint32_t from, struct view in, struct outbox *out)
{
    struct advert advert = {0};
    enum status status = advert_read(&advert, in, r->config.manifest->member[from].identity);
    if (status != STATUS_OK) return status;
    TRY(round_same(r, advert.session));
    if (advert.from != from || !hash_equal(&advert.plan, &r->plan_hash) ||
        !kx_acceptable(advert.mask_key) || !kx_acceptable(advert.enc_key))
        return round_blame(r, from, REASON_ROSTER, out);
    /* Key uniqueness is checked where it matters, at the sites; here it saves them the round. */
    for (uint32_t v = 0; v < r->config.manifest->n; v++) {
        const struct advert *other = &r->site[v].keys;
        if (!bits_has(&r->adverts, v)) continue;
        if (memcmp(other->mask_key, advert.mask_key, KX_PUBLIC_BYTES) == 0 ||
            memcmp(other->enc_key, advert.enc_key, KX_PUBLIC_BYTES) == 0)
            return round_blame(r, from, REASON_ROSTER, out);
    }
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

static enum status adverts_of(struct view **out, const struct round *r)
{
    struct view *advert = calloc(r->config.manifest->n, sizeof *advert);
    if (advert == NULL) return STATUS_NOMEM;
    for (uint32_t v = 0; v < r->config.manifest->n; v++)
        if (bits_has(&r->adverts, v)) advert[v] = buffer_view(&r->site[v].advert);
    *out = advert;
    return STATUS_OK;
}

enum status round_end_keys(struct round *r, enum reason *why, struct outbox *out)
{
    const uint32_t n = r->config.manifest->n;
    if (bits_count(&r->adverts) < r->plan.params.quorum || !round_segments_full(r, &r->adverts)) {
        *why = REASON_QUORUM;
        return STATUS_OK;
    }
    AUTO(free_views) struct view *advert = NULL;
    TRY(adverts_of(&advert, r));
    r->roster_hash = roster_hash(&r->plan_hash, advert, n);
    struct roster roster = {.n = n, .advert = advert};
    memcpy(roster.session, r->plan.session, MSG_SESSION_BYTES);
    for (uint32_t v = 0; v < n; v++) {
        if (!bits_has(&r->adverts, v)) continue;
        struct buffer bytes = {0};
        roster_write(&bytes, &roster, r->config.identity);
        TRY(outbox_send(out, v, &bytes));
    }
    return STATUS_OK;
}

/* Every recipient but the dealer itself has a sealed bundle, and the root is over the leaves. */
static bool shares_fit(const struct round *r, uint32_t from, const struct shares *shares,
                       const struct header *header)
{
    struct hash root;
    if (merkle_root(&root, shares->leaf, shares->n) != STATUS_OK) return false;
    if (!hash_equal(&root, &header->root)) return false;
    size_t own = round_rank(&r->adverts, from);
    for (size_t i = 0; i < shares->n; i++)
        if ((shares->sealed[i].n == 0) != (i == own)) return false;
    return header->from == from && header->n_selfs == r->plan.n_segments &&
           hash_equal(&header->plan, &r->plan_hash) && hash_equal(&header->roster, &r->roster_hash);
}

enum status round_take_shares(struct round *r, uint32_t from, struct view in, struct outbox *out)
{
    AUTO(shares_free) struct shares shares = {0};
    size_t count = bits_count(&r->adverts);
    size_t limit = SEAL_EXTRA_BYTES + HASH_BYTES + (1 + (size_t)r->plan.n_segments) * SHARE_BYTES;
    TRY(shares_read(&shares, in, (uint32_t)count, limit));
    struct header header = {0};
    TRY(header_read(&header, shares.header, r->config.manifest->member[from].identity));
    TRY(round_same(r, header.session));
    if (!shares_fit(r, from, &shares, &header)) return round_blame(r, from, REASON_SHARE, out);
    struct contributor *site = &r->site[from];
    site->sealed = calloc(count, sizeof *site->sealed);
    if (site->sealed == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < count; i++) {
        write_bytes(&site->sealed[i], shares.sealed[i].at, shares.sealed[i].n);
        TRY(site->sealed[i].status);
    }
    write_bytes(&site->header, shares.header.at, shares.header.n);
    TRY(site->header.status);
    site->committed = header;
    site->leaf = shares.leaf;
    shares.leaf = NULL;
    bits_set(&r->dealers, from);
    return STATUS_OK;
}

static enum status send_inbox(const struct round *r, uint32_t to, struct outbox *out)
{
    const uint32_t n = r->config.manifest->n;
    AUTO(inbox_free) struct inbox inbox = {0};
    TRY(inbox_new(&inbox, n));
    memcpy(inbox.session, r->plan.session, MSG_SESSION_BYTES);
    size_t rank = round_rank(&r->adverts, to), count = bits_count(&r->adverts);
    for (uint32_t v = 0; v < n; v++) {
        if (!bits_has(&r->dealers, v)) continue;
        inbox.header[v] = buffer_view(&r->site[v].header);
        inbox.sealed[v] = buffer_view(&r->site[v].sealed[rank]);
        TRY(merkle_path_of(&inbox.path[v], r->site[v].leaf, count, rank));
    }
    struct buffer bytes = {0};
    inbox_write(&bytes, &inbox, r->config.identity);
    return outbox_send(out, to, &bytes);
}

enum status round_end_shares(struct round *r, enum reason *why, struct outbox *out)
{
    const uint32_t n = r->config.manifest->n;
    if (bits_count(&r->dealers) < r->plan.params.quorum || !round_segments_full(r, &r->dealers)) {
        *why = REASON_QUORUM;
        return STATUS_OK;
    }
    AUTO(free_views) struct view *header = calloc(n, sizeof *header);
    if (header == NULL) return STATUS_NOMEM;
    for (uint32_t v = 0; v < n; v++)
        if (bits_has(&r->dealers, v)) header[v] = buffer_view(&r->site[v].header);
    r->dealers_hash = inbox_hash(header, n);
    for (uint32_t v = 0; v < n; v++)
        if (bits_has(&r->dealers, v)) TRY(send_inbox(r, v, out));
    return STATUS_OK;
}
