/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/skellam.h"

#include "base/secret.h"
#include "dp/noise_words.h"

/* Poisson of mean 1: a count moves up or down as uniform whole numbers of a growing range tell. */
static uint32_t poisson_one(struct words *words)
{
    uint32_t count = 1, limit = 0;
    for (uint32_t range = 1;; range++) {
        const uint32_t x = words_below(words, range + 1, words_left_over(range + 1));
        if (x < range && x < limit) return count;
        if (x == range) {
            count++;
        } else {
            count--;
            limit = range + 1;
        }
    }
}

/* Poisson of mean whole + numerator / denominator. */
static uint32_t poisson(struct words *words, uint32_t whole, uint32_t numerator,
                        uint32_t denominator)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < whole; i++) count += poisson_one(words);
    const uint32_t left_over = words_left_over(denominator);
    for (uint32_t i = numerator > 0 ? poisson_one(words) : 0; i > 0; i--)
        count += words_below(words, denominator, left_over) < numerator;
    return count;
}

enum status skellam_draw(struct noise *out, size_t n, uint64_t numerator, uint32_t denominator,
                         struct rng *rng)
{
    if (denominator == 0 || denominator > INT32_MAX ||
        numerator > (uint64_t)SKELLAM_VARIANCE_MAX * denominator)
        return STATUS_RANGE;
    /* means are half the variance */
    const uint32_t twice = 2 * denominator;
    const uint32_t whole = (uint32_t)(numerator / twice), part = (uint32_t)(numerator % twice);
    struct noise noise = {0};
    TRY(noise_new(&noise, n));
    struct words words = {.rng = rng};
    for (size_t i = 0; i < n; i++)
        noise.value[i] = poisson(&words, whole, part, twice) - poisson(&words, whole, part, twice);
    secret_wipe(&words, sizeof words);
    *out = noise;
    return STATUS_OK;
}
