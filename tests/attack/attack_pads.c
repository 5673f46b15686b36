/* SPDX-License-Identifier: Apache-2.0 */
/* A6, the two-time pad: the coordinator asks for two vectors under the same pads. */
#include <stdlib.h>
#include <string.h>

#include "tests/attack/hospital.h"
#include "tests/attack/row.h"

#define VICTIM 0

static const uint64_t dims[2] = {4, 3};

/* Which site used which key, and with which sign. */
struct use {
    uint8_t key[MASK_KEY_BYTES];
    uint32_t site, segment;
    int sign;
};

struct uses {
    size_t n;
    struct use use[1024];
};

static void note_pads(struct arena *a, uint32_t site, uint32_t segment, const struct pad *pad,
                      size_t n)
{
    struct uses *uses = a->context;
    for (size_t i = 0; i < n; i++) {
        REQUIRE(uses->n < sizeof uses->use / sizeof *uses->use);
        struct use *use = &uses->use[uses->n++];
        *use = (struct use){.site = site, .segment = segment, .sign = pad[i].sign};
        memcpy(use->key, pad[i].key, sizeof use->key);
    }
}

static int by_key(const void *a, const void *b)
{
    return memcmp(((const struct use *)a)->key, ((const struct use *)b)->key, MASK_KEY_BYTES);
}

/* A key has one user, or the two ends of a pair with opposite signs, whose pads cancel. */
static void check_uses(struct uses *uses)
{
    qsort(uses->use, uses->n, sizeof *uses->use, by_key);
    for (size_t i = 0, n; i < uses->n; i += n) {
        const struct use *use = &uses->use[i];
        for (n = 1; i + n < uses->n && by_key(use, use + n) == 0;) n++;
        CHECK(n <= 2);
        if (n < 2) continue;
        CHECK(use[0].site != use[1].site && use[0].segment == use[1].segment);
        CHECK(use[0].sign == -use[1].sign);
    }
}

/* Two segments, two rounds; in a complete graph and on a ring. */
static void no_key_serves_two_vectors(void)
{
    for (int ring = 0; ring < 2; ring++) {
        AUTO(arena_close) struct arena a = {0};
        static struct uses uses;
        uses.n = 0;
        arena_open(&a, 9, 1, 2, 2, dims, NULL, 32, 1);
        if (ring == 1) arena_ring(&a, 7);
        a.pad_spy = note_pads;
        a.context = &uses;
        for (int round = 0; round < 2; round++) {
            arena_begin(&a);
            arena_run(&a);
            CHECK_NUMBER(PHASE_DONE, a.round.phase);
        }
        CHECK(uses.n >= 2 * 2 * 9 * 6);
        check_uses(&uses);
    }
}

/* The letters from the inbox on, of which the coordinator may send any again, or others. */
struct tape {
    struct buffer inbox, masked;
};

static bool record(struct arena *a, struct flight *flight)
{
    struct tape *tape = a->context;
    if (flight_is(flight, MSG_INBOX, VICTIM))
        write_bytes(&tape->inbox, flight->bytes.at, flight->bytes.n);
    if (flight_is(flight, MSG_MASKED, VICTIM))
        write_bytes(&tape->masked, flight->bytes.at, flight->bytes.n);
    return true;
}

static void tape_free(struct tape *tape)
{
    buffer_free(&tape->inbox);
    buffer_free(&tape->masked);
}

/* Play until the victim has sent its input. */
static void until_masked(struct arena *a, struct tape *tape)
{
    arena_open(a, 5, 1, 2, 1, dims, NULL, 32, 1);
    a->filter = record;
    a->context = tape;
    arena_begin(a);
    while (tape->masked.n == 0) CHECK(arena_step(a));
}

static enum status tell(struct arena *a, const struct buffer *letter, struct outbox *out)
{
    return session_message(&a->session[VICTIM], buffer_view(letter), a->now_ms, out);
}

static void the_same_question_has_the_same_answer(void)
{
    AUTO(arena_close) struct arena a = {0};
    AUTO(tape_free) struct tape tape = {0};
    until_masked(&a, &tape);
    AUTO(outbox_free) struct outbox out = {0};
    for (size_t i = 0; i < 3; i++) {
        CHECK_OK(tell(&a, &tape.inbox, &out));
        CHECK_NUMBER(i + 1, out.n_letters);
        const struct view again = blob_view(out.letter[i].bytes);
        CHECK(again.n == tape.masked.n);
        CHECK_BYTES(tape.masked.at, again.at, again.n);
    }
    CHECK_NUMBER(0, out.n_entries); /* nothing more is spent */
}

/* An inbox with one dealer fewer, and so without its pad. */
static void another_question_has_no_answer(void)
{
    AUTO(arena_close) struct arena a = {0};
    AUTO(tape_free) struct tape tape = {0};
    until_masked(&a, &tape);
    AUTO(inbox_free) struct inbox inbox = {0};
    AUTO(buffer_free) struct buffer other = {0};
    CHECK_OK(inbox_read(&inbox, buffer_view(&tape.inbox), a.n, SIZE_MAX,
                        a.manifest.coordinator.identity));
    bits_clear(&inbox.dealers, 4);
    inbox.header[4] = inbox.sealed[4] = (struct view){0};
    inbox_write(&other, &inbox, a.coordinator.identity);
    AUTO(outbox_free) struct outbox out = {0};
    CHECK_STATUS(STATUS_STATE, tell(&a, &other, &out));
    CHECK_REFUSED(PHASE, a.session[VICTIM].why);
    CHECK_NUMBER(0, out.n_letters);
}

/* Another plan under the same number, for the same records. */
static void a_second_plan_for_the_round_is_refused(void)
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1);
    arena_begin(&a);
    arena_run(&a);
    AUTO(plan_free) struct plan plan = {0};
    AUTO(buffer_free) struct buffer bytes = {0}, opening = {0};
    CHECK_OK(plan_copy(&plan, &a.round.plan));
    plan.previous = a.session[VICTIM].transcript;
    plan_write(&bytes, &plan, a.coordinator.identity);
    opening_write(&opening, &(struct opening){.plan = buffer_view(&bytes)});
    AUTO(outbox_free) struct outbox out = {0};
    CHECK_STATUS(STATUS_STATE, tell(&a, &opening, &out));
    CHECK_REFUSED(REPLAY, a.session[VICTIM].why);
}

static void name_twice(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    memcpy(plan->segment[1].name, plan->segment[0].name, sizeof plan->segment[1].name);
}

static void one_segment_twice_is_not_planned(void)
{
    AUTO(hospital_close) struct hospital h = {0};
    CHECK_NUMBER(REASON_NONE, hospital_open(&h, hospital_study, "min_contributors: 2\n", 20));
    CHECK_REFUSED(SEGMENTS, hospital_told(&h, name_twice));
}

static void two_time_pad(void)
{
    RUN(no_key_serves_two_vectors);
    RUN(the_same_question_has_the_same_answer);
    RUN(another_question_has_no_answer);
    RUN(a_second_plan_for_the_round_is_refused);
    RUN(one_segment_twice_is_not_planned);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {{"A6", "two vectors under one pad", two_time_pad}};
    return row_main(argc, argv, rows, 1);
}
