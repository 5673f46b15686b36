/* SPDX-License-Identifier: Apache-2.0 */
#include "client/data/image.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/unit/client/picture.h"

enum { H = 9, W = 7 };

static uint8_t grey[H * W], colour[3 * H * W], cmyk[4 * H * W];

static void paint(void)
{
    for (size_t i = 0; i < sizeof colour; i++) colour[i] = (uint8_t)(i * 37 + i / 5);
    for (size_t i = 0; i < sizeof grey; i++) grey[i] = (uint8_t)(4 * i);
}

static void png_is_decoded_exactly(void)
{
    paint();
    AUTO(buffer_free) struct buffer one = picture_png(grey, 1, H, W);
    AUTO(buffer_free) struct buffer three = picture_png(colour, 3, H, W);
    AUTO(image_free) struct image image = {0}, rgb = {0};
    struct data_error why = {{0}};
    CHECK_OK(image_decode(&image, buffer_view(&one), &why));
    REQUIRE(image.pixel != NULL);
    CHECK(image.channels == 1 && image.height == H && image.width == W);
    CHECK_BYTES(grey, image.pixel, sizeof grey);
    CHECK_OK(image_decode(&rgb, buffer_view(&three), &why));
    REQUIRE(rgb.pixel != NULL);
    CHECK_NUMBER(3, rgb.channels);
    CHECK_BYTES(colour, rgb.pixel, sizeof colour);
}

static void jpeg_is_decoded_closely(void)
{
    paint();
    for (size_t i = 0; i < sizeof colour; i++) colour[i] = (uint8_t)(100 + 20 * (i % 3));
    AUTO(buffer_free) struct buffer one = picture_jpeg(grey, 1, H, W);
    AUTO(buffer_free) struct buffer three = picture_jpeg(colour, 3, H, W);
    AUTO(image_free) struct image image = {0}, rgb = {0};
    struct data_error why = {{0}};
    CHECK_OK(image_decode(&image, buffer_view(&one), &why));
    CHECK_OK(image_decode(&rgb, buffer_view(&three), &why));
    REQUIRE(image.pixel != NULL && rgb.pixel != NULL);
    CHECK(image.channels == 1 && image.height == H && image.width == W && rgb.channels == 3);
    for (size_t i = 0; i < sizeof grey; i++) CHECK_CLOSE(grey[i], image.pixel[i], 3);
    for (size_t i = 0; i < sizeof colour; i++) CHECK_CLOSE(colour[i], rgb.pixel[i], 4);
}

static void an_encoded_png_is_decoded_exactly(void)
{
    paint();
    uint8_t *const pixel[] = {grey, colour};
    for (uint32_t k = 0; k < 2; k++) {
        const struct image in = {.channels = 1 + 2 * k, .height = H, .width = W, .pixel = pixel[k]};
        AUTO(buffer_free) struct buffer file = {0};
        AUTO(image_free) struct image out = {0};
        struct data_error why = {{0}};
        write_u8(&file, 7); /* appended */
        CHECK_OK(png_encode(&file, &in));
        const struct view bytes = {file.at + 1, file.n - 1};
        CHECK_OK(png_decode(&out, bytes, &why));
        REQUIRE(out.pixel != NULL);
        CHECK(file.at[0] == 7 && out.channels == in.channels && out.height == H && out.width == W);
        CHECK_BYTES(pixel[k], out.pixel, (size_t)in.channels * H * W);
    }
}

static void no_png_is_made_of_other_sizes(void)
{
    static const struct image wrong[] = {{2, H, W, colour},
                                         {0, H, W, colour},
                                         {1, 0, W, colour},
                                         {1, H, 0, colour},
                                         {1, IMAGE_SIDE_MAX + 1, 1, colour},
                                         {3, 1, IMAGE_SIDE_MAX + 1, colour},
                                         {3, IMAGE_SIDE_MAX, IMAGE_SIDE_MAX, colour}};
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        AUTO(buffer_free) struct buffer file = {0};
        CHECK_STATUS(STATUS_RANGE, png_encode(&file, &wrong[k]));
        CHECK_NUMBER(0, file.n);
    }
}

static void check_refused(enum status want, const char *words, struct view bytes)
{
    struct image image = {.channels = 77};
    struct data_error why = {{0}};
    CHECK_STATUS(want, image_decode(&image, bytes, &why));
    CHECK(image.channels == 77 && image.pixel == NULL);
    CHECK(strstr(why.text, words) != NULL && why.text[0] != 0);
}

static void every_shorter_file_is_refused(void)
{
    paint();
    AUTO(buffer_free) struct buffer png = picture_png(grey, 1, H, W);
    AUTO(buffer_free) struct buffer jpeg = picture_jpeg(grey, 1, H, W);
    for (size_t n = 0; n < jpeg.n - 2; n++)
        check_refused(STATUS_FORMAT, "", (struct view){jpeg.at, n});
    for (size_t n = 0; n < png.n - 16; n++) /* the last chunk says nothing but the end */
        check_refused(STATUS_FORMAT, "", (struct view){png.at, n});
    check_refused(STATUS_FORMAT, "neither PNG nor JPEG", (struct view){(const uint8_t *)"GIF8", 4});
}

static void four_colours_are_refused(void)
{
    AUTO(buffer_free) struct buffer jpeg = picture_jpeg(cmyk, 4, H, W);
    check_refused(STATUS_FORMAT, "neither grey nor RGB", buffer_view(&jpeg));
}

static void sizes_are_refused_before_they_are_allocated(void)
{
    AUTO(buffer_free) struct buffer wide = picture_bomb(1, IMAGE_SIDE_MAX + 1);
    AUTO(buffer_free) struct buffer large = picture_bomb(16384, 16384);
    AUTO(buffer_free) struct buffer jpeg = picture_jpeg(grey, 1, H, W);
    for (size_t i = 0; i + 8 < jpeg.n; i++) /* the frame's header: length, bits, height, width */
        if (jpeg.at[i] == 0xff && jpeg.at[i + 1] == 0xc0) memset(jpeg.at + i + 5, 0xfe, 4);
    oom_start(1); /* the libraries' own allocations are not counted */
    check_refused(STATUS_RANGE, "16385 x 1", buffer_view(&wide));
    check_refused(STATUS_RANGE, "2^26", buffer_view(&large));
    check_refused(STATUS_RANGE, "2^26", buffer_view(&jpeg));
    CHECK(!oom_hit());
    oom_stop();
    struct image image = {0};
    struct data_error why = {{0}};
    CHECK_STATUS(STATUS_FORMAT, image_new(&image, 1, 0, 5, &why));
    CHECK(image.pixel == NULL);
}

static void areas_are_averaged(void)
{
    uint8_t four[] = {0, 100, 50, 255}, out[9];
    const struct image image = {1, 2, 2, four};
    image_fit(out, 1, 1, 1, &image);
    CHECK_NUMBER(101, out[0]); /* 101.25 */
    image_fit(out, 1, 2, 2, &image);
    CHECK_BYTES(four, out, 4);
    image_fit(out, 1, 1, 3, &image); /* columns of 2/3: left, half and half, right */
    CHECK_BYTES(((const uint8_t[]){25, 101, 178}), out, 3);
    image_fit(out, 1, 3, 3, &image);
    CHECK_BYTES(((const uint8_t[]){0, 50, 100, 25, 101, 178, 50, 153, 255}), out, 9);
}

static void grey_and_colour_become_each_other(void)
{
    uint8_t rgb[] = {255, 0, 0, 0, 255, 0}, white[] = {40}, out[6];
    const struct image two = {3, 1, 2, rgb}, dot = {1, 1, 1, white};
    image_fit(out, 1, 1, 2, &two);
    CHECK_BYTES(((const uint8_t[]){76, 150}), out, 2);
    image_fit(out, 3, 1, 2, &two);
    CHECK_BYTES(((const uint8_t[]){255, 0, 0, 255, 0, 0}), out, 6);
    image_fit(out, 3, 1, 2, &dot);
    CHECK_BYTES(((const uint8_t[]){40, 40, 40, 40, 40, 40}), out, 6);
}

static void a_large_image_keeps_its_mean(void)
{
    enum { SIDE = 1000 };
    static uint8_t pixel[SIDE * SIDE];
    double sum = 0, mean = 0;
    for (size_t i = 0; i < sizeof pixel; i++) {
        pixel[i] = (uint8_t)(i * i % 251);
        sum += pixel[i];
    }
    uint8_t out[7 * 13];
    const struct image image = {1, SIDE, SIDE, pixel};
    image_fit(out, 1, 7, 13, &image);
    for (size_t i = 0; i < sizeof out; i++) mean += out[i] / (double)sizeof out;
    CHECK_CLOSE(sum / (SIDE * SIDE), mean, 0.5);
}

static void memory_may_end_anywhere(void)
{
    paint();
    AUTO(buffer_free) struct buffer png = picture_png(grey, 1, H, W);
    AUTO(buffer_free) struct buffer jpeg = picture_jpeg(grey, 1, H, W);
    for (int k = 0; k < 2; k++)
        OOM_EACH {
            AUTO(image_free) struct image image = {0};
            struct data_error why = {{0}};
            const enum status status =
                image_decode(&image, k == 0 ? buffer_view(&png) : buffer_view(&jpeg), &why);
            oom_stop();
            CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
            CHECK((status == STATUS_OK) == (image.pixel != NULL));
        }
    OOM_EACH {
        const struct image image = {1, H, W, grey};
        AUTO(buffer_free) struct buffer file = {0};
        const enum status status = png_encode(&file, &image);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
        CHECK((status == STATUS_OK) == (file.n > 0));
    }
}

int main(void)
{
    RUN(png_is_decoded_exactly);
    RUN(an_encoded_png_is_decoded_exactly);
    RUN(no_png_is_made_of_other_sizes);
    RUN(jpeg_is_decoded_closely);
    RUN(every_shorter_file_is_refused);
    RUN(four_colours_are_refused);
    RUN(sizes_are_refused_before_they_are_allocated);
    RUN(areas_are_averaged);
    RUN(grey_and_colour_become_each_other);
    RUN(a_large_image_keeps_its_mean);
    RUN(memory_may_end_anywhere);
    return check_done();
}
