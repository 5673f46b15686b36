/* SPDX-License-Identifier: Apache-2.0 */
/* The rank test against ranks over the integers (Bareiss), for small worlds. */
#include "protocol/participation.h"

#include <string.h>

#include "crypto/rng.h"
#include "protocol/params.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

enum { SITES_MAX = 6, ROUNDS_MAX = 12 };

/* Rounds as bit masks of their survivors. */
struct past {
    uint32_t n, rounds;
    uint32_t set[ROUNDS_MAX + 1];
};

/* Rank over the rationals of 0/1 rows; fraction-free, so minors of at most 6 x 6 are the numbers.
 */
static uint32_t rank_of(const uint32_t *set, uint32_t rows, uint32_t n)
{
    long long a[ROUNDS_MAX + 2][SITES_MAX];
    for (uint32_t i = 0; i < rows; i++)
        for (uint32_t v = 0; v < n; v++) a[i][v] = set[i] >> v & 1;
    long long last = 1;
    uint32_t rank = 0;
    for (uint32_t column = 0; column < n && rank < rows; column++) {
        uint32_t at = rank;
        while (at < rows && a[at][column] == 0) at++;
        if (at == rows) continue;
        for (uint32_t v = 0; v < n; v++) {
            const long long swap = a[at][v];
            a[at][v] = a[rank][v];
            a[rank][v] = swap;
        }
        for (uint32_t i = rank + 1; i < rows; i++) {
            const long long lead = a[i][column];
            for (uint32_t v = 0; v < n; v++)
                a[i][v] = (a[rank][column] * a[i][v] - lead * a[rank][v]) / last;
        }
        last = a[rank++][column];
    }
    return rank;
}

/* A unit vector is spanned when it adds nothing to the rank. */
static bool isolates(const struct past *past, uint32_t next, uint32_t self)
{
    uint32_t row[ROUNDS_MAX + 2];
    memcpy(row, past->set, past->rounds * sizeof *row);
    row[past->rounds] = next;
    row[past->rounds + 1] = 1u << self;
    return rank_of(row, past->rounds + 1, past->n) == rank_of(row, past->rounds + 2, past->n);
}

static void fill(struct bits *bits, uint32_t set)
{
    for (uint32_t v = 0; v < bits->n; v++) (set >> v & 1 ? bits_set : bits_clear)(bits, v);
}

static void every_answer_agrees(struct participation *basis, const struct past *past)
{
    AUTO(bits_free) struct bits next = {0};
    CHECK_OK(bits_new(&next, past->n));
    for (uint32_t set = 0; set < 1u << past->n; set++) {
        fill(&next, set);
        for (uint32_t self = 0; self < past->n; self++)
            CHECK(participation_isolates(basis, &next, self) == isolates(past, set, self));
    }
    CHECK_NUMBER(rank_of(past->set, past->rounds, past->n), basis->rank);
}

/* Random sets, then every next set and every site after each of them. */
static void answers_are_those_over_the_rationals(void)
{
    AUTO(rng_wipe) struct rng rng = {0};
    rng_numbered(&rng, 1);
    for (uint32_t trial = 0; trial < 60; trial++) {
        struct past past = {.n = 1 + trial % SITES_MAX};
        AUTO(participation_free) struct participation basis = {0};
        AUTO(bits_free) struct bits set = {0};
        CHECK_OK(participation_new(&basis, past.n));
        CHECK_OK(bits_new(&set, past.n));
        every_answer_agrees(&basis, &past);
        while (past.rounds < past.n + 2) {
            past.set[past.rounds] = (uint32_t)rng_below(&rng, UINT64_C(1) << past.n);
            fill(&set, past.set[past.rounds++]);
            participation_add(&basis, &set);
            every_answer_agrees(&basis, &past);
        }
    }
}

static void two_rounds_that_differ_by_one_site_lay_it_bare(void)
{
    enum { N = 100 };
    AUTO(participation_free) struct participation basis = {0};
    AUTO(bits_free) struct bits set = {0};
    CHECK_OK(participation_new(&basis, N));
    CHECK_OK(bits_new(&set, N));
    bits_fill(&set);
    for (uint32_t v = 0; v < N; v++) CHECK(!participation_isolates(&basis, &set, v));
    participation_add(&basis, &set);
    participation_add(&basis, &set);
    CHECK_NUMBER(1, basis.rank);
    bits_clear(&set, 42);
    for (uint32_t v = 0; v < N; v++) CHECK(participation_isolates(&basis, &set, v) == (v == 42));
    bits_clear(&set, 43); /* now the two of them together, neither alone */
    for (uint32_t v = 0; v < N; v++) CHECK(!participation_isolates(&basis, &set, v));
}

/* Groups that come and go whole never show a member, however many rounds there are. */
static void whole_groups_hide_their_members(void)
{
    enum { N = 40, GROUP = 4 };
    AUTO(rng_wipe) struct rng rng = {0};
    rng_numbered(&rng, 2);
    AUTO(participation_free) struct participation basis = {0};
    AUTO(bits_free) struct bits set = {0};
    CHECK_OK(participation_new(&basis, N));
    CHECK_OK(bits_new(&set, N));
    for (uint32_t round = 0; round < 100; round++) {
        for (uint32_t g = 0; g < N / GROUP; g++) {
            const bool in = rng_below(&rng, 2) == 1;
            for (uint32_t v = g * GROUP; v < (g + 1) * GROUP; v++)
                (in ? bits_set : bits_clear)(&set, v);
        }
        for (uint32_t v = 0; v < N; v++) CHECK(!participation_isolates(&basis, &set, v));
        participation_add(&basis, &set);
    }
    CHECK_NUMBER(N / GROUP, basis.rank);
}

static void no_sites_and_too_many_are_refused(void)
{
    struct participation basis = {0};
    CHECK_STATUS(STATUS_RANGE, participation_new(&basis, 0));
    CHECK_STATUS(STATUS_RANGE, participation_new(&basis, PARAMS_SITES_MAX + 1));
    CHECK(basis.row == NULL && basis.n == 0);
    CHECK_OK(participation_new(&basis, PARAMS_SITES_MAX));
    participation_free(&basis);
    CHECK(basis.row == NULL);
}

static void memory_may_end_anywhere(void)
{
    int failures = 0;
    OOM_EACH {
        AUTO(participation_free) struct participation basis = {0};
        enum status status = participation_new(&basis, 3);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
        CHECK((basis.row == NULL) == (status != STATUS_OK));
        failures += status != STATUS_OK;
    }
    CHECK_NUMBER(3, failures);
}

int main(void)
{
    RUN(answers_are_those_over_the_rationals);
    RUN(two_rounds_that_differ_by_one_site_lay_it_bare);
    RUN(whole_groups_hide_their_members);
    RUN(no_sites_and_too_many_are_refused);
    RUN(memory_may_end_anywhere);
    return check_done();
}
