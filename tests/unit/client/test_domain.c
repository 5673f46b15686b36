/* SPDX-License-Identifier: Apache-2.0 */
#include "client/data/domain.h"

#include <math.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

enum { SIDE = 64, PIXELS = SIDE * SIDE };

static uint8_t pixel[2 * PIXELS];
static uint8_t label[2] = {3, 4};

/* Two images: a ramp to the right, and a flat grey one with a bright dot in the middle. */
static struct dataset images(void)
{
    for (size_t i = 0; i < PIXELS; i++) {
        pixel[i] = (uint8_t)(i % SIDE * 2);
        pixel[PIXELS + i] = 100;
    }
    pixel[PIXELS + 32 * SIDE + 32] = 225;
    return (struct dataset){.n = 2,
                            .channels = 1,
                            .height = SIDE,
                            .width = SIDE,
                            .classes = 5,
                            .pixel = pixel,
                            .label = label};
}

static struct dataset looking(enum domain domain)
{
    struct dataset data = images();
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    CHECK_OK(domain_apply(&data, domain, &rng));
    CHECK(label[0] == 3 && label[1] == 4);
    return data;
}

static void identity_changes_nothing(void)
{
    uint8_t before[2 * PIXELS];
    (void)images();
    memcpy(before, pixel, sizeof before);
    (void)looking(DOMAIN_IDENTITY);
    CHECK_BYTES(before, pixel, sizeof before);
}

static void invert_halves_the_contrast_around_the_middle(void)
{
    struct dataset data = images();
    struct rng rng = {0};
    for (size_t i = 0; i < 256; i++) pixel[i] = (uint8_t)i;
    CHECK_OK(domain_apply(&data, DOMAIN_INVERT, &rng));
    for (size_t i = 0; i < 256; i++) CHECK_CLOSE(127.5 - ((double)i - 127.5) / 2, pixel[i], 0.5);
}

static void transpose_exchanges_rows_and_columns(void)
{
    (void)looking(DOMAIN_TRANSPOSE);
    bool right = true;
    for (size_t y = 0; y < SIDE; y++)
        for (size_t x = 0; x < SIDE; x++) right = right && pixel[y * SIDE + x] == 2 * y;
    CHECK(right);
    struct dataset tall = images();
    tall.height = 2 * SIDE;
    tall.n = 1;
    struct rng rng = {0};
    CHECK_STATUS(STATUS_RANGE, domain_apply(&tall, DOMAIN_TRANSPOSE, &rng));
    CHECK_NUMBER(2, pixel[1]);
}

/* Around 100, 72 levels wide, 8 % of it cut off at 0 and 2 % at 255: 101.6 and 66.7 by numbers. */
static void noise_has_its_width(void)
{
    (void)looking(DOMAIN_NOISE);
    double sum = 0, squares = 0;
    for (size_t i = PIXELS; i < 2 * PIXELS; i++) {
        sum += pixel[i];
        squares += (double)pixel[i] * pixel[i];
    }
    const double mean = sum / PIXELS;
    CHECK_CLOSE(102, mean, 5 * 72.0 / SIDE);
    CHECK_CLOSE(67, sqrt(squares / PIXELS - mean * mean), 5);
    uint8_t first[2 * PIXELS];
    memcpy(first, pixel, sizeof first);
    (void)looking(DOMAIN_NOISE);
    CHECK_BYTES(first, pixel, sizeof first); /* the same seed */
}

static void blur_is_a_mean_of_what_is_inside(void)
{
    (void)looking(DOMAIN_BLUR);
    for (size_t y = 28; y <= 36; y++)
        for (size_t x = 28; x <= 36; x++) {
            const bool near = y >= 30 && y <= 34 && x >= 30 && x <= 34;
            CHECK_NUMBER(near ? 105 : 100, pixel[PIXELS + y * SIDE + x]);
        }
    CHECK_NUMBER(2, pixel[0]);   /* 0, 2, 4 */
    CHECK_NUMBER(20, pixel[10]); /* 16 to 24 */
}

static void edges_are_differences_of_neighbours(void)
{
    (void)looking(DOMAIN_EDGES);
    CHECK_NUMBER(2, pixel[0]);
    CHECK_NUMBER(4, pixel[5]);
    CHECK_NUMBER(4, pixel[7 * SIDE + 9]);
    CHECK_NUMBER(0, pixel[PIXELS + 32 * SIDE + 32]);
    CHECK_NUMBER(125, pixel[PIXELS + 31 * SIDE + 32]);
    CHECK_NUMBER(125, pixel[PIXELS + 32 * SIDE + 33]);
    CHECK_NUMBER(0, pixel[PIXELS + 31 * SIDE + 33]);
}

static void every_domain_has_a_name_of_its_own(void)
{
    for (int a = 0; a < DOMAIN_COUNT; a++)
        for (int b = 0; b < a; b++)
            CHECK(strcmp(domain_name((enum domain)a), domain_name((enum domain)b)) != 0);
}

static void without_memory_nothing_changes(void)
{
    OOM_EACH {
        struct dataset data = images();
        struct rng rng = {0};
        const enum status status = domain_apply(&data, DOMAIN_EDGES, &rng);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
        CHECK_NUMBER(status == STATUS_OK ? 4 : 10, pixel[5]);
    }
}

int main(void)
{
    RUN(identity_changes_nothing);
    RUN(invert_halves_the_contrast_around_the_middle);
    RUN(transpose_exchanges_rows_and_columns);
    RUN(noise_has_its_width);
    RUN(blur_is_a_mean_of_what_is_inside);
    RUN(edges_are_differences_of_neighbours);
    RUN(every_domain_has_a_name_of_its_own);
    RUN(without_memory_nothing_changes);
    return check_done();
}
