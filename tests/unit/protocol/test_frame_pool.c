/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets a place in the pool for large messages, and who loses it. */
#include "protocol/frame.h"

#include "tests/lib/check.h"
#include "tests/unit/protocol/hand.h"

/* Two peers want three quarters of the pool each. */
static void places_are_given_in_the_order_of_offers(void)
{
    AUTO(frame_free) struct frames *f = hand_table(3, 1);
    AUTO(buffer_free) struct buffer b = {0};
    struct view none = {0};
    CHECK_OK(frame_take(f, 2, hand_offer(&b, 7, 3 << 20, 0), &none));
    CHECK(hand_says(f, 2, FRAME_GRANT));
    CHECK_OK(frame_take(f, 1, hand_offer(&b, 7, 3 << 20, 0), &none));
    CHECK_OK(frame_take(f, 0, hand_offer(&b, 7, 1 << 20, 0), &none)); /* fits, but came later */
    CHECK(hand_silent(f) && frame_waiting(f));
    CHECK_NUMBER(3 << 20, frame_pool_bytes(f));
    frame_down(f, 2); /* its bytes are kept: nothing is free yet */
    frame_tick(f, 1);
    CHECK(hand_silent(f));
    frame_down(f, 1); /* who goes away leaves the line */
    frame_tick(f, 2);
    CHECK(hand_says(f, 0, FRAME_GRANT));
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
    AUTO(frame_free) struct frames *f = hand_table(2, 1), *slow = hand_table(1, 50);
    AUTO(buffer_free) struct buffer b = {0}, late = {0};
    struct view none = {0}, frame = {0};
    uint64_t now = 0;
    size_t to = 0;
    CHECK_OK(hand_send(slow, 0, 1, 3 << 20));
    CHECK_OK(hand_carry(slow, f, 0, &none));
    CHECK_OK(hand_carry(f, slow, 0, &none));
    CHECK_OK(hand_carry(slow, f, 0, &none));
    CHECK(frame_next(slow, &to, &frame)); /* this payload is long on its way */
    write_bytes(&late, frame.at, frame.n);
    wait_ms(f, &now, 2 * HAND_STALL_MS);
    CHECK(hand_silent(f)); /* nobody else wants the place */
    CHECK_OK(frame_take(f, 1, hand_offer(&b, 7, 2 << 20, 0), &none));
    CHECK(hand_says(f, 0, FRAME_REVOKE));
    CHECK(hand_says(f, 1, FRAME_GRANT));
    CHECK_NUMBER(2 << 20, frame_pool_bytes(f));
    CHECK_OK(frame_take(f, 0, buffer_view(&late), &none)); /* is no fault */
    CHECK_OK(frame_take(slow, 0, hand_frame(&b, FRAME_REVOKE, 50), &none));
    CHECK_OK(hand_carry(slow, f, 0, &none)); /* it offers again */
    CHECK(frame_waiting(f));
    frame_down(f, 1);
    wait_ms(f, &now, 2 * HAND_STALL_MS);
    CHECK_NUMBER(3 << 20, frame_pool_bytes(f));
    struct view message = {0};
    for (bool mine = false; message.n == 0; mine = !mine)
        while (message.n == 0 && frame_next(mine ? slow : f, &to, &frame))
            CHECK_OK(frame_take(mine ? f : slow, 0, frame, mine ? &message : &none));
    CHECK(hand_is(message, 1, 3 << 20));
}

static void who_moves_keeps_its_place(void)
{
    AUTO(frame_free) struct frames *f = hand_table(2, 1), *steady = hand_table(1, 50);
    AUTO(buffer_free) struct buffer b = {0};
    struct view none = {0};
    uint64_t now = 0;
    CHECK_OK(hand_send(steady, 0, 1, 4 << 20));
    CHECK_OK(hand_carry(steady, f, 0, &none));
    CHECK_OK(frame_take(f, 1, hand_offer(&b, 7, 2 << 20, 0), &none));
    CHECK_OK(hand_carry(f, steady, 0, &none));
    for (int i = 0; i < 3; i++) {
        wait_ms(f, &now, HAND_STALL_MS - 100);
        CHECK_OK(hand_carry(steady, f, 0, &none));
    }
    CHECK(frame_waiting(f));
    CHECK_NUMBER(4 << 20, frame_pool_bytes(f));
}

/* 4 MiB may take 5 s and 32 s more; a payload each 4.9 s would take 78 s. */
static void who_creeps_loses_its_place_to_who_waits(void)
{
    struct frame_settings patient = hand_settings;
    patient.stall_ms = 5000;
    AUTO(frame_free) struct frames *f = NULL, *slow = hand_table(1, 50);
    AUTO(buffer_free) struct buffer b = {0};
    struct view none = {0};
    uint64_t now = 0;
    CHECK_OK(frame_new(&f, 2, &patient, 1));
    for (size_t i = 0; i < 2; i++) frame_up(f, i);
    CHECK_OK(hand_send(slow, 0, 1, 4 << 20));
    CHECK_OK(hand_carry(slow, f, 0, &none));
    CHECK_OK(frame_take(f, 1, hand_offer(&b, 7, 2 << 20, 0), &none));
    CHECK_OK(hand_carry(f, slow, 0, &none));
    bool revoked = false;
    for (int i = 0; i < 12 && !revoked; i++) {
        wait_ms(f, &now, 4900);
        size_t to = 0;
        struct view frame = {0};
        while (frame_next(f, &to, &frame)) {
            revoked = revoked || (to == 0 && frame.at[0] == FRAME_REVOKE);
            if (to == 0) CHECK_OK(frame_take(slow, 0, frame, &none));
        }
        if (!revoked) CHECK_OK(hand_carry(slow, f, 0, &none));
    }
    CHECK(revoked);
    CHECK(now >= 37000 && now < 45000);
    CHECK(!frame_waiting(f));
}

static void of_two_who_stall_the_longer_loses_its_place(void)
{
    AUTO(frame_free) struct frames *f = hand_table(3, 1);
    AUTO(buffer_free) struct buffer b = {0};
    struct view none = {0};
    uint64_t now = 0;
    CHECK_OK(frame_take(f, 1, hand_offer(&b, 7, 2 << 20, 0), &none));
    CHECK(hand_says(f, 1, FRAME_GRANT));
    wait_ms(f, &now, HAND_STALL_MS / 2);
    CHECK_OK(frame_take(f, 0, hand_offer(&b, 7, 2 << 20, 0), &none));
    CHECK(hand_says(f, 0, FRAME_GRANT));
    wait_ms(f, &now, 2 * HAND_STALL_MS);
    CHECK_OK(frame_take(f, 2, hand_offer(&b, 7, 2 << 20, 0), &none));
    CHECK(hand_says(f, 1, FRAME_REVOKE));
    CHECK(hand_says(f, 2, FRAME_GRANT));
    CHECK(hand_silent(f));
}

static void our_own_absence_is_nobody_s_stall(void)
{
    AUTO(frame_free) struct frames *f = hand_table(2, 1);
    AUTO(buffer_free) struct buffer b = {0};
    struct view none = {0};
    frame_tick(f, 1000000);
    CHECK_OK(frame_take(f, 0, hand_offer(&b, 7, 3 << 20, 0), &none));
    CHECK_OK(frame_take(f, 1, hand_offer(&b, 7, 3 << 20, 0), &none));
    CHECK(hand_says(f, 0, FRAME_GRANT));
    frame_tick(f, 9000000); /* the program was busy */
    CHECK(hand_silent(f));
}

int main(void)
{
    hand_init();
    RUN(places_are_given_in_the_order_of_offers);
    RUN(who_stalls_loses_its_place_to_who_waits);
    RUN(who_creeps_loses_its_place_to_who_waits);
    RUN(of_two_who_stall_the_longer_loses_its_place);
    RUN(who_moves_keeps_its_place);
    RUN(our_own_absence_is_nobody_s_stall);
    return check_done();
}
