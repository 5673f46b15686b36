/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers are by Python's decimal module with 80 digits. */
#include "dp/noise_law.h"

#include <math.h>

#include "tests/lib/check.h"

static void heads_are_the_sums_of_exp_of_half_squares(void)
{
    static const uint32_t want[7] = {1224813964, 1967701186, 2133461731, 2147068185,
                                     2147479064, 2147483629, 2147483647};
    uint32_t head[7];
    law_heads(head, 7);
    CHECK_BYTES(want, head, sizeof want);
}

static void powers_are_those_of_exp(void)
{
    static uint64_t power[448];
    law_powers(power, 448);
    const uint64_t want[4] = {UINT64_MAX, 0xfc07f55ff77d2493, 0x5e2d58d8b3bcdf1a, 0x3cb3c32bd74ff9};
    const size_t at[4] = {0, 1, 64, 447};
    for (size_t i = 0; i < 4; i++) CHECK(want[i] - power[at[i]] <= 1);
    for (size_t i = 0; i < 448; i++)
        CHECK_CLOSE(exp(-(double)i / 64), ldexp((double)power[i], -64), 1e-15);
}

static u128 number(uint64_t high, uint64_t low)
{
    return (u128)high << 64 | low;
}

static void weights_are_the_law_rounded_down_and_0_has_the_rest(void)
{
    static u128 w[400];
    law_weights(w, 400, 30, 127);
    u128 sum = w[0];
    for (size_t i = 1; i < 400; i++) sum += 2 * w[i];
    CHECK(sum == (u128)1 << 127);
    /* 2261293767319040268084033475409879981 and 630780681253982946384721088 */
    const u128 w1 = number(122584980757761711, 5754445845826905005);
    const u128 w199 = number(34194689, 4590891752546153664);
    CHECK(w[1] <= w1 && w1 - w[1] <= 2);
    CHECK(w[199] <= w199 && w199 - w[199] <= 2);
}

static void the_distance_is_that_of_the_weights(void)
{
    static const struct {
        uint32_t sigma, reach;
        int log2;
    } row[] = {{1, 14, -123}, {4, 54, -121}, {30, 399, -118}, {64, 852, -117}};
    static u128 w[853];
    for (size_t i = 0; i < 4; i++) {
        law_weights(w, row[i].reach + 1, row[i].sigma, 127);
        CHECK_NUMBER(row[i].log2, law_distance(w[0], row[i].sigma, 127));
    }
    law_weights(w, 3, 1, 127); /* P(|x| > 2) = 0.0091 */
    CHECK_NUMBER(-6, law_distance(w[0], 1, 127));
}

static void a_step_is_open_where_its_digits_are_a_head(void)
{
    struct law law;
    law_init(&law, 1, 1);
    struct words words = {.left = WORDS_BLOCK};
    uint32_t head[7];
    law_heads(head, 7);
    for (uint32_t i = 0; i < 5; i++) {
        CHECK_NUMBER(i, law_step(&law, head[i] - 1, &words));
        CHECK_NUMBER(i + 1, law_step(&law, head[i] + 1, &words));
    }
    CHECK_NUMBER(WORDS_BLOCK, words.left);
    CHECK_NUMBER(0, law_step(&law, head[0], &words)); /* zeros follow */
    CHECK_NUMBER(WORDS_BLOCK - 2, words.left);
    words.word[2] = UINT32_MAX;
    CHECK_NUMBER(1, law_step(&law, head[0], &words));
    CHECK_NUMBER(WORDS_BLOCK - 4, words.left);
}

static void a_value_is_kept_with_exp_of_its_excess(void)
{
    struct law law;
    law_init(&law, 9, 4); /* sigma 1.5, t 2 */
    CHECK_NUMBER(2, law.t);
    struct words words = {.left = WORDS_BLOCK};
    CHECK(law_keep(&law, UINT32_MAX, 0, 0, &words));
    /* m = 3, k = 1: exp(-(4 - 1) / 2) = 0.22313016 = 0x391f0e12... / 2^32 */
    const uint32_t bound = (uint32_t)ldexp(exp(-1.5), 32);
    CHECK(law_keep(&law, bound - 1, 1, 3, &words));
    CHECK(!law_keep(&law, bound + 1, 1, 3, &words));
    CHECK_NUMBER(WORDS_BLOCK, words.left);
    CHECK(law_keep(&law, bound, 1, 3, &words));
    CHECK_NUMBER(WORDS_BLOCK - 2, words.left);
    words.word[2] = UINT32_MAX;
    CHECK(!law_keep(&law, bound, 1, 3, &words));
}

static void steps_are_the_least_whole_number_from_sigma_on(void)
{
    static const struct {
        uint64_t numerator, denominator;
        uint32_t t;
    } row[] = {{1, 1, 1}, {1, 4, 1}, {9, 4, 2}, {4, 1, 2}, {17, 4, 3}, {9, 1, 3}, {10, 1, 4}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct law law;
        law_init(&law, row[i].numerator, row[i].denominator);
        CHECK_NUMBER(row[i].t, law.t);
    }
}

int main(void)
{
    RUN(heads_are_the_sums_of_exp_of_half_squares);
    RUN(powers_are_those_of_exp);
    RUN(weights_are_the_law_rounded_down_and_0_has_the_rest);
    RUN(the_distance_is_that_of_the_weights);
    RUN(a_step_is_open_where_its_digits_are_a_head);
    RUN(a_value_is_kept_with_exp_of_its_excess);
    RUN(steps_are_the_least_whole_number_from_sigma_on);
    return check_done();
}
