/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the round's phases and the clockwork that moves through it. */
#include "aggregator/round_step.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "protocol/removal.h"

/* Which message each phase waits for, and how it ends. No row, no entry. */
// clang-format off
static const struct {
    enum msg_kind wants;
    round_take *take;
    round_end *end;
    enum wait wait;
} rule[PHASE_COUNT] = {
    [PHASE_KEYS]      = {MSG_ADVERT,   round_take_advert,   round_end_keys,      WAIT_KEYS},
    [PHASE_POSITIONS] = {MSG_POSITION, round_take_position, round_end_positions, WAIT_POSITIONS},
    [PHASE_SHARES]    = {MSG_SHARES,   round_take_shares,   round_end_shares,    WAIT_SHARES},
    [PHASE_COLLECT]   = {MSG_MASKED,   round_take_masked,   round_end_collect,   WAIT_INPUT},
    [PHASE_CONFIRM]   = {MSG_CONFIRM,  round_take_confirm,  round_end_confirm,   WAIT_CONFIRM},
    [PHASE_REVEAL]    = {MSG_UNMASK,   round_take_unmask,   round_end_reveal,    WAIT_UNMASK},
};
// clang-format on

const struct bits *round_asked(const struct round *r)
{
    switch (r->phase) {
    case PHASE_KEYS:
    case PHASE_FAILED:
        return &r->plan.cohort;
    case PHASE_POSITIONS:
        return &r->adverts;
    case PHASE_SHARES:
        return &r->placed;
    case PHASE_COLLECT:
        return &r->dealers;
    default:
        return &r->survivors;
    }
}

static const struct bits *answered(const struct round *r)
{
    switch (r->phase) {
    case PHASE_KEYS:
        return &r->adverts;
    case PHASE_POSITIONS:
        return &r->placed;
    case PHASE_SHARES:
        return &r->dealers;
    case PHASE_COLLECT:
        return &r->survivors;
    case PHASE_CONFIRM:
        return &r->confirmed;
    default:
        return &r->revealed;
    }
}

static bool waits_for(const struct round *r, uint32_t site)
{
    return r->phase < PHASE_DONE && bits_has(round_asked(r), site) &&
           !bits_has(answered(r), site) && !r->site[site].away && !r->site[site].out;
}

enum status round_awaited(struct bits *out, const struct round *round)
{
    AUTO(bits_free) struct bits bits = {0};
    TRY(bits_new(&bits, round->config.manifest->n));
    for (uint32_t v = 0; v < bits.n; v++)
        if (waits_for(round, v)) bits_set(&bits, v);
    *out = bits;
    bits = (struct bits){0};
    return STATUS_OK;
}

/* Whether the phase would end well with the answers that have come. */
static bool enough(const struct round *r)
{
    switch (r->phase) {
    case PHASE_POSITIONS:
        return bits_count(&r->adverts) - bits_count(&r->placed) <= PARAMS_SILENT_MAX &&
               round_enough(r, &r->placed);
    case PHASE_COLLECT: /* a segment that lacks members stays sealed */
        return bits_count(&r->survivors) >= r->plan.params.quorum;
    case PHASE_CONFIRM:
        return bits_count(&r->confirmed) >= r->plan.params.quorum;
    case PHASE_REVEAL:
        return round_revealed(r);
    default:
        return round_enough(r, answered(r));
    }
}

/* Lost with its connection, not with its secrets: it may still answer. */
static bool may_return(const struct round *r, uint32_t site)
{
    return bits_has(round_asked(r), site) && !bits_has(answered(r), site) && r->site[site].away &&
           !r->site[site].out;
}

/* Confirmations and shares above the thresholds add nothing: the phase need not wait for them. And
 * while it would fail for want of those who are away, it waits for them until its deadline: many
 * connections that break at once are most often the coordinator's own. */
static bool complete(const struct round *r)
{
    const bool well = enough(r);
    if (well && r->phase >= PHASE_CONFIRM) return true;
    for (uint32_t v = 0; v < r->config.manifest->n; v++)
        if (waits_for(r, v) || (!well && may_return(r, v))) return false;
    return true;
}

/* Secrets, and what only later phases would have needed. */
static void forget(struct contributor *site, uint32_t t)
{
    dealing_free(&site->dealt);
    buffer_free(&site->head);
    if (site->revealed != NULL)
        secret_wipe(site->revealed, (size_t)site->n_places * t * SHARE_BYTES);
    free(site->revealed);
    free(site->holder);
    site->revealed = NULL;
    site->holder = NULL;
    site->n_revealed = 0;
}

static void rest(struct round *r, enum phase phase)
{
    r->phase = phase;
    r->deadline_ms = UINT64_MAX;
    for (uint32_t v = 0; v < r->config.manifest->n; v++) forget(&r->site[v], r->plan.params.t);
    for (uint32_t l = 0; l < r->plan.n_segments; l++) total_free(&r->total[l]);
    merkle_tree_free(&r->digests);
    buffer_free(&r->common);
}

static enum status fail(struct round *r, enum reason why, struct outbox *out)
{
    rest(r, PHASE_FAILED);
    r->why = why;
    for (uint32_t l = 0; l < r->plan.n_segments; l++) opened_free(&r->opened[l]);
    return outbox_note(out, r->about, why);
}

/* Without memory a step may be half done, and done again it could differ: the round is over. */
static enum status settle(struct round *r, enum status status, struct outbox *out)
{
    if (status == STATUS_NOMEM && r->phase < PHASE_DONE) {
        r->about = OUTBOX_SERVER;
        (void)!fail(r, REASON_MEMORY, out);
    }
    return status;
}

static enum status end_phase(struct round *r, uint64_t now_ms, struct outbox *out)
{
    enum reason why = REASON_NONE;
    TRY(rule[r->phase].end(r, &why));
    if (why != REASON_NONE) return fail(r, why, out);
    r->phase++;
    if (r->phase == PHASE_DONE)
        rest(r, PHASE_DONE);
    else
        r->deadline_ms = now_ms + r->plan.wait_ms[rule[r->phase].wait];
    return STATUS_OK;
}

/* A phase may be complete as soon as it begins, when its sites were lost before. */
static enum status advance(struct round *r, uint64_t now_ms, struct outbox *out)
{
    while (r->phase < PHASE_DONE && complete(r)) TRY(end_phase(r, now_ms, out));
    return STATUS_OK;
}

static enum status allocate(struct round *r)
{
    const uint32_t n = r->config.manifest->n;
    r->site = calloc(n, sizeof *r->site);
    if (r->site == NULL) return STATUS_NOMEM;
    TRY(bits_new(&r->adverts, n));
    TRY(bits_new(&r->placed, n));
    TRY(bits_new(&r->dealers, n));
    TRY(bits_new(&r->survivors, n));
    TRY(bits_new(&r->confirmed, n));
    TRY(bits_new(&r->revealed, n));
    TRY(bits_new(&r->opened_set, r->plan.n_segments));
    for (uint32_t l = 0; l < r->plan.n_segments; l++)
        TRY(total_new(&r->total[l], r->plan.segment[l].dim + 1));
    return STATUS_OK;
}

enum status round_start(struct round *out, const struct round_config *config, struct plan *plan,
                        uint64_t now_ms)
{
    AUTO(round_free) struct round r = {.config = *config, .about = OUTBOX_SERVER};
    r.plan = *plan;
    *plan = (struct plan){0};
    if (!mask_available(r.plan.cipher)) return STATUS_RANGE;
    struct xnoise parts;
    TRY(removal_parts(&parts, &r.plan));
    TRY(allocate(&r));
    plan_write(&r.plan_bytes, &r.plan, config->identity);
    TRY(r.plan_bytes.status);
    r.plan_hash = hash_of("plan", (struct view){r.plan_bytes.at, r.plan_bytes.n - SIGN_BYTES});
    r.deadline_ms = now_ms + r.plan.wait_ms[WAIT_KEYS];
    *out = r;
    r = (struct round){0};
    return STATUS_OK;
}

void round_free(struct round *round)
{
    if (round->site != NULL) rest(round, PHASE_FAILED);
    for (uint32_t v = 0; round->site != NULL && v < round->config.manifest->n; v++)
        buffer_free(&round->site[v].advert);
    free(round->site);
    graph_free(&round->graph);
    for (uint32_t l = 0; l < MSG_SEGMENTS_MAX; l++) {
        graph_free(&round->pads[l]);
        opened_free(&round->opened[l]);
    }
    plan_free(&round->plan);
    buffer_free(&round->plan_bytes);
    buffer_free(&round->result_bytes);
    bits_free(&round->adverts);
    bits_free(&round->placed);
    bits_free(&round->dealers);
    bits_free(&round->survivors);
    bits_free(&round->confirmed);
    bits_free(&round->revealed);
    bits_free(&round->opened_set);
    *round = (struct round){0};
}

bool round_enough(const struct round *r, const struct bits *sites)
{
    if (bits_count(sites) < r->plan.params.quorum) return false;
    for (uint32_t l = 0; l < r->plan.n_segments; l++)
        if (bits_common(&r->plan.segment[l].members, sites) <
            (size_t)r->plan.params.m + r->plan.params.c)
            return false;
    return true;
}

enum status round_same(const struct round *r, const uint8_t *session)
{
    return memcmp(session, r->plan.session, MSG_SESSION_BYTES) == 0 ? STATUS_OK : STATUS_STATE;
}

enum status round_blame(struct round *r, uint32_t site, enum reason why, struct outbox *out)
{
    r->site[site].out = true;
    return outbox_note(out, site, why);
}

static enum status take_abort(struct round *r, uint32_t from, struct view in, struct outbox *out)
{
    struct abort_notice notice = {0};
    TRY(abort_read(&notice, in, r->config.manifest->member[from].identity));
    TRY(round_same(r, notice.session));
    TRY(round_blame(r, from, notice.reason, out));
    if (notice.about >= r->config.manifest->n || notice.about == from) return STATUS_OK;
    r->site[notice.about].accusers++; /* one notice a site: after it the site is out */
    return outbox_note(out, notice.about, notice.reason);
}

/* Take an answer of a kind that the phase waits for, if the site may still give one. */
static enum status take_answer(struct round *r, uint32_t from, struct view in, enum msg_kind kind,
                               round_take *step, struct outbox *out)
{
    const size_t bytes = step == round_take_digest ? masked_bytes(&r->plan, from, in.n) : in.n;
    if (rule[r->phase].wants != kind || !bits_has(round_asked(r), from) ||
        bits_has(answered(r), from))
        return STATUS_STATE;
    TRY(step(r, from, in, out));
    r->site[from].away = false;
    r->site[from].taken[trail_letter_of(kind)] = (uint32_t)bytes;
    return STATUS_OK;
}

static bool in_round(const struct round *r, uint32_t from)
{
    return r->phase < PHASE_DONE && bits_has(&r->plan.cohort, from) && !r->site[from].out;
}

static enum status take(struct round *r, uint32_t from, struct view message, uint64_t now_ms,
                        struct outbox *out)
{
    const enum msg_kind kind = msg_kind_of(message);
    if (kind == 0) return STATUS_FORMAT;
    if (!in_round(r, from)) return STATUS_STATE;
    if (kind == MSG_ABORT)
        TRY(take_abort(r, from, message, out));
    else
        TRY(take_answer(r, from, message, kind, rule[r->phase].take, out));
    return advance(r, now_ms, out);
}

enum status round_message(struct round *round, uint32_t from, struct view message, uint64_t now_ms,
                          struct outbox *out)
{
    return settle(round, take(round, from, message, now_ms, out), out);
}

static enum status recall(struct round *r, uint32_t from, struct view digest, uint64_t now_ms,
                          struct outbox *out)
{
    if (!in_round(r, from)) return STATUS_STATE;
    TRY(take_answer(r, from, digest, MSG_MASKED, round_take_digest, out));
    return advance(r, now_ms, out);
}

enum status round_recall(struct round *round, uint32_t from, struct view digest, uint64_t now_ms,
                         struct outbox *out)
{
    return settle(round, recall(round, from, digest, now_ms, out), out);
}

enum status round_restore(struct round *round, struct total *total)
{
    if (round->phase != PHASE_CONFIRM && round->phase != PHASE_REVEAL) return STATUS_STATE;
    for (uint32_t l = 0; l < round->plan.n_segments; l++)
        if (total[l].n != round->total[l].n) return STATUS_RANGE;
    for (uint32_t l = 0; l < round->plan.n_segments; l++) {
        total_free(&round->total[l]);
        round->total[l] = total[l];
        total[l] = (struct total){0};
    }
    return STATUS_OK;
}

enum status round_gone(struct round *round, uint32_t from, uint64_t now_ms, struct outbox *out)
{
    if (from >= round->config.manifest->n || round->phase >= PHASE_DONE) return STATUS_OK;
    round->site[from].away = true;
    return settle(round, advance(round, now_ms, out), out);
}

void round_back(struct round *round, uint32_t from)
{
    if (from < round->config.manifest->n && round->phase < PHASE_DONE)
        round->site[from].away = false;
}

enum status round_out(struct round *round, uint32_t from, uint64_t now_ms, struct outbox *out)
{
    if (from >= round->config.manifest->n || round->phase >= PHASE_DONE) return STATUS_OK;
    round->site[from].out = true;
    return settle(round, advance(round, now_ms, out), out);
}

enum status round_deadline(struct round *round, uint64_t now_ms, struct outbox *out)
{
    if (round->phase >= PHASE_DONE || now_ms < round->deadline_ms) return STATUS_OK;
    enum status status = end_phase(round, now_ms, out);
    if (status == STATUS_OK) status = advance(round, now_ms, out);
    return settle(round, status, out);
}

bool round_convicts(const struct round *round, uint32_t site)
{
    bool own_fault =
        round->phase == PHASE_FAILED && round->why == REASON_SHARE && round->about == site;
    return own_fault || round->site[site].accusers > round->plan.params.c;
}

uint32_t round_recovered(const struct round *round)
{
    return (uint32_t)(bits_count(&round->dealers) - bits_count(&round->survivors));
}
