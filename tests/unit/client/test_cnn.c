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

int main(void)
{
    RUN(smallest_image_equals_its_twin);
    RUN(odd_sizes_equal_their_twin);
    RUN(colour_equals_its_twin);
    return check_done();
}
