/* SPDX-License-Identifier: Apache-2.0 */
/* Degrees against tests/vectors/degree.csv, and against every placement on small rings. */
#include "protocol/degree.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/vectors.h"

static const char *vectors;

/* corrupt and lost are whole numbers in each row (gamma n and delta n, nothing is rounded); k = 0:
 * no ring. In one row the source had been searched by bisection, which misses the smallest. */
static void the_published_degrees_are_found(void)
{
    struct vectors v;
    vectors_open(&v, vectors);
    int rows = 0;
    while (vectors_next(&v)) {
        struct degree_goal goal = {0};
        struct degree want = {0}, got = {0};
        char server[16];
        CHECK(sscanf(v.line,
                     "%15[a-z],%" SCNu32 ",%" SCNu32 ",%" SCNu32 ",%" SCNu32 ",%" SCNu32 ",%" SCNu32
                     ",%" SCNu32,
                     server, &goal.n, &goal.corrupt, &goal.lost, &goal.secrecy, &goal.recovery,
                     &want.k, &want.t) == 8);
        goal.least = goal.n;
        goal.honest_but_curious = strcmp(server, "curious") == 0;
        CHECK_STATUS(want.k > 0 ? STATUS_OK : STATUS_RANGE, degree_find(&got, &goal));
        CHECK_NUMBER(want.k, got.k);
        CHECK_NUMBER(want.t, got.t);
        CHECK(degree_fits(&want, &goal) == (want.k > 0));
        rows++;
    }
    CHECK_NUMBER(92, rows);
}

static const struct degree_goal thousand = {
    .n = 1000, .corrupt = 50, .lost = 100, .least = 900, .secrecy = 60, .recovery = 20};

static void nothing_smaller_fits(void)
{
    struct degree best = {0};
    CHECK_OK(degree_find(&best, &thousand));
    CHECK(degree_fits(&best, &thousand));
    for (uint32_t k = 1; k < best.k; k++)
        for (uint32_t t = 0; t <= k; t++)
            CHECK(!degree_fits(&(struct degree){.k = k, .t = t}, &thousand));
    for (uint32_t t = 0; t < best.t; t++)
        CHECK(!degree_fits(&(struct degree){.k = best.k, .t = t}, &thousand));
    CHECK(!degree_fits(&(struct degree){.k = best.k, .t = best.k + 1}, &thousand));
}

static void odd_degrees_never_fit(void)
{
    struct degree best = {0};
    CHECK_OK(degree_find(&best, &thousand));
    CHECK(degree_fits(&(struct degree){.k = best.k + 20, .t = best.t + 12}, &thousand));
    for (uint32_t t = 1; t <= best.k + 21; t++)
        CHECK(!degree_fits(&(struct degree){.k = best.k + 21, .t = t}, &thousand));
}

/* What is found for T = 900 of 1000 holds whichever of the lost never come to the ring. */
static void every_smaller_ring_is_covered(void)
{
    struct degree degree = {0};
    CHECK_OK(degree_find(&degree, &thousand));
    for (uint32_t n = 900; n <= 1000; n++) {
        struct degree_goal goal = thousand;
        goal.n = goal.least = n;
        goal.lost = n - 900;
        CHECK(degree_fits(&degree, &goal));
    }
    /* And it has to: the threshold of the full ring does not hold on the smallest. */
    struct degree_goal full = thousand;
    full.least = full.n;
    struct degree lighter = {0};
    CHECK_OK(degree_find(&lighter, &full));
    CHECK(lighter.k < degree.k && !degree_fits(&lighter, &thousand));
}

static void goals_without_an_answer_are_refused(void)
{
    static const struct degree_goal bad[] = {
        {.n = 0},
        {.n = 10, .least = 0},
        {.n = 10, .least = 11},
        {.n = 10, .least = 5, .corrupt = 5},
        {.n = 10, .least = 5, .lost = 10},
        {.n = 10, .least = 2}, /* no even degree below 2 */
        {.n = 10, .least = 10, .corrupt = 3, .lost = 3, .secrecy = 40, .recovery = 20},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct degree degree = {.k = 7, .t = 7};
        CHECK_STATUS(STATUS_RANGE, degree_find(&degree, &bad[i]));
        CHECK(degree.k == 7 && degree.t == 7);
        CHECK(!degree_fits(&(struct degree){.k = 2, .t = 2}, &bad[i]));
    }
    const struct degree_goal half = {.n = 10, .corrupt = 5, .lost = 5, .secrecy = 40};
    CHECK_NUMBER(0, degree_connected(&half));
    CHECK_NUMBER(0, degree_connected(&(struct degree_goal){.n = 10, .lost = 10}));
}

/* --- small rings, every placement; sets of places are bit masks --------------------------------
 */

static bool near(uint32_t n, uint32_t k, uint32_t a, uint32_t b)
{
    const uint32_t step = (b + n - a) % n;
    return step != 0 && (step <= k / 2 || n - step <= k / 2);
}

static uint32_t neighbours(uint32_t n, uint32_t k, uint32_t a)
{
    uint32_t set = 0;
    for (uint32_t b = 0; b < n; b++)
        if (near(n, k, a, b)) set |= 1u << b;
    return set;
}

static uint32_t count(uint32_t set)
{
    return (uint32_t)__builtin_popcount(set);
}

static bool is_connected(uint32_t n, uint32_t k, uint32_t left)
{
    uint32_t seen = left & -left, before = 0;
    while (seen != before) {
        before = seen;
        for (uint32_t a = 0; a < n; a++)
            if (seen >> a & 1) seen |= neighbours(n, k, a) & left;
    }
    return seen == left;
}

/* Whether clearing some `lost` places beside the corrupt ones parts the rest. */
static bool can_be_cut(uint32_t n, uint32_t k, uint32_t corrupt, uint32_t lost)
{
    const uint32_t all = (1u << n) - 1;
    for (uint32_t gone = 0; gone <= all; gone++)
        if (count(gone) <= lost && !is_connected(n, k, all & ~(corrupt | gone))) return true;
    return false;
}

/* Share of the placements of `corrupt` sites in which it holds. */
static double share_of(uint32_t n, uint32_t corrupt, uint32_t k, uint32_t x,
                       bool (*holds)(uint32_t n, uint32_t k, uint32_t set, uint32_t x))
{
    double all = 0, held = 0;
    for (uint32_t set = 0; set < 1u << n; set++) {
        if (count(set) != corrupt) continue;
        all++;
        held += holds(n, k, set, x);
    }
    return held / all;
}

static bool someone_has(uint32_t n, uint32_t k, uint32_t set, uint32_t x)
{
    for (uint32_t a = 0; a < n; a++)
        if (count(neighbours(n, k, a) & set) >= x) return true;
    return false;
}

static bool is_parted(uint32_t n, uint32_t k, uint32_t set, uint32_t unused)
{
    (void)unused;
    return !is_connected(n, k, ((1u << n) - 1) & ~set);
}

static void degrees_keep_their_promise_on_small_rings(void)
{
    int found = 0;
    for (uint32_t n = 5; n <= 12; n++)
        for (uint32_t corrupt = 0; corrupt <= 2; corrupt++)
            for (uint32_t lost = 0; lost <= 2; lost++)
                for (uint32_t bits = 1; bits <= 3; bits++) {
                    const struct degree_goal goal = {.n = n,
                                                     .least = n - lost,
                                                     .corrupt = corrupt,
                                                     .lost = lost,
                                                     .secrecy = bits,
                                                     .recovery = bits};
                    struct degree d = {0};
                    if (degree_find(&d, &goal) != STATUS_OK) continue;
                    found++;
                    const double bound = 1.0 / (1 << bits);
                    CHECK(share_of(n, corrupt + lost, d.k, 0, is_parted) < bound / 2);
                    for (uint32_t size = goal.least; size <= n; size++)
                        CHECK(share_of(size, corrupt, d.k, 2 * d.t - d.k, someone_has) < bound / 2);
                    CHECK(share_of(n, lost, d.k, d.k - d.t + 1, someone_has) < bound);
                }
    CHECK(found > 50);
}

/* The coordinator sees the ring before it picks who drops out. */
static void pads_hold_the_rest_together_whoever_drops_out(void)
{
    int found = 0;
    for (uint32_t n = 4; n <= 11; n++)
        for (uint32_t corrupt = 0; corrupt <= 2; corrupt++)
            for (uint32_t lost = 0; lost <= 3; lost++) {
                const struct degree_goal goal = {
                    .n = n, .corrupt = corrupt, .lost = lost, .secrecy = 1};
                const uint32_t k = degree_connected(&goal);
                if (k == 0) continue;
                CHECK(k % 2 == 0 && k < n && k > lost);
                CHECK(share_of(n, corrupt, k, lost, can_be_cut) < 0.25);
                found++;
            }
    CHECK(found > 20);
    /* With no corrupt site a ring is cut when the coordinator has k places to clear. */
    CHECK_NUMBER(4, degree_connected(&(struct degree_goal){.n = 9, .lost = 3, .secrecy = 40}));
    CHECK(!can_be_cut(9, 4, 0, 3) && can_be_cut(9, 4, 0, 4));
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 2);
    vectors = argv[1];
    RUN(the_published_degrees_are_found);
    RUN(nothing_smaller_fits);
    RUN(odd_degrees_never_fit);
    RUN(every_smaller_ring_is_covered);
    RUN(goals_without_an_answer_are_refused);
    RUN(degrees_keep_their_promise_on_small_rings);
    RUN(pads_hold_the_rest_together_whoever_drops_out);
    return check_done();
}
