/* SPDX-License-Identifier: Apache-2.0 */
/* From the masked inputs to the quorum that confirms the survivor set. */
#include "aggregator/round_step.h"

#include <stdlib.h>
#include <string.h>

#include "aggregator/tally.h"

static bool digest_fits(const struct round *r, uint32_t from, const struct digest *digest)
{
    return digest->from == from && digest->n_segments == r->plan.n_segments &&
           hash_equal(&digest->plan, &r->plan_hash) &&
           hash_equal(&digest->roster, &r->roster_hash) &&
           hash_equal(&digest->dealers, &r->dealers_hash);
}

static bool body_fits(const struct round *r, uint32_t l, struct view body,
                      const struct hash *promised)
{
    const struct hash hash = masked_digest(body);
    return hash_equal(&hash, promised) && tally_fits(body, r->total[l].n, r->plan.grid.bits);
}

/* With the body (NULL: it is in the totals) all of a site's segments are added, or none. */
static enum status take_input(struct round *r, uint32_t from, struct view head,
                              const struct masked_input *masked, struct outbox *out)
{
    struct digest digest = {0};
    TRY(digest_read(&digest, head, r->config.manifest->member[from].identity));
    TRY(round_same(r, digest.session));
    bool fits = digest_fits(r, from, &digest);
    for (uint32_t l = 0; masked != NULL && fits && l < r->plan.n_segments; l++)
        if (bits_has(&r->plan.segment[l].members, from))
            fits = body_fits(r, l, masked->body[l], &digest.segment[l]);
    if (!fits) return round_blame(r, from, REASON_FORMAT, out);
    struct contributor *site = &r->site[from];
    write_bytes(&site->head, head.at, head.n);
    TRY(site->head.status);
    site->digest = hash_of("digest", head);
    for (uint32_t l = 0; masked != NULL && l < r->plan.n_segments; l++)
        if (bits_has(&r->plan.segment[l].members, from))
            tally_add(&r->total[l], masked->body[l], r->plan.grid.bits);
    bits_set(&r->survivors, from);
    return STATUS_OK;
}

enum status round_take_masked(struct round *r, uint32_t from, struct view in, struct outbox *out)
{
    struct masked_input masked = {0};
    TRY(masked_read(&masked, in, &r->plan, from));
    return take_input(r, from, masked.digest, &masked, out);
}

enum status round_take_digest(struct round *r, uint32_t from, struct view in, struct outbox *out)
{
    return take_input(r, from, in, NULL, out);
}

static void free_leaves(struct hash **leaf)
{
    free(*leaf);
}

static enum status make_statement(struct round *r)
{
    AUTO(free_leaves) struct hash *leaf = calloc(bits_count(&r->survivors), sizeof *leaf);
    if (leaf == NULL) return STATUS_NOMEM;
    size_t count = 0;
    for (uint32_t v = 0; v < r->survivors.n; v++)
        if (bits_has(&r->survivors, v)) leaf[count++] = r->site[v].digest;
    TRY(merkle_tree_new(&r->digests, leaf, count));
    r->statement = (struct survivors){.plan = r->plan_hash,
                                      .roster = r->roster_hash,
                                      .dealers = r->dealers_hash,
                                      .survivors = r->survivors,
                                      .opened = r->opened_set,
                                      .root = merkle_tree_root(&r->digests)};
    memcpy(r->statement.session, r->plan.session, MSG_SESSION_BYTES);
    r->survivors_hash = survivors_hash(&r->statement);
    return STATUS_OK;
}

/* The one survivor set: who sent its input, and which segments that suffices for. */
enum status round_end_collect(struct round *r, enum reason *why)
{
    if (bits_count(&r->survivors) < r->plan.params.quorum) {
        *why = REASON_QUORUM;
        return STATUS_OK;
    }
    for (uint32_t l = 0; l < r->plan.n_segments; l++)
        if (bits_common(&r->plan.segment[l].members, &r->survivors) >=
            (size_t)r->plan.params.m + r->plan.params.c)
            bits_set(&r->opened_set, l);
    TRY(make_statement(r));
    for (uint32_t v = 0; v < r->dealers.n; v++) dealing_settle(&r->site[v].dealt);
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

enum status round_end_confirm(struct round *r, enum reason *why)
{
    const size_t count = bits_count(&r->confirmed);
    if (count < r->plan.params.quorum) {
        *why = REASON_CONFIRMATIONS;
        return STATUS_OK;
    }
    AUTO(quorum_free) struct quorum quorum = {0};
    quorum.confirm = calloc(count, sizeof *quorum.confirm);
    if (quorum.confirm == NULL) return STATUS_NOMEM;
    memcpy(quorum.session, r->plan.session, MSG_SESSION_BYTES);
    for (uint32_t v = 0; v < r->confirmed.n; v++)
        if (bits_has(&r->confirmed, v)) quorum.confirm[quorum.n++] = r->site[v].confirm;
    buffer_free(&r->common);
    quorum_write(&r->common, &quorum);
    TRY(r->common.status);
    return round_open_reveal(r);
}
