/* SPDX-License-Identifier: Apache-2.0 */
/* Selection in order, one decision after the other (Fan, Muller and Rezucha 1962; Knuth's
 * algorithm S): nothing is kept in memory. */
#include "protocol/pick.h"

#include <math.h>

void pick_start(struct pick *out, uint64_t n, uint64_t k, const uint8_t seed[static RNG_SEED_BYTES])
{
    REQUIRE(k <= n);
    *out = (struct pick){.n = n, .k = k};
    rng_seeded(&out->rng, seed);
}

bool pick_next(struct pick *pick)
{
    REQUIRE(pick->n > 0);
    /* Where all of the rest are picked, or none, no chance is needed. */
    const bool all = pick->k == pick->n, none = pick->k == 0;
    const bool picked = all || (!none && rng_below(&pick->rng, pick->n) < pick->k);
    pick->n--;
    pick->k -= picked ? 1 : 0;
    return picked;
}

uint64_t pick_count(uint64_t n, double share)
{
    const uint64_t k = (uint64_t)llround(share * (double)n);
    return k > 0 ? k : 1;
}
