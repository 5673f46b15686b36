/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: idx_parse (client/data/idx.c), plain and gzip. Input: one byte n, a label file of n
 * bytes, and the image file. */
#include "client/data/data.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    struct reader r = reader_of((struct view){in, n});
    struct view labels = read_view(&r, read_u8(&r));
    struct view images = read_view(&r, r.left);
    AUTO(dataset_free) struct dataset data = {0};
    struct data_error why = {0};
    enum status status = idx_parse(&data, images, labels, &why);
    REQUIRE((status == STATUS_OK) == (data.pixel != NULL));
    REQUIRE((status == STATUS_OK) == (why.text[0] == 0));
    return 0;
}
