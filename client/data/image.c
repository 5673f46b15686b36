/* SPDX-License-Identifier: Apache-2.0 */
#include "client/data/image.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

void image_free(struct image *image)
{
    if (image->pixel != NULL)
        secret_wipe(image->pixel, (size_t)image->channels * image->height * image->width);
    free(image->pixel);
    *image = (struct image){0};
}

enum status image_new(struct image *out, uint32_t channels, uint32_t height, uint32_t width,
                      struct data_error *why)
{
    if (height == 0 || width == 0)
        return source_refuse(why, STATUS_FORMAT, "the image has no pixels");
    if (height > IMAGE_SIDE_MAX || width > IMAGE_SIDE_MAX ||
        (uint64_t)height * width > IMAGE_PIXELS_MAX)
        return source_refuse(why, STATUS_RANGE,
                             "the image has %u x %u pixels, more than 2^26 or 16384 on a side; "
                             "make it smaller first",
                             (unsigned)width, (unsigned)height);
    uint8_t *pixel = malloc((size_t)channels * height * width);
    if (pixel == NULL) return source_refuse(why, STATUS_NOMEM, "no memory for an image");
    *out = (struct image){channels, height, width, pixel};
    return STATUS_OK;
}

enum status image_decode(struct image *out, struct view bytes, struct data_error *why)
{
    static const uint8_t png[] = {0x89, 'P', 'N', 'G'}, jpeg[] = {0xff, 0xd8, 0xff};
    if (bytes.n >= sizeof png && memcmp(bytes.at, png, sizeof png) == 0)
        return png_decode(out, bytes, why);
    if (bytes.n >= sizeof jpeg && memcmp(bytes.at, jpeg, sizeof jpeg) == 0)
        return jpeg_decode(out, bytes, why);
    return source_refuse(why, STATUS_FORMAT, "the file is neither PNG nor JPEG");
}

/* Channel c of a pixel, or grey in thousandths where grey of colour is wanted. */
static uint64_t channel(const uint8_t *pixel, uint32_t from, uint32_t channels, uint32_t c)
{
    if (from == 1) return UINT64_C(1000) * pixel[0];
    if (channels == 3) return UINT64_C(1000) * pixel[c];
    return UINT64_C(299) * pixel[0] + UINT64_C(587) * pixel[1] + UINT64_C(114) * pixel[2];
}

/* How much [a, a + length_a) and [b, b + length_b) have in common. */
static uint64_t common(uint64_t a, uint64_t length_a, uint64_t b, uint64_t length_b)
{
    const uint64_t first = a > b ? a : b;
    const uint64_t end_a = a + length_a, end_b = b + length_b;
    return (end_a < end_b ? end_a : end_b) - first;
}

/* The mean over an area. A side of the image is cut into image * out equal steps, so that pixels of
 * both are whole numbers of steps, and their areas sum to height * width of the image. */
static uint8_t area_mean(const struct image *image, uint32_t channels, uint32_t c, uint64_t y,
                         uint64_t height, uint64_t x, uint64_t width)
{
    const uint64_t top = y * image->height, left = x * image->width;
    uint64_t sum = 0;
    for (uint64_t v = top / height; v * height < top + image->height; v++) {
        const uint64_t tall = common(top, image->height, v * height, height);
        for (uint64_t u = left / width; u * width < left + image->width; u++) {
            const uint64_t wide = common(left, image->width, u * width, width);
            const uint8_t *pixel = image->pixel + (v * image->width + u) * image->channels;
            sum += tall * wide * channel(pixel, image->channels, channels, c);
        }
    }
    const uint64_t area = UINT64_C(1000) * image->height * image->width;
    return (uint8_t)((sum + area / 2) / area);
}

void image_fit(uint8_t *out, uint32_t channels, uint32_t height, uint32_t width,
               const struct image *image)
{
    for (uint32_t c = 0; c < channels; c++)
        for (uint64_t y = 0; y < height; y++)
            for (uint64_t x = 0; x < width; x++)
                *out++ = area_mean(image, channels, c, y, height, x, width);
}
