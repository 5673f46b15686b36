/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: frame_take. The input is a script of frames of two peers: u8 (lowest bit: whose; 128: it
 * begins a new connection; 64: a second passes), u16 length, and so many bytes of a frame, followed
 * by zeros when 32 is set, so that short inputs make long frames. */
#include <stdlib.h>
#include <string.h>

#include "protocol/frame.h"
#include "tests/fuzz/fuzz.h"

#define PEERS 2
#define POOL_BYTES (1 << 20)

/* Answers are made and thrown away; one frame of each is within its bound. */
static void let_out(struct frames *frames)
{
    size_t peer = 0;
    struct view frame = {0};
    while (frame_next(frames, &peer, &frame))
        REQUIRE(peer < PEERS && frame.n > 0 && frame.n <= FRAME_BYTES_MAX);
}

static void feed(struct frames *frames, size_t peer, struct view frame, size_t zeros)
{
    uint8_t *copy = calloc(1, frame.n + zeros + 1); /* as long as it says */
    REQUIRE(copy != NULL);
    if (frame.n > 0) memcpy(copy, frame.at, frame.n);
    struct view message = {0};
    const enum status status =
        frame_take(frames, peer, (struct view){copy, frame.n + zeros}, &message);
    REQUIRE(status == STATUS_OK || status == STATUS_FORMAT);
    REQUIRE(status == STATUS_OK || message.n == 0);
    REQUIRE(message.n <= POOL_BYTES && frame_pool_bytes(frames) <= POOL_BYTES);
    for (size_t i = 0; i < message.n; i += 4096) REQUIRE(message.at[i] == message.at[i]);
    free(copy);
}

static void queue_one(struct frames *frames, size_t n)
{
    struct buffer bytes = {0};
    AUTO(blob_free) struct blob *blob = NULL;
    for (size_t i = 0; i < n; i++) write_u8(&bytes, (uint8_t)i);
    REQUIRE(blob_of(&blob, &bytes) == STATUS_OK);
    REQUIRE(frame_send(frames, 0, blob, NULL) == STATUS_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct frame_settings settings = {
        .message_bytes = POOL_BYTES, .queue = 4, .stall_ms = 2000, .pool_bytes = POOL_BYTES};
    AUTO(frame_free) struct frames *frames = NULL;
    REQUIRE(frame_new(&frames, PEERS, &settings, 1) == STATUS_OK);
    for (size_t i = 0; i < PEERS; i++) frame_up(frames, i);
    queue_one(frames, FRAME_SMALL_MAX + 1);
    queue_one(frames, 3);
    let_out(frames);
    struct reader r = reader_of((struct view){data, size});
    uint64_t now_ms = 0;
    while (r.left > 0 && !r.bad) {
        const uint8_t what = read_u8(&r);
        const size_t n = read_u16(&r);
        const struct view frame = read_view(&r, n < r.left ? n : r.left);
        const size_t peer = what & 1;
        if ((what & 128) != 0) frame_up(frames, peer);
        if ((what & 64) != 0) frame_tick(frames, now_ms += 1000);
        feed(frames, peer, frame, (what & 32) != 0 ? FRAME_PAYLOAD_MAX + 13 - frame.n % 14 : 0);
        let_out(frames);
    }
    return 0;
}
