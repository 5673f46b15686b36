/* SPDX-License-Identifier: Apache-2.0 */
/* PNG by libpng's own reader and writer of whole images in memory, which catch libpng's jumps
 * themselves. */
#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "client/data/image.h"

static enum status refuse(const png_image *png, struct data_error *why)
{
    return source_refuse(why, STATUS_FORMAT, "the PNG is damaged (%.60s); copy it again",
                         png->message);
}

enum status png_decode(struct image *out, struct view bytes, struct data_error *why)
{
    AUTO(png_image_free) png_image png;
    memset(&png, 0, sizeof png);
    png.version = PNG_IMAGE_VERSION;
    if (png_image_begin_read_from_memory(&png, bytes.at, bytes.n) == 0) return refuse(&png, why);
    const bool colour = (png.format & PNG_FORMAT_FLAG_COLOR) != 0;
    png.format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    /* Without the flag 16 bits would be taken for linear light and change their brightness. */
    png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    AUTO(image_free) struct image image = {0};
    TRY(image_new(&image, colour ? 3 : 1, png.height, png.width, why));
    const png_color black = {0, 0, 0};
    if (png_image_finish_read(&png, &black, image.pixel, 0, NULL) == 0) return refuse(&png, why);
    /* Only a warning to libpng, such as data that end too early. */
    if (PNG_IMAGE_FAILED(png) || png.warning_or_error != 0) return refuse(&png, why);
    *out = image;
    image = (struct image){0};
    return STATUS_OK;
}

static bool is_picture(const struct image *image)
{
    return (image->channels == 1 || image->channels == 3) && image->height > 0 &&
           image->height <= IMAGE_SIDE_MAX && image->width > 0 && image->width <= IMAGE_SIDE_MAX &&
           (uint64_t)image->height * image->width <= IMAGE_PIXELS_MAX;
}

enum status png_encode(struct buffer *out, const struct image *image)
{
    if (!is_picture(image)) return STATUS_RANGE;
    AUTO(png_image_free) png_image png;
    memset(&png, 0, sizeof png);
    png.version = PNG_IMAGE_VERSION;
    png.width = image->width;
    png.height = image->height;
    png.format = image->channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    png_alloc_size_t n = PNG_IMAGE_PNG_SIZE_MAX(png);
    uint8_t *bytes = malloc(n);
    if (bytes == NULL) return STATUS_NOMEM;
    /* There is room for any picture of this size: what is left to fail is memory. */
    const bool done = png_image_write_to_memory(&png, bytes, &n, 0, image->pixel, 0, NULL) != 0;
    if (done) write_bytes(out, bytes, n);
    free(bytes);
    return done ? out->status : STATUS_NOMEM;
}
