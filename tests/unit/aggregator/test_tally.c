/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/tally.h"

#include "tests/lib/check.h"

static void vectors_add_up_modulo_2_to_the_32(void)
{
    uint32_t sum[3] = {1, UINT32_MAX, 5}, more[3] = {2, 3, UINT32_MAX};
    struct total total = {3, sum};
    CHECK_OK(tally_add(&total, &(struct masked){3, more}));
    CHECK(sum[0] == 3 && sum[1] == 2 && sum[2] == 4);
    CHECK_OK(tally_add(&total, &(struct masked){3, more}));
    CHECK(sum[0] == 5 && sum[1] == 5 && sum[2] == 3);
    CHECK(more[0] == 2 && more[1] == 3 && more[2] == UINT32_MAX);
}

static void another_length_is_refused(void)
{
    uint32_t sum[3] = {1, 2, 3}, more[4] = {4, 4, 4, 4};
    struct total total = {3, sum};
    CHECK_STATUS(STATUS_RANGE, tally_add(&total, &(struct masked){2, more}));
    CHECK_STATUS(STATUS_RANGE, tally_add(&total, &(struct masked){4, more}));
    CHECK(sum[0] == 1 && sum[1] == 2 && sum[2] == 3);
}

int main(void)
{
    RUN(vectors_add_up_modulo_2_to_the_32);
    RUN(another_length_is_refused);
    return check_done();
}
