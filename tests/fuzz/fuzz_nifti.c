/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: nifti_parse and nifti_plane (client/data/nifti.c), gzip or not. Input: the file. */
#include "client/data/nifti.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    AUTO(nifti_free) struct nifti nifti = {0};
    struct data_error why = {{0}};
    enum status status = nifti_parse(&nifti, (struct view){in, n}, &why);
    REQUIRE((status == STATUS_OK) == (nifti.bytes.n > 0));
    REQUIRE((status == STATUS_OK) == (why.text[0] == 0));
    if (status != STATUS_OK || (uint64_t)nifti.height * nifti.width > 1000000) return 0;
    const struct data_window window = {-100, 300};
    const uint64_t plane[] = {0, nifti.planes / 2, nifti.planes - 1};
    for (size_t i = 0; i < 3; i++) {
        AUTO(image_free) struct image image = {0};
        struct dataset counts = {0};
        if (nifti_plane(&image, &nifti, plane[i], &window, &counts, &why) != STATUS_OK) continue;
        REQUIRE(counts.clamped + counts.missing <= (uint64_t)nifti.height * nifti.width);
    }
    return 0;
}
