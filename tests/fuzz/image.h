/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for every decoder of images. */
#ifndef TESTS_FUZZ_IMAGE_H
#define TESTS_FUZZ_IMAGE_H

#include "client/data/image.h"

/* Images of more than a million pixels are not fitted. */
static inline void
fuzz_image(enum status (*decode)(struct image *, struct view, struct data_error *), struct view in)
{
    AUTO(image_free) struct image image = {0};
    struct data_error why = {{0}};
    enum status status = decode(&image, in, &why);
    REQUIRE((status == STATUS_OK) == (image.pixel != NULL));
    REQUIRE((status == STATUS_OK) == (why.text[0] == 0));
    uint8_t out[3 * 5 * 6];
    if (status != STATUS_OK || (uint64_t)image.height * image.width > 1000000) return;
    image_fit(out, 3, 5, 6, &image);
    image_fit(out, 1, 5, 6, &image);
}

#endif
