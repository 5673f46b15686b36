/* SPDX-License-Identifier: Apache-2.0 */
/* The sending half of a peer. */
#include <stdlib.h>

#include "protocol/frame_peer.h"

/* A message in the queue. */
struct parcel {
    struct parcel *next;
    struct blob *head, *tail; /* one share each */
    struct frame_name name;
};

/* Many peers get the same tail one after the other: it is hashed once. Its blob is kept as long as
 * anything is queued, so that its address means these bytes. */
static const struct hash *hash_tail(struct frames *f, struct blob *tail)
{
    if (f->tail != tail || tail == NULL) {
        blob_free(&f->tail);
        f->tail = blob_share(tail);
        f->tail_hash = frame_tail_hash(blob_view(tail));
    }
    return &f->tail_hash;
}

enum status frame_send(struct frames *f, size_t peer, struct blob *head, struct blob *tail)
{
    REQUIRE(peer < f->n_peers);
    struct frame_peer *p = &f->peer[peer];
    const struct view first = blob_view(head), second = blob_view(tail);
    const size_t most = f->settings.message_bytes;
    if (first.n > most || second.n > most - first.n || first.n + second.n == 0) return STATUS_RANGE;
    if (!p->up) return STATUS_IO;
    if (p->out.n >= f->settings.queue) return STATUS_STATE;
    struct parcel *parcel = malloc(sizeof *parcel);
    if (parcel == NULL) return STATUS_NOMEM;
    *parcel = (struct parcel){
        .head = blob_share(head),
        .tail = blob_share(tail),
        .name = {.id = f->next_id++,
                 .total = (uint32_t)(first.n + second.n),
                 .cut = (uint32_t)first.n,
                 .hash = frame_hash(first, hash_tail(f, tail))},
    };
    if (p->out.last == NULL)
        p->out.first = parcel;
    else
        p->out.last->next = parcel;
    p->out.last = parcel;
    p->out.n++;
    f->n_queued++;
    frame_wake(f, p);
    return STATUS_OK;
}

bool frame_idle(const struct frames *f, size_t peer)
{
    REQUIRE(peer < f->n_peers);
    return f->peer[peer].out.n == 0;
}

static void drop_first(struct frames *f, struct frame_out *out)
{
    struct parcel *parcel = out->first;
    out->first = parcel->next;
    if (out->first == NULL) out->last = NULL;
    out->n--;
    out->stage = OUT_NEW;
    blob_free(&parcel->head);
    blob_free(&parcel->tail);
    free(parcel);
    if (--f->n_queued == 0) blob_free(&f->tail);
}

void frame_out_clear(struct frames *f, struct frame_out *out)
{
    while (out->first != NULL) drop_first(f, out);
}

void frame_out_cut(struct frame_out *out)
{
    out->stage = OUT_NEW;
}

/* Bytes [offset, offset + n) of a message. */
static void write_range(struct buffer *b, const struct parcel *parcel, uint32_t offset, uint32_t n)
{
    const struct view head = blob_view(parcel->head), tail = blob_view(parcel->tail);
    const size_t of_head = offset >= head.n ? 0 : head.n - offset < n ? head.n - offset : n;
    if (of_head > 0) write_bytes(b, head.at + offset, of_head);
    if (n > of_head) write_bytes(b, tail.at + (offset + of_head - head.n), n - of_head);
}

static void write_offer(struct buffer *b, const struct parcel *parcel)
{
    write_u8(b, FRAME_OFFER);
    write_u64(b, parcel->name.id);
    write_u32(b, parcel->name.total);
    write_u32(b, parcel->name.cut);
    write_bytes(b, parcel->name.hash.bytes, HASH_BYTES);
    if (parcel->name.total <= FRAME_SMALL_MAX) write_range(b, parcel, 0, parcel->name.total);
}

bool frame_out_next(struct frames *f, struct frame_out *out)
{
    const struct parcel *parcel = out->first;
    if (parcel == NULL) return false;
    if (out->stage == OUT_NEW) {
        write_offer(&f->frame, parcel);
        out->stage = OUT_OFFERED;
        return true;
    }
    if (out->stage != OUT_GRANTED || out->sent == out->limit) return false;
    const uint32_t n = frame_payload(parcel->name.total, out->sent);
    write_u8(&f->frame, FRAME_DATA);
    write_u64(&f->frame, parcel->name.id);
    write_u32(&f->frame, out->sent);
    write_range(&f->frame, parcel, out->sent, n);
    out->sent += n;
    return true;
}

/* Whether a frame that ends here is about the message under way. */
static bool is_about(const struct frame_out *out, uint64_t id, const struct reader *r)
{
    return reader_end(r) == STATUS_OK && out->first != NULL && out->first->name.id == id &&
           out->stage != OUT_NEW;
}

/* The first grant names where to begin, each later one goes on where the last ended. */
bool frame_out_granted(struct frame_out *out, struct reader *r)
{
    const uint64_t id = read_u64(r);
    const uint32_t from = read_u32(r), to = read_u32(r);
    if (!is_about(out, id, r)) return false;
    const uint32_t total = out->first->name.total;
    if (total <= FRAME_SMALL_MAX || from >= to || to > total || to - from > FRAME_WINDOW ||
        from % FRAME_PAYLOAD_MAX != 0 || (to % FRAME_PAYLOAD_MAX != 0 && to != total))
        return false;
    if (out->stage == OUT_OFFERED)
        out->sent = from;
    else if (from != out->limit)
        return false;
    out->stage = OUT_GRANTED;
    out->limit = to;
    return true;
}

bool frame_out_done(struct frames *f, struct frame_out *out, struct reader *r)
{
    const uint64_t id = read_u64(r);
    if (!is_about(out, id, r)) return false;
    drop_first(f, out);
    return true;
}

bool frame_out_revoked(struct frame_out *out, struct reader *r)
{
    const uint64_t id = read_u64(r);
    if (!is_about(out, id, r)) return false;
    out->stage = OUT_NEW;
    return true;
}
