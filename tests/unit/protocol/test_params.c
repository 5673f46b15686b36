/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds of the complete graph against a published table and against the definition; rings
 * against numbers in exact fractions. */
#include "protocol/params.h"

#include "crypto/share.h"
#include "tests/lib/check.h"

/* n, c, t = T, dropouts that are tolerated, honest inputs that are guaranteed. */
static const uint32_t table[][5] = {
    {5, 1, 4, 1, 3},       {8, 1, 5, 3, 4},       {10, 1, 6, 4, 5},     {10, 2, 7, 3, 5},
    {10, 3, 7, 3, 4},      {20, 2, 12, 8, 10},    {20, 4, 13, 7, 9},    {20, 6, 14, 6, 8},
    {50, 5, 28, 22, 23},   {50, 10, 31, 19, 21},  {50, 16, 34, 16, 18}, {100, 10, 56, 44, 46},
    {100, 20, 61, 39, 41}, {100, 33, 67, 33, 34},
};

/* n, c, T, then k, t, degree of the pads among n, and among 600 (513 where n is 513): computed with
 * Python's fractions from the conditions in SPEC.md. */
static const uint32_t rings[][7] = {
    {513, 5, 461, 40, 23, 58, 58},        {600, 30, 540, 80, 55, 92, 92},
    {1000, 50, 900, 94, 65, 144, 150},    {1000, 100, 950, 84, 65, 104, 116},
    {1000, 330, 900, 298, 241, 266, 372}, {2000, 100, 1900, 72, 54, 150, 182},
};

static struct params of(uint32_t n, uint32_t c)
{
    uint32_t t = params_threshold(n, c);
    return (struct params){.n = n, .c = c, .t = t, .quorum = t, .m = 1};
}

static struct params ring_of(uint32_t n, uint32_t c, uint32_t quorum)
{
    struct params p = {.n = n, .c = c, .quorum = quorum, .m = 1};
    CHECK_OK(params_ring(&p.k, &p.t, n, c, quorum));
    return p;
}

static void thresholds_are_those_of_the_table(void)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const uint32_t *row = table[i];
        const struct params p = of(row[0], row[1]);
        CHECK_NUMBER(row[2], p.t);
        CHECK(params_sound(&p));
        CHECK_NUMBER(row[3], p.n - p.t);
        CHECK_NUMBER(row[4], params_honest(&p));
    }
}

/* Least t with 2 t > n + c: two quorums share an honest site, both kinds of shares need too many.
 */
static void the_threshold_is_the_least_sound_one(void)
{
    for (uint32_t n = 1; n <= 64; n++)
        for (uint32_t c = 0; c < n; c++) {
            const uint32_t t = params_threshold(n, c);
            CHECK(2 * t > n + c && 2 * (t - 1) <= n + c);
            /* Two quorums of t have at least 2 t - n sites in common. */
            CHECK(2 * t - n > c);
        }
    CHECK_NUMBER(UINT32_MAX, params_threshold(UINT32_MAX, UINT32_MAX - 2));
}

static void what_is_unsound_is_said_to_be(void)
{
    const struct params good = of(10, 2);
    struct params p = good;
    CHECK(params_sound(&p));
    p.t = good.t - 1;
    CHECK(!params_sound(&p));
    p.t = p.n;
    CHECK(params_sound(&p));
    p.t = p.n + 1;
    CHECK(!params_sound(&p));
    p = good;
    p.quorum = good.quorum - 1;
    CHECK(!params_sound(&p));
    p.quorum = p.n + 1;
    CHECK(!params_sound(&p));
    p = good;
    p.m = 0;
    CHECK(!params_sound(&p));
    p.m = good.quorum - good.c;
    CHECK(params_sound(&p));
    p.m++;
    CHECK(!params_sound(&p));
    p.m = UINT32_MAX - 1; /* m + c would wrap to 0 */
    CHECK(!params_sound(&p));
    p = good;
    p.c = p.n;
    CHECK(!params_sound(&p));
    p = (struct params){0};
    CHECK(!params_sound(&p));
    p = of(SHARE_SITES_MAX, 100);
    CHECK(params_sound(&p));
    p = of(SHARE_SITES_MAX + 1, 100); /* more than one dealer can share with */
    CHECK(!params_sound(&p));
}

static void rings_are_those_of_exact_arithmetic(void)
{
    for (size_t i = 0; i < sizeof rings / sizeof *rings; i++) {
        const uint32_t *row = rings[i];
        const struct params p = ring_of(row[0], row[1], row[2]);
        CHECK_NUMBER(row[3], p.k);
        CHECK_NUMBER(row[4], p.t);
        CHECK(params_sound(&p));
        CHECK_NUMBER(row[2] - row[1], params_honest(&p));
        CHECK_NUMBER(row[5], params_segment_degree(&p, p.n));
        CHECK_NUMBER(row[6], params_segment_degree(&p, p.n > 600 ? 600 : 513));
    }
}

static void an_unsound_ring_is_said_to_be(void)
{
    const struct params good = ring_of(1000, 50, 900);
    struct params p = good;
    p.t--;
    CHECK(!params_sound(&p));
    p = good;
    p.t = p.k + 1;
    CHECK(!params_sound(&p));
    p = good;
    p.k -= 2;
    CHECK(!params_sound(&p));
    p = good;
    p.k++;
    CHECK(!params_sound(&p));
    p = (struct params){
        .n = 2000, .c = 100, .t = 650, .quorum = 1900, .k = SHARE_SITES_MAX, .m = 3};
    CHECK(params_sound(&p));
    p.k += 2; /* more than one dealer can share with */
    CHECK(!params_sound(&p));
    p = good;
    p.quorum--; /* one more may drop out than k and t were made for, and one less has to come */
    p.c += 5;
    CHECK(!params_sound(&p));
    p = good;
    p.quorum = params_threshold(p.n, p.c) - 1;
    CHECK(!params_sound(&p));
    p = good;
    p.m = p.quorum - p.c;
    CHECK(params_sound(&p));
    p.m++;
    CHECK(!params_sound(&p));
    /* Few sites can have a ring too, where no chance is left. */
    p = (struct params){.n = 20, .c = 1, .t = 3, .quorum = 19, .k = 4, .m = 3};
    CHECK(params_sound(&p));
    p.k = 20;
    p.t = 15;
    CHECK(!params_sound(&p));
}

static void the_smallest_quorum_with_a_ring_is_found(void)
{
    static const uint32_t sites[][2] = {{513, 0}, {600, 60}, {1000, 100}, {2048, 20}};
    for (size_t i = 0; i < sizeof sites / sizeof *sites; i++) {
        const uint32_t n = sites[i][0], c = sites[i][1], least = params_ring_quorum(n, c);
        struct params p = ring_of(n, c, least);
        CHECK(params_sound(&p) && p.k <= SHARE_SITES_MAX && p.k < least);
        p.k = p.t = 7;
        CHECK_STATUS(STATUS_RANGE, params_ring(&p.k, &p.t, n, c, least - 1));
        CHECK(p.k == 7 && p.t == 7);
    }
    CHECK_NUMBER(0, params_ring_quorum(2000, 1950));
    CHECK_NUMBER(0, params_ring_quorum(PARAMS_SITES_MAX + 1, 0));
}

static void quorums_that_are_unsound_have_no_ring(void)
{
    uint32_t k = 7, t = 7;
    CHECK_STATUS(STATUS_RANGE, params_ring(&k, &t, 1000, 1000, 1000));
    CHECK_STATUS(STATUS_RANGE, params_ring(&k, &t, 1000, 50, 1001));
    CHECK_STATUS(STATUS_RANGE, params_ring(&k, &t, 1000, 900, 950));
    CHECK_STATUS(STATUS_RANGE, params_ring(&k, &t, 0, 0, 0));
    CHECK_STATUS(STATUS_RANGE, params_ring(&k, &t, PARAMS_SITES_MAX + 1, 5, PARAMS_SITES_MAX));
    CHECK(k == 7 && t == 7);
}

static void small_segments_and_complete_studies_pad_every_pair(void)
{
    const struct params ring = ring_of(1000, 50, 900), complete = of(1000, 50);
    CHECK_NUMBER(0, params_segment_degree(&ring, PARAMS_COMPLETE_MAX));
    CHECK(params_segment_degree(&ring, PARAMS_COMPLETE_MAX + 1) > 100);
    CHECK_NUMBER(0, params_segment_degree(&complete, 1000));
    /* All that may drop out may be members of the same segment: no ring of it would hold. */
    const struct params thin = ring_of(2000, 20, 1300);
    CHECK_NUMBER(0, params_segment_degree(&thin, 700));
    const struct params corrupt = ring_of(2048, 675, 1900);
    CHECK_NUMBER(0, params_segment_degree(&corrupt, 600));
}

int main(void)
{
    RUN(thresholds_are_those_of_the_table);
    RUN(the_threshold_is_the_least_sound_one);
    RUN(what_is_unsound_is_said_to_be);
    RUN(rings_are_those_of_exact_arithmetic);
    RUN(an_unsound_ring_is_said_to_be);
    RUN(the_smallest_quorum_with_a_ring_is_found);
    RUN(quorums_that_are_unsound_have_no_ring);
    RUN(small_segments_and_complete_studies_pad_every_pair);
    return check_done();
}
