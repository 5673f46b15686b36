/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/shapes.h"

#include "client/data/source.h"

/* One for each class, and never more. */
#define ELLIPSES_MAX 6u

static void add_ellipse(uint8_t *pixel, const struct model_spec *spec, struct rng *rng)
{
    const double height = spec->height, width = spec->width;
    const double y = rng_unit(rng) * height, x = rng_unit(rng) * width;
    const double tall = (0.1 + 0.25 * rng_unit(rng)) * height;
    const double wide = (0.1 + 0.25 * rng_unit(rng)) * width;
    const uint8_t bright = (uint8_t)(80 + rng_below(rng, 176));
    const uint64_t channel = rng_below(rng, spec->channels);
    uint8_t *at = pixel + channel * spec->height * spec->width;
    for (uint32_t i = 0; i < spec->height; i++)
        for (uint32_t j = 0; j < spec->width; j++, at++) {
            const double dy = (i + 0.5 - y) / tall, dx = (j + 0.5 - x) / wide;
            if (dy * dy + dx * dx < 1 && *at < bright) *at = bright;
        }
}

enum status shapes_draw(struct dataset *out, const struct model_spec *spec, size_t n,
                        struct rng *rng)
{
    struct data_error why;
    AUTO(dataset_free) struct dataset data = {0};
    TRY(source_shape(&data, n, spec->channels, spec->height, spec->width, &why));
    TRY(source_new(&data, &why));
    const size_t floats = dataset_floats(&data);
    for (size_t i = 0; i < n; i++) {
        uint8_t *pixel = data.pixel + i * floats;
        for (size_t k = 0; k < floats; k++) pixel[k] = (uint8_t)rng_below(rng, 24);
        data.label[i] = (uint8_t)rng_below(rng, spec->classes);
        for (uint32_t k = 0; k <= data.label[i] % ELLIPSES_MAX; k++) add_ellipse(pixel, spec, rng);
    }
    data.classes = spec->classes;
    *out = data;
    data = (struct dataset){0};
    return STATUS_OK;
}
