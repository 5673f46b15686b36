/* SPDX-License-Identifier: Apache-2.0 */
/* Whose keys a session is about: the roster, on a ring also the positions, and the graphs that
 * follow from them. */
#include "client/session_step.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/pads.h"

/* A key of the roster: none may come twice, whoever has it and for whatever purpose. */
struct key {
    uint8_t bytes[KX_PUBLIC_BYTES];
};

struct keys {
    size_t n;
    struct key *key;
};

static void keys_free(struct keys *keys)
{
    free(keys->key);
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct key));
}

static bool keys_repeat(struct keys *keys)
{
    qsort(keys->key, keys->n, sizeof *keys->key, by_bytes);
    for (size_t i = 1; i < keys->n; i++)
        if (by_bytes(&keys->key[i - 1], &keys->key[i]) == 0) return true;
    return false;
}

static enum status check_advert(struct session *s, struct view in, uint32_t from, struct keys *keys)
{
    struct advert advert = {0};
    enum status status = advert_read(&advert, in, s->config.manifest->member[from].identity);
    if (status == STATUS_AUTH) return session_refuse(s, REASON_SIGNATURE, from);
    TRY(status);
    if (advert.from != from || !bits_has(&s->plan.cohort, from))
        return session_refuse(s, REASON_MEMBER, from);
    /* The plan's hash binds the session, so that an advert of another session is refused here. */
    if (!hash_equal(&advert.plan, &s->plan_hash) || !kx_acceptable(advert.mask_key) ||
        !kx_acceptable(advert.enc_key) || hash_is_zero(&advert.position) != (s->plan.params.k == 0))
        return session_refuse(s, REASON_ROSTER, from);
    struct peer *peer = &s->peer[from];
    memcpy(peer->mask_key, advert.mask_key, KX_PUBLIC_BYTES);
    memcpy(peer->enc_key, advert.enc_key, KX_PUBLIC_BYTES);
    peer->position = advert.position;
    memcpy(keys->key[keys->n++].bytes, advert.mask_key, KX_PUBLIC_BYTES);
    memcpy(keys->key[keys->n++].bytes, advert.enc_key, KX_PUBLIC_BYTES);
    return STATUS_OK;
}

static enum status check_roster(struct session *s, const struct roster *roster)
{
    AUTO(keys_free) struct keys keys = {0};
    keys.key = calloc(2 * (size_t)roster->n, sizeof *keys.key);
    if (keys.key == NULL) return STATUS_NOMEM;
    TRY(bits_new(&s->roster, roster->n));
    for (uint32_t v = 0; v < roster->n; v++) {
        if (roster->advert[v].n == 0) continue;
        TRY(check_advert(s, roster->advert[v], v, &keys));
        bits_set(&s->roster, v);
    }
    if (keys_repeat(&keys)) return session_refuse(s, REASON_ROSTER, OUTBOX_SERVER);
    struct view own = roster->advert[s->config.self];
    if (own.n != s->advert.n || memcmp(own.at, s->advert.at, own.n) != 0)
        return session_refuse(s, REASON_ROSTER, s->config.self);
    return session_enough(s, &s->roster);
}

static enum status make_pad_graph(struct session *s, uint32_t segment)
{
    AUTO(bits_free) struct bits sites = {0};
    TRY(bits_copy(&sites, &s->plan.segment[segment].members));
    for (uint32_t v = 0; v < sites.n; v++)
        if (!bits_has(&s->roster, v)) bits_clear(&sites, v);
    const struct hash order = pads_order(&s->roster_hash, segment);
    return graph_new(&s->pads[segment], &sites, s->plan.segment[segment].degree, &order);
}

/* All keys and, on a ring, all positions are known. */
static enum status make_graphs(struct session *s)
{
    TRY(graph_new(&s->graph, &s->roster, s->plan.params.k, &s->roster_hash));
    for (uint32_t l = 0; l < s->plan.n_segments; l++)
        if (session_mine(s, l)) TRY(make_pad_graph(s, l));
    return STATUS_OK;
}

struct position session_position(const struct session *s)
{
    struct position position = {.from = s->config.self};
    memcpy(position.session, s->plan.session, MSG_SESSION_BYTES);
    memcpy(position.nonce, s->nonce, MSG_NONCE_BYTES);
    return position;
}

static enum status open_position(struct session *s, uint64_t now_ms, struct outbox *out)
{
    const struct position position = session_position(s);
    struct buffer bytes = {0};
    position_write(&bytes, &position, s->config.identity);
    TRY(session_answer(s, &bytes, out));
    session_wait(s, SESSION_POSITIONS, WAIT_POSITIONS, now_ms);
    return STATUS_OK;
}

enum status session_take_roster(struct session *s, struct view in, uint64_t now_ms,
                                struct outbox *out)
{
    AUTO(roster_free) struct roster roster = {0};
    TRY(roster_read(&roster, in, s->config.manifest->n, s->config.manifest->coordinator.identity));
    TRY(session_same(s, roster.session));
    TRY(check_roster(s, &roster));
    s->roster_hash = roster_hash(&s->plan_hash, roster.advert, roster.n);
    if (s->plan.params.k > 0) return open_position(s, now_ms, out);
    TRY(make_graphs(s));
    return session_deal(s, now_ms, out);
}

/* Whether a site opened the position that it committed to before it knew any other. Who is not in
 * the roster committed to nothing, and no hash is zero. */
static bool as_committed(const struct session *s, uint32_t v, struct view nonce)
{
    struct position position = {.from = v};
    if (nonce.n != sizeof position.nonce) return false;
    memcpy(position.session, s->plan.session, MSG_SESSION_BYTES);
    memcpy(position.nonce, nonce.at, nonce.n);
    const struct hash hash = position_commit(&position);
    return hash_equal(&hash, &s->peer[v].position);
}

static enum status check_positions(struct session *s, const struct positions *positions,
                                   struct bits *placed)
{
    TRY(bits_new(placed, positions->n));
    for (uint32_t v = 0; v < positions->n; v++) {
        if (positions->nonce[v].n == 0) continue;
        if (!as_committed(s, v, positions->nonce[v])) return session_refuse(s, REASON_POSITIONS, v);
        bits_set(placed, v);
    }
    /* Who leaves sites out after it has seen the ring chooses among rings; the degree allows for so
     * many choices and no more. */
    if (!bits_has(placed, s->config.self) ||
        bits_count(&s->roster) - bits_count(placed) > PARAMS_SILENT_MAX)
        return session_refuse(s, REASON_POSITIONS, OUTBOX_SERVER);
    return session_enough(s, placed);
}

enum status session_take_positions(struct session *s, struct view in, uint64_t now_ms,
                                   struct outbox *out)
{
    AUTO(positions_free) struct positions positions = {0};
    TRY(positions_read(&positions, in, s->config.manifest->n,
                       s->config.manifest->coordinator.identity));
    TRY(session_same(s, positions.session));
    AUTO(bits_free) struct bits placed = {0};
    TRY(check_positions(s, &positions, &placed));
    bits_free(&s->roster);
    s->roster = placed;
    placed = (struct bits){0};
    s->roster_hash = positions_hash(&s->roster_hash, positions.nonce, positions.n);
    TRY(make_graphs(s));
    return session_deal(s, now_ms, out);
}
