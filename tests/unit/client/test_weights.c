/* SPDX-License-Identifier: Apache-2.0 */
#include "client/model/weights.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/check.h"

/* fc1: 3 x 4 and 3; fc2: 2 x 3 and 2. */
static const struct model_spec tiny = {
    .kind = MODEL_MLP,
    .channels = 1,
    .height = 2,
    .width = 2,
    .classes = 2,
    .n_hidden = 1,
    .hidden = {3},
};
#define TINY 23

/* A file of the named tensors, each with the shape in brackets and the numbers 100, 101, ... over
 * the whole file. It borrows from bytes. */
struct sample {
    struct buffer bytes;
    struct safetensors file;
};

static void sample_free(struct sample *sample)
{
    safetensors_free(&sample->file);
    buffer_free(&sample->bytes);
}

struct named {
    const char *name, *shape;
    size_t n;
};

static void sample_of(struct sample *out, size_t n, const struct named *named)
{
    char header[1000] = "{";
    size_t floats = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t at = strlen(header);
        (void)snprintf(header + at, sizeof header - at,
                       "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
                       i == 0 ? "" : ",", named[i].name, named[i].shape, 4 * floats,
                       4 * (floats + named[i].n));
        floats += named[i].n;
    }
    (void)snprintf(header + strlen(header), 2, "}");
    write_u64(&out->bytes, strlen(header));
    write_bytes(&out->bytes, header, strlen(header));
    for (size_t i = 0; i < floats; i++) write_f32(&out->bytes, (float)(100 + i));
    struct data_error why = {0};
    REQUIRE(safetensors_parse(&out->file, buffer_view(&out->bytes), &why) == STATUS_OK);
}

static const struct named all[] = {{"fc1.bias", "3", 3},
                                   {"fc1.weight", "3,4", 12},
                                   {"fc2.weight", "2,3", 6},
                                   {"fc2.bias", "2", 2}};

struct block {
    struct layout layout;
    float weight[TINY];
};

static struct block block_new(void)
{
    struct block block = {.weight = {0}};
    REQUIRE(layout_of(&block.layout, &tiny) == STATUS_OK && block.layout.n == TINY);
    for (size_t i = 0; i < TINY; i++) block.weight[i] = -1;
    return block;
}

static void each_tensor_goes_to_its_place(void)
{
    AUTO(sample_free) struct sample sample = {0};
    sample_of(&sample, 4, all);
    struct block block = block_new();
    struct data_error why = {0};
    CHECK_OK(weights_take(block.weight, NULL, &block.layout, &sample.file, false, &why));
    for (size_t i = 0; i < 12; i++) CHECK_CLOSE(103 + (double)i, (double)block.weight[i], 0);
    for (size_t i = 0; i < 3; i++) CHECK_CLOSE(100 + (double)i, (double)block.weight[12 + i], 0);
    for (size_t i = 0; i < 8; i++) CHECK_CLOSE(115 + (double)i, (double)block.weight[15 + i], 0);
}

static void a_part_leaves_the_others_alone(void)
{
    AUTO(sample_free) struct sample sample = {0};
    sample_of(&sample, 1, &all[2]);
    struct block block = block_new();
    AUTO(bits_free) struct bits taken = {0};
    CHECK_OK(bits_new(&taken, block.layout.n_tensors));
    struct data_error why = {0};
    CHECK_OK(weights_take(block.weight, &taken, &block.layout, &sample.file, false, &why));
    CHECK_NUMBER(1, bits_count(&taken));
    CHECK(bits_has(&taken, 2));
    for (size_t i = 0; i < TINY; i++)
        CHECK_CLOSE(i < 15 || i >= 21 ? -1 : 100 + (double)(i - 15), (double)block.weight[i], 0);
}

static void check_refused(const char *words, size_t n, const struct named *named, bool partial,
                          bool others)
{
    AUTO(sample_free) struct sample sample = {0};
    sample_of(&sample, n, named);
    struct block block = block_new();
    AUTO(bits_free) struct bits taken = {0};
    CHECK_OK(bits_new(&taken, block.layout.n_tensors));
    struct data_error why = {0};
    CHECK_STATUS(STATUS_RANGE, weights_take(block.weight, partial ? &taken : NULL, &block.layout,
                                            &sample.file, others, &why));
    CHECK(strstr(why.text, words) != NULL);
    for (size_t i = 0; i < TINY; i++) CHECK_CLOSE(-1, (double)block.weight[i], 0);
    CHECK_NUMBER(0, bits_count(&taken));
}

static void what_does_not_fit_is_refused(void)
{
    check_refused("fc1.bias", 3, &all[1], false, false);
    const struct named other[] = {all[0], {"fc9.bias", "3", 3}};
    check_refused("no tensor fc9.bias", 2, other, true, false);
    const struct named turned[] = {all[0], {"fc1.weight", "4,3", 12}};
    check_refused("fc1.weight has not the model's 3 x 4", 2, turned, true, true);
    const struct named shorter[] = {all[0], {"fc1.weight", "3,3", 9}};
    check_refused("fc1.weight", 2, shorter, true, true);
    const struct named flat[] = {all[0], {"fc1.weight", "12", 12}};
    check_refused("fc1.weight", 2, flat, true, true);
}

static void unknown_tensors_may_be_left_out(void)
{
    const struct named more[] = {all[0], {"fc9.bias", "3", 3}, all[1], all[2], all[3]};
    AUTO(sample_free) struct sample sample = {0};
    sample_of(&sample, 5, more);
    struct block block = block_new();
    struct data_error why = {0};
    CHECK_OK(weights_take(block.weight, NULL, &block.layout, &sample.file, true, &why));
    CHECK_CLOSE(106, (double)block.weight[0], 0);
}

static void dimensions_may_be_split(void)
{
    static const char *const shape[] = {"3,2,2", "3,1,4", "1,3,4", "3,4,1", "3,4"};
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) {
        const struct named one = {"fc1.weight", shape[i], 12};
        AUTO(sample_free) struct sample sample = {0};
        sample_of(&sample, 1, &one);
        struct block block = block_new();
        AUTO(bits_free) struct bits taken = {0};
        CHECK_OK(bits_new(&taken, block.layout.n_tensors));
        struct data_error why = {0};
        CHECK_OK(weights_take(block.weight, &taken, &block.layout, &sample.file, false, &why));
        CHECK_CLOSE(111, (double)block.weight[11], 0);
    }
}

int main(void)
{
    RUN(each_tensor_goes_to_its_place);
    RUN(a_part_leaves_the_others_alone);
    RUN(what_does_not_fit_is_refused);
    RUN(unknown_tensors_may_be_left_out);
    RUN(dimensions_may_be_split);
    return check_done();
}
