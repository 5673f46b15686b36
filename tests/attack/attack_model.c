/* SPDX-License-Identifier: Apache-2.0 */
/* A1, model inconsistency: the coordinator gives one site another model than the rest, so that the
 * sum is that site's alone. */
#include <string.h>

#include "tests/attack/row.h"
#include "tests/lib/forge.h"

#define VICTIM 2

static const uint64_t dims[1] = {4};
static const uint8_t canary[] = {1, 2, 3};

struct scene {
    bool roster_to_all; /* the coordinator hands the victim's advert out, under its other plan */
    struct buffer advert;
};

static void other_model(struct arena *a, void *content)
{
    (void)a;
    ((struct opening *)content)->state = (struct view){canary, sizeof canary};
}

static void the_planned_hash_gives_the_model_away(void)
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1);
    struct forgery forgery = {.kind = MSG_OPENING, .site = VICTIM, .change = other_model};
    a.filter = forge;
    a.context = &forgery;
    arena_begin(&a);
    arena_run(&a);
    CHECK_REFUSED(MODEL, a.last_refusal[VICTIM]);
    CHECK(!bits_has(&a.round.survivors, VICTIM));
}

/* A plan of its own for the victim: the hash of the canary model, and the canary. */
static void make_special_opening(struct arena *a, struct buffer *out)
{
    AUTO(plan_free) struct plan plan = {0};
    CHECK_OK(plan_copy(&plan, &a->round.plan));
    plan.state = hash_of("state", (struct view){canary, sizeof canary});
    AUTO(buffer_free) struct buffer bytes = {0};
    plan_write(&bytes, &plan, a->coordinator.identity);
    const struct opening opening = {.plan = buffer_view(&bytes), .state = {canary, sizeof canary}};
    opening_write(out, &opening);
    write_bytes(out, canary, sizeof canary);
}

/* Rewrite a roster so that it has everybody's advert, the victim's among them. */
static void add_victim(struct arena *a, struct flight *flight, const struct scene *scene)
{
    AUTO(roster_free) struct roster roster = {0};
    AUTO(buffer_free) struct buffer old = flight->bytes;
    flight->bytes = (struct buffer){0};
    CHECK_OK(roster_read(&roster, buffer_view(&old), a->n, a->manifest.coordinator.identity));
    roster.advert[VICTIM] = buffer_view(&scene->advert);
    roster_write(&flight->bytes, &roster, a->coordinator.identity);
}

static bool show_special_model(struct arena *a, struct flight *flight)
{
    struct scene *scene = a->context;
    switch (flight_kind(flight)) {
    case MSG_OPENING:
        if (flight->to != VICTIM) return true;
        flight->bytes.n = 0;
        make_special_opening(a, &flight->bytes);
        return true;
    case MSG_ADVERT:
        if (flight->from == VICTIM) write_bytes(&scene->advert, flight->bytes.at, flight->bytes.n);
        return true;
    case MSG_ROSTER:
        if (scene->roster_to_all) add_victim(a, flight, scene);
        return true;
    default:
        return true;
    }
}

/* The victim accepts its plan; but its advert names it, and nobody else plays on with that. */
static void the_victims_plan_hash_is_in_what_it_signs(void)
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1);
    struct scene scene = {.roster_to_all = true};
    a.filter = show_special_model;
    a.context = &scene;
    arena_begin(&a);
    arena_run(&a);
    CHECK(scene.advert.n > 0);
    CHECK_NUMBER(PHASE_FAILED, a.round.phase);
    for (uint32_t v = 0; v < a.n; v++)
        if (v != VICTIM) CHECK_REFUSED(ROSTER, a.last_refusal[v]);
    for (size_t i = 0; i < a.n_memories; i++) CHECK(a.memory[i].kind == MEMORY_PLAN);
    buffer_free(&scene.advert);
}

/* The victim is shown the others' adverts: they are of another plan. */
static void the_others_plan_hash_is_in_what_the_victim_sees(void)
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1);
    struct scene scene = {.roster_to_all = false};
    a.filter = show_special_model;
    a.context = &scene;
    arena_begin(&a);
    while (a.round.phase == PHASE_KEYS) CHECK(arena_step(&a));
    struct view advert[ARENA_SITES_MAX] = {{0}};
    for (uint32_t v = 0; v < a.n; v++) advert[v] = buffer_view(&a.session[v].advert);
    struct roster roster = {.n = a.n, .advert = advert};
    memcpy(roster.session, a.round.plan.session, MSG_SESSION_BYTES);
    AUTO(buffer_free) struct buffer bytes = {0};
    roster_write(&bytes, &roster, a.coordinator.identity);
    struct outbox out = {0};
    CHECK_NUMBER(SESSION_ROSTER, a.session[VICTIM].phase);
    CHECK_STATUS(STATUS_AUTH,
                 session_message(&a.session[VICTIM], buffer_view(&bytes), a.now_ms, &out));
    CHECK_REFUSED(ROSTER, a.session[VICTIM].why);
    outbox_free(&out);
    buffer_free(&scene.advert);
}

static void inconsistent_model(void)
{
    RUN(the_planned_hash_gives_the_model_away);
    RUN(the_victims_plan_hash_is_in_what_it_signs);
    RUN(the_others_plan_hash_is_in_what_the_victim_sees);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {
        {"A1", "another model for one site", inconsistent_model},
    };
    return row_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
