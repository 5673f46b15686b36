/* SPDX-License-Identifier: Apache-2.0 */
/* Random courses of two studies on the same patients, in which either may crash between any two
 * writes. */
#include "tests/lib/check.h"
#include "tests/unit/client/till.h"

static struct till till, other;

#define COURSES 12
#define MOVES 60
#define LEFT_MAX 200

/* A round as its site sees it, kept by the test. */
struct course {
    struct till *till;
    uint32_t round;
    enum { IDLE, PLANNED, RESERVED, SENT } at;
    size_t left; /* place of its release among those that left */
};

/* Everything that really left, with what it really had; and what the site may assume of it. */
static struct release left[LEFT_MAX], assumed[LEFT_MAX];
static size_t n_left;

static struct rng chance;

static uint32_t pick(uint32_t n)
{
    uint8_t bytes[4];
    rng_bytes(&chance, bytes, sizeof bytes);
    return (bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16) % n;
}

static double cost(const struct release *release, size_t n, uint32_t order, double delta)
{
    struct account account = {0};
    for (size_t i = 0; i < n; i++) CHECK_OK(account_add(&account, &release[i], 1));
    return account_epsilon_at(&account, order, delta);
}

static void plan(struct course *c)
{
    struct books_refusal why = {0};
    CHECK_OK(budget_balance(&c->till->budget, 5));
    const enum status status = budget_bears(&c->till->budget, &c->till->plan, &why);
    CHECK(status == STATUS_OK || status == STATUS_BUDGET);
    if (status != STATUS_OK) return;
    c->round++;
    CHECK_OK(till_enter(c->till, MEMORY_PLAN, c->round, 0));
    c->at = PLANNED;
}

/* The other study may have taken the rest since the plan was judged. */
static void reserve(struct course *c)
{
    const enum status status = till_reserve(c->till, c->round);
    CHECK(status == STATUS_OK || status == STATUS_BUDGET);
    c->at = status == STATUS_OK ? RESERVED : IDLE;
}

/* The dropouts are chosen now; the site hears of them when, and if, the result comes. */
static void leave(struct course *c)
{
    CHECK(budget_holds(&c->till->budget, c->round));
    CHECK_OK(till_enter(c->till, MEMORY_INPUT, c->round, 0));
    const uint32_t survivors = till_fewest(&till) + pick(TILL_SITES - till_fewest(&till) + 1);
    left[n_left] = till_release(c->till, survivors);
    assumed[n_left] = till_release(c->till, till_fewest(&till));
    c->left = n_left++;
    c->at = SENT;
}

static void hear(struct course *c)
{
    if (pick(4) > 0) {
        const uint32_t survivors = left[c->left].n_shares + TILL_COLLUDING;
        CHECK_OK(till_enter(c->till, MEMORY_RESULT, c->round, survivors));
        assumed[c->left] = left[c->left];
        if (pick(3) == 0) CHECK_OK(till_open(c->till)); /* before it is settled */
        CHECK_OK(budget_balance(&c->till->budget, 5));
    }
    c->at = IDLE;
}

static void crash(struct course *c)
{
    CHECK_OK(till_open(c->till));
    c->at = IDLE;
}

static void move(struct course *c)
{
    if (pick(5) == 0) {
        crash(c);
    } else if (c->at == IDLE) {
        plan(c);
    } else if (c->at == PLANNED) {
        reserve(c);
    } else if (c->at == RESERVED) {
        if (pick(5) == 0)
            c->at = IDLE; /* the round failed before its input */
        else
            leave(c);
    } else {
        hear(c);
    }
}

/* The ledger never says less than what left; and what left never crosses the limit. */
static void check_course(struct till *own, double limit)
{
    struct ledger_fault fault = {0};
    AUTO(ledger_close) struct ledger ledger = {0};
    CHECK_OK(ledger_open(&ledger, own->ledger_path, NULL, &fault));
    struct account account = {0};
    CHECK_OK(books_of_set(&account, NULL, &ledger.books, 0, ADVERSARY_COLLUSION));
    const uint32_t order = ledger.books.set[0].order;
    const double said =
        books_epsilon(&account, order, own->policy.lifetime_delta, (struct books_sampler){0});
    CHECK(said >= cost(left, n_left, order, own->policy.lifetime_delta) - 1e-9);
    CHECK(said >= cost(assumed, n_left, order, own->policy.lifetime_delta) - 1e-9);
    CHECK(cost(left, n_left, order, own->policy.lifetime_delta) <= limit + 1e-9);
}

static size_t run_course(uint64_t seed)
{
    rng_numbered(&chance, seed);
    n_left = 0;
    const double limit = 2.5 + 0.5 * pick(6);
    char folder[TILL_FOLDER];
    till_make_two(folder, &till, &other, limit);
    CHECK_OK(till_begin(&other));
    CHECK_OK(till_open(&other));
    struct course course[2] = {{.till = &till}, {.till = &other}};
    for (uint32_t i = 0; i < MOVES && n_left < LEFT_MAX; i++) {
        move(&course[pick(2)]);
        if (i % 4 == 0) check_course(&till, limit);
    }
    check_course(&till, limit);
    const size_t n = n_left;
    till_remove_two(folder, &till, &other);
    return n;
}

static void whatever_happens_nothing_is_undercounted_and_no_limit_is_crossed(void)
{
    size_t n = 0;
    for (uint64_t seed = 1; seed <= COURSES; seed++) n += run_course(seed);
    CHECK(n > 3 * COURSES); /* it was about something */
}

int main(void)
{
    RUN(whatever_happens_nothing_is_undercounted_and_no_limit_is_crossed);
    return check_done();
}
