/* SPDX-License-Identifier: Apache-2.0 */
/* The receiving half of a peer, and the pool of places that all peers share. A place is the room of
 * a whole message, so who has one can always be served to the end. */
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "protocol/frame_peer.h"

static bool same_name(const struct frame_name *a, const struct frame_name *b)
{
    return a->id == b->id && a->total == b->total && a->cut == b->cut &&
           hash_equal(&a->hash, &b->hash);
}

static bool has_place(const struct frame_in *in)
{
    return in->stage == IN_PLACED || in->stage == IN_KEPT;
}

void frame_in_return(struct frames *f)
{
    secret_wipe(f->lent, f->lent_n); /* a letter may carry shares */
    free(f->lent);
    f->pool -= f->lent_n;
    f->lent = NULL;
    f->lent_n = 0;
}

void frame_in_clear(struct frames *f, struct frame_in *in)
{
    if (in->stage == IN_WAITS) f->n_waits--;
    if (has_place(in)) {
        secret_wipe(in->bytes, in->got);
        free(in->bytes);
        f->pool -= in->name.total;
    }
    in->bytes = NULL;
    in->stage = IN_NONE;
    in->say_grant = false;
}

void frame_in_cut(struct frames *f, struct frame_in *in)
{
    in->say_grant = in->say_done = in->say_revoke = false;
    if (in->stage == IN_PLACED)
        in->stage = IN_KEPT;
    else if (in->stage != IN_KEPT)
        frame_in_clear(f, in);
}

static void wait_in_line(struct frames *f, struct frame_in *in)
{
    in->stage = IN_WAITS;
    in->turn = f->next_turn++;
    f->n_waits++;
}

/* Take up a message where its bytes ended. */
static void go_on(struct frames *f, struct frame_in *in)
{
    in->stage = IN_PLACED;
    in->moved_ms = f->now_ms;
    in->limit = in->got;
    in->say_grant = true;
}

static struct frame_peer *first_in_line(struct frames *f)
{
    struct frame_peer *first = NULL;
    for (struct frame_peer *p = f->peer; p < f->peer + f->n_peers; p++)
        if (p->in.stage == IN_WAITS && (first == NULL || p->in.turn < first->in.turn)) first = p;
    return first;
}

/* Bytes a millisecond that a place must bring in on average while others wait for one. */
#define LEAST_RATE 128

static bool too_slow(const struct frames *f, const struct frame_in *in)
{
    return f->now_ms - in->moved_ms >= f->settings.stall_ms ||
           f->now_ms - in->placed_ms >= f->settings.stall_ms + in->name.total / LEAST_RATE;
}

/* Of the places that stand still or creep the one that has not moved for longest; NULL when all
 * move. */
static struct frame_peer *most_stalled(struct frames *f)
{
    struct frame_peer *worst = NULL;
    for (struct frame_peer *p = f->peer; p < f->peer + f->n_peers; p++)
        if (has_place(&p->in) && too_slow(f, &p->in) &&
            (worst == NULL || p->in.moved_ms < worst->in.moved_ms))
            worst = p;
    return worst;
}

static void lose_place(struct frames *f, struct frame_peer *p)
{
    const bool open = p->in.stage == IN_PLACED;
    frame_in_clear(f, &p->in);
    if (!open) return;
    p->in.stage = IN_LOST;
    p->in.say_revoke = true;
    frame_wake(f, p);
}

/* Give one waiting peer its place, or take one for it from who stalls; false when neither can be.
 */
static bool settle_one(struct frames *f)
{
    struct frame_peer *first = f->n_waits > 0 ? first_in_line(f) : NULL;
    if (first == NULL) return false;
    struct frame_in *in = &first->in;
    if (f->pool + in->name.total > f->settings.pool_bytes) {
        struct frame_peer *stalled = most_stalled(f);
        if (stalled != NULL) lose_place(f, stalled);
        return stalled != NULL;
    }
    in->bytes = malloc(in->name.total);
    if (in->bytes == NULL) return false; /* it stays in line */
    f->pool += in->name.total;
    f->n_waits--;
    in->got = 0;
    in->placed_ms = f->now_ms;
    go_on(f, in);
    frame_wake(f, first);
    return true;
}

void frame_in_settle(struct frames *f)
{
    while (settle_one(f)) continue;
}

static void write_about(struct buffer *b, enum frame_kind kind, uint64_t id)
{
    write_u8(b, (uint8_t)kind);
    write_u64(b, id);
}

bool frame_in_next(struct frames *f, struct frame_in *in)
{
    if (in->say_done) {
        in->say_done = false;
        write_about(&f->frame, FRAME_DONE, in->done_id);
        return true;
    }
    if (in->say_revoke) {
        in->say_revoke = false;
        write_about(&f->frame, FRAME_REVOKE, in->name.id);
        return true;
    }
    if (in->say_grant) {
        const uint32_t left = in->name.total - in->got;
        const uint32_t to = in->got + (left < FRAME_WINDOW ? left : FRAME_WINDOW);
        in->say_grant = false;
        write_about(&f->frame, FRAME_GRANT, in->name.id);
        write_u32(&f->frame, in->limit);
        write_u32(&f->frame, to);
        in->limit = to;
        return true;
    }
    return false;
}

/* The message of this name is the caller's now. */
static void deliver(struct frame_in *in, const struct frame_name *name)
{
    in->any = in->say_done = true;
    in->last = *name;
    in->done_id = name->id;
}

static bool is_genuine(const struct frame_name *name, struct view bytes)
{
    const struct view head = {bytes.at, name->cut};
    const struct view tail = {bytes.at + name->cut, bytes.n - name->cut};
    const struct hash of_tail = frame_tail_hash(tail), hash = frame_hash(head, &of_tail);
    return hash_equal(&hash, &name->hash);
}

bool frame_in_offer(struct frames *f, struct frame_in *in, struct reader *r, struct view *message)
{
    struct frame_name name = {.id = read_u64(r), .total = read_u32(r), .cut = read_u32(r)};
    read_bytes(r, name.hash.bytes, HASH_BYTES);
    const struct view inside = {r->at, r->left};
    if (r->bad || name.total == 0 || name.total > f->settings.message_bytes ||
        name.cut > name.total || inside.n != (name.total <= FRAME_SMALL_MAX ? name.total : 0) ||
        in->stage == IN_WAITS || in->stage == IN_PLACED || in->say_done)
        return false;
    if (in->stage == IN_KEPT && same_name(&in->name, &name)) {
        go_on(f, in);
        return true;
    }
    frame_in_clear(f, in);                   /* its sender has given up an older message */
    if (in->any && in->last.id == name.id) { /* our DONE was lost */
        if (!same_name(&in->last, &name)) return false;
        deliver(in, &name);
        return true;
    }
    in->say_revoke = false;
    if (inside.n > 0) {
        if (!is_genuine(&name, inside)) return false;
        deliver(in, &name);
        *message = inside;
        return true;
    }
    in->name = name;
    wait_in_line(f, in);
    frame_in_settle(f);
    return true;
}

/* The whole message is there: it moves from its place to the caller. */
static bool complete(struct frames *f, struct frame_in *in, struct view *message)
{
    const struct view bytes = {in->bytes, in->name.total};
    if (!is_genuine(&in->name, bytes)) return false;
    deliver(in, &in->name);
    f->lent = in->bytes;
    f->lent_n = in->name.total;
    in->bytes = NULL;
    in->stage = IN_NONE;
    in->say_grant = false;
    *message = bytes;
    return true;
}

bool frame_in_data(struct frames *f, struct frame_in *in, struct reader *r, struct view *message)
{
    const uint64_t id = read_u64(r);
    const uint32_t offset = read_u32(r);
    const struct view chunk = {r->at, r->left};
    if (r->bad || (in->stage != IN_PLACED && in->stage != IN_LOST) || id != in->name.id ||
        offset != in->got || offset >= in->limit ||
        chunk.n != frame_payload(in->name.total, offset))
        return false;
    in->got += (uint32_t)chunk.n;
    if (in->stage == IN_LOST) return true; /* was under way when the place was lost */
    memcpy(in->bytes + offset, chunk.at, chunk.n);
    in->moved_ms = f->now_ms;
    if (in->got == in->name.total) return complete(f, in, message);
    if (in->limit < in->name.total && in->limit - in->got <= FRAME_WINDOW / 2) in->say_grant = true;
    return true;
}
