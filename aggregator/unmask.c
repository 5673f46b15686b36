/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/unmask.h"

#include <stdlib.h>
#include <string.h>

#include "aggregator/round_step.h"
#include "base/secret.h"
#include "protocol/pads.h"

/* The first t responders, and the weights that serve all their shares. */
struct responders {
    uint32_t *index; /* t */
    uint8_t *share;  /* t * SHARE_BYTES, scratch; secret */
    struct share_weights weights;
};

static void responders_free(struct responders *x)
{
    if (x->share != NULL) secret_wipe(x->share, x->weights.t * SHARE_BYTES);
    free(x->index);
    free(x->share);
    share_weights_free(&x->weights);
}

static enum status responders_of(struct responders *out, const struct round *r)
{
    const uint32_t t = r->plan.params.t;
    out->index = calloc(t, sizeof *out->index);
    out->share = calloc(t, SHARE_BYTES);
    if (out->index == NULL || out->share == NULL) return STATUS_NOMEM;
    uint32_t count = 0;
    for (uint32_t v = 0; v < r->config.manifest->n && count < t; v++)
        if (bits_has(&r->revealed, v)) out->index[count++] = v;
    return share_weights_new(&out->weights, out->index, t, &SHARE_FIELD);
}

/* Rebuild one secret of a dealer; false when its shares are not canonical. */
static bool join(uint8_t secret[static SHARE_BYTES], const struct round *r,
                 const struct responders *who, uint32_t dealer, uint32_t place)
{
    for (size_t i = 0; i < who->weights.t; i++)
        memcpy(who->share + i * SHARE_BYTES,
               r->site[who->index[i]].revealed.bundle[dealer].share[place], SHARE_BYTES);
    return share_join(secret, who->share, &who->weights, &SHARE_FIELD) == STATUS_OK;
}

/* The pads to take away, per segment. */
struct pads {
    struct pad *pad[MSG_SEGMENTS_MAX]; /* secret */
    size_t n[MSG_SEGMENTS_MAX];
    size_t room;
};

static void pads_free(struct pads *pads)
{
    for (size_t l = 0; l < MSG_SEGMENTS_MAX; l++) {
        if (pads->pad[l] != NULL) secret_wipe(pads->pad[l], pads->room * sizeof *pads->pad[l]);
        free(pads->pad[l]);
    }
}

static enum status pads_new(struct pads *pads, const struct round *r)
{
    size_t survivors = bits_count(&r->survivors), dropped = bits_count(&r->dealers) - survivors;
    pads->room = survivors + survivors * dropped;
    for (uint32_t l = 0; l < r->plan.n_segments; l++) {
        if (!bits_has(&r->opened_set, l)) continue;
        pads->pad[l] = calloc(pads->room, sizeof *pads->pad[l]);
        if (pads->pad[l] == NULL) return STATUS_NOMEM;
    }
    return STATUS_OK;
}

/* A survivor's own pads, from the self-mask seeds that it committed to. */
static bool collect_self(struct pads *pads, const struct round *r, const struct responders *who,
                         uint32_t v)
{
    bool fits = true;
    uint8_t seed[SHARE_BYTES] = {0};
    for (uint32_t l = 0; l < r->plan.n_segments && fits; l++) {
        if (pads->pad[l] == NULL || !bits_has(&r->plan.segment[l].members, v)) continue;
        fits = join(seed, r, who, v, BUNDLE_SELF(l));
        struct hash hash = hash_of("self seed", (struct view){seed, sizeof seed});
        fits = fits && hash_equal(&hash, &r->site[v].committed.self[l]);
        if (fits) pads_self(&pads->pad[l][pads->n[l]++], seed, &r->plan_hash, &r->roster_hash, l);
    }
    secret_wipe(seed, sizeof seed);
    return fits;
}

/* The pads that every survivor added towards a dropped site, from its key seed. */
static bool collect_pairs(struct pads *pads, const struct round *r, const struct responders *who,
                          uint32_t v)
{
    uint8_t seed[SHARE_BYTES] = {0}, shared[KX_SHARED_BYTES] = {0}, key[KX_PUBLIC_BYTES];
    bool fits = join(seed, r, who, v, BUNDLE_PAIR);
    if (fits) {
        kx_public(key, seed, "mask");
        fits = memcmp(key, r->site[v].keys.mask_key, sizeof key) == 0;
    }
    for (uint32_t u = 0; u < r->config.manifest->n && fits; u++) {
        if (!bits_has(&r->survivors, u)) continue;
        fits = kx_agree(shared, seed, r->site[u].keys.mask_key, "mask") == STATUS_OK;
        for (uint32_t l = 0; l < r->plan.n_segments && fits; l++) {
            const struct bits *members = &r->plan.segment[l].members;
            if (pads->pad[l] == NULL || !bits_has(members, u) || !bits_has(members, v)) continue;
            pads_pair(&pads->pad[l][pads->n[l]++], shared, &r->plan_hash, &r->roster_hash,
                      &r->dealers_hash, l, u, v);
        }
    }
    secret_wipe(seed, sizeof seed);
    secret_wipe(shared, sizeof shared);
    return fits;
}

/* Take the pads of one segment away; false when the sum contradicts its checksum element. */
static enum status open_segment(struct round *r, const struct pads *pads, uint32_t l, bool *fits)
{
    const unsigned bits = r->plan.grid.bits;
    AUTO(opened_free) struct opened opened = {0};
    TRY(opened_new(&opened, r->total[l].n));
    TRY(mask_take(&opened, &r->total[l], pads->pad[l], pads->n[l], bits, 0));
    uint32_t sum = 0;
    const size_t dim = opened.n - 1;
    for (size_t i = 0; i < dim; i++) sum += opened.value[i];
    *fits = (sum & UINT32_MAX >> (32 - bits)) == opened.value[dim];
    opened.n = dim;
    r->opened[l] = opened;
    opened = (struct opened){0};
    return STATUS_OK;
}

enum status unmask_total(struct round *round, enum reason *why)
{
    struct round *r = round;
    *why = REASON_QUORUM;
    if (bits_count(&r->revealed) < r->plan.params.t) return STATUS_OK;
    AUTO(responders_free) struct responders who = {0};
    TRY(responders_of(&who, r));
    AUTO(pads_free) struct pads pads = {0};
    TRY(pads_new(&pads, r));
    *why = REASON_SHARE;
    for (uint32_t v = 0; v < r->config.manifest->n; v++) {
        if (!bits_has(&r->dealers, v)) continue;
        r->about = v;
        bool survived = bits_has(&r->survivors, v);
        if (survived ? !collect_self(&pads, r, &who, v) : !collect_pairs(&pads, r, &who, v))
            return STATUS_OK;
    }
    r->about = OUTBOX_SERVER;
    *why = REASON_CHECKSUM;
    for (uint32_t l = 0; l < r->plan.n_segments; l++) {
        if (!bits_has(&r->opened_set, l)) continue;
        bool fits = false;
        TRY(open_segment(r, &pads, l, &fits));
        if (!fits) return STATUS_OK;
    }
    *why = REASON_NONE;
    return STATUS_OK;
}

static struct hash hash_sums(const struct round *r)
{
    struct hash_state state;
    hash_start(&state, "sums");
    for (uint32_t l = 0; l < r->plan.n_segments; l++) {
        hash_add_u64(&state, r->opened[l].n);
        for (size_t i = 0; i < r->opened[l].n; i++) hash_add_u64(&state, r->opened[l].value[i]);
    }
    return hash_end(&state);
}

enum status round_end_reveal(struct round *r, enum reason *why, struct outbox *out)
{
    TRY(unmask_total(r, why));
    if (*why != REASON_NONE) return STATUS_OK;
    r->result = (struct result){.round = r->plan.round,
                                .previous = r->plan.previous,
                                .plan = r->plan_hash,
                                .survivors = r->survivors_hash,
                                .n_survivors = (uint32_t)bits_count(&r->survivors),
                                .sums = hash_sums(r)};
    memcpy(r->result.session, r->plan.session, MSG_SESSION_BYTES);
    result_write(&r->result_bytes, &r->result, r->config.identity);
    TRY(r->result_bytes.status);
    for (uint32_t v = 0; v < r->config.manifest->n; v++) {
        if (!bits_has(&r->survivors, v)) continue;
        struct buffer bytes = {0};
        write_bytes(&bytes, r->result_bytes.at, r->result_bytes.n);
        TRY(outbox_send(out, v, &bytes));
    }
    return STATUS_OK;
}
