/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/count.h"

static const uint32_t fineness[] = {[COUNT_RECORDS] = 16, [COUNT_SHARES] = 256};

enum status count_plan(struct grid *out, enum count_unit unit, uint32_t certain, uint32_t n_sites,
                       uint32_t sigma, unsigned bits)
{
    const uint64_t least = (uint64_t)fineness[unit] * fineness[unit] * certain;
    uint64_t step = 1;
    while (step * step < least) step *= 2;
    return grid_plan_steps(out, step, n_sites, sigma, bits);
}

uint64_t count_room(const struct grid *grid)
{
    return (uint64_t)grid->cap / (uint64_t)grid->scale;
}

enum status count_encode(struct encoded *out, const uint32_t *in, size_t n, enum count_unit unit,
                         const struct grid *grid)
{
    const uint64_t step = (uint64_t)grid->scale, cap = (uint64_t)grid->cap;
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += in[i];
    REQUIRE(sum <= COUNT_MAX && step * step <= grid->norm2 && step <= cap);
    AUTO(encoded_free) struct encoded encoded = {0};
    TRY(encoded_new(&encoded, n));
    for (size_t i = 0; i < n; i++) {
        uint64_t x = step * in[i];
        if (unit == COUNT_SHARES) x = sum == 0 ? 0 : x / sum;
        encoded.value[i] = (int32_t)(x < cap ? x : cap);
    }
    *out = encoded;
    encoded = (struct encoded){0};
    return STATUS_OK;
}
