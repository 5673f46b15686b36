/* SPDX-License-Identifier: Apache-2.0 */
/* No sockets: frames are carried from one table to the other by hand. */
#include "protocol/frame.h"

#include <string.h>

#include "crypto/hash.h"
#include "crypto/rng.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

#define LARGE (3 * FRAME_PAYLOAD_MAX + 5)
#define STALL_MS 1000

static const struct frame_settings usual = {
    .message_bytes = 4 << 20, .queue = 4, .stall_ms = STALL_MS, .pool_bytes = 4 << 20};

static struct frames *table(size_t n_peers, uint64_t first_id)
{
    struct frames *f = NULL;
    CHECK_OK(frame_new(&f, n_peers, &usual, first_id));
    for (size_t i = 0; i < n_peers; i++) frame_up(f, i);
    return f;
}

/* Random bytes; a seed says where a message begins in them. */
static uint8_t noise[(4 << 20) + 256];

static struct blob *blob_of_seed(uint64_t seed, size_t n)
{
    struct buffer bytes = {0};
    write_bytes(&bytes, noise + seed % 256, n);
    struct blob *blob = NULL;
    CHECK_OK(blob_of(&blob, &bytes));
    return blob;
}

static enum status send(struct frames *f, size_t peer, uint64_t seed, size_t n)
{
    AUTO(blob_free) struct blob *blob = blob_of_seed(seed, n);
    return frame_send(f, peer, blob, NULL);
}

static bool is_of_seed(struct view message, uint64_t seed, size_t n)
{
    return message.n == n && memcmp(message.at, noise + seed % 256, n) == 0;
}

/* Write a frame by hand. */
static struct view frame_by_hand(struct buffer *b, enum frame_kind kind, uint64_t id)
{
    buffer_free(b);
    write_u8(b, (uint8_t)kind);
    write_u64(b, id);
    return buffer_view(b);
}

static struct view offer_by_hand(struct buffer *b, uint64_t id, uint32_t total, uint32_t cut)
{
    frame_by_hand(b, FRAME_OFFER, id);
    write_u32(b, total);
    write_u32(b, cut);
    const struct hash hash = {{1}};
    write_bytes(b, hash.bytes, HASH_BYTES);
    return buffer_view(b);
}

static struct view data_by_hand(struct buffer *b, uint64_t id, uint32_t offset, size_t n)
{
    frame_by_hand(b, FRAME_DATA, id);
    write_u32(b, offset);
    for (size_t i = 0; i < n; i++) write_u8(b, 1);
    return buffer_view(b);
}

static struct view grant_by_hand(struct buffer *b, uint64_t id, uint32_t from, uint32_t to)
{
    frame_by_hand(b, FRAME_GRANT, id);
    write_u32(b, from);
    write_u32(b, to);
    return buffer_view(b);
}

static enum frame_kind kind_of(struct view frame)
{
    return (enum frame_kind)frame.at[0];
}

/* The next frame has this kind, for this peer. */
static bool says(struct frames *f, size_t peer, enum frame_kind kind)
{
    size_t to = SIZE_MAX;
    struct view frame = {0};
    return frame_next(f, &to, &frame) && to == peer && kind_of(frame) == kind;
}

static bool is_silent(struct frames *f)
{
    size_t to = 0;
    struct view frame = {0};
    return !frame_next(f, &to, &frame);
}

/* Carry one frame from a to b, who is peer `to` of a and has a as peer `from`. */
static enum status carry(struct frames *a, struct frames *b, size_t from, struct view *message)
{
    size_t to = 0;
    struct view frame = {0};
    CHECK(frame_next(a, &to, &frame));
    return frame_take(b, from, frame, message);
}

/* Carry all frames both ways between two tables of one peer until b has a message or both are
 * silent. */
static struct view carry_all(struct frames *a, struct frames *b)
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

static void messages_of_every_size_arrive(void)
{
    static const size_t size[] = {1,
                                  FRAME_SMALL_MAX,
                                  FRAME_SMALL_MAX + 1,
                                  FRAME_PAYLOAD_MAX - 1,
                                  FRAME_PAYLOAD_MAX,
                                  FRAME_PAYLOAD_MAX + 1,
                                  FRAME_WINDOW,
                                  FRAME_WINDOW + 1,
                                  4 << 20};
    AUTO(frame_free) struct frames *a = table(1, 1), *b = table(1, 100);
    for (size_t i = 0; i < sizeof size / sizeof size[0]; i++) {
        CHECK_OK(send(a, 0, i, size[i]));
        CHECK(is_of_seed(carry_all(a, b), i, size[i]));
        CHECK(!frame_idle(a, 0));
        (void)carry_all(a, b);
        CHECK(frame_idle(a, 0));
    }
    frame_tick(b, 0);
    CHECK_NUMBER(0, frame_pool_bytes(b));
}

static void a_tail_for_many_is_the_same_bytes(void)
{
    AUTO(frame_free) struct frames *a = table(3, 1);
    AUTO(blob_free) struct blob *tail = blob_of_seed(5, LARGE), *other = blob_of_seed(6, LARGE);
    for (size_t i = 0; i < 3; i++) {
        AUTO(blob_free) struct blob *head = blob_of_seed(i, 100 + i);
        CHECK_OK(frame_send(a, i, head, i == 1 ? other : tail));
    }
    for (size_t i = 0; i < 3; i++) {
        AUTO(frame_free) struct frames *b = table(1, 9);
        struct view message = {0}, frame = {0}, none = {0};
        frame_up(a, i);
        for (size_t to = 0; message.n == 0;) {
            CHECK(frame_next(a, &to, &frame));
            if (to != i) continue;
            CHECK_OK(frame_take(b, 0, frame, &message));
            while (message.n == 0 && frame_next(b, &to, &frame))
                CHECK_OK(frame_take(a, i, frame, &none));
        }
        CHECK_NUMBER(100 + i + LARGE, message.n);
        CHECK(is_of_seed((struct view){message.at, 100 + i}, i, 100 + i));
        CHECK(is_of_seed((struct view){message.at + 100 + i, LARGE}, i == 1 ? 6 : 5, LARGE));
    }
}

static void sends_that_cannot_be_are_refused(void)
{
    AUTO(frame_free) struct frames *a = table(2, 1);
    AUTO(blob_free) struct blob *large = blob_of_seed(0, 4 << 20), *one = blob_of_seed(0, 1);
    CHECK_STATUS(STATUS_RANGE, frame_send(a, 0, NULL, NULL));
    CHECK_STATUS(STATUS_RANGE, frame_send(a, 0, large, one));
    CHECK_STATUS(STATUS_RANGE, frame_send(a, 0, one, large));
    for (int i = 0; i < 4; i++) CHECK_OK(frame_send(a, 0, one, NULL));
    CHECK_STATUS(STATUS_STATE, frame_send(a, 0, one, NULL));
    CHECK_OK(frame_send(a, 1, one, NULL));
    frame_down(a, 1);
    CHECK_STATUS(STATUS_IO, frame_send(a, 1, one, NULL));
    CHECK(!frame_idle(a, 1));
}

/* Break both ends' connection. */
static void reconnect(struct frames *a, struct frames *b)
{
    frame_down(a, 0);
    frame_down(b, 0);
    frame_up(a, 0);
    frame_up(b, 0);
}

static void a_broken_message_goes_on_where_it_was(void)
{
    AUTO(frame_free) struct frames *a = table(1, 1), *b = table(1, 9);
    struct view none = {0}, frame = {0};
    size_t to = 0;
    CHECK_OK(send(a, 0, 3, LARGE));
    CHECK_OK(carry(a, b, 0, &none)); /* offer */
    CHECK_OK(carry(b, a, 0, &none)); /* grant */
    CHECK_OK(carry(a, b, 0, &none));
    CHECK_OK(carry(a, b, 0, &none)); /* two payloads */
    reconnect(a, b);
    CHECK_NUMBER(LARGE, frame_pool_bytes(b));
    CHECK_OK(carry(a, b, 0, &none)); /* offer */
    CHECK_OK(carry(b, a, 0, &none)); /* grant */
    CHECK(frame_next(a, &to, &frame));
    struct reader r = reader_of(frame);
    CHECK_NUMBER(FRAME_DATA, read_u8(&r));
    CHECK_NUMBER(1, read_u64(&r));
    CHECK_NUMBER(2 * FRAME_PAYLOAD_MAX, read_u32(&r));
    CHECK_OK(frame_take(b, 0, frame, &none));
    CHECK(is_of_seed(carry_all(a, b), 3, LARGE));
}

static void a_lost_acknowledgement_does_not_deliver_twice(void)
{
    AUTO(frame_free) struct frames *a = table(1, 1), *b = table(1, 9);
    const size_t size[2] = {10, LARGE};
    for (size_t i = 0; i < 2; i++) {
        CHECK_OK(send(a, 0, i, size[i]));
        CHECK(is_of_seed(carry_all(a, b), i, size[i]));
        reconnect(a, b);
        CHECK_NUMBER(0, carry_all(a, b).n);
        CHECK(frame_idle(a, 0));
    }
}

static void a_restarted_peer_is_not_its_former_self(void)
{
    AUTO(frame_free) struct frames *a = table(1, 1), *b = table(1, 9), *again = table(1, 1000);
    struct view none = {0};
    CHECK_OK(send(a, 0, 3, 10));
    CHECK(is_of_seed(carry_all(a, b), 3, 10));
    frame_up(b, 0);
    CHECK_OK(send(again, 0, 3, 10)); /* the same bytes, meant anew */
    CHECK(is_of_seed(carry_all(again, b), 3, 10));
    (void)carry_all(again, b);
    CHECK_OK(send(again, 0, 4, LARGE)); /* half of one message, then a third self with another */
    for (int i = 0; i < 2; i++) {
        CHECK_OK(carry(again, b, 0, &none));
        CHECK_OK(carry(i == 0 ? b : again, i == 0 ? again : b, 0, &none));
    }
    AUTO(frame_free) struct frames *third = table(1, 2000);
    frame_up(b, 0);
    CHECK_OK(send(third, 0, 5, LARGE));
    CHECK(is_of_seed(carry_all(third, b), 5, LARGE));
}

/* Two peers want three quarters of the pool each. */
static void places_are_given_in_the_order_of_offers(void)
{
    AUTO(frame_free) struct frames *f = table(3, 1);
    AUTO(buffer_free) struct buffer b = {0};
    struct view none = {0};
    CHECK_OK(frame_take(f, 2, offer_by_hand(&b, 7, 3 << 20, 0), &none));
    CHECK(says(f, 2, FRAME_GRANT));
    CHECK_OK(frame_take(f, 1, offer_by_hand(&b, 7, 3 << 20, 0), &none));
    CHECK_OK(frame_take(f, 0, offer_by_hand(&b, 7, 1 << 20, 0), &none)); /* fits, but came later */
    CHECK(is_silent(f) && frame_waiting(f));
    CHECK_NUMBER(3 << 20, frame_pool_bytes(f));
    frame_down(f, 2); /* its bytes are kept: nothing is free yet */
    frame_tick(f, 1);
    CHECK(is_silent(f));
    frame_down(f, 1); /* who goes away leaves the line */
    frame_tick(f, 2);
    CHECK(says(f, 0, FRAME_GRANT));
    CHECK(!frame_waiting(f));
    CHECK_NUMBER(4 << 20, frame_pool_bytes(f));
}

/* Let time pass in steps. */
static void wait_ms(struct frames *f, uint64_t *now, uint64_t ms)
{
    for (uint64_t i = 0; i < ms; i += 50) frame_tick(f, *now += 50);
}

static void who_stalls_loses_its_place_to_who_waits(void)
{
    AUTO(frame_free) struct frames *f = table(2, 1), *slow = table(1, 50);
    AUTO(buffer_free) struct buffer b = {0}, late = {0};
    struct view none = {0}, frame = {0};
    uint64_t now = 0;
    size_t to = 0;
    CHECK_OK(send(slow, 0, 1, 3 << 20));
    CHECK_OK(carry(slow, f, 0, &none));
    CHECK_OK(carry(f, slow, 0, &none));
    CHECK_OK(carry(slow, f, 0, &none));
    CHECK(frame_next(slow, &to, &frame)); /* this payload is long on its way */
    write_bytes(&late, frame.at, frame.n);
    wait_ms(f, &now, 2 * STALL_MS);
    CHECK(is_silent(f)); /* nobody else wants the place */
    CHECK_OK(frame_take(f, 1, offer_by_hand(&b, 7, 2 << 20, 0), &none));
    CHECK(says(f, 0, FRAME_REVOKE));
    CHECK(says(f, 1, FRAME_GRANT));
    CHECK_NUMBER(2 << 20, frame_pool_bytes(f));
    CHECK_OK(frame_take(f, 0, buffer_view(&late), &none)); /* is no fault */
    CHECK_OK(frame_take(slow, 0, frame_by_hand(&b, FRAME_REVOKE, 50), &none));
    CHECK_OK(carry(slow, f, 0, &none)); /* it offers again */
    CHECK(frame_waiting(f));
    frame_down(f, 1);
    wait_ms(f, &now, 2 * STALL_MS);
    CHECK_NUMBER(3 << 20, frame_pool_bytes(f));
    struct view message = {0};
    for (bool mine = false; message.n == 0; mine = !mine)
        while (message.n == 0 && frame_next(mine ? slow : f, &to, &frame))
            CHECK_OK(frame_take(mine ? f : slow, 0, frame, mine ? &message : &none));
    CHECK(is_of_seed(message, 1, 3 << 20));
}

static void who_moves_keeps_its_place(void)
{
    AUTO(frame_free) struct frames *f = table(2, 1), *steady = table(1, 50);
    AUTO(buffer_free) struct buffer b = {0};
    struct view none = {0};
    uint64_t now = 0;
    CHECK_OK(send(steady, 0, 1, 4 << 20));
    CHECK_OK(carry(steady, f, 0, &none));
    CHECK_OK(frame_take(f, 1, offer_by_hand(&b, 7, 2 << 20, 0), &none));
    CHECK_OK(carry(f, steady, 0, &none));
    for (int i = 0; i < 3; i++) {
        wait_ms(f, &now, STALL_MS - 100);
        CHECK_OK(carry(steady, f, 0, &none));
    }
    CHECK(frame_waiting(f));
    CHECK_NUMBER(4 << 20, frame_pool_bytes(f));
}

/* 4 MiB may take 5 s and 32 s more; a payload each 4.9 s would take 78 s. */
static void who_creeps_loses_its_place_to_who_waits(void)
{
    struct frame_settings patient = usual;
    patient.stall_ms = 5000;
    AUTO(frame_free) struct frames *f = NULL, *slow = table(1, 50);
    AUTO(buffer_free) struct buffer b = {0};
    struct view none = {0};
    uint64_t now = 0;
    CHECK_OK(frame_new(&f, 2, &patient, 1));
    for (size_t i = 0; i < 2; i++) frame_up(f, i);
    CHECK_OK(send(slow, 0, 1, 4 << 20));
    CHECK_OK(carry(slow, f, 0, &none));
    CHECK_OK(frame_take(f, 1, offer_by_hand(&b, 7, 2 << 20, 0), &none));
    CHECK_OK(carry(f, slow, 0, &none));
    bool revoked = false;
    for (int i = 0; i < 12 && !revoked; i++) {
        wait_ms(f, &now, 4900);
        size_t to = 0;
        struct view frame = {0};
        while (frame_next(f, &to, &frame)) {
            revoked = revoked || (to == 0 && frame.at[0] == FRAME_REVOKE);
            if (to == 0) CHECK_OK(frame_take(slow, 0, frame, &none));
        }
        if (!revoked) CHECK_OK(carry(slow, f, 0, &none));
    }
    CHECK(revoked);
    CHECK(now >= 37000 && now < 45000);
    CHECK(!frame_waiting(f));
}

static void of_two_who_stall_the_longer_loses_its_place(void)
{
    AUTO(frame_free) struct frames *f = table(3, 1);
    AUTO(buffer_free) struct buffer b = {0};
    struct view none = {0};
    uint64_t now = 0;
    CHECK_OK(frame_take(f, 1, offer_by_hand(&b, 7, 2 << 20, 0), &none));
    CHECK(says(f, 1, FRAME_GRANT));
    wait_ms(f, &now, STALL_MS / 2);
    CHECK_OK(frame_take(f, 0, offer_by_hand(&b, 7, 2 << 20, 0), &none));
    CHECK(says(f, 0, FRAME_GRANT));
    wait_ms(f, &now, 2 * STALL_MS);
    CHECK_OK(frame_take(f, 2, offer_by_hand(&b, 7, 2 << 20, 0), &none));
    CHECK(says(f, 1, FRAME_REVOKE));
    CHECK(says(f, 2, FRAME_GRANT));
    CHECK(is_silent(f));
}

static void our_own_absence_is_nobody_s_stall(void)
{
    AUTO(frame_free) struct frames *f = table(2, 1);
    AUTO(buffer_free) struct buffer b = {0};
    struct view none = {0};
    frame_tick(f, 1000000);
    CHECK_OK(frame_take(f, 0, offer_by_hand(&b, 7, 3 << 20, 0), &none));
    CHECK_OK(frame_take(f, 1, offer_by_hand(&b, 7, 3 << 20, 0), &none));
    CHECK(says(f, 0, FRAME_GRANT));
    frame_tick(f, 9000000); /* the program was busy */
    CHECK(is_silent(f));
}

/* Each row: what a hostile peer does after an honest offer of LARGE with id 7 was granted. */
static struct view hostile_frame(struct buffer *b, int row)
{
    struct view frame = {0};
    switch (row) {
    case 0:
        return frame; /* empty */
    case 1:
        return frame_by_hand(b, 0, 7);
    case 2:
        return frame_by_hand(b, FRAME_REVOKE + 1, 7);
    case 3:
        return offer_by_hand(b, 8, LARGE, 0); /* a second one */
    case 4:
        return data_by_hand(b, 8, 0, FRAME_PAYLOAD_MAX); /* another message */
    case 5:
        return data_by_hand(b, 7, FRAME_PAYLOAD_MAX, FRAME_PAYLOAD_MAX); /* leaves a gap */
    case 6:
        return data_by_hand(b, 7, 0, FRAME_PAYLOAD_MAX - 1);
    case 7:
        return data_by_hand(b, 7, 0, FRAME_PAYLOAD_MAX + 1);
    case 8:
        return data_by_hand(b, 7, 0, 0);
    case 9:
        return data_by_hand(b, 7, UINT32_MAX, 1);
    case 10:
        frame = frame_by_hand(b, FRAME_DATA, 7);
        return (struct view){frame.at, 5};
    case 11:
        return frame_by_hand(b, FRAME_DONE, 7); /* we sent nothing */
    case 12:
        return frame_by_hand(b, FRAME_REVOKE, 7);
    case 13:
        return grant_by_hand(b, 7, 0, FRAME_PAYLOAD_MAX);
    default:
        return data_by_hand(b, 7, 0, FRAME_BYTES_MAX);
    }
}

static void a_peer_that_breaks_the_rules_loses_what_it_sent(void)
{
    AUTO(buffer_free) struct buffer b = {0};
    for (int row = 0; row < 15; row++) {
        AUTO(frame_free) struct frames *f = table(1, 1);
        struct view message = {(const uint8_t *)"x", 1};
        CHECK_OK(frame_take(f, 0, offer_by_hand(&b, 7, LARGE, 0), &message));
        CHECK(says(f, 0, FRAME_GRANT));
        CHECK_STATUS(STATUS_FORMAT, frame_take(f, 0, hostile_frame(&b, row), &message));
        CHECK_NUMBER(0, message.n);
        CHECK_NUMBER(0, frame_pool_bytes(f));
        CHECK(is_silent(f));
        CHECK_STATUS(STATUS_FORMAT, frame_take(f, 0, offer_by_hand(&b, 9, LARGE, 0), &message));
        frame_up(f, 0); /* may begin anew */
        CHECK_OK(frame_take(f, 0, offer_by_hand(&b, 9, LARGE, 0), &message));
    }
}

static void an_offer_that_cannot_be_is_refused(void)
{
    AUTO(buffer_free) struct buffer b = {0};
    static const struct {
        uint32_t total, cut;
        size_t inside;
    } row[] = {{0, 0, 0},          {(4 << 20) + 1, 0, 0},
               {UINT32_MAX, 0, 0}, {LARGE, LARGE + 1, 0},
               {LARGE, 0, 1},      {10, 0, 9},
               {10, 0, 11},        {10, 11, 10},
               {10, 0, 10}}; /* the last one only has a wrong hash */
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        AUTO(frame_free) struct frames *f = table(1, 1);
        struct view message = {0};
        offer_by_hand(&b, 7, row[i].total, row[i].cut);
        for (size_t k = 0; k < row[i].inside; k++) write_u8(&b, 1);
        CHECK_STATUS(STATUS_FORMAT, frame_take(f, 0, buffer_view(&b), &message));
        CHECK_NUMBER(0, frame_pool_bytes(f));
    }
}

static void more_than_was_granted_is_refused(void)
{
    AUTO(frame_free) struct frames *f = table(1, 1);
    AUTO(buffer_free) struct buffer b = {0};
    struct view none = {0};
    CHECK_OK(frame_take(f, 0, offer_by_hand(&b, 7, 4 << 20, 0), &none));
    CHECK(says(f, 0, FRAME_GRANT));
    uint32_t at = 0;
    for (; at < FRAME_WINDOW; at += FRAME_PAYLOAD_MAX)
        CHECK_OK(frame_take(f, 0, data_by_hand(&b, 7, at, FRAME_PAYLOAD_MAX), &none));
    CHECK_STATUS(STATUS_FORMAT, /* the next grant has not left */
                 frame_take(f, 0, data_by_hand(&b, 7, at, FRAME_PAYLOAD_MAX), &none));
}

static void altered_bytes_are_not_delivered(void)
{
    AUTO(frame_free) struct frames *a = table(1, 1), *b = table(1, 9);
    struct view message = {0}, frame = {0};
    size_t to = 0;
    CHECK_OK(send(a, 0, 1, FRAME_SMALL_MAX + 1));
    CHECK_OK(carry(a, b, 0, &message));
    CHECK_OK(carry(b, a, 0, &message));
    CHECK(frame_next(a, &to, &frame));
    AUTO(buffer_free) struct buffer altered = {0};
    write_bytes(&altered, frame.at, frame.n);
    altered.at[altered.n - 1] ^= 1;
    CHECK_STATUS(STATUS_FORMAT, frame_take(b, 0, buffer_view(&altered), &message));
    CHECK_NUMBER(0, message.n);
    CHECK_NUMBER(0, frame_pool_bytes(b));
}

static void a_grant_that_cannot_be_is_refused(void)
{
    static const uint32_t row[][2] = {{0, 0},
                                      {FRAME_PAYLOAD_MAX, FRAME_PAYLOAD_MAX},
                                      {0, FRAME_WINDOW + FRAME_PAYLOAD_MAX},
                                      {0, 1},
                                      {1, FRAME_PAYLOAD_MAX},
                                      {15 * FRAME_PAYLOAD_MAX, 17 * FRAME_PAYLOAD_MAX}};
    AUTO(buffer_free) struct buffer b = {0};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        AUTO(frame_free) struct frames *a = table(1, 7);
        struct view none = {0};
        CHECK_OK(send(a, 0, 1, 4 << 20));
        CHECK(says(a, 0, FRAME_OFFER));
        CHECK_STATUS(STATUS_FORMAT,
                     frame_take(a, 0, grant_by_hand(&b, 7, row[i][0], row[i][1]), &none));
        CHECK(!frame_idle(a, 0)); /* kept for a better connection */
    }
    AUTO(frame_free) struct frames *a = table(1, 7);
    struct view none = {0};
    CHECK_OK(send(a, 0, 1, 4 << 20));
    CHECK(says(a, 0, FRAME_OFFER));
    CHECK_OK(frame_take(a, 0, grant_by_hand(&b, 7, 0, FRAME_PAYLOAD_MAX), &none));
    CHECK_STATUS(STATUS_FORMAT, /* not where the last ended */
                 frame_take(a, 0, grant_by_hand(&b, 7, 0, FRAME_PAYLOAD_MAX), &none));
}

/* A hub, its sites, and the frames under way between them. */
#define SITES 4
#define HELD 64

struct wire {
    struct buffer frame[HELD];
    size_t from, to;
};

struct world {
    struct frames *hub, *site[SITES];
    struct wire up[SITES], down[SITES];
    uint64_t sent[SITES][2], came[SITES][2]; /* messages up, down */
    uint64_t now;
    struct rng rng;
};

static size_t size_of(size_t site, uint64_t number)
{
    static const size_t size[] = {1, 70000, 100, LARGE, FRAME_WINDOW + 9, FRAME_SMALL_MAX, 5000};
    return size[(number * 3 + site) % 7];
}

static void collect(struct frames *f, struct wire *first)
{
    struct view frame = {0};
    size_t to = 0;
    while (frame_next(f, &to, &frame)) {
        struct wire *wire = &first[to];
        CHECK(wire->to - wire->from < 2 * FRAME_FLIGHT_MAX);
        write_bytes(&wire->frame[wire->to++ % HELD], frame.at, frame.n);
    }
}

static void wire_cut(struct wire *wire)
{
    for (; wire->from < wire->to; wire->from++) buffer_free(&wire->frame[wire->from % HELD]);
}

static void world_deliver(struct world *w, size_t s, int down)
{
    struct wire *wire = down ? &w->down[s] : &w->up[s];
    if (wire->from == wire->to) return;
    AUTO(buffer_free) struct buffer frame = wire->frame[wire->from % HELD];
    wire->frame[wire->from++ % HELD] = (struct buffer){0};
    struct view message = {0};
    CHECK_OK(frame_take(down ? w->site[s] : w->hub, down ? 0 : s, buffer_view(&frame), &message));
    if (message.n == 0) return;
    const uint64_t number = w->came[s][down]++;
    CHECK(is_of_seed(message, number + s, size_of(s, number)));
}

static void world_step(struct world *w)
{
    const size_t s = (size_t)rng_below(&w->rng, SITES);
    const uint64_t what = rng_below(&w->rng, 100);
    const int down = (int)rng_below(&w->rng, 2);
    frame_tick(w->hub, w->now += 20);
    frame_tick(w->site[s], w->now);
    if (what < 2) { /* the connection breaks */
        wire_cut(&w->up[s]);
        wire_cut(&w->down[s]);
        frame_down(w->hub, s);
        frame_up(w->hub, s);
        frame_up(w->site[s], 0);
    } else if (what < 12) {
        const uint64_t number = w->sent[s][down];
        const enum status status =
            send(down ? w->hub : w->site[s], down ? s : 0, number + s, size_of(s, number));
        CHECK(status == STATUS_OK || status == STATUS_STATE);
        if (status == STATUS_OK) w->sent[s][down]++;
    } else {
        world_deliver(w, s, down);
    }
    collect(w->hub, w->down);
    for (size_t i = 0; i < SITES; i++) collect(w->site[i], &w->up[i]);
    CHECK(frame_pool_bytes(w->hub) <= usual.pool_bytes);
}

static void world_drain(struct world *w)
{
    for (bool idle = false; !idle;) {
        idle = true;
        frame_tick(w->hub, w->now += 20);
        for (size_t s = 0; s < SITES; s++) {
            frame_tick(w->site[s], w->now);
            for (int down = 0; down < 2; down++) world_deliver(w, s, down);
            idle = idle && frame_idle(w->hub, s) && frame_idle(w->site[s], 0);
            collect(w->site[s], &w->up[s]);
        }
        collect(w->hub, w->down);
    }
}

static void random_breaks_lose_nothing_and_double_nothing(void)
{
    for (uint64_t seed = 0; seed < 6; seed++) {
        struct world w = {.hub = table(SITES, 1)};
        rng_numbered(&w.rng, seed);
        for (size_t s = 0; s < SITES; s++) w.site[s] = table(1, 1000 * (s + 1));
        for (int i = 0; i < 1500; i++) world_step(&w);
        world_drain(&w);
        uint64_t all = 0;
        for (size_t s = 0; s < SITES; s++) {
            CHECK_NUMBER(w.sent[s][0], w.came[s][0]);
            CHECK_NUMBER(w.sent[s][1], w.came[s][1]);
            all += w.came[s][0] + w.came[s][1];
            wire_cut(&w.up[s]);
            wire_cut(&w.down[s]);
            frame_free(&w.site[s]);
        }
        CHECK(all > 30);
        frame_free(&w.hub);
    }
}

static void out_of_memory_is_told_or_waited_out(void)
{
    AUTO(blob_free) struct blob *blob = blob_of_seed(1, LARGE);
    OOM_EACH {
        struct frames *a = NULL;
        enum status status = frame_new(&a, 1, &usual, 1);
        if (status == STATUS_OK) {
            frame_up(a, 0);
            status = frame_send(a, 0, blob, NULL);
            if (status != STATUS_OK) CHECK(frame_idle(a, 0));
        }
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        frame_free(&a);
    }
    AUTO(frame_free) struct frames *a = table(1, 1), *b = table(1, 9);
    struct view none = {0};
    CHECK_OK(frame_send(a, 0, blob, NULL));
    oom_start(1);
    const enum status status = carry(a, b, 0, &none);
    oom_stop();
    CHECK_OK(status);
    CHECK(is_silent(b) && frame_waiting(b));
    frame_tick(b, 1);
    CHECK(is_of_seed(carry_all(a, b), 1, LARGE));
}

int main(void)
{
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    rng_bytes(&rng, noise, sizeof noise);
    RUN(messages_of_every_size_arrive);
    RUN(a_tail_for_many_is_the_same_bytes);
    RUN(sends_that_cannot_be_are_refused);
    RUN(a_broken_message_goes_on_where_it_was);
    RUN(a_lost_acknowledgement_does_not_deliver_twice);
    RUN(a_restarted_peer_is_not_its_former_self);
    RUN(places_are_given_in_the_order_of_offers);
    RUN(who_stalls_loses_its_place_to_who_waits);
    RUN(who_creeps_loses_its_place_to_who_waits);
    RUN(of_two_who_stall_the_longer_loses_its_place);
    RUN(who_moves_keeps_its_place);
    RUN(our_own_absence_is_nobody_s_stall);
    RUN(a_peer_that_breaks_the_rules_loses_what_it_sent);
    RUN(an_offer_that_cannot_be_is_refused);
    RUN(more_than_was_granted_is_refused);
    RUN(altered_bytes_are_not_delivered);
    RUN(a_grant_that_cannot_be_is_refused);
    RUN(random_breaks_lose_nothing_and_double_nothing);
    RUN(out_of_memory_is_told_or_waited_out);
    return check_done();
}
