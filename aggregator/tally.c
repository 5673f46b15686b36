/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/tally.h"

#include <string.h>

#define BITS_MAX 32
#define WORD sizeof(uint64_t)

bool tally_fits(struct view packed, size_t n, unsigned bits)
{
    if (bits < 1 || bits > BITS_MAX || packed.n != packed_bytes(n, bits)) return false;
    const unsigned used = (unsigned)((uint64_t)n * bits % 8);
    return used == 0 || packed.at[packed.n - 1] >> used == 0;
}

/* Written out so that compilers see one load in it. */
static uint64_t word_at(const uint8_t *at)
{
    return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 |
           (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 |
           (uint64_t)at[7] << 56;
}

void tally_add(struct total *total, struct view packed, unsigned bits)
{
    REQUIRE(tally_fits(packed, total->n, bits));
    const uint32_t low = UINT32_MAX >> (BITS_MAX - bits);
    /* An element and the bits before it in its first byte are at most 39: one word holds them. */
    size_t i = 0, at = 0;
    for (; at + WORD <= packed.n && i < total->n; i++, at = i * bits / 8)
        total->value[i] += (uint32_t)(word_at(packed.at + at) >> i * bits % 8) & low;
    uint8_t end[2 * WORD] = {0};
    const size_t first = at;
    if (i < total->n) memcpy(end, packed.at + first, packed.n - first);
    for (; i < total->n; i++, at = i * bits / 8)
        total->value[i] += (uint32_t)(word_at(end + (at - first)) >> i * bits % 8) & low;
}
