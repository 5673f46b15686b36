/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/msg_wire.h"

#include <string.h>

static const char prefix[3] = {'S', 'A', '1'};
static const char label[] = "SA1-message";

enum msg_kind msg_kind_of(struct view message)
{
    if (message.n < MSG_PREFIX_BYTES || memcmp(message.at, prefix, sizeof prefix) != 0) return 0;
    return message.at[3] > 0 && message.at[3] < MSG_KIND_COUNT ? (enum msg_kind)message.at[3] : 0;
}

void wire_begin(struct buffer *out, enum msg_kind kind)
{
    write_bytes(out, prefix, sizeof prefix);
    write_u8(out, (uint8_t)kind);
}

void wire_sign(struct buffer *out, size_t start, const uint8_t *identity)
{
    if (out->status != STATUS_OK) return;
    uint8_t signature[SIGN_BYTES];
    sign_make(signature, identity, label,
              (struct view){.at = out->at + start, .n = out->n - start});
    write_bytes(out, signature, sizeof signature);
}

enum status wire_open(struct reader *body, struct view in, enum msg_kind kind,
                      const uint8_t *sender)
{
    if (msg_kind_of(in) != kind) return STATUS_FORMAT;
    size_t tail = sender == NULL ? 0 : SIGN_BYTES;
    if (in.n < MSG_PREFIX_BYTES + tail) return STATUS_FORMAT;
    struct view content = {.at = in.at, .n = in.n - tail};
    if (sender != NULL && !sign_check(in.at + content.n, sender, label, content))
        return STATUS_AUTH;
    *body = reader_of(
        (struct view){.at = content.at + MSG_PREFIX_BYTES, .n = content.n - MSG_PREFIX_BYTES});
    return STATUS_OK;
}

void write_hash(struct buffer *out, const struct hash *hash)
{
    write_bytes(out, hash->bytes, HASH_BYTES);
}

void read_hash(struct reader *r, struct hash *hash)
{
    read_bytes(r, hash->bytes, HASH_BYTES);
}

bool read_flag(struct reader *r)
{
    const uint8_t flag = read_u8(r);
    if (flag > 1) r->bad = true;
    return flag == 1;
}

void write_path(struct buffer *out, const struct merkle_path *path)
{
    write_u8(out, (uint8_t)path->n);
    for (size_t i = 0; i < path->n; i++) write_hash(out, &path->node[i]);
}

void read_path(struct reader *r, struct merkle_path *path)
{
    *path = (struct merkle_path){.n = read_u8(r)};
    if (path->n > MERKLE_PATH_MAX) {
        r->bad = true;
        path->n = 0;
    }
    for (size_t i = 0; i < path->n; i++) read_hash(r, &path->node[i]);
}

void write_views(struct buffer *out, const struct view *view, uint32_t n)
{
    for (uint32_t v = 0; v < n; v++) {
        write_u8(out, view[v].n > 0);
        if (view[v].n > 0) write_blob(out, view[v].at, view[v].n);
    }
}

void read_views(struct reader *r, struct view *view, uint32_t n, size_t limit)
{
    for (uint32_t v = 0; v < n; v++) {
        if (!read_flag(r)) continue;
        view[v] = read_blob(r, limit);
        if (view[v].n == 0) r->bad = true;
    }
}

void wire_hash_bits(struct hash_state *state, const struct bits *bits)
{
    hash_add_u64(state, bits->n);
    for (size_t i = 0; i < (bits->n + 63) / 64; i++) hash_add_u64(state, bits->word[i]);
}
