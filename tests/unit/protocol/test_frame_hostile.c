/* SPDX-License-Identifier: Apache-2.0 */
/* Peers that break the rules, by each frame in turn. */
#include "protocol/frame.h"

#include "tests/lib/check.h"
#include "tests/unit/protocol/hand.h"

/* Each row: what a hostile peer does after an honest offer of HAND_LARGE with id 7 was granted. */
static struct view hostile_frame(struct buffer *b, int row)
{
    struct view frame = {0};
    switch (row) {
    case 0:
        return frame; /* empty */
    case 1:
        return hand_frame(b, 0, 7);
    case 2:
        return hand_frame(b, FRAME_REVOKE + 1, 7);
    case 3:
        return hand_offer(b, 8, HAND_LARGE, 0); /* a second one */
    case 4:
        return hand_data(b, 8, 0, FRAME_PAYLOAD_MAX); /* another message */
    case 5:
        return hand_data(b, 7, FRAME_PAYLOAD_MAX, FRAME_PAYLOAD_MAX); /* leaves a gap */
    case 6:
        return hand_data(b, 7, 0, FRAME_PAYLOAD_MAX - 1);
    case 7:
        return hand_data(b, 7, 0, FRAME_PAYLOAD_MAX + 1);
    case 8:
        return hand_data(b, 7, 0, 0);
    case 9:
        return hand_data(b, 7, UINT32_MAX, 1);
    case 10:
        frame = hand_frame(b, FRAME_DATA, 7);
        return (struct view){frame.at, 5};
    case 11:
        return hand_frame(b, FRAME_DONE, 7); /* we sent nothing */
    case 12:
        return hand_frame(b, FRAME_REVOKE, 7);
    case 13:
        return hand_grant(b, 7, 0, FRAME_PAYLOAD_MAX);
    default:
        return hand_data(b, 7, 0, FRAME_BYTES_MAX);
    }
}

static void a_peer_that_breaks_the_rules_loses_what_it_sent(void)
{
    AUTO(buffer_free) struct buffer b = {0};
    for (int row = 0; row < 15; row++) {
        AUTO(frame_free) struct frames *f = hand_table(1, 1);
        struct view message = {(const uint8_t *)"x", 1};
        CHECK_OK(frame_take(f, 0, hand_offer(&b, 7, HAND_LARGE, 0), &message));
        CHECK(hand_says(f, 0, FRAME_GRANT));
        CHECK_STATUS(STATUS_FORMAT, frame_take(f, 0, hostile_frame(&b, row), &message));
        CHECK_NUMBER(0, message.n);
        CHECK_NUMBER(0, frame_pool_bytes(f));
        CHECK(hand_silent(f));
        CHECK_STATUS(STATUS_FORMAT, frame_take(f, 0, hand_offer(&b, 9, HAND_LARGE, 0), &message));
        frame_up(f, 0); /* may begin anew */
        CHECK_OK(frame_take(f, 0, hand_offer(&b, 9, HAND_LARGE, 0), &message));
    }
}

static void an_offer_that_cannot_be_is_refused(void)
{
    AUTO(buffer_free) struct buffer b = {0};
    static const struct {
        uint32_t total, cut;
        size_t inside;
    } row[] = {{0, 0, 0},          {(4 << 20) + 1, 0, 0},
               {UINT32_MAX, 0, 0}, {HAND_LARGE, HAND_LARGE + 1, 0},
               {HAND_LARGE, 0, 1}, {10, 0, 9},
               {10, 0, 11},        {10, 11, 10},
               {10, 0, 10}}; /* the last one only has a wrong hash */
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        AUTO(frame_free) struct frames *f = hand_table(1, 1);
        struct view message = {0};
        hand_offer(&b, 7, row[i].total, row[i].cut);
        for (size_t k = 0; k < row[i].inside; k++) write_u8(&b, 1);
        CHECK_STATUS(STATUS_FORMAT, frame_take(f, 0, buffer_view(&b), &message));
        CHECK_NUMBER(0, frame_pool_bytes(f));
    }
}

static void more_than_was_granted_is_refused(void)
{
    AUTO(frame_free) struct frames *f = hand_table(1, 1);
    AUTO(buffer_free) struct buffer b = {0};
    struct view none = {0};
    CHECK_OK(frame_take(f, 0, hand_offer(&b, 7, 4 << 20, 0), &none));
    CHECK(hand_says(f, 0, FRAME_GRANT));
    uint32_t at = 0;
    for (; at < FRAME_WINDOW; at += FRAME_PAYLOAD_MAX)
        CHECK_OK(frame_take(f, 0, hand_data(&b, 7, at, FRAME_PAYLOAD_MAX), &none));
    CHECK_STATUS(STATUS_FORMAT, /* the next grant has not left */
                 frame_take(f, 0, hand_data(&b, 7, at, FRAME_PAYLOAD_MAX), &none));
}

static void altered_bytes_are_not_delivered(void)
{
    AUTO(frame_free) struct frames *a = hand_table(1, 1), *b = hand_table(1, 9);
    struct view message = {0}, frame = {0};
    size_t to = 0;
    CHECK_OK(hand_send(a, 0, 1, FRAME_SMALL_MAX + 1));
    CHECK_OK(hand_carry(a, b, 0, &message));
    CHECK_OK(hand_carry(b, a, 0, &message));
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
        AUTO(frame_free) struct frames *a = hand_table(1, 7);
        struct view none = {0};
        CHECK_OK(hand_send(a, 0, 1, 4 << 20));
        CHECK(hand_says(a, 0, FRAME_OFFER));
        CHECK_STATUS(STATUS_FORMAT,
                     frame_take(a, 0, hand_grant(&b, 7, row[i][0], row[i][1]), &none));
        CHECK(!frame_idle(a, 0)); /* kept for a better connection */
    }
    AUTO(frame_free) struct frames *a = hand_table(1, 7);
    struct view none = {0};
    CHECK_OK(hand_send(a, 0, 1, 4 << 20));
    CHECK(hand_says(a, 0, FRAME_OFFER));
    CHECK_OK(frame_take(a, 0, hand_grant(&b, 7, 0, FRAME_PAYLOAD_MAX), &none));
    CHECK_STATUS(STATUS_FORMAT, /* not where the last ended */
                 frame_take(a, 0, hand_grant(&b, 7, 0, FRAME_PAYLOAD_MAX), &none));
}

int main(void)
{
    hand_init();
    RUN(a_peer_that_breaks_the_rules_loses_what_it_sent);
    RUN(an_offer_that_cannot_be_is_refused);
    RUN(more_than_was_granted_is_refused);
    RUN(altered_bytes_are_not_delivered);
    RUN(a_grant_that_cannot_be_is_refused);
    return check_done();
}
