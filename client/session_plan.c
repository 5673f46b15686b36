/* SPDX-License-Identifier: Apache-2.0 */
/* The first and the last message of a session: plan and result; and the end of the study. */
#include "client/session_step.h"

#include <string.h>

#include "base/secret.h"
#include "protocol/removal.h"

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
    session->why = REASON_NONE;
    session->transcript = transcript;
    *state = finish.state;
    return STATUS_OK;
}

static enum status check_params(struct session *s, const struct plan *plan)
{
    const struct manifest *manifest = s->config.manifest;
    const struct params *params = &plan->params;
    if (params->n != manifest->n || params->c < manifest->floor.c ||
        params->m < manifest->floor.m || bits_count(&plan->cohort) < params->quorum)
        return session_refuse(s, REASON_THRESHOLD, OUTBOX_SERVER);
    if (!params_sound(params))
        return session_refuse(s, params->k == 0 ? REASON_THRESHOLD : REASON_GRAPH, OUTBOX_SERVER);
    /* A ring can be drawn anew by starting another round: its security counts on so many draws. */
    if (params->k > 0 && plan->round > PARAMS_RING_ROUNDS)
        return session_refuse(s, REASON_GRAPH, OUTBOX_SERVER);
    return STATUS_OK;
}

static enum status check_segment(struct session *s, const struct plan *plan,
                                 const struct segment *segment)
{
    if (!bits_subset(&segment->members, &plan->cohort) ||
        bits_count(&segment->members) < (size_t)plan->params.m + plan->params.c)
        return session_refuse(s, REASON_CONTRIBUTORS, OUTBOX_SERVER);
    /* Only positions order a ring; how dense it must be is the study's to say (schedule_check). */
    if (segment->degree % 2 != 0 || (segment->degree > 0 && plan->params.k == 0))
        return session_refuse(s, REASON_GRAPH, OUTBOX_SERVER);
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
    TRY(check_params(s, plan));
    if (!bits_has(&plan->cohort, s->config.self))
        return session_refuse(s, REASON_COHORT, OUTBOX_SERVER);
    for (uint32_t l = 0; l < plan->n_segments; l++) TRY(check_segment(s, plan, &plan->segment[l]));
    if (!grid_fits(&plan->grid, (uint32_t)bits_count(&plan->cohort)))
        return session_refuse(s, REASON_RING, OUTBOX_SERVER);
    if (!mask_available(plan->cipher)) return session_refuse(s, REASON_CIPHER, OUTBOX_SERVER);
    struct xnoise parts;
    if (removal_parts(&parts, plan) != STATUS_OK)
        return session_refuse(s, REASON_NOISE, OUTBOX_SERVER);
    return STATUS_OK;
}

static enum status send_advert(struct session *s, struct outbox *out)
{
    share_random(s->seed, &SHARE_FIELD, s->config.rng);
    kx_pair_of(&s->mask_pair, s->seed, "mask");
    uint8_t enc_seed[KX_SEED_BYTES];
    rng_bytes(s->config.rng, enc_seed, sizeof enc_seed);
    kx_pair_of(&s->enc_pair, enc_seed, "enc");
    secret_wipe(enc_seed, sizeof enc_seed);
    for (uint32_t l = 0; l < s->plan.n_segments; l++)
        if (session_mine(s, l)) share_random(s->self_seed[l], &SHARE_FIELD, s->config.rng);
    if (s->plan.removable > 0) share_random(s->noise_seed, &SHARE_FIELD, s->config.rng);
    struct advert advert = {.plan = s->plan_hash, .from = s->config.self};
    memcpy(advert.session, s->plan.session, MSG_SESSION_BYTES);
    memcpy(advert.mask_key, s->mask_pair.public_key, KX_PUBLIC_BYTES);
    memcpy(advert.enc_key, s->enc_pair.public_key, KX_PUBLIC_BYTES);
    if (s->plan.params.k > 0) {
        rng_bytes(s->config.rng, s->nonce, sizeof s->nonce);
        const struct position position = session_position(s);
        advert.position = position_commit(&position);
    }
    advert_write(&s->advert, &advert, s->config.identity);
    TRY(s->advert.status);
    struct buffer bytes = {0};
    write_bytes(&bytes, s->advert.at, s->advert.n);
    return session_answer(s, &bytes, out);
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
    /* The plan in progress, perhaps behind fewer results than before: the advert was lost. */
    if (s->phase == SESSION_ROSTER && hash_equal(&hash, &s->plan_hash))
        return session_answer_again(s, out);
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
        TRY(session_remember(s, MEMORY_FOLLOW, &transcript, (struct view){0}, out));
    s->transcript = transcript;
    TRY(session_remember(s, MEMORY_PLAN, &hash, opening.plan, out));
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
    TRY(session_remember(s, MEMORY_RESULT, &transcript, in, out));
    s->transcript = transcript;
    session_rest(s);
    return STATUS_OK;
}
