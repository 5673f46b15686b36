/* SPDX-License-Identifier: Apache-2.0 */
/* Each frame between two ends is what its table in protocol/SPEC.md, section 12, says. */
#include <string.h>

#include "crypto/hash.h"
#include "protocol/frame.h"
#include "tests/lib/check.h"
#include "tests/unit/protocol/spec.h"

#define LARGE (FRAME_PAYLOAD_MAX + 5)
#define FIRST_ID 0x1112131415161718

static const struct outer outer[] = {{NULL, 0}};
static const struct frame_settings usual = {
    .message_bytes = LARGE, .queue = 4, .stall_ms = 1000, .pool_bytes = LARGE};

static struct frames *table(size_t n_peers)
{
    struct frames *f = NULL;
    CHECK_OK(frame_new(&f, n_peers, &usual, FIRST_ID));
    for (size_t i = 0; i < n_peers; i++) frame_up(f, i);
    return f;
}

static struct blob *blob_from(const uint8_t *at, size_t n)
{
    struct buffer bytes = {0};
    write_bytes(&bytes, at, n);
    struct blob *blob = NULL;
    CHECK_OK(blob_of(&blob, &bytes));
    return blob;
}

/* The next frame of a table. */
static struct view next(struct frames *from)
{
    size_t peer = 0;
    struct view frame = {0};
    CHECK(frame_next(from, &peer, &frame));
    return frame;
}

/* Carry the next frame on; `to` knows its sender as this peer. */
static void carry(struct frames *from, struct frames *to, size_t peer)
{
    struct view message = {0};
    CHECK_OK(frame_take(to, peer, next(from), &message));
}

/* Compare a frame with the table below a heading, and its kind with the name in section 12. */
static void check_frame(const char *name, const char *heading, struct view frame)
{
    (void)check_kind(name, frame.at[0]);
    check_table(heading, (struct view){frame.at + 1, frame.n - 1});
}

static void want_number(const char *name, const char *type, uint64_t value, size_t n)
{
    want(name, type, &value, n);
}

/* Queue a message of two parts and want its offer. */
static void offer(struct frames *from, const uint8_t *bytes, uint32_t total, uint32_t cut)
{
    AUTO(blob_free) struct blob *head = blob_from(bytes, cut);
    AUTO(blob_free) struct blob *tail = blob_from(bytes + cut, total - cut);
    CHECK_OK(frame_send(from, 0, head, tail));
    const struct hash of_tail = hash_of("message-tail", blob_view(tail));
    struct hash_state state;
    hash_start(&state, "message");
    hash_add(&state, bytes, cut);
    hash_add(&state, of_tail.bytes, HASH_BYTES);
    const struct hash hash = hash_end(&state);
    want_number("id", "u64", FIRST_ID, 8);
    want_number("total", "u32", total, 4);
    want_number("cut", "u32", cut, 4);
    want("hash", "hash", hash.bytes, HASH_BYTES);
    const uint32_t inside = total <= FRAME_SMALL_MAX ? total : 0;
    want("bytes", "rest", bytes, inside);
}

static void a_small_message_is_as_described(void)
{
    AUTO(frame_free) struct frames *a = table(1), *b = table(1);
    static const uint8_t bytes[20] = {21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32};
    offer(a, bytes, sizeof bytes, 7);
    const struct view frame = next(a);
    check_frame("OFFER", "OFFER", frame);
    struct view message = {0};
    CHECK_OK(frame_take(b, 0, frame, &message));
    want_number("id", "u64", FIRST_ID, 8);
    check_frame("DONE", "DONE and REVOKE", next(b));
}

static void a_large_message_is_as_described(void)
{
    AUTO(frame_free) struct frames *a = table(1), *b = table(1);
    static uint8_t bytes[LARGE] = {7};
    memcpy(bytes + FRAME_PAYLOAD_MAX, "ABCDE", 5);
    offer(a, bytes, LARGE, 9);
    const struct view frame = next(a);
    check_frame("OFFER", "OFFER", frame);
    struct view none = {0};
    CHECK_OK(frame_take(b, 0, frame, &none));
    want_number("id", "u64", FIRST_ID, 8);
    want_number("from", "u32", 0, 4);
    want_number("to", "u32", LARGE, 4);
    const struct view grant = next(b);
    check_frame("GRANT", "GRANT", grant);
    CHECK_OK(frame_take(a, 0, grant, &none));
    CHECK_NUMBER(1 + 8 + 4 + FRAME_PAYLOAD_MAX, next(a).n);
    want_number("id", "u64", FIRST_ID, 8);
    want_number("offset", "u32", FRAME_PAYLOAD_MAX, 4);
    want("bytes", "rest", "ABCDE", 5);
    check_frame("DATA", "DATA", next(a));
}

/* Two want the one place that there is. */
static void a_lost_place_is_as_described(void)
{
    AUTO(frame_free) struct frames *a = table(1), *b = table(2), *c = table(1);
    static const uint8_t bytes[LARGE];
    AUTO(blob_free) struct blob *large = blob_from(bytes, LARGE);
    CHECK_OK(frame_send(a, 0, large, NULL));
    CHECK_OK(frame_send(c, 0, large, NULL));
    carry(a, b, 0);
    carry(b, a, 0);
    carry(c, b, 1);
    for (uint64_t now_ms = 0; now_ms <= 3 * usual.stall_ms; now_ms += usual.stall_ms / 4)
        frame_tick(b, now_ms);
    struct view frame = next(b);
    if (frame.at[0] == FRAME_GRANT) frame = next(b); /* who gets the place is told too */
    want_number("id", "u64", FIRST_ID, 8);
    check_frame("REVOKE", "DONE and REVOKE", frame);
}

static void every_kind_was_used(void)
{
    check_all_kinds_were_used(FRAME_REVOKE);
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 2);
    CHECK(spec_open(argv[1], "## 6. Messages", outer));
    CHECK(spec_kinds("## 12. Transport", "| kind | name | from | says |"));
    RUN(a_small_message_is_as_described);
    RUN(a_large_message_is_as_described);
    RUN(a_lost_place_is_as_described);
    RUN(every_kind_was_used);
    spec_close();
    return check_done();
}
