/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/check.h"
#include "tests/unit/client/twin.h"

static void one_hidden_layer_equals_its_twin(void)
{
    struct model_spec spec = {
        .kind = MODEL_MLP, 1, 3, 4, .classes = 3, .n_hidden = 1, .hidden = {7}};
    twin_compare(&spec, 5, 1);
}

static void three_hidden_layers_equal_their_twin(void)
{
    struct model_spec spec = {.kind = MODEL_MLP, 3, 2, 2, 10, 3, {9, 6, 5}};
    twin_compare(&spec, 6, 2);
}

static void narrowest_model_equals_its_twin(void)
{
    struct model_spec spec = {.kind = MODEL_MLP, 1, 1, 1, 2, 1, {1}};
    twin_compare(&spec, 8, 3);
}

static void single_record_equals_its_twin(void)
{
    struct model_spec spec = {.kind = MODEL_MLP, 1, 2, 3, 2, 2, {17, 16}};
    twin_compare(&spec, 1, 4);
}

int main(void)
{
    RUN(one_hidden_layer_equals_its_twin);
    RUN(three_hidden_layers_equal_their_twin);
    RUN(narrowest_model_equals_its_twin);
    RUN(single_record_equals_its_twin);
    return check_done();
}
