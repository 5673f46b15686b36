/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: png_decode (client/data/png.c) and image_fit. Input: the file. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    fuzz_image(png_decode, (struct view){in, n});
    return 0;
}
