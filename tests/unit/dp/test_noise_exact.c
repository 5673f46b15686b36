/* SPDX-License-Identifier: Apache-2.0 */
/* The 64-bit path beside GMP's: the same words, the same samples, the same number of words. Run as
 * shipped and with few first digits, where every second choice is open. test_noise_exact COUNT
 * draws so many at each sigma. */
#include "dp/noise_exact.h"

#include <math.h>
#include <stdlib.h>

#include "tests/lib/check.h"

static size_t count = 2000;

static void both_paths_have_the_same_samples_at(uint32_t sigma)
{
    static struct exact exact;
    exact_init(&exact, sigma);
    struct rng a = {0}, b = {0};
    rng_numbered(&a, sigma);
    rng_numbered(&b, sigma);
    struct words fast = {.rng = &a}, slow = {.rng = &b};
    size_t differ = 0;
    for (size_t i = 0; i < count; i++)
        differ += exact_sample(&exact, &fast) != law_sample(&exact.law, &slow);
    CHECK_NUMBER(0, differ);
    CHECK_NUMBER(words_next(&slow), words_next(&fast));
}

static void both_paths_have_the_same_samples(void)
{
    static const uint32_t sigmas[] = {1, 2, 3, 4, 100, 65536, 1000003, 500000000};
    for (size_t i = 0; i < 8; i++) both_paths_have_the_same_samples_at(sigmas[i]);
}

static void bounds_are_those_of_exp(void)
{
    static const uint32_t sigmas[] = {1, 2, 3, 64, 1000, 1000003, 268435456, 500000000};
    static struct exact exact;
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    for (size_t i = 0; i < 8; i++) {
        exact_init(&exact, sigmas[i]);
        for (uint32_t n = 0; n < 7 * 200; n++) {
            const uint32_t k = n % EXACT_STEPS;
            uint32_t j = (uint32_t)rng_below(&rng, sigmas[i]);
            if (n < 14) j = n < 7 ? 0 : sigmas[i] - 1;
            const double f = (double)j / sigmas[i];
            const double over =
                (double)exact_bound(&exact, k, j) - ldexp(exp(-f * (k + f / 2)), 32);
            CHECK(over > -1.001 && over < 0.1);
        }
    }
}

/* The sample of sigma 10 that these words make. */
static int64_t sample_of(const uint32_t (*word)[8])
{
    static struct exact exact;
    exact_init(&exact, 10);
    struct words words = {.left = WORDS_BLOCK};
    for (size_t i = 0; i < 8; i++) words.word[i] = htole32((*word)[i]);
    return exact_sample(&exact, &words);
}

static void words_make_the_samples_that_the_header_says(void)
{
    /* P(k <= 0) = 0.5703, P(k <= 1) = 0.9163, P(k <= 2) = 0.9935; j = 0, 3, 5, 9 */
    const uint32_t none = 0, one = 0x9a000000, two = 0xfa000000;
    const uint32_t zero = 1, three = 0x50000000, five = 0x80000001, nine = UINT32_MAX;
    const uint32_t bound = (uint32_t)ldexp(exp(-0.625), 32);
    const struct {
        int64_t want;
        uint32_t word[8];
    } row[] = {
        {0, {none, zero, 0}},
        {3, {none, three, 0}},
        {-3, {none + 1, three, 0}},
        {19, {one, nine, 0}},
        {-25, {two + 1, five, 0}},
        /* the word 0 begins a run of 10 that 2^32 does not fill */
        {3, {none, 0, three, 0}},
        /* exp(-(1.5^2 - 1) / 2) = 0.535 keeps 15, and then does not */
        {15, {one, five, 0x88000000}},
        {3, {one, five, 0x8a000000, none, three, 0}},
        /* digits of the bound itself: GMP looks, and then at the next two words */
        {15, {one, five, bound - 1}},
        {15, {one, five, bound, 0, 0}},
        {3, {one, five, bound, UINT32_MAX, UINT32_MAX, none, three, 0}},
        {3, {one, five, bound + 1, none, three, 0}},
        /* a negative zero is none */
        {3, {none + 1, zero, 0, none, three, 0}},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        CHECK_NUMBER(row[i].want, sample_of(&row[i].word));
}

int main(int argc, char **argv)
{
    if (argc > 1) count = strtoul(argv[1], NULL, 10);
    RUN(both_paths_have_the_same_samples);
    RUN(bounds_are_those_of_exp);
    if (STEP_BITS == 31) RUN(words_make_the_samples_that_the_header_says);
    return check_done();
}
