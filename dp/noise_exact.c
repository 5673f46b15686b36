/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions by 64-bit fixed point whose error is known; where it could matter, which is about once
 * in 10^9 decisions, GMP decides. */
#include "dp/noise_exact.h"

void exact_init(struct exact *out, uint32_t sigma)
{
    *out = (struct exact){0};
    law_init(&out->law, (uint64_t)sigma * sigma, 1);
    while ((UINT64_C(1) << out->shift) < sigma) out->shift++;
    out->inverse = (uint64_t)(((u128)1 << (63 + out->shift)) / sigma);
    law_heads(out->head, EXACT_STEPS);
    law_powers(out->power, 64 * EXACT_STEPS);
}

static inline uint64_t multiply_high(uint64_t a, uint64_t b)
{
    return (uint64_t)(((u128)a * b) >> 64);
}

uint64_t exact_bound(const struct exact *exact, uint32_t k, uint32_t j)
{
    const uint64_t f = (uint64_t)(((u128)j * exact->inverse) >> exact->shift); /* 63 digits */
    const uint64_t g = ((uint64_t)k << 59) + (f >> 5);                         /* 58 */
    const uint64_t x = (uint64_t)(((u128)f * g) >> 66);                        /* 56 */
    /* x = i / 64 + y; 1 - exp(-y) = y - y^2 / 2 + y^3 / 6 - y^4 / 24 + ... */
    const uint64_t y = x << 14 >> 6; /* 64 digits */
    const uint64_t y2 = multiply_high(y, y);
    const uint64_t lost = y - y2 / 2 + multiply_high(y2, y) / 6 - multiply_high(y2, y2) / 24;
    const uint64_t power = exact->power[x >> 50];
    return (power - multiply_high(power, lost)) >> 32;
}

static inline uint32_t step(const struct exact *exact, uint32_t digits, struct words *words)
{
    uint32_t above = 0, from = 0;
    for (size_t i = 0; i < EXACT_STEPS; i++) {
        above += digits > exact->head[i];
        from += digits >= exact->head[i];
    }
    return above == from ? above : law_step(&exact->law, digits, words);
}

static inline bool keep(const struct exact *exact, uint32_t k, uint32_t j, struct words *words)
{
    const uint32_t digits = words_next(words) >> (32 - KEEP_BITS);
    if (k < EXACT_STEPS) {
        const uint64_t low = (uint64_t)digits << (32 - KEEP_BITS);
        const uint64_t bound = exact_bound(exact, k, j);
        if (low + (UINT64_C(1) << (32 - KEEP_BITS)) < bound) return true;
        if (low > bound + 1) return false;
    }
    return law_keep(&exact->law, digits, k, (uint64_t)k * exact->law.t + j, words);
}

int64_t exact_sample(const struct exact *exact, struct words *words)
{
    for (;;) {
        const uint32_t word = words_next(words);
        const bool negative = word % 2 == 1;
        const uint32_t k = step(exact, word >> (32 - STEP_BITS), words);
        const uint32_t j = words_below(words, exact->law.t, exact->law.left_over);
        if (!keep(exact, k, j, words)) continue;
        const int64_t m = (int64_t)((uint64_t)k * exact->law.t + j);
        if (negative && m == 0) continue;
        return negative ? -m : m;
    }
}
