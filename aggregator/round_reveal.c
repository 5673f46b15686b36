/* SPDX-License-Identifier: Apache-2.0 */
/* The shares of the survivors' quorum, and the result. */
#include <stdlib.h>
#include <string.h>

#include "aggregator/round_step.h"
#include "aggregator/unmask.h"
#include "protocol/removal.h"

bool round_dropped(const struct round *r, uint32_t site)
{
    return bits_has(&r->dealers, site) && !bits_has(&r->survivors, site);
}

bool round_asks(const struct round *r, uint32_t dealer, uint32_t place)
{
    const bool survived = bits_has(&r->survivors, dealer);
    if (place == BUNDLE_PAIR) return !survived;
    if (!survived) return false;
    if (place >= BUNDLE_NOISE(&r->plan, 1))
        return place == BUNDLE_NOISE(&r->plan, removal_first(&r->plan, &r->survivors));
    const uint32_t l = place - BUNDLE_SELF(0);
    return bits_has(&r->opened_set, l) && bits_has(&r->plan.segment[l].members, dealer);
}

enum status round_open_reveal(struct round *r)
{
    const size_t t = r->plan.params.t;
    for (uint32_t v = 0; v < r->dealers.n; v++) {
        struct contributor *site = &r->site[v];
        if (!bits_has(&r->dealers, v)) continue;
        for (uint32_t p = 0; p < bundle_places(&r->plan); p++)
            site->n_places += round_asks(r, v, p);
        if (site->n_places == 0) continue; /* all its segments stay sealed */
        site->holder = calloc(t, sizeof *site->holder);
        site->revealed = calloc(site->n_places * t, SHARE_BYTES);
        if (site->holder == NULL || site->revealed == NULL) return STATUS_NOMEM;
    }
    return STATUS_OK;
}

bool round_revealed(const struct round *r)
{
    for (uint32_t v = 0; v < r->dealers.n; v++)
        if (r->site[v].n_places > 0 && r->site[v].n_revealed < r->plan.params.t) return false;
    return true;
}

/* The revealed shares are those that the dealer committed to, of the kind that is asked for; of a
 * dealer that the site holds nothing of there are none. */
static bool bundle_fits(const struct round *r, struct bundle *bundle, uint32_t dealer,
                        uint32_t from)
{
    const uint32_t number =
        bits_has(&r->dealers, dealer) ? graph_holder_number(&r->graph, dealer, from) : GRAPH_NONE;
    if (number == GRAPH_NONE) return bundle->n == 0;
    if (bundle->n != bundle_places(&r->plan)) return false;
    for (uint32_t p = 0; p < bundle->n; p++) {
        struct place *place = &bundle->place[p];
        if (place->have != round_asks(r, dealer, p)) return false;
        if (place->have)
            place->commitment =
                bundle_commit(r->plan.session, dealer, from, p, place->salt, place->share);
    }
    const struct hash leaf = bundle_leaf(bundle);
    return hash_equal(&leaf, &r->site[dealer].dealt.leaf[number]);
}

static void keep_row(struct round *r, uint32_t dealer, uint32_t from, const struct bundle *bundle)
{
    struct contributor *site = &r->site[dealer];
    const size_t t = r->plan.params.t;
    if (bundle->n == 0 || site->n_places == 0 || site->n_revealed == t) return;
    uint8_t *at = site->revealed + site->n_revealed * SHARE_BYTES;
    for (uint32_t p = 0; p < bundle->n; p++) {
        if (!bundle->place[p].have) continue;
        memcpy(at, bundle->place[p].share, SHARE_BYTES);
        at += t * SHARE_BYTES;
    }
    site->holder[site->n_revealed++] = graph_holder_number(&r->graph, dealer, from);
}

enum status round_take_unmask(struct round *r, uint32_t from, struct view in, struct outbox *out)
{
    const uint32_t n = r->config.manifest->n;
    AUTO(unmask_free) struct unmask unmask = {0};
    TRY(unmask_read(&unmask, in, n, r->config.manifest->member[from].identity));
    TRY(round_same(r, unmask.session));
    if (unmask.from != from || !hash_equal(&unmask.survivors, &r->survivors_hash))
        return round_blame(r, from, REASON_SURVIVORS, out);
    for (uint32_t v = 0; v < n; v++)
        if (!bundle_fits(r, &unmask.bundle[v], v, from))
            return round_blame(r, from, REASON_SHARE, out);
    for (uint32_t v = 0; v < n; v++) keep_row(r, v, from, &unmask.bundle[v]);
    bits_set(&r->revealed, from);
    return STATUS_OK;
}

/* Over each opened sum as a site would send it, packed; nothing where it stays sealed. */
static enum status hash_sums(struct hash *out, const struct round *r)
{
    struct hash_state state;
    hash_start(&state, "sums");
    for (uint32_t l = 0; l < r->plan.n_segments; l++) {
        AUTO(buffer_free) struct buffer packed = {0};
        write_packed(&packed, r->opened[l].value, r->opened[l].n, r->plan.grid.bits);
        TRY(packed.status);
        const struct hash sum = hash_long("sum", buffer_view(&packed));
        hash_add(&state, sum.bytes, sizeof sum.bytes);
    }
    *out = hash_end(&state);
    return STATUS_OK;
}

enum status round_end_reveal(struct round *r, enum reason *why)
{
    TRY(unmask_total(r, why));
    if (*why != REASON_NONE) return STATUS_OK;
    struct hash sums = {0};
    TRY(hash_sums(&sums, r));
    r->result = (struct result){.round = r->plan.round,
                                .previous = r->plan.previous,
                                .plan = r->plan_hash,
                                .survivors = r->survivors_hash,
                                .n_survivors = (uint32_t)bits_count(&r->survivors),
                                .sums = sums};
    memcpy(r->result.session, r->plan.session, MSG_SESSION_BYTES);
    result_write(&r->result_bytes, &r->result, r->config.identity);
    return r->result_bytes.status;
}
