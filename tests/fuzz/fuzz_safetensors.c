/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: safetensors_parse (client/model/safetensors.c) and weights_take (client/model/weights.c)
 * with a tiny model. What is read whole is written and read once more. */
#include <math.h>
#include <string.h>

#include "client/model/weights.h"
#include "tests/fuzz/fuzz.h"

static void take(const struct safetensors *file, const struct layout *layout, float *weight)
{
    struct data_error why = {0};
    if (weights_take(weight, NULL, layout, file, true, &why) != STATUS_OK) {
        REQUIRE(why.text[0] != 0);
        return;
    }
    AUTO(buffer_free) struct buffer bytes = {0};
    AUTO(safetensors_free) struct safetensors again = {0};
    REQUIRE(safetensors_write(&bytes, layout, weight, 0, NULL) == STATUS_OK);
    REQUIRE(safetensors_parse(&again, buffer_view(&bytes), &why) == STATUS_OK);
    REQUIRE(again.n == layout->n_tensors);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    const struct model_spec spec = {.kind = MODEL_MLP,
                                    .channels = 1,
                                    .height = 2,
                                    .width = 2,
                                    .classes = 2,
                                    .n_hidden = 1,
                                    .hidden = {3}};
    static struct layout layout;
    float weight[32] = {0};
    REQUIRE(layout_of(&layout, &spec) == STATUS_OK && layout.n <= 32);
    AUTO(safetensors_free) struct safetensors file = {0};
    struct data_error why = {0};
    const enum status status = safetensors_parse(&file, (struct view){in, n}, &why);
    REQUIRE((status == STATUS_OK) == (file.tensor != NULL));
    REQUIRE((status == STATUS_OK) == (why.text[0] == 0));
    if (status != STATUS_OK) return 0;

    size_t bytes = 0;
    for (size_t i = 0; i < file.n; i++) bytes += file.tensor[i].data.n;
    REQUIRE(file.n > 0 && bytes < n);
    take(&file, &layout, weight);
    for (size_t i = 0; i < 32; i++) REQUIRE(isfinite(weight[i]));
    return 0;
}
