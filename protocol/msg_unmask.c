/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "protocol/bundle.h"
#include "protocol/msg_wire.h"

void unmask_free(struct unmask *unmask)
{
    for (uint32_t v = 0; v < unmask->n; v++) bundle_free(&unmask->bundle[v]);
    free(unmask->bundle);
    *unmask = (struct unmask){0};
}

static void write_place(struct buffer *out, const struct place *place)
{
    write_u8(out, place->have);
    if (place->have) {
        write_bytes(out, place->share, SHARE_BYTES);
        write_bytes(out, place->salt, HASH_BYTES);
    } else {
        write_hash(out, &place->commitment);
    }
}

void unmask_write(struct buffer *out, const struct unmask *unmask, const uint8_t *identity)
{
    size_t start = out->n;
    wire_begin(out, MSG_UNMASK);
    write_bytes(out, unmask->session, MSG_SESSION_BYTES);
    write_hash(out, &unmask->survivors);
    write_u32(out, unmask->from);
    for (uint32_t v = 0; v < unmask->n; v++) {
        const struct bundle *bundle = &unmask->bundle[v];
        write_u8(out, (uint8_t)bundle->n);
        for (uint32_t i = 0; i < bundle->n; i++) write_place(out, &bundle->place[i]);
    }
    wire_sign(out, start, identity);
}

static void read_place(struct reader *r, struct place *place)
{
    place->have = read_flag(r);
    if (place->have) {
        read_bytes(r, place->share, SHARE_BYTES);
        read_bytes(r, place->salt, HASH_BYTES);
    } else {
        read_hash(r, &place->commitment);
    }
}

static enum status read_bundle(struct reader *r, struct bundle *bundle)
{
    const uint32_t n = read_u8(r);
    if (n == 0) return STATUS_OK;
    if (n > BUNDLE_PLACES_MAX || n > r->left / (1 + HASH_BYTES)) return STATUS_FORMAT;
    TRY(bundle_new(bundle, n));
    for (uint32_t i = 0; i < n; i++) read_place(r, &bundle->place[i]);
    return STATUS_OK;
}

enum status unmask_read(struct unmask *out, struct view in, uint32_t n, const uint8_t *sender)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_UNMASK, sender));
    AUTO(unmask_free) struct unmask unmask = {0};
    unmask.bundle = calloc(n, sizeof *unmask.bundle);
    if (unmask.bundle == NULL) return STATUS_NOMEM;
    unmask.n = n;
    read_bytes(&r, unmask.session, MSG_SESSION_BYTES);
    read_hash(&r, &unmask.survivors);
    unmask.from = read_u32(&r);
    for (uint32_t v = 0; v < n; v++) TRY(read_bundle(&r, &unmask.bundle[v]));
    TRY(reader_end(&r));
    *out = unmask;
    unmask = (struct unmask){0};
    return STATUS_OK;
}
