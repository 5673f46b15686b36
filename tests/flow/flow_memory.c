/* SPDX-License-Identifier: Apache-2.0 */
/* A round of three sites in which one allocation after the other fails: the round ends with an
 * exact sum or without one, everybody comes to rest, nothing leaks (under a sanitizer). */
#include "tests/lib/arena.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static const uint64_t dims[1] = {2};

static bool all_at_rest(const struct arena *a)
{
    for (uint32_t v = 0; v < a->n; v++)
        if (a->session[v].phase != SESSION_IDLE) return false;
    return a->round.phase >= PHASE_DONE;
}

/* Whether allocation k was reached. */
static bool fail_allocation(size_t k, size_t *done)
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 3, 0, 1, 1, dims, NULL, 32, 1);
    arena_begin(&a);
    a.starve = true;
    oom_start(k);
    oom_stop();
    arena_run(&a);
    for (size_t i = 0; i < 20 && !all_at_rest(&a); i++) {
        arena_wait(&a);
        arena_deliver(&a);
    }
    CHECK(all_at_rest(&a));
    CHECK(a.round.phase == PHASE_DONE ? arena_sums_exact(&a) : a.round.opened[0].n == 0);
    *done += a.round.phase == PHASE_DONE;
    return oom_hit();
}

static void every_failing_allocation_ends_cleanly(void)
{
    size_t k = 0, done = 0;
    while (fail_allocation(++k, &done)) continue;
    /* Nothing failed in the last round, and a site that lost its memory is a dropout like another.
     */
    CHECK(k > 200);
    CHECK(done > k / 4 && done < k);
}

int main(void)
{
    RUN(every_failing_allocation_ends_cleanly);
    return check_done();
}
