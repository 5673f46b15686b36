/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the round's phases and the clockwork that moves through it. */
#include "aggregator/round_step.h"

#include <stdlib.h>
#include <string.h>

/* Which message each phase waits for, from whom, and how it ends. No row, no entry. */
// clang-format off
static const struct {
    enum msg_kind wants;
    round_take *take;
    round_end *end;
    enum wait wait;
} rule[PHASE_COUNT] = {
    [PHASE_KEYS]    = {MSG_ADVERT,  round_take_advert,  round_end_keys,    WAIT_KEYS},
    [PHASE_SHARES]  = {MSG_SHARES,  round_take_shares,  round_end_shares,  WAIT_SHARES},
    [PHASE_COLLECT] = {MSG_MASKED,  round_take_masked,  round_end_collect, WAIT_INPUT},
    [PHASE_CONFIRM] = {MSG_CONFIRM, round_take_confirm, round_end_confirm, WAIT_CONFIRM},
    [PHASE_REVEAL]  = {MSG_UNMASK,  round_take_unmask,  round_end_reveal,  WAIT_UNMASK},
};
// clang-format on

/* Who may answer in a phase, and who has. */
static const struct bits *asked(const struct round *r)
{
    switch (r->phase) {
    case PHASE_KEYS:
        return &r->plan.cohort;
    case PHASE_SHARES:
        return &r->adverts;
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
    return rule[r->phase].take != NULL && bits_has(asked(r), site) &&
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

/* Confirmations and shares above the threshold add nothing: the phase need not wait for them. */
static bool complete(const struct round *r)
{
    if (r->phase == PHASE_CONFIRM && bits_count(&r->confirmed) >= r->plan.params.quorum)
        return true;
    if (r->phase == PHASE_REVEAL && bits_count(&r->revealed) >= r->plan.params.t) return true;
    for (uint32_t v = 0; v < r->config.manifest->n; v++)
        if (waits_for(r, v)) return false;
    return true;
}

static enum status fail(struct round *r, enum reason why, struct outbox *out)
{
    r->phase = PHASE_FAILED;
    r->why = why;
    r->deadline_ms = UINT64_MAX;
    for (uint32_t l = 0; l < r->plan.n_segments; l++) opened_free(&r->opened[l]);
    struct abort_notice notice = {.from = OUTBOX_SERVER, .about = r->about, .reason = why};
    memcpy(notice.session, r->plan.session, MSG_SESSION_BYTES);
    for (uint32_t v = 0; v < r->config.manifest->n; v++) {
        if (!bits_has(&r->plan.cohort, v)) continue;
        struct buffer bytes = {0};
        abort_write(&bytes, &notice, r->config.identity);
        TRY(outbox_send(out, v, &bytes));
    }
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
    TRY(rule[r->phase].end(r, &why, out));
    if (why != REASON_NONE) return fail(r, why, out);
    r->phase++;
    r->deadline_ms =
        r->phase == PHASE_DONE ? UINT64_MAX : now_ms + r->plan.wait_ms[rule[r->phase].wait];
    return STATUS_OK;
}

/* A phase may be complete as soon as it begins, when its sites were lost before. */
static enum status advance(struct round *r, uint64_t now_ms, struct outbox *out)
{
    while (r->phase < PHASE_DONE && complete(r)) TRY(end_phase(r, now_ms, out));
    return STATUS_OK;
}

enum status round_start(struct round *out, const struct round_config *config, struct plan *plan,
                        uint64_t now_ms)
{
    const uint32_t n = config->manifest->n;
    AUTO(round_free) struct round r = {.config = *config, .about = OUTBOX_SERVER};
    r.plan = *plan;
    *plan = (struct plan){0};
    r.site = calloc(n, sizeof *r.site);
    if (r.site == NULL) return STATUS_NOMEM;
    TRY(bits_new(&r.adverts, n));
    TRY(bits_new(&r.dealers, n));
    TRY(bits_new(&r.survivors, n));
    TRY(bits_new(&r.confirmed, n));
    TRY(bits_new(&r.revealed, n));
    TRY(bits_new(&r.opened_set, r.plan.n_segments));
    plan_write(&r.plan_bytes, &r.plan, config->identity);
    TRY(r.plan_bytes.status);
    r.plan_hash = hash_of("plan", (struct view){r.plan_bytes.at, r.plan_bytes.n - SIGN_BYTES});
    for (uint32_t l = 0; l < r.plan.n_segments; l++)
        TRY(total_new(&r.total[l], r.plan.segment[l].dim + 1));
    r.deadline_ms = now_ms + r.plan.wait_ms[WAIT_KEYS];
    *out = r;
    r = (struct round){0};
    return STATUS_OK;
}

static void contributor_free(struct contributor *site, size_t n_sealed)
{
    buffer_free(&site->advert);
    buffer_free(&site->header);
    free(site->leaf);
    for (size_t i = 0; i < n_sealed && site->sealed != NULL; i++) buffer_free(&site->sealed[i]);
    free(site->sealed);
    unmask_free(&site->revealed);
}

void round_free(struct round *round)
{
    for (uint32_t v = 0; round->site != NULL && v < round->config.manifest->n; v++)
        contributor_free(&round->site[v], bits_count(&round->adverts));
    free(round->site);
    for (uint32_t l = 0; l < MSG_SEGMENTS_MAX; l++) {
        total_free(&round->total[l]);
        opened_free(&round->opened[l]);
    }
    plan_free(&round->plan);
    buffer_free(&round->plan_bytes);
    buffer_free(&round->result_bytes);
    bits_free(&round->adverts);
    bits_free(&round->dealers);
    bits_free(&round->survivors);
    bits_free(&round->confirmed);
    bits_free(&round->revealed);
    bits_free(&round->opened_set);
    *round = (struct round){0};
}

bool round_segments_full(const struct round *r, const struct bits *sites)
{
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

size_t round_rank(const struct bits *set, uint32_t site)
{
    size_t rank = 0;
    for (uint32_t v = 0; v < site; v++) rank += bits_has(set, v);
    return rank;
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

static enum status take(struct round *round, uint32_t from, struct view message, uint64_t now_ms,
                        struct outbox *out)
{
    if (from >= round->config.manifest->n || round->phase >= PHASE_DONE) return STATUS_STATE;
    struct contributor *site = &round->site[from];
    enum msg_kind kind = msg_kind_of(message);
    if (kind == 0) return STATUS_FORMAT;
    if (site->out || !bits_has(&round->plan.cohort, from)) return STATUS_STATE;
    if (kind == MSG_ABORT) {
        TRY(take_abort(round, from, message, out));
    } else {
        if (rule[round->phase].wants != kind || !bits_has(asked(round), from) ||
            bits_has(answered(round), from))
            return STATUS_STATE;
        enum status status = rule[round->phase].take(round, from, message, out);
        if (status != STATUS_OK) return status;
        site->away = false;
    }
    return advance(round, now_ms, out);
}

enum status round_message(struct round *round, uint32_t from, struct view message, uint64_t now_ms,
                          struct outbox *out)
{
    return settle(round, take(round, from, message, now_ms, out), out);
}

enum status round_gone(struct round *round, uint32_t from, uint64_t now_ms, struct outbox *out)
{
    if (from >= round->config.manifest->n || round->phase >= PHASE_DONE) return STATUS_OK;
    round->site[from].away = true;
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
