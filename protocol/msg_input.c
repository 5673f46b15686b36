/* SPDX-License-Identifier: Apache-2.0 */
/* Messages with the masked input: digest, masked. */
#include "protocol/msg_wire.h"

void digest_write(struct buffer *out, const struct digest *digest, const uint8_t *identity)
{
    size_t start = out->n;
    wire_begin(out, MSG_DIGEST);
    write_bytes(out, digest->session, MSG_SESSION_BYTES);
    write_hash(out, &digest->plan);
    write_hash(out, &digest->roster);
    write_hash(out, &digest->dealers);
    write_u32(out, digest->from);
    write_u8(out, (uint8_t)digest->n_segments);
    for (uint32_t l = 0; l < digest->n_segments; l++) write_hash(out, &digest->segment[l]);
    wire_sign(out, start, identity);
}

enum status digest_read(struct digest *out, struct view in, const uint8_t *sender)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_DIGEST, sender));
    struct digest digest = {0};
    read_bytes(&r, digest.session, MSG_SESSION_BYTES);
    read_hash(&r, &digest.plan);
    read_hash(&r, &digest.roster);
    read_hash(&r, &digest.dealers);
    digest.from = read_u32(&r);
    digest.n_segments = read_u8(&r);
    if (digest.n_segments > MSG_SEGMENTS_MAX) return STATUS_FORMAT;
    for (uint32_t l = 0; l < digest.n_segments; l++) read_hash(&r, &digest.segment[l]);
    TRY(reader_end(&r));
    *out = digest;
    return STATUS_OK;
}

void masked_write(struct buffer *out, const struct masked_input *masked)
{
    size_t n = 4 + 4 + masked->digest.n; /* prefix and kind, length of the digest */
    for (uint32_t l = 0; l < masked->n_segments; l++) n += masked->body[l].n;
    buffer_reserve(out, n);
    wire_begin(out, MSG_MASKED);
    write_blob(out, masked->digest.at, masked->digest.n);
    for (uint32_t l = 0; l < masked->n_segments; l++)
        write_bytes(out, masked->body[l].at, masked->body[l].n);
}

enum status masked_read(struct masked_input *out, struct view in, const struct plan *plan,
                        uint32_t from)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_MASKED, NULL));
    struct masked_input masked = {.n_segments = plan->n_segments};
    masked.digest = read_blob(&r, WIRE_HEAD_MAX);
    for (uint32_t l = 0; l < plan->n_segments; l++) {
        const struct segment *segment = &plan->segment[l];
        if (!bits_has(&segment->members, from)) continue;
        masked.body[l] = read_view(&r, packed_bytes(segment->dim + 1, plan->grid.bits));
    }
    TRY(reader_end(&r));
    *out = masked;
    return STATUS_OK;
}

size_t masked_bytes(const struct plan *plan, uint32_t from, size_t digest_bytes)
{
    size_t bytes = MSG_PREFIX_BYTES + sizeof(uint32_t) + digest_bytes;
    for (uint32_t l = 0; l < plan->n_segments; l++)
        if (bits_has(&plan->segment[l].members, from))
            bytes += packed_bytes(plan->segment[l].dim + 1, plan->grid.bits);
    return bytes;
}

struct hash masked_digest(struct view body)
{
    return hash_long("masked", body);
}
