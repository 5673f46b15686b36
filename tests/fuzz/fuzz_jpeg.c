/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: jpeg_decode (client/data/jpeg.c) and image_fit. Input: the file; images of more than a
 * million pixels are not fitted. */
#include "client/data/image.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    AUTO(image_free) struct image image = {0};
    struct data_error why = {{0}};
    enum status status = jpeg_decode(&image, (struct view){in, n}, &why);
    REQUIRE((status == STATUS_OK) == (image.pixel != NULL));
    REQUIRE((status == STATUS_OK) == (why.text[0] == 0));
    uint8_t out[3 * 5 * 6];
    if (status != STATUS_OK || (uint64_t)image.height * image.width > 1000000) return 0;
    image_fit(out, 3, 5, 6, &image);
    image_fit(out, 1, 5, 6, &image);
    return 0;
}
