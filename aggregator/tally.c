/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/tally.h"

#define BITS_MAX 32
#define LANES 8
#define BLOCK 1024 /* elements; a multiple of eight, so that it is whole bytes */

bool tally_fits(struct view packed, size_t n, unsigned bits)
{
    if (bits < 1 || bits > BITS_MAX || packed.n != packed_bytes(n, bits)) return false;
    const unsigned used = (unsigned)((uint64_t)n * bits % 8);
    return used == 0 || packed.at[packed.n - 1] >> used == 0;
}

/* The inner loop is of a fixed length so that compilers make vectors of it. */
static void add(uint32_t *restrict sum, const uint32_t *restrict x, size_t n)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t j = 0; j < LANES; j++) sum[i + j] += x[i + j];
    for (; i < n; i++) sum[i] += x[i];
}

/* A block at a time, so that what was read stays in the first cache until it is added. */
void tally_add(struct total *total, struct view packed, unsigned bits)
{
    REQUIRE(tally_fits(packed, total->n, bits));
    uint32_t block[BLOCK];
    struct reader r = reader_of(packed);
    for (size_t at = 0; at < total->n; at += BLOCK) {
        const size_t n = total->n - at < BLOCK ? total->n - at : BLOCK;
        read_packed(&r, block, n, bits);
        add(total->value + at, block, n);
    }
}
