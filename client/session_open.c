/* SPDX-License-Identifier: Apache-2.0 */
/* From the masked input to the release of shares: pads, digest, survivor set, quorum, unmasking. */
#include "client/session_step.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "protocol/pads.h"
#include "protocol/removal.h"

enum status session_pads(const struct session *session, uint32_t segment, struct pad **pad,
                         size_t *n)
{
    const struct session *s = session;
    REQUIRE(s->phase == SESSION_INPUT && session_mine(s, segment));
    const struct bits *members = &s->plan.segment[segment].members;
    struct pad *out = calloc(bits_common(members, &s->dealers), sizeof *out);
    if (out == NULL) return STATUS_NOMEM;
    size_t count = 0;
    const uint32_t self = s->config.self;
    pads_self(&out[count++], s->self_seed[segment], &s->plan_hash, &s->roster_hash, segment);
    for (uint32_t v = 0; v < members->n; v++) {
        if (!bits_has(&s->dealers, v) || !graph_linked(&s->pads[segment], self, v)) continue;
        pads_pair(&out[count++], s->peer[v].shared, &s->plan_hash, &s->roster_hash,
                  &s->dealers_hash, segment, self, v);
    }
    *pad = out;
    *n = count;
    return STATUS_OK;
}

/* Secrets that the pads came from; the shares stay, they may have to be released. */
static void forget_pads(struct session *s)
{
    secret_wipe(s->self_seed, sizeof s->self_seed);
    secret_wipe(s->noise_seed, sizeof s->noise_seed);
    for (uint32_t v = 0; v < s->config.manifest->n; v++)
        secret_wipe(s->peer[v].shared, sizeof s->peer[v].shared);
}

static void free_bodies(struct buffer (*body)[MSG_SEGMENTS_MAX])
{
    for (size_t l = 0; l < MSG_SEGMENTS_MAX; l++) buffer_free(&(*body)[l]);
}

enum status session_input(struct session *session, const struct masked *part, uint64_t now_ms,
                          struct outbox *out)
{
    struct session *s = session;
    REQUIRE(s->phase == SESSION_INPUT);
    AUTO(free_bodies) struct buffer body[MSG_SEGMENTS_MAX] = {{0}};
    struct digest digest = {.plan = s->plan_hash,
                            .roster = s->roster_hash,
                            .dealers = s->dealers_hash,
                            .from = s->config.self,
                            .n_segments = s->plan.n_segments};
    memcpy(digest.session, s->plan.session, MSG_SESSION_BYTES);
    struct masked_input masked = {.n_segments = s->plan.n_segments};
    for (uint32_t l = 0; l < s->plan.n_segments; l++) {
        if (!session_mine(s, l)) continue;
        REQUIRE(part[l].n == s->plan.segment[l].dim + 1);
        write_packed(&body[l], part[l].value, part[l].n, s->plan.grid.bits);
        TRY(body[l].status);
        masked.body[l] = buffer_view(&body[l]);
        digest.segment[l] = masked_digest(masked.body[l]);
    }
    AUTO(buffer_free) struct buffer head = {0};
    digest_write(&head, &digest, s->config.identity);
    TRY(head.status);
    masked.digest = buffer_view(&head);
    s->digest_hash = hash_of("digest", masked.digest);
    TRY(session_remember(s, MEMORY_INPUT, &s->digest_hash, (struct view){0}, out));
    struct buffer bytes = {0};
    masked_write(&bytes, &masked);
    TRY(session_answer(s, &bytes, out));
    forget_pads(s);
    session_wait(s, SESSION_SURVIVORS, WAIT_INPUT, now_ms);
    return STATUS_OK;
}

/* E must be exactly what the rule gives: no choice for the server. */
static bool opened_by_rule(const struct session *s, const struct survivors *survivors)
{
    for (uint32_t l = 0; l < s->plan.n_segments; l++) {
        bool enough = bits_common(&s->plan.segment[l].members, &survivors->survivors) >=
                      (size_t)s->plan.params.m + s->plan.params.c;
        if (bits_has(&survivors->opened, l) != enough) return false;
    }
    return true;
}

static bool under_root(const struct survivors *survivors, const struct hash *digest, size_t rank,
                       const struct merkle_path *path)
{
    return merkle_check(&survivors->root, digest, bits_count(&survivors->survivors), rank, path);
}

/* Whether a dealer itself says that it masked its input under what this site was told. Were it told
 * of other dealers, its vector would lack pads, and its self seed might be all that covers it. */
static bool has_same_view(const struct session *s, uint32_t dealer, struct view head)
{
    struct digest digest = {0};
    if (digest_read(&digest, head, s->config.manifest->member[dealer].identity) != STATUS_OK)
        return false;
    return digest.from == dealer &&
           memcmp(digest.session, s->plan.session, MSG_SESSION_BYTES) == 0 &&
           hash_equal(&digest.plan, &s->plan_hash) && hash_equal(&digest.roster, &s->roster_hash) &&
           hash_equal(&digest.dealers, &s->dealers_hash);
}

/* Whether survivor number `rank` of the statement is counted with the input that it sent, as far as
 * it is this site's to ask: of itself, and of those whose self seeds it would give shares of. */
static bool is_shown(const struct session *s, const struct survivors *survivors,
                     const struct witness *witness, uint32_t v, size_t rank)
{
    const struct view head = witness->digest[v];
    if (v == s->config.self)
        return head.n == 0 && under_root(survivors, &s->digest_hash, rank, &witness->own);
    if (s->peer[v].bundle.n == 0) return head.n == 0;
    const struct hash hash = hash_of("digest", head);
    return has_same_view(s, v, head) && under_root(survivors, &hash, rank, &witness->path[v]);
}

static enum status check_witness(struct session *s, const struct survivors *survivors,
                                 const struct witness *witness)
{
    size_t rank = 0;
    for (uint32_t v = 0; v < witness->n; v++)
        if (bits_has(&survivors->survivors, v) && !is_shown(s, survivors, witness, v, rank++))
            return session_refuse(s, REASON_SURVIVORS, v);
    return STATUS_OK;
}

static enum status check_survivors(struct session *s, const struct survivors *survivors,
                                   const struct witness *witness)
{
    if (!hash_equal(&survivors->plan, &s->plan_hash) ||
        !hash_equal(&survivors->roster, &s->roster_hash) ||
        !hash_equal(&survivors->dealers, &s->dealers_hash) ||
        !bits_subset(&survivors->survivors, &s->dealers) ||
        !bits_has(&survivors->survivors, s->config.self) || !opened_by_rule(s, survivors))
        return session_refuse(s, REASON_SURVIVORS, OUTBOX_SERVER);
    if (bits_count(&survivors->survivors) < s->plan.params.quorum)
        return session_refuse(s, REASON_QUORUM, OUTBOX_SERVER);
    return check_witness(s, survivors, witness);
}

enum status session_take_survivors(struct session *s, struct view in, uint64_t now_ms,
                                   struct outbox *out)
{
    AUTO(survivors_free) struct survivors survivors = {0};
    AUTO(witness_free) struct witness witness = {0};
    TRY(survivors_read(&survivors, &witness, in, s->config.manifest->n, s->plan.n_segments,
                       s->config.manifest->coordinator.identity));
    TRY(session_same(s, survivors.session));
    TRY(check_survivors(s, &survivors, &witness));
    if (s->config.weigh != NULL) {
        const enum reason why = s->config.weigh(s->config.context, &s->plan, &survivors.survivors);
        if (why != REASON_NONE) return session_refuse(s, why, OUTBOX_SERVER);
    }
    s->survivors = survivors;
    survivors = (struct survivors){0};
    s->survivors_hash = survivors_hash(&s->survivors);
    AUTO(buffer_free) struct buffer statement = {0};
    claim_write(&statement, &s->survivors);
    TRY(statement.status);
    TRY(session_remember(s, MEMORY_CONFIRM, &s->survivors_hash, buffer_view(&statement), out));
    struct confirm confirm = {.from = s->config.self};
    memcpy(confirm.session, s->plan.session, MSG_SESSION_BYTES);
    confirm_sign(&confirm, &s->survivors_hash, s->config.identity);
    struct buffer bytes = {0};
    confirm_write(&bytes, &confirm);
    TRY(session_answer(s, &bytes, out));
    session_wait(s, SESSION_QUORUM, WAIT_CONFIRM, now_ms);
    return STATUS_OK;
}

enum status session_see_again(struct session *s, struct view in)
{
    AUTO(survivors_free) struct survivors survivors = {0};
    AUTO(witness_free) struct witness witness = {0};
    TRY(survivors_read(&survivors, &witness, in, s->config.manifest->n, s->plan.n_segments,
                       s->config.manifest->coordinator.identity));
    TRY(session_same(s, survivors.session));
    struct hash other = survivors_hash(&survivors);
    bool same = hash_equal(&other, &s->survivors_hash);
    return session_refuse(s, same ? REASON_PHASE : REASON_EQUIVOCATION, OUTBOX_SERVER);
}

/* At least T distinct survivors confirmed the very statement that this site confirmed. */
static enum status check_quorum(struct session *s, const struct quorum *quorum)
{
    AUTO(bits_free) struct bits signers = {0};
    TRY(bits_new(&signers, s->config.manifest->n));
    for (uint32_t i = 0; i < quorum->n; i++) {
        const struct confirm *confirm = &quorum->confirm[i];
        if (!bits_has(&s->survivors.survivors, confirm->from) ||
            !confirm_check(confirm, &s->survivors_hash,
                           s->config.manifest->member[confirm->from].identity))
            return session_refuse(s, REASON_CONFIRMATIONS, OUTBOX_SERVER);
        bits_set(&signers, confirm->from);
    }
    if (bits_count(&signers) < s->plan.params.quorum)
        return session_refuse(s, REASON_CONFIRMATIONS, OUTBOX_SERVER);
    return STATUS_OK;
}

/* Whether the survivor set lets a dealer's share at a place out. Of a dropped dealer the pair seed;
 * of a survivor the self-mask seeds of the opened segments, and of its noise the seed of the first
 * part that is too much, which all later ones follow from. Never both kinds, never a part that the
 * sum has to keep. */
static bool lets_out(const struct session *s, uint32_t dealer, uint32_t place)
{
    const bool dropped = !bits_has(&s->survivors.survivors, dealer);
    if (place == BUNDLE_PAIR) return dropped;
    if (dropped) return false;
    if (place < BUNDLE_NOISE(&s->plan, 1))
        return bits_has(&s->survivors.opened, place - BUNDLE_SELF(0));
    return place == BUNDLE_NOISE(&s->plan, removal_first(&s->plan, &s->survivors.survivors));
}

static void allow(const struct session *s, uint32_t dealer, struct bundle *bundle)
{
    for (uint32_t p = 0; p < bundle->n; p++)
        bundle->place[p].have = bundle->place[p].have && lets_out(s, dealer, p);
}

/* The bundles move into the message: what is not sent is wiped with it. */
static enum status send_unmask(struct session *s, struct outbox *out)
{
    AUTO(unmask_free)
    struct unmask unmask = {.survivors = s->survivors_hash, .from = s->config.self};
    memcpy(unmask.session, s->plan.session, MSG_SESSION_BYTES);
    unmask.bundle = calloc(s->config.manifest->n, sizeof *unmask.bundle);
    if (unmask.bundle == NULL) return STATUS_NOMEM;
    unmask.n = s->config.manifest->n;
    for (uint32_t v = 0; v < unmask.n; v++) {
        unmask.bundle[v] = s->peer[v].bundle;
        s->peer[v].bundle = (struct bundle){0};
        allow(s, v, &unmask.bundle[v]);
    }
    struct buffer bytes = {0};
    unmask_write(&bytes, &unmask, s->config.identity);
    return session_answer(s, &bytes, out);
}

enum status session_take_quorum(struct session *s, struct view in, uint64_t now_ms,
                                struct outbox *out)
{
    AUTO(quorum_free) struct quorum quorum = {0};
    TRY(quorum_read(&quorum, in, s->config.manifest->n));
    TRY(session_same(s, quorum.session));
    TRY(check_quorum(s, &quorum));
    TRY(session_remember(s, MEMORY_RELEASE, &s->survivors_hash, (struct view){0}, out));
    TRY(send_unmask(s, out));
    session_forget_peers(s);
    session_wait(s, SESSION_RESULT, WAIT_UNMASK, now_ms);
    return STATUS_OK;
}
