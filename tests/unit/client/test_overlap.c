/* SPDX-License-Identifier: Apache-2.0 */
#include "client/overlap.h"

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static uint8_t pixel[] = {1, 2, 3, 4, 1, 2, 5, 6, 1, 2, 3, 4};
static uint8_t label[] = {0, 1, 0, 1, 1, 1};
static uint8_t other_pixel[] = {3, 4, 3, 5, 1, 2, 3, 4};
static uint8_t other_label[] = {0, 0, 0, 0};

/* (1 2) three times, once with another label; (3 4) twice; (5 6) */
static const struct dataset data = {
    .n = 6, .channels = 1, .height = 1, .width = 2, .classes = 2, .pixel = pixel, .label = label};
static const struct dataset other = {.n = 4,
                                     .channels = 1,
                                     .height = 1,
                                     .width = 2,
                                     .classes = 1,
                                     .pixel = other_pixel,
                                     .label = other_label};

static void records_that_stand_there_again_are_counted(void)
{
    struct overlap found = {0};
    CHECK_OK(overlap_within(&found, &data));
    CHECK_NUMBER(3, found.again);
    CHECK_NUMBER(1, found.disputed);
    struct dataset none = data;
    none.n = 0;
    CHECK_OK(overlap_within(&found, &none));
    CHECK_NUMBER(0, found.again);
}

static void records_of_both_sets_are_counted(void)
{
    size_t shared = 0;
    CHECK_OK(overlap_between(&shared, &data, &other));
    CHECK_NUMBER(3, shared);
    CHECK_OK(overlap_between(&shared, &other, &data));
    CHECK_NUMBER(5, shared);
}

static void memory_may_end_anywhere(void)
{
    OOM_EACH {
        struct overlap found = {.again = 77};
        size_t shared = 77;
        enum status status = overlap_within(&found, &data);
        if (status == STATUS_OK) status = overlap_between(&shared, &data, &other);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
        CHECK((status == STATUS_OK) == (shared == 3));
    }
}

int main(void)
{
    RUN(records_that_stand_there_again_are_counted);
    RUN(records_of_both_sets_are_counted);
    RUN(memory_may_end_anywhere);
    return check_done();
}
