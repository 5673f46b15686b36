/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the session's phases, and what all its steps share. */
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
    [SESSION_POSITIONS] = {MSG_POSITIONS, session_take_positions},
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

void session_forget_peers(struct session *s)
{
    for (uint32_t v = 0; v < s->config.manifest->n; v++) bundle_free(&s->peer[v].bundle);
    secret_wipe(s->peer, s->config.manifest->n * sizeof *s->peer);
}

void session_rest(struct session *s)
{
    plan_free(&s->plan);
    secret_wipe(s->seed, sizeof s->seed);
    secret_wipe(&s->mask_pair, sizeof s->mask_pair);
    secret_wipe(&s->enc_pair, sizeof s->enc_pair);
    secret_wipe(s->self_seed, sizeof s->self_seed);
    secret_wipe(s->noise_seed, sizeof s->noise_seed);
    secret_wipe(s->nonce, sizeof s->nonce);
    buffer_free(&s->advert);
    bits_free(&s->roster);
    bits_free(&s->dealers);
    graph_free(&s->graph);
    for (size_t l = 0; l < MSG_SEGMENTS_MAX; l++) graph_free(&s->pads[l]);
    survivors_free(&s->survivors);
    session_forget_peers(s);
    blob_free(&s->answer);
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
    write_blob(out, memory->proof.at, memory->proof.n);
}

enum status memory_read(struct memory *out, struct view in)
{
    struct reader r = reader_of(in);
    struct memory memory = {.kind = read_u8(&r), .round = read_u32(&r)};
    read_bytes(&r, memory.session, MSG_SESSION_BYTES);
    read_bytes(&r, memory.hash.bytes, HASH_BYTES);
    memory.n_survivors = read_u32(&r);
    memory.proof = read_blob(&r, MEMORY_PROOF_MAX);
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
                             struct view proof, struct outbox *out)
{
    struct memory memory = {.kind = kind, .round = s->plan.round, .hash = *hash, .proof = proof};
    if (kind == MEMORY_RESULT) memory.n_survivors = (uint32_t)bits_count(&s->survivors.survivors);
    memcpy(memory.session, s->plan.session, MSG_SESSION_BYTES);
    struct buffer entry = {0};
    memory_write(&entry, &memory);
    return outbox_journal(out, &entry);
}

enum status session_answer(struct session *s, struct buffer *bytes, struct outbox *out)
{
    blob_free(&s->answer);
    TRY(blob_of(&s->answer, bytes));
    return session_answer_again(s, out);
}

enum status session_answer_again(const struct session *s, struct outbox *out)
{
    return outbox_send_again(out, OUTBOX_SERVER, s->answer);
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

enum status session_enough(struct session *s, const struct bits *sites)
{
    if (bits_count(sites) < s->plan.params.quorum)
        return session_refuse(s, REASON_QUORUM, OUTBOX_SERVER);
    for (uint32_t l = 0; l < s->plan.n_segments; l++)
        if (bits_common(&s->plan.segment[l].members, sites) <
            (size_t)s->plan.params.m + s->plan.params.c)
            return session_refuse(s, REASON_CONTRIBUTORS, OUTBOX_SERVER);
    return STATUS_OK;
}

enum status session_hello(const struct session *session, struct outbox *out)
{
    struct hello hello = {.from = session->config.self,
                          .study = session->config.manifest->study,
                          .transcript = session->transcript};
    if (session->phase != SESSION_IDLE)
        memcpy(hello.session, session->plan.session, MSG_SESSION_BYTES);
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

static enum status take(struct session *s, struct view in, const struct hash *taken,
                        uint64_t now_ms, struct outbox *out)
{
    if (s->answer != NULL && hash_equal(taken, &s->taken)) return session_answer_again(s, out);
    const enum msg_kind kind = msg_kind_of(in);
    if (kind == 0) return session_refuse(s, REASON_FORMAT, OUTBOX_SERVER);
    if (kind == MSG_OPENING) return session_take_opening(s, in, now_ms, out);
    if (kind == MSG_ABORT) return take_abort(s, in, out);
    if (kind == MSG_SURVIVORS && s->phase > SESSION_SURVIVORS) return session_see_again(s, in);
    if (rule[s->phase].take == NULL || rule[s->phase].wants != kind)
        return session_refuse(s, REASON_PHASE, OUTBOX_SERVER);
    return rule[s->phase].take(s, in, now_ms, out);
}

enum status session_message(struct session *session, struct view message, uint64_t now_ms,
                            struct outbox *out)
{
    session->why = REASON_NONE;
    session->about = OUTBOX_SERVER;
    const struct hash taken = hash_long("taken", message);
    enum status status = take(session, message, &taken, now_ms, out);
    if (status == STATUS_OK) {
        session->taken = taken;
        return STATUS_OK;
    }
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

uint64_t session_release_in(const struct session *session, uint64_t now_ms)
{
    REQUIRE(session->phase == SESSION_INPUT);
    return session->release_ms > now_ms ? session->release_ms - now_ms : 0;
}
