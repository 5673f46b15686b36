/* SPDX-License-Identifier: Apache-2.0 */
/* Strangers: somebody who is not enrolled, or whose key is not the enrolled one, plays a site or
 * the coordinator. */
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/forge.h"

#define INTRUDER 2

static const uint64_t dims[1] = {4};

/* Every letter of the site with the wrong key is refused, and the round does without it. */
static void a_site_with_another_key_is_refused(void)
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1);
    uint8_t other[SIGN_SEED_BYTES] = {5};
    a.session[INTRUDER].config.identity = other;
    arena_begin(&a);
    arena_run(&a);
    CHECK_STATUS(STATUS_AUTH, a.answer[INTRUDER]);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    CHECK_NUMBER(4, bits_count(&a.round.survivors));
    CHECK(arena_sums_exact(&a));
}

/* The key is lost half way: what was taken stays, nothing more is. */
static void letters_under_another_key_are_refused_in_every_phase(void)
{
    static const uint8_t other[SIGN_SEED_BYTES] = {5};
    for (enum phase phase = PHASE_KEYS; phase < PHASE_DONE; phase++) {
        AUTO(arena_close) struct arena a = {0};
        arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1);
        arena_begin(&a);
        while (a.round.phase < phase) CHECK(arena_step(&a));
        a.session[INTRUDER].config.identity = other;
        a.answer[INTRUDER] = STATUS_OK;
        /* Its letter of this phase is still to be written: the coordinator's is under way. */
        while (a.round.phase == phase && a.answer[INTRUDER] == STATUS_OK && arena_step(&a))
            continue;
        CHECK(a.answer[INTRUDER] == STATUS_AUTH || a.round.phase > phase);
        arena_run(&a);
        CHECK_NUMBER(PHASE_DONE, a.round.phase);
        CHECK(arena_sums_exact(&a));
    }
}

static void who_is_not_in_the_manifest_has_no_number(void)
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1);
    arena_begin(&a);
    struct advert advert = {.plan = a.round.plan_hash, .from = 5, .mask_key = {9}, .enc_key = {8}};
    memcpy(advert.session, a.round.plan.session, MSG_SESSION_BYTES);
    AUTO(buffer_free) struct buffer bytes = {0};
    advert_write(&bytes, &advert, a.governor.identity);
    struct outbox out = {0};
    CHECK_STATUS(STATUS_STATE, round_message(&a.round, 5, buffer_view(&bytes), a.now_ms, &out));
    CHECK_STATUS(STATUS_AUTH, round_message(&a.round, 4, buffer_view(&bytes), a.now_ms, &out));
    outbox_free(&out);
}

static void a_coordinator_with_another_key_is_refused(void)
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1);
    a.coordinator.identity[0] ^= 1;
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(PHASE_FAILED, a.round.phase);
    CHECK_NUMBER(REASON_QUORUM, a.round.why);
    for (uint32_t v = 0; v < a.n; v++) {
        CHECK_NUMBER(REASON_SIGNATURE, a.last_refusal[v]);
        CHECK_NUMBER(0, a.session[v].last_round);
    }
    CHECK_NUMBER(0, a.n_memories);
}

static void add_member(struct arena *a, void *content)
{
    struct plan *plan = content;
    const struct manifest old = a->manifest;
    a->manifest.epoch++;
    plan->manifest = manifest_hash(&a->manifest);
    a->manifest = old;
}

static void another_manifest_than_the_pinned_one_is_refused(void)
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1);
    struct forgery forgery = {.kind = MSG_PLAN, .site = 0, .change = add_member};
    a.filter = forge;
    a.context = &forgery;
    arena_begin(&a);
    arena_run(&a);
    CHECK_NUMBER(REASON_MANIFEST, a.last_refusal[0]);
}

int main(void)
{
    RUN(a_site_with_another_key_is_refused);
    RUN(letters_under_another_key_are_refused_in_every_phase);
    RUN(who_is_not_in_the_manifest_has_no_number);
    RUN(a_coordinator_with_another_key_is_refused);
    RUN(another_manifest_than_the_pinned_one_is_refused);
    return check_done();
}
