/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between tables that nobody disturbs but by breaking their connection. */
#include "protocol/frame.h"

#include "crypto/rng.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/unit/protocol/hand.h"

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
    AUTO(frame_free) struct frames *a = hand_table(1, 1), *b = hand_table(1, 100);
    for (size_t i = 0; i < sizeof size / sizeof size[0]; i++) {
        CHECK_OK(hand_send(a, 0, i, size[i]));
        CHECK(hand_is(hand_carry_all(a, b), i, size[i]));
        CHECK(!frame_idle(a, 0));
        (void)hand_carry_all(a, b);
        CHECK(frame_idle(a, 0));
    }
    frame_tick(b, 0);
    CHECK_NUMBER(0, frame_pool_bytes(b));
}

static void a_tail_for_many_is_the_same_bytes(void)
{
    AUTO(frame_free) struct frames *a = hand_table(3, 1);
    AUTO(blob_free) struct blob *tail = hand_blob(5, HAND_LARGE), *other = hand_blob(6, HAND_LARGE);
    for (size_t i = 0; i < 3; i++) {
        AUTO(blob_free) struct blob *head = hand_blob(i, 100 + i);
        CHECK_OK(frame_send(a, i, head, i == 1 ? other : tail));
    }
    for (size_t i = 0; i < 3; i++) {
        AUTO(frame_free) struct frames *b = hand_table(1, 9);
        struct view message = {0}, frame = {0}, none = {0};
        frame_up(a, i);
        for (size_t to = 0; message.n == 0;) {
            CHECK(frame_next(a, &to, &frame));
            if (to != i) continue;
            CHECK_OK(frame_take(b, 0, frame, &message));
            while (message.n == 0 && frame_next(b, &to, &frame))
                CHECK_OK(frame_take(a, i, frame, &none));
        }
        CHECK_NUMBER(100 + i + HAND_LARGE, message.n);
        CHECK(hand_is((struct view){message.at, 100 + i}, i, 100 + i));
        CHECK(hand_is((struct view){message.at + 100 + i, HAND_LARGE}, i == 1 ? 6 : 5, HAND_LARGE));
    }
}

static void sends_that_cannot_be_are_refused(void)
{
    AUTO(frame_free) struct frames *a = hand_table(2, 1);
    AUTO(blob_free) struct blob *large = hand_blob(0, 4 << 20), *one = hand_blob(0, 1);
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
    AUTO(frame_free) struct frames *a = hand_table(1, 1), *b = hand_table(1, 9);
    struct view none = {0}, frame = {0};
    size_t to = 0;
    CHECK_OK(hand_send(a, 0, 3, HAND_LARGE));
    CHECK_OK(hand_carry(a, b, 0, &none)); /* offer */
    CHECK_OK(hand_carry(b, a, 0, &none)); /* grant */
    CHECK_OK(hand_carry(a, b, 0, &none));
    CHECK_OK(hand_carry(a, b, 0, &none)); /* two payloads */
    reconnect(a, b);
    CHECK_NUMBER(HAND_LARGE, frame_pool_bytes(b));
    CHECK_OK(hand_carry(a, b, 0, &none)); /* offer */
    CHECK_OK(hand_carry(b, a, 0, &none)); /* grant */
    CHECK(frame_next(a, &to, &frame));
    struct reader r = reader_of(frame);
    CHECK_NUMBER(FRAME_DATA, read_u8(&r));
    CHECK_NUMBER(1, read_u64(&r));
    CHECK_NUMBER(2 * FRAME_PAYLOAD_MAX, read_u32(&r));
    CHECK_OK(frame_take(b, 0, frame, &none));
    CHECK(hand_is(hand_carry_all(a, b), 3, HAND_LARGE));
}

static void a_lost_acknowledgement_does_not_deliver_twice(void)
{
    AUTO(frame_free) struct frames *a = hand_table(1, 1), *b = hand_table(1, 9);
    const size_t size[2] = {10, HAND_LARGE};
    for (size_t i = 0; i < 2; i++) {
        CHECK_OK(hand_send(a, 0, i, size[i]));
        CHECK(hand_is(hand_carry_all(a, b), i, size[i]));
        reconnect(a, b);
        CHECK_NUMBER(0, hand_carry_all(a, b).n);
        CHECK(frame_idle(a, 0));
    }
}

static void a_restarted_peer_is_not_its_former_self(void)
{
    AUTO(frame_free)
    struct frames *a = hand_table(1, 1), *b = hand_table(1, 9), *again = hand_table(1, 1000);
    struct view none = {0};
    CHECK_OK(hand_send(a, 0, 3, 10));
    CHECK(hand_is(hand_carry_all(a, b), 3, 10));
    frame_up(b, 0);
    CHECK_OK(hand_send(again, 0, 3, 10)); /* the same bytes, meant anew */
    CHECK(hand_is(hand_carry_all(again, b), 3, 10));
    (void)hand_carry_all(again, b);
    CHECK_OK(hand_send(again, 0, 4,
                       HAND_LARGE)); /* half of one message, then a third self with another */
    for (int i = 0; i < 2; i++) {
        CHECK_OK(hand_carry(again, b, 0, &none));
        CHECK_OK(hand_carry(i == 0 ? b : again, i == 0 ? again : b, 0, &none));
    }
    AUTO(frame_free) struct frames *third = hand_table(1, 2000);
    frame_up(b, 0);
    CHECK_OK(hand_send(third, 0, 5, HAND_LARGE));
    CHECK(hand_is(hand_carry_all(third, b), 5, HAND_LARGE));
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
    static const size_t size[] = {1,   70000, 100, HAND_LARGE, FRAME_WINDOW + 9, FRAME_SMALL_MAX,
                                  5000};
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
    CHECK(hand_is(message, number + s, size_of(s, number)));
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
            hand_send(down ? w->hub : w->site[s], down ? s : 0, number + s, size_of(s, number));
        CHECK(status == STATUS_OK || status == STATUS_STATE);
        if (status == STATUS_OK) w->sent[s][down]++;
    } else {
        world_deliver(w, s, down);
    }
    collect(w->hub, w->down);
    for (size_t i = 0; i < SITES; i++) collect(w->site[i], &w->up[i]);
    CHECK(frame_pool_bytes(w->hub) <= hand_settings.pool_bytes);
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
        struct world w = {.hub = hand_table(SITES, 1)};
        rng_numbered(&w.rng, seed);
        for (size_t s = 0; s < SITES; s++) w.site[s] = hand_table(1, 1000 * (s + 1));
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
    AUTO(blob_free) struct blob *blob = hand_blob(1, HAND_LARGE);
    OOM_EACH {
        struct frames *a = NULL;
        enum status status = frame_new(&a, 1, &hand_settings, 1);
        if (status == STATUS_OK) {
            frame_up(a, 0);
            status = frame_send(a, 0, blob, NULL);
            if (status != STATUS_OK) CHECK(frame_idle(a, 0));
        }
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        frame_free(&a);
    }
    AUTO(frame_free) struct frames *a = hand_table(1, 1), *b = hand_table(1, 9);
    struct view none = {0};
    CHECK_OK(frame_send(a, 0, blob, NULL));
    oom_start(1);
    const enum status status = hand_carry(a, b, 0, &none);
    oom_stop();
    CHECK_OK(status);
    CHECK(hand_silent(b) && frame_waiting(b));
    frame_tick(b, 1);
    CHECK(hand_is(hand_carry_all(a, b), 1, HAND_LARGE));
}

int main(void)
{
    hand_init();
    RUN(messages_of_every_size_arrive);
    RUN(a_tail_for_many_is_the_same_bytes);
    RUN(sends_that_cannot_be_are_refused);
    RUN(a_broken_message_goes_on_where_it_was);
    RUN(a_lost_acknowledgement_does_not_deliver_twice);
    RUN(a_restarted_peer_is_not_its_former_self);
    RUN(random_breaks_lose_nothing_and_double_nothing);
    RUN(out_of_memory_is_told_or_waited_out);
    return check_done();
}
