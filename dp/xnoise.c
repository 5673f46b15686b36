/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/xnoise.h"

#include "dp/noise.h"

__extension__ typedef unsigned __int128 wide;

/* The least sigma that a part may have whose variance is at least x; x is at most that of a whole
 * share. */
static uint32_t part_of(uint64_t x)
{
    uint64_t low = NOISE_SIGMA_MIN, high = NOISE_SIGMA_MAX;
    while (low < high) {
        const uint64_t middle = (low + high) / 2;
        if (middle * middle >= x)
            high = middle;
        else
            low = middle + 1;
    }
    return (uint32_t)low;
}

enum status xnoise_of(struct xnoise *out, uint32_t sigma, uint32_t cohort, uint32_t quorum,
                      uint32_t colluding)
{
    if (sigma < NOISE_SIGMA_MIN || sigma > NOISE_SIGMA_MAX || colluding >= quorum ||
        quorum > cohort || cohort - quorum > XNOISE_REMOVABLE_MAX)
        return STATUS_RANGE;
    struct xnoise parts = {.removable = cohort - quorum};
    const wide share = (wide)sigma * sigma, target = share * (quorum - colluding);
    uint64_t kept = 0;
    for (uint32_t dropped = 0; dropped <= parts.removable; dropped++) {
        const uint32_t survivors = cohort - dropped, honest = survivors - colluding;
        /* What each of them must keep, rounded up: at most a whole share. */
        const uint64_t least = (uint64_t)((target + honest - 1) / honest);
        if (kept < least) {
            const uint64_t part = parts.sigma[dropped] = part_of(least - kept);
            kept += part * part;
        }
        if ((wide)kept * survivors > share * cohort) return STATUS_RANGE;
    }
    *out = parts;
    return STATUS_OK;
}

uint64_t xnoise_kept(const struct xnoise *parts, uint32_t dropped)
{
    REQUIRE(dropped <= parts->removable);
    uint64_t kept = 0;
    for (uint32_t k = 0; k <= dropped; k++) kept += (uint64_t)parts->sigma[k] * parts->sigma[k];
    return kept;
}
