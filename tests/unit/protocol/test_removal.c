/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/removal.h"

#include <string.h>

#include "crypto/kdf.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

enum { N = 8, DIM = 50 };

/* Eight sites of which three may drop out and one may collude. */
static uint64_t cohort = 0xff, members = 0xff;
static const struct plan base = {.params = {.n = N, .c = 1, .t = 5, .quorum = 5, .m = 2},
                                 .cohort = {N, &cohort},
                                 .grid = {.sigma = 100},
                                 .removable = 3,
                                 .n_segments = 1,
                                 .segment = {{.dim = DIM, .members = {N, &members}}}};

static const uint8_t seed[SHARE_BYTES] = {1, 2, 3};
static const struct hash plan_hash = {{4, 5}}, roster = {{6, 7}};

static void the_parts_are_those_of_the_cohort(void)
{
    struct xnoise parts, want;
    CHECK_OK(removal_parts(&parts, &base));
    CHECK_OK(xnoise_of(&want, 100, 8, 5, 1));
    CHECK_BYTES(&want, &parts, sizeof parts);
    uint64_t seven = 0x7f;
    struct plan plan = base;
    plan.removable = 2;
    plan.cohort.word = plan.segment[0].members.word = &seven;
    CHECK_OK(removal_parts(&parts, &plan));
    CHECK_OK(xnoise_of(&want, 100, 7, 5, 1));
    CHECK_BYTES(&want, &parts, sizeof parts);
}

/* Nothing else is asked of such a plan. */
static void without_removable_parts_the_noise_is_one_share(void)
{
    struct plan plan = base;
    plan.removable = 0;
    plan.params.k = 6;
    plan.sampler = NOISE_TABLE;
    for (uint32_t sigma = 0; sigma < 3; sigma++) {
        plan.grid.sigma = sigma;
        struct xnoise parts;
        CHECK_OK(removal_parts(&parts, &plan));
        CHECK_NUMBER(sigma, parts.sigma[0]);
        CHECK_NUMBER(0, parts.removable + parts.sigma[1]);
    }
}

static void refuse(const struct plan *plan)
{
    struct xnoise parts, before;
    memset(&parts, 7, sizeof parts);
    before = parts;
    CHECK_STATUS(STATUS_RANGE, removal_parts(&parts, plan));
    CHECK_BYTES(&before, &parts, sizeof parts);
}

static void plans_whose_noise_cannot_be_taken_away_are_refused(void)
{
    uint64_t some = 0x7f;
    struct plan plan[8];
    for (size_t i = 0; i < 8; i++) plan[i] = base;
    plan[0].params.k = 6;
    plan[1].sampler = NOISE_TABLE;
    plan[2].removable = 2;
    plan[3].removable = 4;
    plan[4].grid.sigma = 0;
    plan[5].segment[0].members.word = &some;
    plan[6].cohort.word = &some;
    plan[7].params.c = 5;
    for (size_t i = 0; i < 8; i++) refuse(&plan[i]);
}

static void what_is_too_much_begins_behind_the_dropouts(void)
{
    static const uint64_t sets[] = {0xff, 0xfe, 0x7e, 0x76};
    static const uint32_t first[] = {1, 2, 3, 0};
    for (size_t i = 0; i < 4; i++) {
        uint64_t word = sets[i];
        const struct bits survivors = {N, &word};
        CHECK_NUMBER(first[i], removal_first(&base, &survivors));
        struct plan plan = base;
        plan.removable = 0;
        CHECK_NUMBER(0, removal_first(&plan, &survivors));
    }
}

/* The derivations, written out once more. */
static void seeds_and_commitments_are_as_specified(void)
{
    uint8_t next[SHARE_BYTES], want[SHARE_BYTES];
    memcpy(next, seed, sizeof next);
    for (size_t i = 0; i < 40; i++) {
        kdf_derive(want, next, "next noise", (struct view){0});
        want[31] &= 0x7f;
        removal_next(next);
        CHECK_BYTES(want, next, sizeof next);
        CHECK(share_canonical(next, &SHARE_FIELD));
    }
    const struct hash commitment = removal_commit(seed),
                      hash = hash_of("noise seed", (struct view){seed, sizeof seed});
    CHECK(hash_equal(&hash, &commitment));
}

static void a_part_is_the_exact_samplers_from_its_key(void)
{
    uint8_t context[64], key[32];
    memcpy(context, plan_hash.bytes, 32);
    memcpy(context + 32, roster.bytes, 32);
    kdf_derive(key, seed, "noise", (struct view){context, sizeof context});
    struct rng rng = {0};
    rng_seeded(&rng, key);
    AUTO(noise_free) struct noise got = {0}, want = {0};
    CHECK_OK(noise_draw(&want, DIM, 33, NOISE_EXACT, &rng));
    CHECK_OK(removal_draw(&got, DIM, 33, seed, &plan_hash, &roster));
    CHECK_NUMBER(DIM, got.n);
    CHECK_BYTES(want.value, got.value, DIM * sizeof *got.value);
}

/* Both ends must draw these, whatever machine they are: the values as they were first drawn. */
static void a_part_is_the_same_everywhere(void)
{
    static const int32_t small[8] = {-38, -17, -6, -30, 38, 72, 21, -27},
                         large[8] = {-1431484, -663978, -245546,  -1134013,
                                     1435519,  789073,  -1020621, -597294};
    AUTO(noise_free) struct noise a = {0}, b = {0};
    CHECK_OK(removal_draw(&a, 8, 33, seed, &plan_hash, &roster));
    CHECK_OK(removal_draw(&b, 8, 1234567, seed, &plan_hash, &roster));
    for (size_t i = 0; i < 8; i++) {
        CHECK_NUMBER(small[i], (int32_t)a.value[i]);
        CHECK_NUMBER(large[i], (int32_t)b.value[i]);
    }
}

static void everything_that_is_bound_changes_a_part(void)
{
    AUTO(noise_free) struct noise a = {0}, b = {0}, c = {0}, d = {0};
    uint8_t other_seed[SHARE_BYTES];
    memcpy(other_seed, seed, sizeof seed);
    removal_next(other_seed);
    struct hash other = plan_hash;
    other.bytes[31] ^= 1;
    CHECK_OK(removal_draw(&a, DIM, 1000, seed, &plan_hash, &roster));
    CHECK_OK(removal_draw(&b, DIM, 1000, other_seed, &plan_hash, &roster));
    CHECK_OK(removal_draw(&c, DIM, 1000, seed, &other, &roster));
    CHECK_OK(removal_draw(&d, DIM, 1000, seed, &plan_hash, &other));
    const uint32_t *const value[] = {a.value, b.value, c.value, d.value};
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < i; j++)
            CHECK(memcmp(value[i], value[j], DIM * sizeof *a.value) != 0);
}

static void a_part_needs_memory(void)
{
    OOM_EACH {
        struct noise part = {0};
        const enum status status = removal_draw(&part, DIM, 5, seed, &plan_hash, &roster);
        oom_stop();
        if (status != STATUS_OK) {
            CHECK_STATUS(STATUS_NOMEM, status);
            CHECK(part.n == 0 && part.value == NULL);
        }
        noise_free(&part);
    }
}

int main(void)
{
    RUN(the_parts_are_those_of_the_cohort);
    RUN(without_removable_parts_the_noise_is_one_share);
    RUN(plans_whose_noise_cannot_be_taken_away_are_refused);
    RUN(what_is_too_much_begins_behind_the_dropouts);
    RUN(seeds_and_commitments_are_as_specified);
    RUN(a_part_is_the_exact_samplers_from_its_key);
    RUN(a_part_is_the_same_everywhere);
    RUN(everything_that_is_bound_changes_a_part);
    RUN(a_part_needs_memory);
    return check_done();
}
