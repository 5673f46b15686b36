/* SPDX-License-Identifier: Apache-2.0 */
/* One honest site against a coordinator who may say anything it can sign, in any order: two plans,
 * two rosters, two inboxes, two survivor sets, quorums for both, results, aborts, and old letters
 * again. The other two sites are puppets, whose keys it has. What the site lets out is counted
 * here, from its letters and its journal. */
#include <stdio.h>
#include <string.h>

#include "tests/exhaust/hostile.h"
#include "tests/lib/check.h"
#include "tests/lib/explore.h"

static const uint64_t dims[1] = {2};

static const char *const names[AGAIN] = {
    "opening-1", "opening-2",     "roster-all",    "roster-two",  "inbox-all",
    "inbox-two", "survivors-all", "survivors-two", "quorum-same", "quorum-other",
    "result",    "abort",         "deadline",
};

/* Which plan a session number belongs to; PLANS: none. */
static uint32_t plan_of(const struct hostile *h, const uint8_t *session)
{
    uint32_t i = 0;
    while (i < PLANS && memcmp(h->plan[i].session, session, MSG_SESSION_BYTES) != 0) i++;
    return i;
}

/* Whether the journal had the fact before the letter went out. */
static bool remembered(const struct arena *a, enum memory_kind kind, const uint8_t *session,
                       const struct hash *hash)
{
    for (size_t i = 0; i < a->n_memories; i++)
        if (a->memory_site[i] == SITE && a->memory[i].kind == kind &&
            memcmp(a->memory[i].session, session, MSG_SESSION_BYTES) == 0 &&
            hash_equal(&a->memory[i].hash, hash))
            return true;
    return false;
}

/* Whether a letter is the first of its kind in this session, or a mere repetition. */
static bool first(bool *seen, struct hash *known, struct view letter)
{
    const struct hash hash = hash_of("letter", letter);
    CHECK(!*seen || hash_equal(known, &hash));
    if (*seen) return false;
    *seen = true;
    *known = hash;
    return true;
}

static void see_input(struct hostile *h, struct view letter)
{
    const struct session *s = &h->arena.session[SITE];
    struct masked_input masked = {0};
    struct digest digest = {0};
    CHECK_OK(masked_read(&masked, letter, &s->plan, SITE));
    CHECK_OK(digest_read(&digest, masked.digest, h->arena.manifest.member[SITE].identity));
    const struct hash hash = hash_of("digest", masked.digest);
    struct released *r = &h->released[plan_of(h, digest.session)];
    if (!first(&r->input, &r->input_letter, letter)) return;
    h->digest.n = 0;
    write_bytes(&h->digest, masked.digest.at, masked.digest.n);
    CHECK(remembered(&h->arena, MEMORY_INPUT, digest.session, &hash));
}

static void see_confirm(struct hostile *h, struct view letter)
{
    const struct session *s = &h->arena.session[SITE];
    struct confirm confirm = {0};
    CHECK_OK(confirm_read(&confirm, letter));
    struct released *r = &h->released[plan_of(h, confirm.session)];
    CHECK(r->input);
    if (!first(&r->confirm, &r->confirm_letter, letter)) return;
    r->confirm_hash = s->survivors_hash;
    CHECK(confirm_check(&confirm, &s->survivors_hash, h->arena.manifest.member[SITE].identity));
    CHECK(remembered(&h->arena, MEMORY_CONFIRM, confirm.session, &r->confirm_hash));
    CHECK(bits_count(&s->survivors.survivors) >= s->plan.params.quorum);
}

static void see_unmask(struct hostile *h, struct view letter)
{
    AUTO(unmask_free) struct unmask unmask = {0};
    CHECK_OK(unmask_read(&unmask, letter, SITES, h->arena.manifest.member[SITE].identity));
    struct released *r = &h->released[plan_of(h, unmask.session)];
    CHECK(r->confirm);
    (void)first(&r->unmask, &r->unmask_letter, letter);
    CHECK(hash_equal(&r->confirm_hash, &unmask.survivors));
    CHECK(remembered(&h->arena, MEMORY_RELEASE, unmask.session, &unmask.survivors));
    for (uint32_t v = 0; v < SITES; v++) {
        if (unmask.bundle[v].n == 0) continue;
        r->pair[v] = r->pair[v] || unmask.bundle[v].place[BUNDLE_PAIR].have;
        r->self[v] = r->self[v] || unmask.bundle[v].place[BUNDLE_SELF(0)].have;
        CHECK(!(r->pair[v] && r->self[v]));
    }
    CHECK(!r->pair[SITE]);
}

static void see(struct arena *a, const struct flight *letter)
{
    struct hostile *h = a->context;
    const struct view in = buffer_view(&letter->bytes);
    if (msg_kind_of(in) == MSG_SHARES) {
        h->shares[letter->from].n = 0;
        write_bytes(&h->shares[letter->from], in.at, in.n);
    }
    if (letter->from != SITE) return;
    if (msg_kind_of(in) == MSG_MASKED) see_input(h, in);
    if (msg_kind_of(in) == MSG_CONFIRM) see_confirm(h, in);
    if (msg_kind_of(in) == MSG_UNMASK) see_unmask(h, in);
}

static void forget_flights(struct arena *a)
{
    while (a->n_flights > 0) arena_lose_one(a, 0);
}

static void say(struct arena *a, uint32_t to, const struct buffer *bytes)
{
    const struct flight letter = {OUTBOX_SERVER, to, *bytes};
    arena_repeat(a, &letter);
    arena_deliver_one(a, a->n_flights - 1);
}

static void keep_first(struct hostile *h, const struct buffer *bytes)
{
    const struct session *s = &h->arena.session[SITE];
    struct kept *kept = &h->kept[msg_kind_of(buffer_view(bytes))];
    if (kept->bytes.n > 0) return;
    write_bytes(&kept->bytes, bytes->at, bytes->n);
    kept->mark[0] = (uint8_t)(1 + plan_of(h, s->plan.session));
    const struct bits *sets[] = {&s->roster, &s->dealers, &s->survivors.survivors};
    for (size_t i = 0; i < 3; i++)
        for (uint32_t v = 0; v < SITES; v++)
            kept->mark[1 + i] |= (uint8_t)(bits_has(sets[i], v) << v);
}

static size_t events(const void *self, struct event event[static EXPLORE_EVENTS_MAX])
{
    const struct hostile *h = self;
    size_t n = 0;
    for (uint32_t i = 0; i < AGAIN; i++) {
        const bool idle = h->arena.session[SITE].phase == SESSION_IDLE;
        if (idle && i >= ROSTER_ALL) continue; /* there is nothing to make it from */
        event[n] = (struct event){.what = i};
        snprintf(event[n++].name, sizeof event->name, "%s", names[i]);
    }
    for (uint32_t kind = 1; kind < MSG_KIND_COUNT; kind++) {
        if (h->kept[kind].bytes.n == 0 || kind == MSG_OPENING) continue;
        event[n] = (struct event){.what = AGAIN, .which = kind};
        snprintf(event[n++].name, sizeof event->name, "again-%u", kind);
    }
    return n;
}

static void check_silence(const struct hostile *h, enum session_phase before, uint32_t round)
{
    const struct session *s = &h->arena.session[SITE];
    const bool anew = s->last_round > round;
    CHECK(s->last_round >= round);
    CHECK(anew || s->phase >= before || s->phase == SESSION_IDLE);
    CHECK(!anew || s->phase == SESSION_ROSTER);
    CHECK((s->phase == SESSION_IDLE) == (s->deadline_ms == UINT64_MAX));
}

static void apply(void *self, const struct event *event)
{
    struct hostile *h = self;
    struct arena *a = &h->arena;
    struct session *s = &a->session[SITE];
    const enum session_phase before = s->phase;
    const uint32_t round = s->last_round;
    if (event->what == DEADLINE) {
        const uint64_t now = a->now_ms;
        a->now_ms = s->deadline_ms;
        arena_deadline(a, SITE);
        a->now_ms = now;
    } else {
        AUTO(buffer_free) struct buffer letter = {0};
        if (event->what == AGAIN)
            write_bytes(&letter, h->kept[event->which].bytes.at, h->kept[event->which].bytes.n);
        else
            hostile_write(h, event->what, &letter);
        REQUIRE(letter.status == STATUS_OK);
        a->has_input[SITE] = false;
        say(a, SITE, &letter);
        const bool accepted = s->phase > before || s->last_round > round;
        if (accepted) keep_first(h, &letter);
        /* The puppets play along with what the site accepted. */
        for (uint32_t v = 1; v < SITES && accepted && event->what <= ROSTER_TWO; v++)
            say(a, v, &letter);
    }
    check_silence(h, before, round);
    forget_flights(a);
}

static uint64_t key(const void *self)
{
    const struct hostile *h = self;
    const struct arena *a = &h->arena;
    uint8_t sketch[192] = {0};
    size_t n = 0;
    for (uint32_t v = 0; v < SITES; v++) {
        const struct session *s = &a->session[v];
        sketch[n++] = (uint8_t)s->phase;
        sketch[n++] = (uint8_t)s->last_round;
        const struct bits *sets[] = {&s->roster, &s->dealers, &s->survivors.survivors};
        for (size_t i = 0; i < 3; i++, n++)
            for (uint32_t u = 0; u < SITES; u++) sketch[n] |= (uint8_t)(bits_has(sets[i], u) << u);
    }
    sketch[n++] = hash_is_zero(&a->session[SITE].transcript);
    for (size_t i = 0; i < PLANS; i++) {
        const struct released *r = &h->released[i];
        sketch[n++] = (uint8_t)(r->input | r->confirm << 1 | r->unmask << 2);
        for (uint32_t v = 0; v < SITES; v++) sketch[n++] = (uint8_t)(r->pair[v] | r->self[v] << 1);
    }
    for (size_t kind = 0; kind < MSG_KIND_COUNT; kind++, n += 4)
        memcpy(sketch + n, h->kept[kind].mark, 4);
    REQUIRE(n <= sizeof sketch);
    const struct hash hash = hash_of("state", (struct view){sketch, n});
    uint64_t word;
    memcpy(&word, hash.bytes, sizeof word);
    return word;
}

/* Both plans were played until shares were given. */
static bool goal(const void *self)
{
    const struct hostile *h = self;
    return h->released[0].unmask && h->released[1].unmask;
}

static void a_hostile_coordinator_gets_no_more_than_the_rules_give(void)
{
    static struct hostile h;
    struct arena *a = &h.arena;
    arena_open(a, SITES, 0, 2, 1, dims, NULL, 32, 1);
    a->context = &h;
    a->spy = see;
    for (uint32_t i = 0; i < PLANS; i++) {
        CHECK_OK(plan_copy(&h.plan[i], &a->plan));
        h.plan[i].round = 1 + i;
        memset(h.plan[i].session, (int)(1 + i), MSG_SESSION_BYTES);
        AUTO(buffer_free) struct buffer bytes = {0};
        plan_write(&bytes, &h.plan[i], a->coordinator.identity);
        opening_write(&h.opening[i], &(struct opening){.plan = buffer_view(&bytes)});
    }
    const struct world world = {
        .self = &h, .events = events, .apply = apply, .key = key, .goal = goal};
    const struct explored count = explore(&world, EXPLORE_DEPTH_MAX);
    printf("%zu states, %zu events\n", count.states, count.events);
    CHECK_NUMBER(0, count.violations);
    CHECK_NUMBER(0, count.cut);
    CHECK(count.states > 400 && count.goals > 0);
    for (uint32_t i = 0; i < PLANS; i++) {
        plan_free(&h.plan[i]);
        buffer_free(&h.opening[i]);
    }
    buffer_free(&h.digest);
    arena_close(a);
}

int main(void)
{
    RUN(a_hostile_coordinator_gets_no_more_than_the_rules_give);
    return check_done();
}
