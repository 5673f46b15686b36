/* SPDX-License-Identifier: Apache-2.0 */
/* What site number v of a load test puts into a round: known to the sites and to the checker. */
#ifndef TESTS_FLOW_LOAD_H
#define TESTS_FLOW_LOAD_H

#include <stddef.h>
#include <stdint.h>

/* Small numbers, by an integer hash of site, round and place. */
static inline void load_input(int32_t *out, size_t n, uint32_t site, uint32_t round)
{
    uint64_t x = ((uint64_t)site << 32 | round) * 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < n; i++) {
        x += 0x9e3779b97f4a7c15u;
        uint64_t z = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
        out[i] = (int32_t)(z >> 40 & 1023) - 512;
    }
}

#endif
