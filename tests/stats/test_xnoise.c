/* SPDX-License-Identifier: Apache-2.0 */
/* Null hypothesis: what the honest survivors keep of their noise, when all that is too much was
 * drawn once more from its seeds and taken away, are independent draws whose variance is the
 * target's, however many dropped out; the target being that of T - c whole shares. The sum of
 * squares and the sum are looked at, each with a false-alarm rate of at most 3e-7; rounding up may
 * add two parts in a thousand. Seeds are fixed. Who takes away too little, too much or something
 * else must fail. */
#include <math.h>
#include <string.h>

#include "protocol/removal.h"
#include "tests/lib/check.h"

enum { N = 8, COLLUDING = 1, QUORUM = 5, SIGMA = 1500, DIM = 40000 };

#define NORMAL_FAR 5.13 /* two-sided normal quantile of 3e-7 */
#define ROUNDING 0.002

static const struct hash plan_hash = {{1}}, roster = {{2}};

enum wrong { RIGHT, NOTHING_TAKEN, ONE_TOO_FEW, ONE_TOO_MANY, OTHER_SEEDS, WRONGS };

/* Add part k, or take it away. */
static void add_part(uint32_t *sum, const struct xnoise *parts, uint32_t k, const uint8_t *seed,
                     bool take)
{
    AUTO(noise_free) struct noise part = {0};
    CHECK_OK(removal_draw(&part, DIM, parts->sigma[k], seed, &plan_hash, &roster));
    for (size_t i = 0; i < DIM; i++) sum[i] += take ? -part.value[i] : part.value[i];
}

/* All parts of one survivor, then those away that its coordinator thinks are too much. */
static void add_site(uint32_t *sum, const struct xnoise *parts, uint32_t dropped, enum wrong wrong,
                     struct rng *rng)
{
    AUTO(noise_free) struct noise base = {0};
    CHECK_OK(noise_draw(&base, DIM, parts->sigma[0], NOISE_EXACT, rng));
    for (size_t i = 0; i < DIM; i++) sum[i] += base.value[i];
    uint8_t seed[SHARE_BYTES], again[SHARE_BYTES];
    share_random(seed, &SHARE_FIELD, rng);
    memcpy(again, seed, sizeof seed);
    if (wrong == OTHER_SEEDS) again[0] ^= 1;
    const uint32_t first = dropped + 1 + (wrong == ONE_TOO_FEW) - (wrong == ONE_TOO_MANY);
    for (uint32_t k = 1; k <= parts->removable; k++, removal_next(seed), removal_next(again)) {
        add_part(sum, parts, k, seed, false);
        if (k >= first && wrong != NOTHING_TAKEN) add_part(sum, parts, k, again, true);
    }
}

static bool looks_right(const uint32_t *sum)
{
    const double target = (double)SIGMA * SIGMA * (QUORUM - COLLUDING);
    double total = 0, squares = 0;
    for (size_t i = 0; i < DIM; i++) {
        const double x = (int32_t)sum[i];
        total += x;
        squares += x * x;
    }
    const double far = NORMAL_FAR * sqrt(2.0 / DIM), ratio = squares / DIM / target;
    const bool mean = fabs(total) <= NORMAL_FAR * sqrt(DIM * target * (1 + ROUNDING));
    return mean && ratio >= 1 - far && ratio <= (1 + ROUNDING) * (1 + far);
}

static bool passes(uint32_t dropped, enum wrong wrong)
{
    static uint32_t sum[DIM];
    struct xnoise parts;
    CHECK_OK(xnoise_of(&parts, SIGMA, N, QUORUM, COLLUDING));
    struct rng rng = {0};
    rng_numbered(&rng, 1 + dropped);
    memset(sum, 0, sizeof sum);
    for (uint32_t v = 0; v < N - dropped - COLLUDING; v++)
        add_site(sum, &parts, dropped, wrong, &rng);
    return looks_right(sum);
}

static void the_variance_is_the_target_s_whoever_drops_out(void)
{
    for (uint32_t dropped = 0; dropped <= N - QUORUM; dropped++) CHECK(passes(dropped, RIGHT));
}

static void who_takes_away_something_else_is_caught(void)
{
    for (uint32_t dropped = 0; dropped < N - QUORUM; dropped++)
        for (enum wrong wrong = NOTHING_TAKEN; wrong < WRONGS; wrong++)
            if (dropped > 0 || wrong != ONE_TOO_MANY) CHECK(!passes(dropped, wrong));
    CHECK(!passes(N - QUORUM, ONE_TOO_MANY));
}

int main(void)
{
    RUN(the_variance_is_the_target_s_whoever_drops_out);
    RUN(who_takes_away_something_else_is_caught);
    return check_done();
}
