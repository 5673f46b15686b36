/* SPDX-License-Identifier: Apache-2.0 */
/* From the masked inputs to the shares of the survivors' quorum. */
#include "aggregator/round_step.h"

#include <stdlib.h>
#include <string.h>

#include "aggregator/tally.h"

static void free_masked(struct masked (*part)[MSG_SEGMENTS_MAX])
{
    for (size_t l = 0; l < MSG_SEGMENTS_MAX; l++) masked_free(&(*part)[l]);
}

static enum status unpack(struct masked *out, const struct plan *plan, struct view body, size_t n)
{
    TRY(masked_new(out, n));
    struct reader r = reader_of(body);
    read_packed(&r, out->value, n, plan->grid.bits);
    return reader_end(&r);
}

enum status round_take_masked(struct round *r, uint32_t from, struct view in, struct outbox *out)
{
    struct masked_input masked = {0};
    TRY(masked_read(&masked, in, &r->plan, from));
    struct digest digest = {0};
    TRY(digest_read(&digest, masked.digest, r->config.manifest->member[from].identity));
    TRY(round_same(r, digest.session));
    if (digest.from != from || !hash_equal(&digest.plan, &r->plan_hash) ||
        !hash_equal(&digest.roster, &r->roster_hash) ||
        !hash_equal(&digest.dealers, &r->dealers_hash) || digest.n_segments != r->plan.n_segments)
        return round_blame(r, from, REASON_FORMAT, out);
    /* All or nothing: unpack everything before anything is added. */
    AUTO(free_masked) struct masked part[MSG_SEGMENTS_MAX] = {{0}};
    for (uint32_t l = 0; l < r->plan.n_segments; l++) {
        const struct segment *segment = &r->plan.segment[l];
        if (!bits_has(&segment->members, from)) continue;
        struct hash hash = masked_digest(masked.body[l]);
        if (!hash_equal(&hash, &digest.segment[l])) return round_blame(r, from, REASON_FORMAT, out);
        TRY(unpack(&part[l], &r->plan, masked.body[l], segment->dim + 1));
    }
    for (uint32_t l = 0; l < r->plan.n_segments; l++)
        if (part[l].n > 0) TRY(tally_add(&r->total[l], &part[l]));
    r->site[from].digest = hash_of("digest", masked.digest);
    bits_set(&r->survivors, from);
    return STATUS_OK;
}

static void free_leaves(struct hash **leaf)
{
    free(*leaf);
}

/* The one survivor set: who sent its input, and which segments that suffices for. */
enum status round_end_collect(struct round *r, enum reason *why, struct outbox *out)
{
    const uint32_t n = r->config.manifest->n;
    size_t count = bits_count(&r->survivors);
    if (count < r->plan.params.quorum) {
        *why = REASON_QUORUM;
        return STATUS_OK;
    }
    for (uint32_t l = 0; l < r->plan.n_segments; l++)
        if (bits_common(&r->plan.segment[l].members, &r->survivors) >=
            (size_t)r->plan.params.m + r->plan.params.c)
            bits_set(&r->opened_set, l);
    AUTO(free_leaves) struct hash *leaf = calloc(count, sizeof *leaf);
    if (leaf == NULL) return STATUS_NOMEM;
    for (uint32_t v = 0, i = 0; v < n; v++)
        if (bits_has(&r->survivors, v)) leaf[i++] = r->site[v].digest;
    /* Borrows the round's sets for writing; not freed here. */
    struct survivors statement = {.plan = r->plan_hash,
                                  .roster = r->roster_hash,
                                  .dealers = r->dealers_hash,
                                  .survivors = r->survivors,
                                  .opened = r->opened_set};
    memcpy(statement.session, r->plan.session, MSG_SESSION_BYTES);
    TRY(merkle_root(&statement.root, leaf, count));
    r->survivors_hash = survivors_hash(&statement);
    for (uint32_t v = 0, i = 0; v < n; v++) {
        if (!bits_has(&r->survivors, v)) continue;
        struct merkle_path path = {0};
        TRY(merkle_path_of(&path, leaf, count, i++));
        struct buffer bytes = {0};
        survivors_write(&bytes, &statement, &path, r->config.identity);
        TRY(outbox_send(out, v, &bytes));
    }
    return STATUS_OK;
}

enum status round_take_confirm(struct round *r, uint32_t from, struct view in, struct outbox *out)
{
    (void)out;
    struct confirm confirm = {0};
    TRY(confirm_read(&confirm, in));
    TRY(round_same(r, confirm.session));
    if (confirm.from != from ||
        !confirm_check(&confirm, &r->survivors_hash, r->config.manifest->member[from].identity))
        return STATUS_AUTH;
    r->site[from].confirm = confirm;
    bits_set(&r->confirmed, from);
    return STATUS_OK;
}

enum status round_end_confirm(struct round *r, enum reason *why, struct outbox *out)
{
    const uint32_t n = r->config.manifest->n;
    if (bits_count(&r->confirmed) < r->plan.params.quorum) {
        *why = REASON_CONFIRMATIONS;
        return STATUS_OK;
    }
    AUTO(quorum_free) struct quorum quorum = {0};
    quorum.confirm = calloc(bits_count(&r->confirmed), sizeof *quorum.confirm);
    if (quorum.confirm == NULL) return STATUS_NOMEM;
    memcpy(quorum.session, r->plan.session, MSG_SESSION_BYTES);
    for (uint32_t v = 0; v < n; v++)
        if (bits_has(&r->confirmed, v)) quorum.confirm[quorum.n++] = r->site[v].confirm;
    for (uint32_t v = 0; v < n; v++) {
        if (!bits_has(&r->survivors, v)) continue;
        struct buffer bytes = {0};
        quorum_write(&bytes, &quorum);
        TRY(outbox_send(out, v, &bytes));
    }
    return STATUS_OK;
}

/* Which share of a dealer's the survivor set asks for: the kind is never a choice. */
static bool asked_for(const struct round *r, uint32_t dealer, uint32_t place)
{
    bool survived = bits_has(&r->survivors, dealer);
    if (place == BUNDLE_PAIR) return !survived;
    uint32_t l = place - 1;
    return survived && bits_has(&r->opened_set, l) && bits_has(&r->plan.segment[l].members, dealer);
}

/* The revealed shares of one dealer are those that it committed to. */
static bool bundle_fits(const struct round *r, struct bundle *bundle, uint32_t dealer,
                        uint32_t from)
{
    if (bundle->n != 1 + r->plan.n_segments) return false;
    for (uint32_t p = 0; p < bundle->n; p++) {
        if (bundle->have[p] != asked_for(r, dealer, p)) return false;
        if (bundle->have[p])
            bundle->commitment[p] =
                bundle_commit(r->plan.session, dealer, from, p, bundle->salt[p], bundle->share[p]);
    }
    struct hash leaf = bundle_leaf(bundle);
    return hash_equal(&leaf, &r->site[dealer].leaf[round_rank(&r->adverts, from)]);
}

enum status round_take_unmask(struct round *r, uint32_t from, struct view in, struct outbox *out)
{
    const uint32_t n = r->config.manifest->n;
    AUTO(unmask_free) struct unmask unmask = {0};
    TRY(unmask_read(&unmask, in, n, r->config.manifest->member[from].identity));
    TRY(round_same(r, unmask.session));
    if (unmask.from != from || !hash_equal(&unmask.survivors, &r->survivors_hash))
        return round_blame(r, from, REASON_SURVIVORS, out);
    for (uint32_t v = 0; v < n; v++) {
        bool dealt = bits_has(&r->dealers, v);
        if (dealt ? !bundle_fits(r, &unmask.bundle[v], v, from) : unmask.bundle[v].n != 0)
            return round_blame(r, from, REASON_SHARE, out);
    }
    r->site[from].revealed = unmask;
    unmask = (struct unmask){0};
    bits_set(&r->revealed, from);
    return STATUS_OK;
}
