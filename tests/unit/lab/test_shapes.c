/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/shapes.h"

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static const struct model_spec colour = {.channels = 3, .height = 12, .width = 9, .classes = 4};

static void pictures_are_of_the_models_size_and_bright_on_dark(void)
{
    struct rng rng = {0};
    AUTO(dataset_free) struct dataset data = {0};
    size_t dark = 0, bright = 0, seen[4] = {0};
    rng_numbered(&rng, 1);
    CHECK_OK(shapes_draw(&data, &colour, 200, &rng));
    CHECK(data.n == 200 && data.channels == 3 && data.height == 12 && data.width == 9);
    CHECK_NUMBER(4, data.classes);
    for (size_t i = 0; i < data.n * dataset_floats(&data); i++) {
        dark += data.pixel[i] < 24;
        bright += data.pixel[i] >= 80;
    }
    CHECK_NUMBER(200 * 12 * 9 * 3, dark + bright);
    CHECK(bright > dark / 20);
    for (size_t i = 0; i < data.n; i++) seen[data.label[i]]++;
    for (size_t c = 0; c < 4; c++) CHECK(seen[c] > 20);
}

static void what_is_too_large_is_refused(void)
{
    struct rng rng = {0};
    struct dataset data = {.n = 77};
    rng_numbered(&rng, 1);
    CHECK_STATUS(STATUS_RANGE, shapes_draw(&data, &colour, SIZE_MAX / 2, &rng));
    CHECK_NUMBER(77, data.n);
}

static void memory_may_end_anywhere(void)
{
    OOM_EACH {
        struct rng rng = {0};
        struct dataset data = {0};
        rng_numbered(&rng, 1);
        const enum status status = shapes_draw(&data, &colour, 3, &rng);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((status == STATUS_OK) == (data.pixel != NULL));
        dataset_free(&data);
    }
}

int main(void)
{
    RUN(pictures_are_of_the_models_size_and_bright_on_dark);
    RUN(what_is_too_large_is_refused);
    RUN(memory_may_end_anywhere);
    return check_done();
}
