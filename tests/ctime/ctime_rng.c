/* SPDX-License-Identifier: Apache-2.0 */
/* Without rng_below, rng_unit and rng_normal, which serve public choices and training only. */
#include "crypto/rng.h"

#include "tests/ctime/ctime.h"

static void a_seed_leaves_no_trace_in_what_is_drawn(void)
{
    static uint8_t small[40], more_than_is_left[RNG_BLOCK_BYTES], large[3 * RNG_BLOCK_BYTES];
    uint8_t seed[RNG_SEED_BYTES] = {1};
    SECRET(seed, sizeof seed);
    struct rng rng;
    rng_seeded(&rng, seed);
    rng_bytes(&rng, small, sizeof small);
    rng_bytes(&rng, more_than_is_left, sizeof more_than_is_left);
    rng_bytes(&rng, large, sizeof large);
    uint64_t word = rng_u64(&rng);
    reveal(small, sizeof small);
    reveal(more_than_is_left, sizeof more_than_is_left);
    reveal(large, sizeof large);
    reveal(&word, sizeof word);
}

static void a_wiped_generator_holds_no_secret(void)
{
    uint8_t seed[RNG_SEED_BYTES] = {1}, byte;
    SECRET(seed, sizeof seed);
    struct rng rng;
    rng_seeded(&rng, seed);
    rng_bytes(&rng, &byte, 1);
    CHECK(is_secret(&rng, sizeof rng));
    rng_wipe(&rng);
    CHECK(!is_secret(&rng, sizeof rng));
}

int main(void)
{
    RUN(marks_are_seen);
    RUN(a_seed_leaves_no_trace_in_what_is_drawn);
    RUN(a_wiped_generator_holds_no_secret);
    return check_done();
}
