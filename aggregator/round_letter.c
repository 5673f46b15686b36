/* SPDX-License-Identifier: Apache-2.0 */
/* What the coordinator tells each site in each phase. */
#include <string.h>

#include "aggregator/round_step.h"

static enum status write_inbox(struct buffer *out, const struct round *r, uint32_t site)
{
    AUTO(inbox_free) struct inbox inbox = {0};
    TRY(inbox_new(&inbox, r->config.manifest->n));
    memcpy(inbox.session, r->plan.session, MSG_SESSION_BYTES);
    for (uint32_t v = 0; v < inbox.n; v++) {
        if (!bits_has(&r->dealers, v)) continue;
        const struct dealing *dealt = &r->site[v].dealt;
        bits_set(&inbox.dealers, v);
        inbox.head[v] = dealt->head;
        const uint32_t number = graph_holder_number(&r->graph, v, site);
        if (number == GRAPH_NONE) continue;
        inbox.header[v] = dealt->shares.header;
        inbox.sealed[v] = dealt->shares.sealed[number];
        merkle_tree_path(&inbox.path[v], &dealt->tree, number);
    }
    inbox_write(out, &inbox, r->config.identity);
    return out->status;
}

static enum status write_survivors(struct buffer *out, const struct round *r, uint32_t site)
{
    AUTO(witness_free) struct witness witness = {0};
    TRY(witness_new(&witness, r->config.manifest->n));
    size_t rank = 0;
    for (uint32_t v = 0; v < witness.n; v++) {
        if (!bits_has(&r->survivors, v)) continue;
        if (v == site) {
            merkle_tree_path(&witness.own, &r->digests, rank);
        } else if (graph_holder_number(&r->graph, v, site) != GRAPH_NONE) {
            witness.digest[v] = buffer_view(&r->site[v].head);
            merkle_tree_path(&witness.path[v], &r->digests, rank);
        }
        rank++;
    }
    survivors_write(out, &r->statement, &witness, r->config.identity);
    return out->status;
}

static void write_abort(struct buffer *out, const struct round *r)
{
    struct abort_notice notice = {.from = OUTBOX_SERVER, .about = r->about, .reason = r->why};
    memcpy(notice.session, r->plan.session, MSG_SESSION_BYTES);
    abort_write(out, &notice, r->config.identity);
}

enum status round_letter(struct buffer *out, const struct round *round, uint32_t site)
{
    if (round->phase == PHASE_KEYS || !bits_has(round_asked(round), site)) return STATUS_STATE;
    switch (round->phase) {
    case PHASE_COLLECT:
        TRY(write_inbox(out, round, site));
        break;
    case PHASE_CONFIRM:
        TRY(write_survivors(out, round, site));
        break;
    case PHASE_DONE:
        write_bytes(out, round->result_bytes.at, round->result_bytes.n);
        break;
    case PHASE_FAILED:
        write_abort(out, round);
        break;
    default:
        write_bytes(out, round->common.at, round->common.n);
        break;
    }
    return out->status;
}
