/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/liar.h"

#include "tests/lib/check.h"

static const uint64_t dims[2] = {3, 2};

void liar_open(struct arena *a, enum liar_world world)
{
    static const uint32_t sites[LIAR_WORLDS] = {5, 9, 8};
    arena_open(a, sites[world], 1, 2, 2, dims, NULL, 32, 1);
    if (world == LIAR_RING) arena_ring(a, 7);
    if (world == LIAR_NOISE) arena_noise(a, 100);
}

void liar_tries(enum liar_world world, enum msg_kind kind, liar_change *change, enum status answer,
                enum reason blamed)
{
    AUTO(arena_close) struct arena a = {0};
    liar_open(&a, world);
    struct forgery forgery = {.kind = kind, .site = LIAR, .change = change};
    a.filter = forge;
    a.context = &forgery;
    arena_begin(&a);
    while (!forgery.done) CHECK(arena_step(&a));
    CHECK_STATUS(answer, a.answer[LIAR]);
    CHECK_NUMBER(blamed, a.blamed[LIAR]);
    CHECK(a.round.site[LIAR].out == (blamed != REASON_NONE));
    arena_run(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    CHECK(arena_sums_exact(&a));
}

enum status liar_tell(struct arena *a, uint32_t from, const struct buffer *bytes)
{
    struct outbox out = {0};
    enum status status = round_message(&a->round, from, buffer_view(bytes), a->now_ms, &out);
    outbox_free(&out);
    return status;
}

void liar_catch(struct arena *a, enum msg_kind kind, uint32_t from, struct buffer *out)
{
    for (;;) {
        for (size_t i = 0; i < a->n_flights; i++) {
            const struct flight *flight = &a->flight[i];
            if (flight->from != from || flight_kind(flight) != kind) continue;
            write_bytes(out, flight->bytes.at, flight->bytes.n);
            return;
        }
        REQUIRE(arena_step(a));
    }
}

bool liar_silence(struct arena *a, struct flight *flight)
{
    const struct silence *silence = a->context;
    return flight->from == OUTBOX_SERVER || flight_kind(flight) != silence->kind ||
           (silence->sites >> flight->from & 1) == 0;
}
