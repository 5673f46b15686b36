/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the session's phases, and its first and last message: plan and result. */
#include "client/session_step.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

/* Which message each phase waits for, and what takes it. No row, no entry. */
// clang-format off
static const struct {
    enum msg_kind wants;
    session_step *take;
} rule[SESSION_PHASES] = {
    [SESSION_ROSTER]    = {MSG_ROSTER,    session_take_roster},
    [SESSION_INBOX]     = {MSG_INBOX,     session_take_inbox},
    [SESSION_SURVIVORS] = {MSG_SURVIVORS, session_take_survivors},
    [SESSION_QUORUM]    = {MSG_QUORUM,    session_take_quorum},
    [SESSION_RESULT]    = {MSG_RESULT,    session_take_result},
};
// clang-format on

enum status session_new(struct session *out, const struct session_config *config)
{
    REQUIRE(config->self < config->manifest->n);
    struct peer *peer = calloc(config->manifest->n, sizeof *peer);
    if (peer == NULL) return STATUS_NOMEM;
    *out = (struct session){.config = *config, .peer = peer, .deadline_ms = UINT64_MAX};
    return STATUS_OK;
}

void session_rest(struct session *s)
{
    plan_free(&s->plan);
    secret_wipe(s->seed, sizeof s->seed);
    secret_wipe(s->enc_seed, sizeof s->enc_seed);
    secret_wipe(s->self_seed, sizeof s->self_seed);
    buffer_free(&s->advert);
    buffer_free(&s->header);
    bits_free(&s->roster);
    bits_free(&s->dealers);
    survivors_free(&s->survivors);
    secret_wipe(s->peer, s->config.manifest->n * sizeof *s->peer);
    s->named = false;
    s->phase = SESSION_IDLE;
    s->deadline_ms = UINT64_MAX;
}

void session_free(struct session *session)
{
    if (session->peer == NULL) return;
    session_rest(session);
    free(session->peer);
    *session = (struct session){0};
}

void memory_write(struct buffer *out, const struct memory *memory)
{
    write_u8(out, (uint8_t)memory->kind);
    write_u32(out, memory->round);
    write_bytes(out, memory->session, MSG_SESSION_BYTES);
    write_bytes(out, memory->hash.bytes, HASH_BYTES);
    write_u32(out, memory->n_survivors);
}

enum status memory_read(struct memory *out, struct view in)
{
    struct reader r = reader_of(in);
    struct memory memory = {.kind = read_u8(&r), .round = read_u32(&r)};
    read_bytes(&r, memory.session, MSG_SESSION_BYTES);
    read_bytes(&r, memory.hash.bytes, HASH_BYTES);
    memory.n_survivors = read_u32(&r);
    if (memory.kind < MEMORY_PLAN || memory.kind > MEMORY_FOLLOW) r.bad = true;
    TRY(reader_end(&r));
    *out = memory;
    return STATUS_OK;
}

enum status session_refuse(struct session *s, enum reason why, uint32_t about)
{
    s->why = why;
    s->about = about;
    return reason_status(why);
}

enum status session_same(struct session *s, const uint8_t *session)
{
    if (memcmp(session, s->plan.session, MSG_SESSION_BYTES) == 0) return STATUS_OK;
    return session_refuse(s, REASON_WRONG_SESSION, OUTBOX_SERVER);
}

enum status session_remember(struct session *s, enum memory_kind kind, const struct hash *hash,
                             uint32_t n_survivors, struct outbox *out)
{
    struct memory memory = {
        .kind = kind, .round = s->plan.round, .hash = *hash, .n_survivors = n_survivors};
    memcpy(memory.session, s->plan.session, MSG_SESSION_BYTES);
    struct buffer entry = {0};
    memory_write(&entry, &memory);
    return outbox_journal(out, &entry);
}

void session_wait(struct session *s, enum session_phase phase, enum wait wait, uint64_t now_ms)
{
    s->phase = phase;
    s->deadline_ms = now_ms + s->plan.wait_ms[wait] + s->config.slack_ms;
}

bool session_mine(const struct session *s, uint32_t segment)
{
    return bits_has(&s->plan.segment[segment].members, s->config.self);
}

bool session_segments_full(const struct session *s, const struct bits *sites)
{
    for (uint32_t l = 0; l < s->plan.n_segments; l++)
        if (bits_common(&s->plan.segment[l].members, sites) <
            (size_t)s->plan.params.m + s->plan.params.c)
            return false;
    return true;
}

enum status session_hello(const struct session *session, struct outbox *out)
{
    struct hello hello = {.from = session->config.self,
                          .study = session->config.manifest->study,
                          .transcript = session->transcript};
    struct buffer bytes = {0};
    hello_write(&bytes, &hello, session->config.identity);
    return outbox_send(out, OUTBOX_SERVER, &bytes);
}

void session_quit(struct session *session, enum reason why, struct outbox *out)
{
    session->why = why;
    if (session->named) {
        struct abort_notice notice = {
            .from = session->config.self, .about = session->about, .reason = why};
        memcpy(notice.session, session->name, MSG_SESSION_BYTES);
        struct buffer bytes = {0};
        abort_write(&bytes, &notice, session->config.identity);
        /* Without memory the server learns it from the deadline. */
        (void)!outbox_send(out, OUTBOX_SERVER, &bytes);
    }
    (void)!outbox_note(out, session->about, why);
    session_rest(session);
}

static enum reason reason_of(enum status status)
{
    switch (status) {
    case STATUS_NOMEM:
        return REASON_MEMORY;
    case STATUS_AUTH:
        return REASON_SIGNATURE;
    default:
        return REASON_FORMAT;
    }
}

static enum status take_abort(struct session *s, struct view in, struct outbox *out)
{
    struct abort_notice notice = {0};
    TRY(abort_read(&notice, in, s->config.manifest->coordinator.identity));
    if (s->phase == SESSION_IDLE) return session_refuse(s, REASON_PHASE, OUTBOX_SERVER);
    TRY(session_same(s, notice.session));
    TRY(outbox_note(out, notice.about, notice.reason));
    s->why = notice.reason;
    session_rest(s);
    return STATUS_OK;
}

enum status session_message(struct session *session, struct view message, uint64_t now_ms,
                            struct outbox *out)
{
    enum msg_kind kind = msg_kind_of(message);
    session->why = REASON_NONE;
    session->about = OUTBOX_SERVER;
    enum status status = STATUS_OK;
    if (kind == MSG_OPENING)
        status = session_take_opening(session, message, now_ms, out);
    else if (kind == MSG_ABORT)
        status = take_abort(session, message, out);
    else if (kind == MSG_SURVIVORS && session->phase > SESSION_SURVIVORS)
        status = session_see_again(session, message);
    else if (kind == 0)
        status = session_refuse(session, REASON_FORMAT, OUTBOX_SERVER);
    else if (rule[session->phase].take == NULL || rule[session->phase].wants != kind)
        status = session_refuse(session, REASON_PHASE, OUTBOX_SERVER);
    else
        status = rule[session->phase].take(session, message, now_ms, out);
    if (status == STATUS_OK) return STATUS_OK;
    if (session->why == REASON_NONE) session->why = reason_of(status);
    if (session->why != REASON_PHASE && session->why != REASON_WRONG_SESSION)
        session_quit(session, session->why, out);
    return status;
}

enum status session_deadline(struct session *session, uint64_t now_ms, struct outbox *out)
{
    if (now_ms < session->deadline_ms || session->phase == SESSION_IDLE) return STATUS_OK;
    session->about = OUTBOX_SERVER;
    session_quit(session, REASON_DEADLINE, out);
    return STATUS_OK;
}

/* Follow the results that this site missed, from its own last one. */
static enum status catch_up(const struct session *s, uint32_t n_results, struct view results,
                            struct hash *transcript)
{
    struct hash at = s->transcript;
    struct reader r = reader_of(results);
    for (uint32_t i = 0; i < n_results; i++) {
        struct result result = {0};
        TRY(result_read(&result, read_blob(&r, MSG_RESULT_BYTES_MAX),
                        s->config.manifest->coordinator.identity));
        /* Results that it already knows may come before those it missed. */
        if (hash_equal(&result.previous, &at)) at = result_transcript(&result);
    }
    *transcript = at;
    return STATUS_OK;
}

enum status session_finish(struct session *session, struct view message, struct view *state)
{
    struct finish finish = {0};
    TRY(finish_read(&finish, message, session->config.manifest->coordinator.identity));
    struct hash pinned = manifest_hash(session->config.manifest);
    if (!hash_equal(&finish.manifest, &pinned)) return STATUS_AUTH;
    struct hash transcript = {0};
    TRY(catch_up(session, finish.n_results, finish.results, &transcript));
    session_rest(session);
    session->transcript = transcript;
    *state = finish.state;
    return STATUS_OK;
}

/* The protocol's own rules for a plan; what the study and the policy say comes after. */
static enum status check_plan(struct session *s, const struct plan *plan, struct view state)
{
    const struct manifest *manifest = s->config.manifest;
    struct hash pinned = manifest_hash(manifest);
    if (!hash_equal(&plan->manifest, &pinned))
        return session_refuse(s, REASON_MANIFEST, OUTBOX_SERVER);
    if (!hash_equal(&plan->study, &manifest->study))
        return session_refuse(s, REASON_STUDY, OUTBOX_SERVER);
    if (plan->round <= s->last_round) return session_refuse(s, REASON_REPLAY, OUTBOX_SERVER);
    struct hash loaded = hash_of("state", state);
    if (!hash_equal(&loaded, &plan->state)) return session_refuse(s, REASON_MODEL, OUTBOX_SERVER);
    if (plan->params.n != manifest->n || !params_sound(&plan->params) ||
        plan->params.c < manifest->floor.c || plan->params.m < manifest->floor.m ||
        bits_count(&plan->cohort) < plan->params.quorum)
        return session_refuse(s, REASON_THRESHOLD, OUTBOX_SERVER);
    if (!bits_has(&plan->cohort, s->config.self))
        return session_refuse(s, REASON_COHORT, OUTBOX_SERVER);
    for (uint32_t l = 0; l < plan->n_segments; l++) {
        const struct bits *members = &plan->segment[l].members;
        if (!bits_subset(members, &plan->cohort) ||
            bits_count(members) < (size_t)plan->params.m + plan->params.c)
            return session_refuse(s, REASON_CONTRIBUTORS, OUTBOX_SERVER);
    }
    if (!grid_fits(&plan->grid, (uint32_t)bits_count(&plan->cohort)))
        return session_refuse(s, REASON_RING, OUTBOX_SERVER);
    if (plan->cipher != CIPHER_CHACHA20) return session_refuse(s, REASON_CIPHER, OUTBOX_SERVER);
    return STATUS_OK;
}

static enum status send_advert(struct session *s, struct outbox *out)
{
    share_random(s->seed, &SHARE_FIELD, s->config.rng);
    rng_bytes(s->config.rng, s->enc_seed, sizeof s->enc_seed);
    for (uint32_t l = 0; l < s->plan.n_segments; l++)
        if (session_mine(s, l)) share_random(s->self_seed[l], &SHARE_FIELD, s->config.rng);
    struct advert advert = {.plan = s->plan_hash, .from = s->config.self};
    memcpy(advert.session, s->plan.session, MSG_SESSION_BYTES);
    kx_public(advert.mask_key, s->seed, "mask");
    kx_public(advert.enc_key, s->enc_seed, "enc");
    advert_write(&s->advert, &advert, s->config.identity);
    struct buffer bytes = {0};
    write_bytes(&bytes, s->advert.at, s->advert.n);
    TRY(s->advert.status);
    return outbox_send(out, OUTBOX_SERVER, &bytes);
}

enum status session_take_opening(struct session *s, struct view in, uint64_t now_ms,
                                 struct outbox *out)
{
    struct opening opening = {0};
    TRY(opening_read(&opening, in));
    AUTO(plan_free) struct plan plan = {0};
    struct hash hash = {0};
    TRY(plan_read(&plan, &hash, opening.plan, s->config.manifest->n,
                  s->config.manifest->coordinator.identity));
    /* A repeat of the plan in progress is a duplicate, not a new round. */
    if (s->phase != SESSION_IDLE && plan.round <= s->plan.round)
        return session_refuse(s, REASON_PHASE, OUTBOX_SERVER);
    memcpy(s->name, plan.session, sizeof s->name);
    s->named = true;
    TRY(check_plan(s, &plan, opening.state));
    struct hash transcript = {0};
    TRY(catch_up(s, opening.n_results, opening.results, &transcript));
    if (!hash_equal(&transcript, &plan.previous))
        return session_refuse(s, REASON_FORK, OUTBOX_SERVER);
    if (s->config.judge != NULL) {
        enum reason why = s->config.judge(s->config.context, &plan, opening.state);
        if (why != REASON_NONE) return session_refuse(s, why, OUTBOX_SERVER);
    }
    /* The server moved on: what was unfinished stays unfinished. */
    session_rest(s);
    s->plan = plan;
    plan = (struct plan){0};
    s->named = true;
    s->plan_hash = hash;
    s->last_round = s->plan.round;
    /* The history that it followed must not be forgotten, or another one could be shown to it. */
    if (!hash_equal(&transcript, &s->transcript))
        TRY(session_remember(s, MEMORY_FOLLOW, &transcript, 0, out));
    s->transcript = transcript;
    TRY(session_remember(s, MEMORY_PLAN, &hash, 0, out));
    session_wait(s, SESSION_ROSTER, WAIT_KEYS, now_ms);
    return send_advert(s, out);
}

enum status session_take_result(struct session *s, struct view in, uint64_t now_ms,
                                struct outbox *out)
{
    (void)now_ms;
    struct result result = {0};
    TRY(result_read(&result, in, s->config.manifest->coordinator.identity));
    TRY(session_same(s, result.session));
    if (result.round != s->plan.round || !hash_equal(&result.previous, &s->transcript) ||
        !hash_equal(&result.plan, &s->plan_hash) ||
        !hash_equal(&result.survivors, &s->survivors_hash) ||
        result.n_survivors != bits_count(&s->survivors.survivors))
        return session_refuse(s, REASON_RESULT, OUTBOX_SERVER);
    struct hash transcript = result_transcript(&result);
    TRY(session_remember(s, MEMORY_RESULT, &transcript, result.n_survivors, out));
    s->transcript = transcript;
    session_rest(s);
    return STATUS_OK;
}
