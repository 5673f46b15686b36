/* SPDX-License-Identifier: Apache-2.0 */
/* A13, re-runs: the coordinator lets a round fail late and repeats it, with one site fewer, to
 * subtract. Nothing of the first round is in the second: other seeds, other pads, other digests. */
#include <string.h>

#include "tests/attack/row.h"
#include "tests/lib/forge.h"

static const uint64_t dims[1] = {4};

struct pads {
    size_t n;
    uint8_t key[128][MASK_KEY_BYTES];
    size_t repeats; /* uses of one key by more than the two ends of a pair */
};

static void note_pads(struct arena *a, uint32_t site, uint32_t segment, const struct pad *pad,
                      size_t n)
{
    (void)site, (void)segment;
    struct pads *pads = a->context;
    for (size_t i = 0; i < n; i++) {
        size_t uses = 0;
        for (size_t j = 0; j < pads->n; j++)
            uses += memcmp(pads->key[j], pad[i].key, MASK_KEY_BYTES) == 0;
        pads->repeats += uses > 1;
        REQUIRE(pads->n < 128);
        memcpy(pads->key[pads->n++], pad[i].key, MASK_KEY_BYTES);
    }
}

static bool nothing_is_confirmed(struct arena *a, struct flight *flight)
{
    (void)a;
    return flight_kind(flight) != MSG_CONFIRM;
}

static void a_second_round_has_nothing_of_the_first(void)
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1);
    struct pads pads = {0};
    a.pad_spy = note_pads;
    a.context = &pads;
    a.filter = nothing_is_confirmed;
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(PHASE_FAILED, a.round.phase);
    CHECK_NUMBER(REASON_CONFIRMATIONS, a.round.why);
    CHECK_NUMBER(5 * 5, pads.n);
    /* Once more, without site 4. */
    a.filter = NULL;
    a.dead[4] = true;
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    CHECK_NUMBER(4, bits_count(&a.round.survivors));
    CHECK(arena_sums_exact(&a));
    CHECK_NUMBER(5 * 5 + 4 * 4, pads.n);
    CHECK_NUMBER(0, pads.repeats);
    /* Both inputs are in the journal of every site: both are charged. */
    size_t inputs = 0;
    for (size_t i = 0; i < a.n_memories; i++) {
        if (a.memory[i].kind != MEMORY_INPUT) continue;
        for (size_t j = 0; j < i; j++)
            if (a.memory[j].kind == MEMORY_INPUT)
                CHECK(!hash_equal(&a.memory[i].hash, &a.memory[j].hash));
        inputs++;
    }
    CHECK_NUMBER(5 + 4, inputs);
}

/* The same session cannot be run again, however it ended. */
static void a_failed_session_is_not_repeated(void)
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1);
    a.filter = nothing_is_confirmed;
    arena_begin(&a);
    AUTO(buffer_free) struct buffer opening = {0};
    arena_opening(&a, &opening);
    arena_run(&a);
    for (uint32_t v = 0; v < a.n; v++) {
        struct outbox out = {0};
        CHECK_STATUS(STATUS_STATE,
                     session_message(&a.session[v], buffer_view(&opening), a.now_ms, &out));
        CHECK_REFUSED(REPLAY, a.session[v].why);
        outbox_free(&out);
    }
}

static void rerun(void)
{
    RUN(a_second_round_has_nothing_of_the_first);
    RUN(a_failed_session_is_not_repeated);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {
        {"A13", "a failed round, run again without one site", rerun},
    };
    return row_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
