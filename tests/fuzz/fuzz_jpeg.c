/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: jpeg_decode (client/data/jpeg.c) and image_fit. Input: the file. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    fuzz_image(jpeg_decode, (struct view){in, n});
    return 0;
}
