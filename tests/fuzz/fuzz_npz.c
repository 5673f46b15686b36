/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: npz_parse (client/data/npz.c) and npy_parse (client/data/npy.c). Input: an archive, of
 * which the split "train" is read; the same bytes are tried as the text of an array's header. */
#include "client/data/data.h"
#include "client/data/npy.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    AUTO(dataset_free) struct dataset data = {0};
    struct data_error why = {0};
    enum status status = npz_parse(&data, (struct view){in, n}, "train", &why);
    REQUIRE((status == STATUS_OK) == (data.pixel != NULL));
    REQUIRE((status == STATUS_OK) == (why.text[0] == 0));

    struct npy npy = {0};
    if (npy_parse(&npy, (struct view){in, n}) == STATUS_OK)
        REQUIRE(npy.n_dims <= NPY_DIMENSIONS_MAX && npy.item_bytes >= 1 && npy.item_bytes <= 8);
    return 0;
}
