/* SPDX-License-Identifier: Apache-2.0 */
#include "client/data/data.h"

#include <stdlib.h>

#include "tests/lib/check.h"

static void pixels_become_standardised_floats(void)
{
    uint8_t pixel[] = {0, 0, 0, 255, 51, 102};
    struct dataset data = {.n = 3, .channels = 1, .height = 1, .width = 2, .pixel = pixel};
    float out[4] = {9, 9, 9, 9};
    data_floats(out, &data, 1, 2, 0.5f, 0.25f);
    CHECK_CLOSE(-2, (double)out[0], 1e-6);
    CHECK_CLOSE(2, (double)out[1], 1e-6);
    CHECK_CLOSE((0.2 - 0.5) / 0.25, (double)out[2], 1e-6);
    CHECK_CLOSE((0.4 - 0.5) / 0.25, (double)out[3], 1e-6);
    data_floats(out, &data, 3, 0, 0.5f, 0.25f); /* none from the end on */
}

static void record_has_all_channels(void)
{
    struct dataset data = {.channels = 3, .height = 28, .width = 20};
    CHECK_NUMBER(1680, dataset_floats(&data));
}

static void set_may_be_freed_twice(void)
{
    struct dataset data = {.n = 1, .pixel = malloc(1), .label = malloc(1)};
    dataset_free(&data);
    CHECK(data.n == 0 && data.pixel == NULL && data.label == NULL);
    dataset_free(&data);
}

int main(void)
{
    RUN(pixels_become_standardised_floats);
    RUN(record_has_all_channels);
    RUN(set_may_be_freed_twice);
    return check_done();
}
