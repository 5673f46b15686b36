/* SPDX-License-Identifier: Apache-2.0 */
/* What a journal of the coordinator rests on: the inputs that a round took, told to a fresh one in
 * the same order, lead to the same state and the same letters, bit for bit, at every step; and so
 * do inputs by their digests, with the totals put back. */
#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/liar.h"

struct input {
    uint32_t from; /* OUTBOX_SERVER: a deadline */
    uint64_t now_ms;
    struct buffer message; /* empty: the site is gone */
};

struct tape {
    size_t n;
    struct input input[512];
    struct hash state[512]; /* after each */
};

static void add_bits(struct hash_state *state, const struct bits *bits)
{
    for (size_t i = 0; i < bits->n; i++) hash_add_u64(state, bits_has(bits, i));
}

/* What the round is, and every letter that it has. */
static struct hash state_of(const struct round *r, uint32_t n)
{
    struct hash_state state;
    hash_start(&state, "state of a round");
    hash_add_u64(&state, r->phase);
    hash_add_u64(&state, r->deadline_ms);
    hash_add_u64(&state, r->why);
    hash_add_u64(&state, r->about);
    const struct hash *hashes[] = {&r->plan_hash, &r->roster_hash, &r->dealers_hash,
                                   &r->survivors_hash};
    for (size_t i = 0; i < 4; i++) hash_add(&state, hashes[i]->bytes, HASH_BYTES);
    const struct bits *sets[] = {&r->adverts,   &r->placed,   &r->dealers,   &r->survivors,
                                 &r->confirmed, &r->revealed, &r->opened_set};
    for (size_t i = 0; i < 7; i++) add_bits(&state, sets[i]);
    for (uint32_t v = 0; v < n; v++) {
        AUTO(buffer_free) struct buffer letter = {0};
        hash_add_u64(&state, round_letter(&letter, r, v));
        hash_add(&state, letter.at, letter.n);
        hash_add_u64(&state, r->site[v].out);
        hash_add_u64(&state, r->site[v].away);
        hash_add_u64(&state, r->site[v].accusers);
        hash_add_u64(&state, round_convicts(r, v));
    }
    for (uint32_t l = 0; l < r->plan.n_segments; l++)
        hash_add(&state, r->opened[l].value, r->opened[l].n * sizeof *r->opened[l].value);
    return hash_end(&state);
}

static struct tape tape;

static void record(struct arena *a, uint32_t from, struct view message)
{
    REQUIRE(tape.n < sizeof tape.input / sizeof *tape.input);
    struct input *input = &tape.input[tape.n];
    *input = (struct input){.from = from, .now_ms = a->now_ms};
    write_bytes(&input->message, message.at, message.n);
    tape.state[tape.n++] = state_of(&a->round, a->n);
}

static enum status tell(struct round *r, const struct input *input)
{
    AUTO(outbox_free) struct outbox out = {0};
    if (input->from == OUTBOX_SERVER) return round_deadline(r, input->now_ms, &out);
    if (input->message.n == 0) return round_gone(r, input->from, input->now_ms, &out);
    return round_message(r, input->from, buffer_view(&input->message), input->now_ms, &out);
}

static enum status tell_digest(struct round *r, const struct input *input)
{
    AUTO(outbox_free) struct outbox out = {0};
    struct masked_input masked = {0};
    CHECK_OK(masked_read(&masked, buffer_view(&input->message), &r->plan, input->from));
    return round_recall(r, input->from, masked.digest, input->now_ms, &out);
}

/* Whether it was counted in; else its author was blamed for it, and the journal has it whole. */
static bool counted(const struct arena *a, const struct input *input)
{
    return msg_kind_of(buffer_view(&input->message)) == MSG_MASKED &&
           bits_has(&a->round.survivors, input->from);
}

static void start_again(const struct arena *a, struct round *r)
{
    struct plan plan = {0};
    CHECK_OK(plan_copy(&plan, &a->round.plan));
    CHECK_OK(round_start(r, &a->round.config, &plan, 1000000));
}

static void free_totals(struct total (*total)[MSG_SEGMENTS_MAX])
{
    for (size_t l = 0; l < MSG_SEGMENTS_MAX; l++) total_free(&(*total)[l]);
}

static void copy_totals(struct total *out, const struct round *r)
{
    for (uint32_t l = 0; l < r->plan.n_segments; l++) {
        total_free(&out[l]);
        if (r->total[l].n == 0) continue;
        CHECK_OK(total_new(&out[l], r->total[l].n));
        memcpy(out[l].value, r->total[l].value, r->total[l].n * sizeof *out[l].value);
    }
}

/* Whole messages to one fresh round; to the other the inputs by their digests, and the totals of
 * the first when all are in. */
static void replay(const struct arena *a)
{
    AUTO(round_free) struct round whole = {0}, heads = {0};
    AUTO(free_totals) struct total total[MSG_SEGMENTS_MAX] = {{0}};
    start_again(a, &whole);
    start_again(a, &heads);
    for (size_t i = 0; i < tape.n; i++) {
        const struct input *input = &tape.input[i];
        const bool collecting = whole.phase == PHASE_COLLECT;
        CHECK_OK(tell(&whole, input));
        CHECK_OK(counted(a, input) ? tell_digest(&heads, input) : tell(&heads, input));
        struct hash got = state_of(&whole, a->n);
        CHECK(hash_equal(&tape.state[i], &got));
        got = state_of(&heads, a->n);
        CHECK(hash_equal(&tape.state[i], &got));
        if (!collecting || whole.phase != PHASE_CONFIRM) continue;
        copy_totals(total, &whole);
        CHECK_OK(round_restore(&heads, total));
    }
    CHECK_NUMBER(a->round.phase, whole.phase);
    CHECK_NUMBER(a->round.phase, heads.phase);
}

static void play_and_replay(struct arena *a, enum phase end)
{
    a->round_spy = record;
    a->shuffle = true;
    arena_begin(a);
    arena_gone(a, 0);
    arena_run(a);
    CHECK_NUMBER(end, a->round.phase);
    replay(a);
    for (size_t i = 0; i < tape.n; i++) buffer_free(&tape.input[i].message);
    tape.n = 0;
}

static void a_round_told_again_is_the_same_round(void)
{
    for (enum liar_world world = 0; world < LIAR_WORLDS; world++) {
        AUTO(arena_close) struct arena a = {0};
        liar_open(&a, world);
        play_and_replay(&a, PHASE_DONE);
    }
}

static void with_dropouts_in_any_phase_too(void)
{
    static const enum msg_kind kinds[] = {MSG_ADVERT, MSG_POSITION, MSG_SHARES,
                                          MSG_MASKED, MSG_CONFIRM,  MSG_UNMASK};
    for (size_t i = 0; i < 6 * LIAR_WORLDS; i++) {
        AUTO(arena_close) struct arena a = {0};
        liar_open(&a, i % LIAR_WORLDS);
        struct silence silence = {kinds[i / LIAR_WORLDS], 1U << 2};
        a.filter = liar_silence;
        a.context = &silence;
        play_and_replay(&a, PHASE_DONE);
    }
}

static void digest_of_other_body(struct arena *a, void *content)
{
    (void)a;
    ((struct digest *)content)->segment[1].bytes[0] ^= 1;
}

static void advert_of_nobody(struct arena *a, void *content)
{
    (void)a;
    ((struct advert *)content)->from ^= 1;
}

static void with_liars_too(void)
{
    for (size_t i = 0; i < 4; i++) {
        AUTO(arena_close) struct arena a = {0};
        liar_open(&a, i % 2);
        struct forgery forgery = {.kind = i < 2 ? MSG_DIGEST : MSG_ADVERT,
                                  .site = LIAR,
                                  .change = i < 2 ? digest_of_other_body : advert_of_nobody};
        a.filter = forge;
        a.context = &forgery;
        play_and_replay(&a, PHASE_DONE);
        CHECK(forgery.done);
    }
}

static void a_round_that_failed_fails_again(void)
{
    static const enum msg_kind kinds[] = {MSG_ADVERT, MSG_POSITION, MSG_SHARES,
                                          MSG_MASKED, MSG_CONFIRM,  MSG_UNMASK};
    for (size_t i = 0; i < 6; i++) {
        AUTO(arena_close) struct arena a = {0};
        liar_open(&a, LIAR_RING);
        struct silence silence = {kinds[i], ~7U};
        a.filter = liar_silence;
        a.context = &silence;
        play_and_replay(&a, PHASE_FAILED);
    }
}

int main(void)
{
    RUN(a_round_told_again_is_the_same_round);
    RUN(with_dropouts_in_any_phase_too);
    RUN(with_liars_too);
    RUN(a_round_that_failed_fails_again);
    return check_done();
}
