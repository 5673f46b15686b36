/* SPDX-License-Identifier: Apache-2.0 */
/* PNG by libpng's own reader of whole images in memory, which catches libpng's jumps itself. */
#include <png.h>
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
