/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/unmask.h"

#include <stdlib.h>
#include <string.h>

#include "aggregator/round_step.h"
#include "aggregator/surplus.h"
#include "base/secret.h"
#include "protocol/pads.h"
#include "protocol/removal.h"

/* The pads to take away, per segment. */
struct pads {
    struct pad *pad[MSG_SEGMENTS_MAX]; /* secret */
    size_t n[MSG_SEGMENTS_MAX], room[MSG_SEGMENTS_MAX];
};

static void pads_free(struct pads *pads)
{
    for (size_t l = 0; l < MSG_SEGMENTS_MAX; l++) {
        if (pads->pad[l] != NULL) secret_wipe(pads->pad[l], pads->room[l] * sizeof *pads->pad[l]);
        free(pads->pad[l]);
    }
}

/* Whether survivor u added a pad towards dropped v in a segment that is opened. */
static bool left_over(const struct round *r, uint32_t l, uint32_t u, uint32_t v)
{
    return bits_has(&r->opened_set, l) && bits_has(&r->survivors, u) &&
           graph_linked(&r->pads[l], u, v);
}

static enum status pads_new(struct pads *pads, const struct round *r)
{
    const size_t n = r->dealers.n;
    for (uint32_t l = 0; l < r->plan.n_segments; l++) {
        if (!bits_has(&r->opened_set, l)) continue;
        size_t room = bits_common(&r->survivors, &r->plan.segment[l].members);
        for (uint32_t v = 0; v < n; v++)
            for (uint32_t u = 0; round_dropped(r, v) && u < n; u++) room += left_over(r, l, u, v);
        pads->pad[l] = calloc(room, sizeof *pads->pad[l]);
        if (pads->pad[l] == NULL) return STATUS_NOMEM;
        pads->room[l] = room;
    }
    return STATUS_OK;
}

/* The weights of the last dealer's holders: in a complete graph all dealers have the same. */
struct rebuild {
    const uint32_t *holder; /* t; borrowed */
    struct share_weights weights;
};

static void rebuild_free(struct rebuild *b)
{
    share_weights_free(&b->weights);
}

static enum status weigh(struct rebuild *b, const uint32_t *holder, uint32_t t)
{
    if (b->holder != NULL && memcmp(b->holder, holder, t * sizeof *holder) == 0) return STATUS_OK;
    share_weights_free(&b->weights);
    b->holder = NULL;
    TRY(share_weights_new(&b->weights, holder, t, &SHARE_FIELD));
    b->holder = holder;
    return STATUS_OK;
}

/* Secret number i of those that a dealer's holders revealed; false when a share is not canonical.
 */
static bool join(uint8_t secret[static SHARE_BYTES], const struct rebuild *b,
                 const struct contributor *dealer, uint32_t i)
{
    return share_join(secret, dealer->revealed + i * b->weights.t * SHARE_BYTES, &b->weights,
                      &SHARE_FIELD) == STATUS_OK;
}

/* A survivor's own pads, from the self-mask seeds that it committed to; *i counts its secrets. */
static bool collect_self(struct pads *pads, const struct round *r, const struct rebuild *b,
                         uint32_t v, uint32_t *i)
{
    const struct contributor *dealer = &r->site[v];
    bool fits = true;
    uint8_t seed[SHARE_BYTES] = {0};
    for (uint32_t l = 0; l < r->plan.n_segments && fits; l++) {
        if (!round_asks(r, v, BUNDLE_SELF(l))) continue;
        fits = join(seed, b, dealer, (*i)++);
        const struct hash hash = hash_of("self seed", (struct view){seed, sizeof seed});
        fits = fits && hash_equal(&hash, &dealer->dealt.header.self[l]);
        if (fits) pads_self(&pads->pad[l][pads->n[l]++], seed, &r->plan_hash, &r->roster_hash, l);
    }
    secret_wipe(seed, sizeof seed);
    return fits;
}

/* The seed of that part of a survivor's noise that is the first too much. */
static bool collect_surplus(struct surplus *surplus, const struct round *r, const struct rebuild *b,
                            uint32_t v, uint32_t i)
{
    if (surplus->first == 0) return true;
    uint8_t *seed = surplus->seed[surplus->n++];
    const struct contributor *dealer = &r->site[v];
    if (!join(seed, b, dealer, i)) return false;
    const struct hash hash = removal_commit(seed);
    return hash_equal(&hash, &dealer->dealt.header.noise[surplus->first - 1]);
}

static bool collect_survivor(struct pads *pads, struct surplus *surplus, const struct round *r,
                             const struct rebuild *b, uint32_t v)
{
    uint32_t i = 0;
    return collect_self(pads, r, b, v, &i) && collect_surplus(surplus, r, b, v, i);
}

/* The pads that one survivor added towards a dropped site. */
static bool collect_pair(struct pads *pads, const struct round *r, const struct kx_pair *pair,
                         uint32_t u, uint32_t v)
{
    bool agreed = false, fits = true;
    uint8_t shared[KX_SHARED_BYTES] = {0};
    for (uint32_t l = 0; l < r->plan.n_segments && fits; l++) {
        if (!left_over(r, l, u, v)) continue;
        fits = agreed || kx_agree(shared, pair, r->site[u].keys.mask_key) == STATUS_OK;
        agreed = true;
        if (fits)
            pads_pair(&pads->pad[l][pads->n[l]++], shared, &r->plan_hash, &r->roster_hash,
                      &r->dealers_hash, l, u, v);
    }
    secret_wipe(shared, sizeof shared);
    return fits;
}

/* The pads that every survivor added towards a dropped site, from its key seed. */
static bool collect_pairs(struct pads *pads, const struct round *r, const struct rebuild *b,
                          uint32_t v)
{
    uint8_t seed[SHARE_BYTES] = {0};
    struct kx_pair pair = {0};
    bool fits = join(seed, b, &r->site[v], 0);
    if (fits) {
        kx_pair_of(&pair, seed, "mask");
        fits = memcmp(pair.public_key, r->site[v].keys.mask_key, KX_PUBLIC_BYTES) == 0;
    }
    for (uint32_t u = 0; u < r->survivors.n && fits; u++) fits = collect_pair(pads, r, &pair, u, v);
    secret_wipe(seed, sizeof seed);
    secret_wipe(&pair, sizeof pair);
    return fits;
}

/* Take the pads of one segment away; false when the sum contradicts its checksum element. */
static enum status open_segment(struct round *r, const struct pads *pads, uint32_t l, bool *fits)
{
    const struct mask_how how = {
        .cipher = r->plan.cipher, .bits = r->plan.grid.bits, .threads = r->threads};
    TRY(mask_take(&r->opened[l], &r->total[l], pads->pad[l], pads->n[l], &how, 0));
    struct opened *opened = &r->opened[l];
    uint32_t sum = 0;
    opened->n--;
    for (size_t i = 0; i < opened->n; i++) sum += opened->value[i];
    *fits = (sum & UINT32_MAX >> (MASK_BITS_MAX - how.bits)) == opened->value[opened->n];
    return STATUS_OK;
}

/* All pads of the dealers, and noise that is too much; *why and round->about when a seed does not
 * fit. */
static enum status collect(struct pads *pads, struct surplus *surplus, struct round *r,
                           enum reason *why)
{
    AUTO(rebuild_free) struct rebuild b = {0};
    for (uint32_t v = 0; v < r->dealers.n; v++) {
        const struct contributor *dealer = &r->site[v];
        if (dealer->n_places == 0) continue;
        TRY(weigh(&b, dealer->holder, r->plan.params.t));
        if (round_dropped(r, v) ? collect_pairs(pads, r, &b, v)
                                : collect_survivor(pads, surplus, r, &b, v))
            continue;
        *why = REASON_SHARE;
        r->about = v;
        return STATUS_OK;
    }
    return STATUS_OK;
}

enum status unmask_total(struct round *round, enum reason *why)
{
    struct round *r = round;
    *why = REASON_QUORUM;
    if (!round_revealed(r)) return STATUS_OK;
    AUTO(pads_free) struct pads pads = {0};
    AUTO(surplus_free) struct surplus surplus = {0};
    TRY(pads_new(&pads, r));
    TRY(surplus_new(&surplus, r));
    *why = REASON_NONE;
    TRY(collect(&pads, &surplus, r, why));
    for (uint32_t l = 0; l < r->plan.n_segments && *why == REASON_NONE; l++) {
        if (!bits_has(&r->opened_set, l)) continue;
        bool fits = false;
        TRY(open_segment(r, &pads, l, &fits));
        if (!fits) *why = REASON_CHECKSUM;
    }
    return *why == REASON_NONE ? surplus_take(r, &surplus) : STATUS_OK;
}
