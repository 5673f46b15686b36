/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds of the complete graph against a published table and against the definition. */
#include "protocol/params.h"
#include "tests/lib/check.h"

/* n, c, t = T, dropouts that are tolerated, honest inputs that are guaranteed. */
static const uint32_t table[][5] = {
    {5, 1, 4, 1, 3},       {8, 1, 5, 3, 4},       {10, 1, 6, 4, 5},     {10, 2, 7, 3, 5},
    {10, 3, 7, 3, 4},      {20, 2, 12, 8, 10},    {20, 4, 13, 7, 9},    {20, 6, 14, 6, 8},
    {50, 5, 28, 22, 23},   {50, 10, 31, 19, 21},  {50, 16, 34, 16, 18}, {100, 10, 56, 44, 46},
    {100, 20, 61, 39, 41}, {100, 33, 67, 33, 34},
};

static struct params of(uint32_t n, uint32_t c)
{
    uint32_t t = params_threshold(n, c);
    return (struct params){.n = n, .c = c, .t = t, .quorum = t, .m = 1};
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
    p = of(PARAMS_SITES_MAX, 100);
    CHECK(params_sound(&p));
    p = of(PARAMS_SITES_MAX + 1, 100);
    CHECK(!params_sound(&p));
}

int main(void)
{
    RUN(thresholds_are_those_of_the_table);
    RUN(the_threshold_is_the_least_sound_one);
    RUN(what_is_unsound_is_said_to_be);
    return check_done();
}
