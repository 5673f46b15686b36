/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/protocol/hand.h"

#include <string.h>

#include "crypto/hash.h"
#include "crypto/rng.h"
#include "tests/lib/check.h"

const struct frame_settings hand_settings = {
    .message_bytes = 4 << 20, .queue = 4, .stall_ms = HAND_STALL_MS, .pool_bytes = 4 << 20};

struct frames *hand_table(size_t n_peers, uint64_t first_id)
{
    struct frames *f = NULL;
    CHECK_OK(frame_new(&f, n_peers, &hand_settings, first_id));
    for (size_t i = 0; i < n_peers; i++) frame_up(f, i);
    return f;
}

static uint8_t noise[(4 << 20) + 256];

void hand_init(void)
{
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    rng_bytes(&rng, noise, sizeof noise);
}

struct blob *hand_blob(uint64_t seed, size_t n)
{
    struct buffer bytes = {0};
    write_bytes(&bytes, noise + seed % 256, n);
    struct blob *blob = NULL;
    CHECK_OK(blob_of(&blob, &bytes));
    return blob;
}

enum status hand_send(struct frames *f, size_t peer, uint64_t seed, size_t n)
{
    AUTO(blob_free) struct blob *blob = hand_blob(seed, n);
    return frame_send(f, peer, blob, NULL);
}

bool hand_is(struct view message, uint64_t seed, size_t n)
{
    return message.n == n && memcmp(message.at, noise + seed % 256, n) == 0;
}

struct view hand_frame(struct buffer *b, enum frame_kind kind, uint64_t id)
{
    buffer_free(b);
    write_u8(b, (uint8_t)kind);
    write_u64(b, id);
    return buffer_view(b);
}

struct view hand_offer(struct buffer *b, uint64_t id, uint32_t total, uint32_t cut)
{
    hand_frame(b, FRAME_OFFER, id);
    write_u32(b, total);
    write_u32(b, cut);
    const struct hash hash = {{1}};
    write_bytes(b, hash.bytes, HASH_BYTES);
    return buffer_view(b);
}

struct view hand_data(struct buffer *b, uint64_t id, uint32_t offset, size_t n)
{
    hand_frame(b, FRAME_DATA, id);
    write_u32(b, offset);
    for (size_t i = 0; i < n; i++) write_u8(b, 1);
    return buffer_view(b);
}

struct view hand_grant(struct buffer *b, uint64_t id, uint32_t from, uint32_t to)
{
    hand_frame(b, FRAME_GRANT, id);
    write_u32(b, from);
    write_u32(b, to);
    return buffer_view(b);
}

bool hand_says(struct frames *f, size_t peer, enum frame_kind kind)
{
    size_t to = SIZE_MAX;
    struct view frame = {0};
    return frame_next(f, &to, &frame) && to == peer && frame.at[0] == kind;
}

bool hand_silent(struct frames *f)
{
    size_t to = 0;
    struct view frame = {0};
    return !frame_next(f, &to, &frame);
}

enum status hand_carry(struct frames *a, struct frames *b, size_t from, struct view *message)
{
    size_t to = 0;
    struct view frame = {0};
    CHECK(frame_next(a, &to, &frame));
    return frame_take(b, from, frame, message);
}

struct view hand_carry_all(struct frames *a, struct frames *b)
{
    struct view message = {0}, none = {0}, frame = {0};
    size_t to = 0;
    for (bool moved = true; moved;) {
        moved = false;
        while (frame_next(a, &to, &frame)) {
            moved = true;
            CHECK_OK(frame_take(b, 0, frame, &message));
            if (message.n > 0) return message;
        }
        while (frame_next(b, &to, &frame)) {
            moved = true;
            CHECK_OK(frame_take(a, 0, frame, &none));
        }
    }
    return message;
}
