/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client/victim.h"

#include <string.h>

#include "base/secret.h"
#include "tests/lib/check.h"

static const uint64_t dims[2] = {3, 2};

void victim_open(struct arena *a)
{
    static const uint32_t members[2] = {31, 15};
    arena_open(a, 5, 1, 2, 2, dims, members, 32, 1);
}

void victim_open_ring(struct arena *a)
{
    arena_open(a, VICTIM_RING_SITES, 1, 2, 2, dims, NULL, 32, 1);
    arena_ring(a, VICTIM_RING_SITES - PARAMS_SILENT_MAX);
}

void victim_open_noise(struct arena *a)
{
    arena_open(a, 8, 1, 2, 2, dims, NULL, 32, 1);
    arena_noise(a, 100);
}

void victim_until(struct arena *a, enum session_phase phase)
{
    if (phase == SESSION_POSITIONS)
        victim_open_ring(a);
    else
        victim_open(a);
    arena_begin(a);
    while (a->session[VICTIM].phase != phase) REQUIRE(arena_step(a));
}

bool victim_rests(const struct session *s)
{
    static const uint8_t zero[sizeof s->self_seed] = {0};
    static const struct peer nobody = {0};
    bool rests = s->phase == SESSION_IDLE && s->deadline_ms == UINT64_MAX && !s->named &&
                 s->answer == NULL && secret_equal(s->seed, zero, sizeof s->seed) &&
                 secret_equal(&s->mask_pair, zero, sizeof s->mask_pair) &&
                 secret_equal(&s->enc_pair, zero, sizeof s->enc_pair) &&
                 secret_equal(s->noise_seed, zero, sizeof s->noise_seed) &&
                 secret_equal(s->nonce, zero, sizeof s->nonce) &&
                 secret_equal(s->self_seed, zero, sizeof s->self_seed);
    for (uint32_t v = 0; v < s->config.manifest->n; v++)
        rests = rests && secret_equal(&s->peer[v], &nobody, sizeof nobody);
    return rests;
}

size_t victim_memories(const struct arena *a, enum memory_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < a->n_memories; i++)
        count += a->memory_site[i] == VICTIM && a->memory[i].kind == kind;
    return count;
}

struct outcome {
    enum reason why;
    size_t releases; /* whether shares had been released before */
};

static struct outcome play(void (*open)(struct arena *), arena_filter *filter, void *context)
{
    AUTO(arena_close) struct arena a = {0};
    open(&a);
    a.filter = filter;
    a.context = context;
    arena_begin(&a);
    while (arena_step(&a) && a.last_refusal[VICTIM] == REASON_NONE) continue;
    const struct outcome end = {a.last_refusal[VICTIM], victim_memories(&a, MEMORY_RELEASE)};
    if (end.why == REASON_NONE) return end;
    CHECK(victim_rests(&a.session[VICTIM]));
    /* The other side is told why, if a plan was read: the last letter is the victim's notice. */
    const struct flight *last = &a.flight[a.n_flights - 1];
    struct abort_notice notice = {0};
    if (a.n_flights == 0 || last->from != VICTIM) {
        CHECK_NUMBER(0, victim_memories(&a, MEMORY_PLAN));
        return end;
    }
    CHECK_OK(abort_read(&notice, buffer_view(&last->bytes), a.manifest.member[VICTIM].identity));
    CHECK_NUMBER(end.why, notice.reason);
    return end;
}

enum reason victim_refusal(void (*open)(struct arena *), arena_filter *filter, void *context)
{
    return play(open, filter, context).why;
}

enum reason victim_forged(void (*open)(struct arena *), enum msg_kind kind,
                          void (*change)(struct arena *, void *))
{
    struct forgery forgery = {.kind = kind, .site = VICTIM, .change = change};
    const struct outcome end = play(open, forge, &forgery);
    CHECK(forgery.done);
    CHECK((kind == MSG_RESULT) == (end.releases > 0));
    return end.why;
}

struct view victim_keep(const struct buffer *bytes)
{
    static uint8_t spare[4096];
    REQUIRE(bytes->status == STATUS_OK && bytes->n <= sizeof spare);
    memcpy(spare, bytes->at, bytes->n);
    return (struct view){spare, bytes->n};
}
