/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/pick.h"

#include <string.h>

#include "tests/lib/check.h"

static void seed_of(uint8_t seed[static RNG_SEED_BYTES], uint64_t number)
{
    memset(seed, 0, RNG_SEED_BYTES);
    memcpy(seed, &number, sizeof number);
}

/* The set as bits, from n <= 64. */
static uint64_t set_of(uint64_t n, uint64_t k, uint64_t number)
{
    uint8_t seed[RNG_SEED_BYTES];
    struct pick pick;
    uint64_t set = 0;
    seed_of(seed, number);
    pick_start(&pick, n, k, seed);
    for (uint64_t i = 0; i < n; i++) set |= (uint64_t)pick_next(&pick) << i;
    return set;
}

static void as_many_are_picked_as_were_asked_for(void)
{
    uint64_t off = 0;
    for (uint64_t n = 1; n <= 40; n++)
        for (uint64_t k = 0; k <= n; k++)
            for (uint64_t seed = 0; seed < 20; seed++)
                off += (uint64_t)__builtin_popcountll(set_of(n, k, seed)) != k;
    CHECK_NUMBER(0, off);
}

/* The 20 sets of 3 of 6: chi-square with 19 degrees of freedom is above 73 with a chance of 3e-8.
 */
static void each_set_is_as_likely_as_any_other(void)
{
    enum { DRAWS = 40000, SETS = 20 };
    uint32_t count[64] = {0};
    double chi2 = 0;
    uint32_t sets = 0;
    for (uint64_t seed = 0; seed < DRAWS; seed++) count[set_of(6, 3, seed)]++;
    for (size_t set = 0; set < 64; set++) {
        const double off = count[set] - (double)DRAWS / SETS;
        if (count[set] > 0) chi2 += off * off * SETS / DRAWS;
        sets += count[set] > 0;
    }
    CHECK_NUMBER(SETS, sets);
    CHECK(chi2 < 73);
}

static void a_seed_replays_and_another_does_not(void)
{
    CHECK_NUMBER(set_of(60, 30, 7), set_of(60, 30, 7));
    CHECK(set_of(60, 30, 7) != set_of(60, 30, 8));
}

static void where_all_are_picked_nothing_is_drawn(void)
{
    uint8_t seed[RNG_SEED_BYTES];
    struct pick pick;
    seed_of(seed, 1);
    pick_start(&pick, 1000, 1000, seed);
    const size_t used = pick.rng.used;
    bool all = true;
    for (size_t i = 0; i < 1000; i++) all = pick_next(&pick) && all;
    CHECK(all && pick.rng.used == used);
}

static void a_share_is_the_nearest_number_and_at_least_one(void)
{
    CHECK_NUMBER(7, pick_count(100, 0.07));
    CHECK_NUMBER(1, pick_count(3, 1e-9));
    CHECK_NUMBER(1, pick_count(1, 0.5));
    CHECK_NUMBER(2, pick_count(4, 0.6));
    CHECK_NUMBER(3, pick_count(4, 0.63));
    CHECK_NUMBER(UINT64_C(1) << 28, pick_count(UINT64_C(1) << 28, 1));
}

int main(void)
{
    RUN(as_many_are_picked_as_were_asked_for);
    RUN(each_set_is_as_likely_as_any_other);
    RUN(a_seed_replays_and_another_does_not);
    RUN(where_all_are_picked_nothing_is_drawn);
    RUN(a_share_is_the_nearest_number_and_at_least_one);
    return check_done();
}
