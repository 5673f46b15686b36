/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "client/data/image.h"
#include "lab/audit_inversion.h"

/* Pixels between pictures, and the side that a small picture is brought to. */
#define GAP 4u
#define SIDE 84u

/* A sheet of two rows. */
struct sheet {
    struct image image;
    uint32_t channels, height, width; /* of a picture, */
    uint32_t times;                   /* so many times as large */
};

static uint8_t shade(float x)
{
    return (uint8_t)(x * 255.0F + 0.5F);
}

static void draw(struct sheet *sheet, uint32_t row, uint32_t column, const float *pixel)
{
    const uint32_t times = sheet->times;
    const size_t top = GAP + row * (size_t)(sheet->height * times + GAP);
    const size_t left = GAP + column * (size_t)(sheet->width * times + GAP);
    const uint32_t seen = sheet->image.channels;
    for (size_t y = 0; y < (size_t)sheet->height * times; y++)
        for (size_t x = 0; x < (size_t)sheet->width * times; x++)
            for (uint32_t c = 0; c < seen; c++) {
                const size_t from = (c * (size_t)sheet->height + y / times) * sheet->width;
                uint8_t *at =
                    sheet->image.pixel + ((top + y) * sheet->image.width + left + x) * seen + c;
                *at = shade(pixel[from + x / times]);
            }
}

enum status audit_inversion_picture(struct buffer *out, const struct inversion *inversion,
                                    unsigned stage)
{
    const struct inversion_stage *s = &inversion->stage[stage];
    const struct model_spec *spec = &inversion->study.model.spec;
    struct data_error why;
    AUTO(image_free) struct image image = {0};
    if (s->shown == 0) return STATUS_RANGE;
    const uint32_t side = spec->height > spec->width ? spec->height : spec->width;
    const uint32_t times = side < SIDE ? SIDE / side : 1;
    if (side > IMAGE_SIDE_MAX) return STATUS_RANGE;
    /* Of other numbers of channels the first is shown. */
    TRY(image_new(&image, spec->channels == 3 ? 3 : 1, GAP + 2 * (spec->height * times + GAP),
                  GAP + (uint32_t)s->shown * (spec->width * times + GAP), &why));
    memset(image.pixel, 255, (size_t)image.channels * image.height * image.width);
    struct sheet sheet = {image, spec->channels, spec->height, spec->width, times};
    const size_t floats = s->original.floats;
    for (uint32_t k = 0; k < s->shown; k++) {
        draw(&sheet, 0, k, s->original.pixel + k * floats);
        draw(&sheet, 1, k, s->picture.pixel + k * floats);
    }
    return png_encode(out, &image);
}
