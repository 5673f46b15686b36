/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/drive.h"

#include <string.h>

#include "protocol/msg_wire.h"

#define RING 0x80

static const uint64_t dims[2] = {3, 2};

struct driven {
    struct arena arena;
    bool up;
    bool altered; /* a letter was changed and signed again: no promise about the sum */
};

/* No letter has both kinds of shares of one peer. */
static void watch(struct arena *a, const struct flight *letter)
{
    if (msg_kind_of(buffer_view(&letter->bytes)) != MSG_UNMASK) return;
    AUTO(unmask_free) struct unmask unmask = {0};
    REQUIRE(unmask_read(&unmask, buffer_view(&letter->bytes), a->n,
                        a->manifest.member[letter->from].identity) == STATUS_OK);
    for (uint32_t v = 0; v < a->n; v++) {
        const struct bundle *bundle = &unmask.bundle[v];
        for (uint32_t l = 0; l + 1 < bundle->n; l++)
            REQUIRE(!(bundle->place[BUNDLE_PAIR].have && bundle->place[BUNDLE_SELF(l)].have));
    }
}

/* The signed part of a letter: in three kinds it is a blob at the beginning. */
static struct view signed_part(const struct flight *flight)
{
    const struct view all = buffer_view(&flight->bytes);
    const enum msg_kind kind = msg_kind_of(all);
    if (kind != MSG_OPENING && kind != MSG_SHARES && kind != MSG_MASKED) return all;
    struct reader r = reader_of((struct view){all.at + 4, all.n - 4});
    const struct view blob = read_blob(&r, all.n);
    return r.bad ? (struct view){0} : blob;
}

static void sign_again(struct arena *a, struct flight *flight)
{
    const struct view part = signed_part(flight);
    if (part.n <= SIGN_BYTES) return; /* nothing that could be signed */
    const uint8_t *seed =
        flight->from == OUTBOX_SERVER ? a->coordinator.identity : a->key[flight->from].identity;
    AUTO(buffer_free) struct buffer copy = {0};
    write_bytes(&copy, part.at, part.n - SIGN_BYTES);
    wire_sign(&copy, 0, seed);
    REQUIRE(copy.status == STATUS_OK);
    memcpy(flight->bytes.at + (part.at - flight->bytes.at), copy.at, part.n);
}

static enum drive_what what_of(const uint8_t event[static 4])
{
    return (event[0] & (RING - 1)) % DRIVE_COUNT;
}

static void alter(struct driven *d, struct flight *flight, const uint8_t event[static 4])
{
    struct buffer *bytes = &flight->bytes;
    const bool mine = d->up ? flight->to == OUTBOX_SERVER : flight->to == 0;
    if (!mine || bytes->n == 0) return;
    if (what_of(event) == DRIVE_CUT_SIGNED) {
        bytes->n -= event[2] % bytes->n;
    } else {
        bytes->at[(bytes->n * event[2] + event[1]) / 256 % bytes->n] ^= (uint8_t)(event[3] | 1);
    }
    if (what_of(event) == DRIVE_ALTER) return;
    d->altered = true;
    sign_again(&d->arena, flight);
}

static uint64_t deadline_of(const struct arena *a, uint32_t party)
{
    return party == a->n ? a->round.deadline_ms : a->session[party].deadline_ms;
}

static void pass_deadline(struct arena *a, uint32_t party)
{
    const uint64_t now = a->now_ms;
    if (deadline_of(a, party) == UINT64_MAX) return;
    a->now_ms = deadline_of(a, party);
    arena_deadline(a, party == a->n ? OUTBOX_SERVER : party);
    a->now_ms = now;
}

static void happen(struct driven *d, const uint8_t event[static 4])
{
    struct arena *a = &d->arena;
    const enum drive_what what = what_of(event);
    if (what == DRIVE_GREET) {
        if (a->n_flights < 100) arena_greet(a, event[1] % a->n);
        return;
    }
    if (what == DRIVE_DEADLINE) {
        pass_deadline(a, event[1] % (a->n + 1));
        return;
    }
    if (a->n_flights == 0) return;
    const size_t i = event[1] % a->n_flights;
    if (what == DRIVE_LOSE) {
        arena_lose_one(a, i);
        return;
    }
    if (what == DRIVE_DOUBLE && a->n_flights < 100) arena_repeat(a, &a->flight[i]);
    if (what == DRIVE_ALTER || what == DRIVE_ALTER_SIGNED || what == DRIVE_CUT_SIGNED)
        alter(d, &a->flight[i], event);
    arena_deliver_one(a, i);
}

static bool at_rest(const struct arena *a)
{
    for (uint32_t v = 0; v < a->n; v++)
        if (a->session[v].phase != SESSION_IDLE) return false;
    return a->round.phase >= PHASE_DONE;
}

void drive(struct view bytes, bool up)
{
    static struct driven d;
    d = (struct driven){.up = up};
    struct arena *a = &d.arena;
    const bool ring = bytes.n > 0 && (bytes.at[0] & RING) != 0;
    arena_open(a, ring ? 5 : 3, 0, 2, 2, dims, NULL, 32, 1);
    if (ring) arena_ring(a, 5);
    a->spy = watch;
    arena_begin(a);
    for (size_t i = 0; i + 4 <= bytes.n && i < 400; i += 4) happen(&d, bytes.at + i);
    for (size_t i = 0; i < 50 && !at_rest(a); i++) {
        arena_deliver(a);
        for (uint32_t p = 0; p <= a->n && a->n_flights == 0; p++) pass_deadline(a, p);
    }
    REQUIRE(at_rest(a));
    if (a->round.phase == PHASE_DONE && !d.altered) REQUIRE(arena_sums_exact(a));
    arena_close(a);
}
