/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/check.h"
#include "tests/unit/client/twin.h"

static void smallest_image_equals_its_twin(void)
{
    struct model_spec spec = {.kind = MODEL_CNN, 1, 16, 16, 2, 2, {2, 3}};
    twin_compare(&spec, 4, 1);
}

static void odd_sizes_equal_their_twin(void)
{
    struct model_spec spec = {.kind = MODEL_CNN, 1, 17, 23, 3, 2, {3, 2}};
    twin_compare(&spec, 3, 2);
}

static void colour_equals_its_twin(void)
{
    struct model_spec spec = {.kind = MODEL_CNN, 3, 20, 16, 3, 2, {2, 2}};
    twin_compare(&spec, 3, 3);
}

static void tiles_equal_their_twin_up_to_the_last_one(void)
{
    struct model_spec spec = {.kind = MODEL_CNN, 1, 16, 17, 2, 2, {1, 2}};
    twin_compare(&spec, 10, 4);
}

static void smallest_twocnn_equals_its_twin(void)
{
    struct model_spec spec = {.kind = MODEL_TWOCNN, 1, 6, 6, 2, 3, {2, 2, 3}};
    twin_compare(&spec, 4, 5);
}

static void odd_twocnn_equals_its_twin(void)
{
    struct model_spec spec = {.kind = MODEL_TWOCNN, 1, 7, 8, 2, 3, {2, 1, 2}};
    twin_compare(&spec, 9, 6);
}

static void colour_twocnn_equals_its_twin(void)
{
    struct model_spec spec = {.kind = MODEL_TWOCNN, 3, 9, 6, 2, 3, {2, 1, 2}};
    twin_compare(&spec, 3, 7);
}

int main(void)
{
    RUN(smallest_image_equals_its_twin);
    RUN(odd_sizes_equal_their_twin);
    RUN(colour_equals_its_twin);
    RUN(tiles_equal_their_twin_up_to_the_last_one);
    RUN(smallest_twocnn_equals_its_twin);
    RUN(odd_twocnn_equals_its_twin);
    RUN(colour_twocnn_equals_its_twin);
    return check_done();
}
