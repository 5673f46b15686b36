/* SPDX-License-Identifier: Apache-2.0 */
#include "client/data/odd.h"

#include "tests/lib/check.h"

static void oddities_are_counted_once_each(void)
{
    uint8_t pixel[] = {0,   0,   0,   0,   /* black */
                       7,   7,   7,   7,   /* flat */
                       255, 255, 255, 255, /* flat, not saturated */
                       255, 255, 3,   0,   /* saturated */
                       255, 2,   3,   0};
    uint8_t label[] = {0, 2, 2, 2, 0};
    uint16_t key[] = {9, 65535, 9, 0, 9};
    const struct dataset data = {.n = 5,
                                 .channels = 1,
                                 .height = 2,
                                 .width = 2,
                                 .classes = 3,
                                 .pixel = pixel,
                                 .label = label,
                                 .key = key};
    const struct odd odd = odd_of(&data);
    CHECK_NUMBER(1, odd.black);
    CHECK_NUMBER(2, odd.flat);
    CHECK_NUMBER(1, odd.saturated);
    CHECK_NUMBER(3, odd.keys);
    CHECK_NUMBER(0, odd.dead);
    CHECK(odd.held[0] == 2 && odd.held[1] == 0 && odd.held[2] == 3);
    pixel[0] = pixel[4] = pixel[8] = 255;
    CHECK_NUMBER(1, odd_of(&data).dead);
}

static void the_largest_key_is_counted(void)
{
    uint16_t key[] = {9, 65535, 9, 0, 9, 65535};
    struct dataset data = {.n = 6, .key = key};
    CHECK_NUMBER(3, odd_most_of_key(&data));
    data.n = 2;
    CHECK_NUMBER(1, odd_most_of_key(&data));
    data.key = NULL;
    CHECK_NUMBER(0, odd_most_of_key(&data));
}

static void small_counts_are_hidden(void)
{
    const size_t held[] = {10, 9, 0, 50};
    bool hide[4];
    odd_hide(hide, held, 4, 10);
    CHECK(!hide[0] && hide[1] && hide[2] && !hide[3]);
    odd_hide(hide, held, 4, 1000);
    CHECK(hide[0] && hide[1] && hide[2] && hide[3]);
}

static void one_alone_is_not_told_by_the_total(void)
{
    const size_t held[] = {40, 9, 20, 50};
    bool hide[4];
    odd_hide(hide, held, 4, 10);
    CHECK(!hide[0] && hide[1] && hide[2] && !hide[3]);
    odd_hide(hide, held, 2, 10);
    CHECK(hide[0] && hide[1]);
    odd_hide(hide, held + 1, 1, 10);
    CHECK(hide[0]);
    odd_hide(hide, held, 4, 9);
    CHECK(!hide[0] && !hide[1] && !hide[2] && !hide[3]);
}

int main(void)
{
    RUN(oddities_are_counted_once_each);
    RUN(the_largest_key_is_counted);
    RUN(small_counts_are_hidden);
    RUN(one_alone_is_not_told_by_the_total);
    return check_done();
}
