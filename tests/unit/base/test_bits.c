/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bits.h"

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

/* Around the borders of words. */
static const size_t sizes[] = {0, 1, 7, 8, 63, 64, 65, 127, 128, 129, 200};
#define SIZES (sizeof sizes / sizeof *sizes)

static struct bits make(size_t n)
{
    struct bits bits = {0};
    CHECK_OK(bits_new(&bits, n));
    return bits;
}

static void a_new_set_is_empty(void)
{
    for (size_t k = 0; k < SIZES; k++) {
        AUTO(bits_free) struct bits bits = make(sizes[k]);
        CHECK_NUMBER(sizes[k], bits.n);
        CHECK_NUMBER(0, bits_count(&bits));
    }
}

static void set_and_clear_touch_one_bit(void)
{
    for (size_t k = 0; k < SIZES; k++) {
        AUTO(bits_free) struct bits bits = make(sizes[k]);
        for (size_t i = 0; i < sizes[k]; i++) {
            bits_set(&bits, i);
            bits_set(&bits, i);
            CHECK_NUMBER(1, bits_count(&bits));
            for (size_t j = 0; j < sizes[k]; j++) CHECK(bits_has(&bits, j) == (i == j));
            bits_clear(&bits, i);
            bits_clear(&bits, i);
            CHECK_NUMBER(0, bits_count(&bits));
        }
    }
}

static void filling_leaves_the_padding_zero(void)
{
    for (size_t k = 0; k < SIZES; k++) {
        AUTO(bits_free) struct bits bits = make(sizes[k]);
        bits_fill(&bits);
        CHECK_NUMBER(sizes[k], bits_count(&bits));
        AUTO(bits_free) struct bits one_by_one = make(sizes[k]);
        for (size_t i = 0; i < sizes[k]; i++) bits_set(&one_by_one, i);
        CHECK(bits_equal(&bits, &one_by_one));
    }
}

static void an_index_past_the_end_is_not_in_the_set(void)
{
    AUTO(bits_free) struct bits bits = make(65);
    bits_fill(&bits);
    CHECK(bits_has(&bits, 64));
    CHECK(!bits_has(&bits, 65));
    CHECK(!bits_has(&bits, 127));
    CHECK(!bits_has(&bits, 128));
    CHECK(!bits_has(&bits, SIZE_MAX));
    CHECK(!bits_has(&(struct bits){0}, 0));
}

static void a_copy_is_equal_and_independent(void)
{
    for (size_t k = 0; k < SIZES; k++) {
        AUTO(bits_free) struct bits bits = make(sizes[k]);
        bits_fill(&bits);
        AUTO(bits_free) struct bits copy = {0};
        CHECK_OK(bits_copy(&copy, &bits));
        CHECK(bits_equal(&copy, &bits));
        if (sizes[k] == 0) continue;
        bits_clear(&copy, sizes[k] - 1);
        CHECK(bits_has(&bits, sizes[k] - 1));
        CHECK(!bits_equal(&copy, &bits));
    }
}

static void sets_of_different_size_have_nothing_in_common(void)
{
    AUTO(bits_free) struct bits a = make(3);
    AUTO(bits_free) struct bits b = make(4);
    CHECK(!bits_equal(&a, &b));
    CHECK(!bits_subset(&a, &b));
    bits_fill(&a);
    bits_fill(&b);
    CHECK_NUMBER(0, bits_common(&a, &b));
}

/* All pairs of subsets of four sites that lie on both sides of a word border. */
static void set_algebra_agrees_with_integers(void)
{
    for (unsigned x = 0; x < 16; x++)
        for (unsigned y = 0; y < 16; y++) {
            AUTO(bits_free) struct bits a = make(66);
            AUTO(bits_free) struct bits b = make(66);
            for (size_t i = 0; i < 4; i++) {
                if ((x >> i & 1) != 0) bits_set(&a, 62 + i);
                if ((y >> i & 1) != 0) bits_set(&b, 62 + i);
            }
            CHECK_NUMBER(__builtin_popcount(x), bits_count(&a));
            CHECK_NUMBER(__builtin_popcount(x & y), bits_common(&a, &b));
            CHECK(bits_equal(&a, &b) == (x == y));
            CHECK(bits_subset(&a, &b) == ((x & ~y) == 0));
        }
}

static void freeing_leaves_an_empty_object(void)
{
    struct bits bits = {0};
    bits_free(&bits);
    CHECK_OK(bits_new(&bits, 9));
    bits_free(&bits);
    CHECK(bits.n == 0 && bits.word == NULL);
    bits_free(&bits);
}

static void out_of_memory_leaves_out_untouched(void)
{
    AUTO(bits_free) struct bits source = make(70);
    OOM_EACH {
        struct bits fresh = {.n = 7}, copy = {.n = 7};
        const enum status made = bits_new(&fresh, 70);
        const enum status copied = bits_copy(&copy, &source);
        oom_stop();
        CHECK(made == STATUS_OK || (made == STATUS_NOMEM && fresh.n == 7 && fresh.word == NULL));
        CHECK(copied == STATUS_OK || (copied == STATUS_NOMEM && copy.n == 7 && copy.word == NULL));
        CHECK(oom_hit() == (made != STATUS_OK || copied != STATUS_OK));
        bits_free(&fresh);
        bits_free(&copy);
    }
}

int main(void)
{
    RUN(a_new_set_is_empty);
    RUN(set_and_clear_touch_one_bit);
    RUN(filling_leaves_the_padding_zero);
    RUN(an_index_past_the_end_is_not_in_the_set);
    RUN(a_copy_is_equal_and_independent);
    RUN(sets_of_different_size_have_nothing_in_common);
    RUN(set_algebra_agrees_with_integers);
    RUN(freeing_leaves_an_empty_object);
    RUN(out_of_memory_leaves_out_untouched);
    return check_done();
}
