/* SPDX-License-Identifier: Apache-2.0 */
/* A10, a sum over too few: the coordinator plans, or claims, a segment with fewer contributors than
 * the minimum and the conspirators together. */
#include "tests/attack/row.h"
#include "tests/lib/forge.h"

#define VICTIM 0

static const uint64_t dims[2] = {4, 3};
/* Segment 1 has four members and needs m + c = 4. */
static const uint32_t members[2] = {31, 15};

static enum reason refusal(enum msg_kind kind, void (*change)(struct arena *, void *))
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 5, 1, 3, 2, dims, members, 32, 1);
    a.manifest.floor.m = 3;
    a.plan.manifest = manifest_hash(&a.manifest);
    struct forgery forgery = {.kind = kind, .site = VICTIM, .change = change};
    a.filter = forge;
    a.context = &forgery;
    arena_begin(&a);
    arena_run(&a);
    CHECK(forgery.done);
    return a.last_refusal[VICTIM];
}

static void alone(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    for (uint32_t v = 1; v < 5; v++) bits_clear(&plan->segment[1].members, v);
}

static void one_fewer(struct arena *a, void *content)
{
    (void)a;
    bits_clear(&((struct plan *)content)->segment[1].members, 3);
}

static void lower_minimum(struct arena *a, void *content)
{
    (void)a;
    ((struct plan *)content)->params.m = 1;
}

static void a_segment_of_few_is_not_planned(void)
{
    CHECK_REFUSED(CONTRIBUTORS, refusal(MSG_PLAN, alone));
    CHECK_REFUSED(CONTRIBUTORS, refusal(MSG_PLAN, one_fewer));
}

static void the_minimum_is_not_the_coordinators_to_lower(void)
{
    CHECK_REFUSED(THRESHOLD, refusal(MSG_PLAN, lower_minimum));
}

static bool without_site_1(struct arena *a, struct flight *flight)
{
    if (flight->from == 1 && flight_kind(flight) == MSG_MASKED) return false;
    return forge(a, flight);
}

static void open_all(struct arena *a, void *content)
{
    (void)a;
    bits_set(&((struct forged_survivors *)content)->statement.opened, 1);
}

/* Site 1 dropped, so segment 1 must stay sealed; the coordinator claims otherwise. */
static void a_segment_that_fell_below_is_not_opened(void)
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 5, 1, 3, 2, dims, members, 32, 1);
    struct forgery forgery = {.kind = MSG_SURVIVORS, .site = VICTIM, .change = open_all};
    a.filter = without_site_1;
    a.context = &forgery;
    arena_begin(&a);
    arena_run(&a);
    CHECK(forgery.done);
    CHECK_REFUSED(SURVIVORS, a.last_refusal[VICTIM]);
}

static void few(void)
{
    RUN(a_segment_of_few_is_not_planned);
    RUN(the_minimum_is_not_the_coordinators_to_lower);
    RUN(a_segment_that_fell_below_is_not_opened);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {
        {"A10", "a sum over too few", few},
    };
    return row_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
