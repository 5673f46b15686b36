/* SPDX-License-Identifier: Apache-2.0 */
/* The number of marked items among some drawn is hypergeometric. Its weights are walked from the
 * mode, whose weight is taken as 1, so that nothing overflows and what underflows is far below any
 * bound that is asked for. */
#include "protocol/degree.h"

/* Chance that `least` or more of `drawn` out of n are marked; 1 up to the mode: meets no bound. */
static double chance_of(uint32_t n, uint32_t marked, uint32_t drawn, uint32_t least)
{
    REQUIRE(marked <= n && drawn <= n);
    const uint32_t low = marked > n - drawn ? marked - (n - drawn) : 0;
    const uint32_t high = marked < drawn ? marked : drawn;
    const uint32_t mode = (uint32_t)((drawn + 1.0) * (marked + 1.0) / (n + 2.0));
    const double rest = (double)n - marked - drawn; /* unmarked and not drawn, when x is 0 */
    if (least <= mode) return 1;
    double weight = 1, all = 0, tail = 0;
    for (uint32_t x = mode; x <= high; x++) {
        all += weight;
        if (x >= least) tail += weight;
        weight *= (double)(marked - x) * (drawn - x) / ((x + 1.0) * (rest + x + 1));
    }
    weight = 1;
    for (uint32_t x = mode; x > low; x--) {
        weight *= x * (rest + x) / ((marked - x + 1.0) * (drawn - x + 1.0));
        all += weight;
    }
    return tail / all;
}

/* probability < 2^-bits; halving is exact, and ends at zero. */
static bool below(double probability, uint32_t bits)
{
    double bound = 1;
    for (uint32_t i = 0; i < bits && bound > 0; i++) bound /= 2;
    return probability < bound;
}

/* Two arcs of k / 2 sites each cut a ring; this many pairs of arcs are there. */
static double cuts(uint32_t n, uint32_t k)
{
    return (double)n * (n - k - 1) / 2;
}

/* Two halves of the chance to be insecure: the ring falls apart, or too many holders conspire. */
static bool connected(const struct degree_goal *goal, uint32_t k)
{
    double chance = cuts(goal->n, k);
    for (uint32_t i = 0; i < k && chance > 0; i++) {
        if (i >= goal->corrupt + goal->lost) return true;
        chance *= ((double)goal->corrupt + goal->lost - i) / (goal->n - i);
    }
    return below(chance, goal->secrecy + 1);
}

/* No site has so many corrupt neighbours. The smallest ring is the worst: the mean falls as n grows
 * and every term of n P[x] with x >= mean + 1 falls too (SPEC.md, "rings"). */
static bool unlikely(const struct degree_goal *goal, uint32_t k, uint32_t corrupt)
{
    const uint32_t n = goal->least;
    return below(n * chance_of(n - 1, goal->corrupt, k, corrupt), goal->secrecy + 1);
}

/* Every site keeps t holders. The largest ring is the worst: those who never come are lost. */
static bool recovered(const struct degree_goal *goal, uint32_t k, uint32_t t)
{
    const uint32_t others = goal->n - 1;
    return below(goal->n * chance_of(others, goal->lost, k, k - t + 1), goal->recovery);
}

static bool goal_is_sane(const struct degree_goal *goal)
{
    return goal->n >= 1 && goal->least >= 1 && goal->least <= goal->n &&
           goal->corrupt < goal->least && goal->lost < goal->n;
}

bool degree_fits(const struct degree *degree, const struct degree_goal *goal)
{
    const uint32_t k = degree->k, t = degree->t;
    if (!goal_is_sane(goal) || k == 0 || k % 2 != 0 || k >= goal->least) return false;
    if (t == 0 || t > k || (!goal->honest_but_curious && 2 * t <= k)) return false;
    /* Honest holders give one kind of share each, corrupt ones both: k + x in all. 2t are needed
     * for both seeds of a dealer. */
    const uint32_t corrupt = goal->honest_but_curious ? t : 2 * t - k;
    return connected(goal, k) && unlikely(goal, k, corrupt) && recovered(goal, k, t);
}

enum status degree_find(struct degree *out, const struct degree_goal *goal)
{
    if (!goal_is_sane(goal)) return STATUS_RANGE;
    /* The least number of corrupt neighbours that nobody has only grows with k. */
    uint32_t corrupt = 1;
    for (uint32_t k = 2; k < goal->least; k += 2) {
        while (!unlikely(goal, k, corrupt)) corrupt++;
        const uint32_t t = goal->honest_but_curious ? corrupt : (k + corrupt - 1) / 2 + 1;
        if (t > k || !connected(goal, k) || !recovered(goal, k, t)) continue;
        *out = (struct degree){.k = k, .t = t};
        return STATUS_OK;
    }
    return STATUS_RANGE;
}

uint32_t degree_connected(const struct degree_goal *goal)
{
    const uint32_t n = goal->n;
    if (goal->corrupt + goal->lost >= n) return 0; /* nobody need be left */
    /* The coordinator needs k places in two arcs, of which it clears `lost`; the others have to be
     * corrupt, and those it cannot place. */
    for (uint32_t k = goal->lost / 2 * 2 + 2; k < n; k += 2) {
        const double chance = chance_of(n, goal->corrupt, k, k - goal->lost);
        if (below(cuts(n, k) * chance, goal->secrecy + 1)) return k;
    }
    return 0;
}
