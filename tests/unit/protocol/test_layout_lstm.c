/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "protocol/layout.h"
#include "tests/lib/check.h"

/* Of AutoFLIP's Shakespeare (Caldas et al. 2018): 80 characters, 8 floats each, 2 layers of 256. */
static const struct model_spec paper = {.kind = MODEL_LSTM,
                                        .channels = 1,
                                        .height = 1,
                                        .width = 80,
                                        .classes = 80,
                                        .n_hidden = 3,
                                        .hidden = {8, 256, 256}};

static void the_papers_model_has_its_parameters(void)
{
    struct layout layout = {0};
    CHECK_OK(layout_of(&layout, &paper));
    /* 819,920 with the second bias that PyTorch gives to each gate. */
    CHECK_NUMBER(819920, layout.n + 2 * 4 * 256);
    CHECK_NUMBER(4, layout.n_segments);
    CHECK_NUMBER(80 * 8, layout_segment_size(&layout, 0, NULL));
    CHECK_NUMBER(1024 * (8 + 256 + 1), layout_segment_size(&layout, 1, NULL));
    CHECK_NUMBER(1024 * (256 + 256 + 1), layout_segment_size(&layout, 2, NULL));
    CHECK_NUMBER(80 * 257, layout_segment_size(&layout, 3, NULL));
}

static void tensors_lie_one_after_the_other_and_have_no_units(void)
{
    struct layout layout = {0};
    CHECK_OK(layout_of(&layout, &paper));
    static const char *const names[] = {"embed.weight", "lstm1.weight_ih", "lstm1.weight_hh",
                                        "lstm1.bias",   "lstm2.weight_ih", "lstm2.weight_hh",
                                        "lstm2.bias",   "head.weight",     "head.bias"};
    CHECK_NUMBER(9, layout.n_tensors);
    uint64_t at = 0;
    for (uint32_t t = 0; t < layout.n_tensors; t++) {
        const struct tensor *tensor = &layout.tensor[t];
        CHECK(strcmp(names[t], tensor->name) == 0);
        CHECK_NUMBER(at, tensor->offset);
        CHECK((tensor->role == TENSOR_BIAS) == (tensor->cols == 1));
        CHECK(tensor->group == LAYOUT_NONE && tensor->feed == LAYOUT_NONE);
        at += (uint64_t)tensor->rows * tensor->cols;
    }
    CHECK_NUMBER(layout.n, at);
    CHECK(layout.n_groups == 0 && layout_units(&layout) == 0);
}

static void what_is_no_row_of_characters_is_refused(void)
{
    struct model_spec bad[8];
    for (size_t i = 0; i < 8; i++) bad[i] = paper;
    bad[0].n_hidden = 1;
    bad[1].channels = 2;
    bad[2].height = 80;
    bad[3].width = 0;
    bad[4].hidden[0] = 0;
    bad[5].hidden[2] = 0;
    bad[6].width = LAYOUT_LSTM_MEMORY_MAX / 256 + 1;
    bad[7].n_hidden = LAYOUT_HIDDEN_MAX + 1;
    struct layout layout = {.n = 77};
    for (size_t i = 0; i < 8; i++) CHECK_STATUS(STATUS_RANGE, layout_of(&layout, &bad[i]));
    CHECK_NUMBER(77, layout.n);
    struct model_spec most = paper;
    most.width = LAYOUT_LSTM_MEMORY_MAX / 256;
    CHECK_OK(layout_of(&layout, &most));
}

int main(void)
{
    RUN(the_papers_model_has_its_parameters);
    RUN(tensors_lie_one_after_the_other_and_have_no_units);
    RUN(what_is_no_row_of_characters_is_refused);
    return check_done();
}
