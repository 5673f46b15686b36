/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/frame.h"

#include <stdlib.h>

#include "protocol/frame_peer.h"

/* Of frame_tick: a longer pause was our own. */
#define STEPS_OF_STALL 4

_Static_assert(FRAME_WINDOW % FRAME_PAYLOAD_MAX == 0, "a window is whole payloads");
_Static_assert(FRAME_SMALL_MAX <= FRAME_PAYLOAD_MAX, "a small message fits into a frame");
/* Payloads of a window, an answer to each of the peer's, and an offer, a revocation, a done. */
_Static_assert(2 * (FRAME_WINDOW / FRAME_PAYLOAD_MAX) + 3 <= FRAME_FLIGHT_MAX, "flight too small");

struct hash frame_tail_hash(struct view tail)
{
    return hash_of("message-tail", tail);
}

struct hash frame_hash(struct view head, const struct hash *tail)
{
    struct hash_state state;
    hash_start(&state, "message");
    hash_add(&state, head.at, head.n);
    hash_add(&state, tail->bytes, HASH_BYTES);
    return hash_end(&state);
}

uint32_t frame_payload(uint32_t total, uint32_t offset)
{
    return total - offset < FRAME_PAYLOAD_MAX ? total - offset : FRAME_PAYLOAD_MAX;
}

enum status frame_new(struct frames **out, size_t n_peers, const struct frame_settings *settings,
                      uint64_t first_id)
{
    REQUIRE(settings->message_bytes > 0 && settings->queue > 0 &&
            settings->pool_bytes >= settings->message_bytes);
    struct frames *f = calloc(1, sizeof *f + n_peers * sizeof f->peer[0]);
    uint8_t *room = malloc(FRAME_BYTES_MAX);
    if (f == NULL || room == NULL) {
        free(f);
        free(room);
        return STATUS_NOMEM;
    }
    f->settings = *settings;
    f->next_id = first_id;
    f->frame = (struct buffer){.at = room, .room = FRAME_BYTES_MAX};
    f->n_peers = f->ready = n_peers;
    *out = f;
    return STATUS_OK;
}

void frame_free(struct frames **frames)
{
    struct frames *f = *frames;
    if (f == NULL) return;
    frame_in_return(f);
    for (size_t i = 0; i < f->n_peers; i++) {
        frame_in_clear(f, &f->peer[i].in);
        frame_out_clear(f, &f->peer[i].out);
    }
    buffer_wipe(&f->frame);
    free(f);
    *frames = NULL;
}

void frame_wake(struct frames *f, struct frame_peer *peer)
{
    if (!peer->up || peer->listed) return;
    const size_t i = (size_t)(peer - f->peer);
    peer->listed = true;
    peer->next = f->n_peers;
    if (f->ready == f->n_peers)
        f->ready = i;
    else
        f->peer[f->ready_last].next = i;
    f->ready_last = i;
}

/* A new connection knows nothing of what was said on the last. */
static void cut(struct frames *f, size_t i, bool up)
{
    REQUIRE(i < f->n_peers);
    struct frame_peer *peer = &f->peer[i];
    frame_out_cut(&peer->out);
    frame_in_cut(f, &peer->in);
    peer->up = up;
    frame_wake(f, peer);
}

void frame_up(struct frames *f, size_t peer)
{
    cut(f, peer, true);
}

void frame_down(struct frames *f, size_t peer)
{
    cut(f, peer, false);
}

bool frame_next(struct frames *f, size_t *peer, struct view *frame)
{
    while (f->ready < f->n_peers) {
        const size_t i = f->ready;
        struct frame_peer *p = &f->peer[i];
        f->ready = p->next;
        p->listed = false;
        f->frame.n = 0;
        if (!p->up || !(frame_in_next(f, &p->in) || frame_out_next(f, &p->out))) continue;
        REQUIRE(f->frame.n <= FRAME_BYTES_MAX && f->frame.status == STATUS_OK);
        frame_wake(f, p);
        *peer = i;
        *frame = buffer_view(&f->frame);
        return true;
    }
    return false;
}

static bool take(struct frames *f, struct frame_peer *p, struct reader *r, struct view *message)
{
    switch (read_u8(r)) {
    case FRAME_OFFER:
        return frame_in_offer(f, &p->in, r, message);
    case FRAME_GRANT:
        return frame_out_granted(&p->out, r);
    case FRAME_DATA:
        return frame_in_data(f, &p->in, r, message);
    case FRAME_DONE:
        return frame_out_done(f, &p->out, r);
    case FRAME_REVOKE:
        return frame_out_revoked(&p->out, r);
    default:
        return false;
    }
}

enum status frame_take(struct frames *f, size_t peer, struct view frame, struct view *out)
{
    REQUIRE(peer < f->n_peers);
    struct frame_peer *p = &f->peer[peer];
    frame_in_return(f);
    *out = (struct view){0};
    if (!p->up) return STATUS_FORMAT;
    struct reader r = reader_of(frame);
    struct view message = {0};
    if (frame.n > FRAME_BYTES_MAX || !take(f, p, &r, &message)) {
        frame_down(f, peer);
        frame_in_clear(f, &p->in);
        return STATUS_FORMAT;
    }
    frame_wake(f, p);
    *out = message;
    return STATUS_OK;
}

void frame_tick(struct frames *f, uint64_t now_ms)
{
    const uint64_t most = f->settings.stall_ms / STEPS_OF_STALL + 1;
    const uint64_t passed = now_ms > f->told_ms ? now_ms - f->told_ms : 0;
    f->now_ms += passed < most ? passed : most;
    f->told_ms = now_ms;
    frame_in_return(f);
    frame_in_settle(f);
}

bool frame_waiting(const struct frames *f)
{
    return f->n_waits > 0;
}

uint64_t frame_pool_bytes(const struct frames *f)
{
    return f->pool;
}
