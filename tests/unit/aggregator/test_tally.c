/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/tally.h"

#include "crypto/rng.h"
#include "tests/lib/check.h"

#define N 19

static void packed_vectors_add_up_modulo_2_to_the_32(void)
{
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    for (unsigned bits = 1; bits <= 32; bits++) {
        for (size_t n = 1; n <= N; n++) {
            uint32_t sum[N + 1], want[N + 1], element[N];
            for (size_t i = 0; i <= N; i++) sum[i] = want[i] = (uint32_t)rng_u64(&rng);
            for (size_t i = 0; i < n; i++) {
                element[i] = (uint32_t)rng_u64(&rng) >> (32 - bits);
                want[i] += element[i];
            }
            AUTO(buffer_free) struct buffer packed = {0};
            write_packed(&packed, element, n, bits);
            struct total total = {n, sum};
            CHECK(tally_fits(buffer_view(&packed), n, bits));
            tally_add(&total, buffer_view(&packed), bits);
            CHECK_BYTES(want, sum, sizeof sum);
        }
    }
}

static void other_sizes_do_not_fit(void)
{
    const uint8_t bytes[8] = {0};
    CHECK(tally_fits((struct view){bytes, 8}, 2, 32));
    CHECK(!tally_fits((struct view){bytes, 7}, 2, 32));
    CHECK(!tally_fits((struct view){bytes, 8}, 1, 32));
    CHECK(!tally_fits((struct view){bytes, 8}, 3, 32));
    CHECK(!tally_fits((struct view){bytes, 0}, 2, 32));
    CHECK(!tally_fits((struct view){bytes, 8}, 2, 33));
    CHECK(!tally_fits((struct view){bytes, 0}, 2, 0));
    CHECK(tally_fits((struct view){bytes, 4}, 2, 15));
    CHECK(!tally_fits((struct view){bytes, 3}, 2, 15));
}

static void padding_must_be_zero(void)
{
    for (unsigned bit = 0; bit < 8; bit++) {
        const uint8_t bytes[4] = {0xff, 0xff, 0xff, (uint8_t)(1U << bit)};
        CHECK(tally_fits((struct view){bytes, 4}, 2, 15) == (bit < 6));
        CHECK(tally_fits((struct view){bytes, 4}, 2, 16));
    }
}

int main(void)
{
    RUN(packed_vectors_add_up_modulo_2_to_the_32);
    RUN(other_sizes_do_not_fit);
    RUN(padding_must_be_zero);
    return check_done();
}
