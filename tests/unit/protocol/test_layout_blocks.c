/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes of the published models: ViT-B/16 and Mixer-B/16 as timm counts their parameters, adapters
 * as PEFT does. */
#include <math.h>
#include <string.h>

#include "protocol/layout.h"
#include "tests/lib/check.h"

static const struct model_spec vit_b16 = {.kind = MODEL_VIT,
                                          .channels = 3,
                                          .height = 224,
                                          .width = 224,
                                          .classes = 1000,
                                          .patch = 16,
                                          .dim = 768,
                                          .depth = 12,
                                          .heads = 12,
                                          .mlp = 3072,
                                          .alpha = 8};
static const struct model_spec mixer_b16 = {.kind = MODEL_MIXER,
                                            .channels = 3,
                                            .height = 224,
                                            .width = 224,
                                            .classes = 1000,
                                            .patch = 16,
                                            .dim = 768,
                                            .depth = 12,
                                            .mlp = 3072,
                                            .tokens_mlp = 384,
                                            .alpha = 8};

static struct layout layout_made(struct model_spec spec, uint32_t classes, uint32_t rank)
{
    struct layout layout = {0};
    spec.classes = classes;
    spec.rank = rank;
    CHECK_OK(layout_of(&layout, &spec));
    return layout;
}

static void whole_models_have_their_published_sizes(void)
{
    CHECK_NUMBER(86567656, layout_made(vit_b16, 1000, 0).n);
    CHECK_NUMBER(59880472, layout_made(mixer_b16, 1000, 0).n);
    CHECK_NUMBER(197, layout_tokens(&vit_b16));
    CHECK_NUMBER(196, layout_tokens(&mixer_b16));
}

static void adapters_have_their_published_sizes(void)
{
    struct layout l = layout_made(vit_b16, 100, 8);
    CHECK_NUMBER(605284, l.n);
    CHECK_NUMBER(14, l.n_segments);
    CHECK_NUMBER(12288, layout_segment_size(&l, 0, NULL));
    for (uint32_t s = 1; s <= 12; s++) CHECK_NUMBER(43008, layout_segment_size(&l, s, NULL));
    CHECK_NUMBER(76900, layout_segment_size(&l, 13, NULL));

    l = layout_made(mixer_b16, 60, 8);
    CHECK_NUMBER(13, l.n_segments);
    for (uint32_t s = 0; s < 12; s++) CHECK_NUMBER(35360, layout_segment_size(&l, s, NULL));
    CHECK_NUMBER(46140, layout_segment_size(&l, 12, NULL));
}

/* A norm of 2 x 768, which adapters leave frozen, and a classifier of 100 x 768 + 100. */
static void exits_are_part_of_their_blocks(void)
{
    struct model_spec spec = vit_b16;
    spec.exits = true;
    struct layout l = layout_made(spec, 100, 8);
    CHECK_NUMBER(13, l.n_segments);
    for (uint32_t s = 1; s <= 12; s++)
        CHECK_NUMBER(43008 + 76900, layout_segment_size(&l, s, NULL));
    CHECK(strcmp(l.tensor[l.n_tensors - 2].name, "block12.exit.weight") == 0);
    const struct layout plain = layout_made(vit_b16, 100, 0);
    l = layout_made(spec, 100, 0);
    CHECK_NUMBER(plain.n + 11 * (2 * 768 + 76900), l.n);
    CHECK_NUMBER(plain.n_segments - 1, l.n_segments);
    spec.depth = LAYOUT_DEPTH_MAX;
    l = layout_made(spec, 100, 0);
    CHECK_NUMBER(LAYOUT_DEPTH_MAX + 1, l.n_segments);
    /* The frozen weights are those of the model without. */
    struct layout frozen = {0}, same = {0};
    struct model_spec adapted = vit_b16;
    adapted.rank = spec.rank = 8;
    adapted.depth = LAYOUT_DEPTH_MAX;
    CHECK_OK(layout_backbone(&frozen, &spec));
    CHECK_OK(layout_backbone(&same, &adapted));
    CHECK_NUMBER(same.n, frozen.n);
    CHECK_NUMBER(same.n_tensors, frozen.n_tensors);
}

static void fixed_halves_of_adapters_do_not_travel(void)
{
    struct model_spec spec = vit_b16;
    spec.freeze_a = true;
    struct layout l = layout_made(spec, 100, 8);
    CHECK_NUMBER(8 * 768 * (12 * 2 + 1) + 76900, l.n);
    for (uint32_t t = 0; t < l.n_tensors; t++) CHECK(l.tensor[t].role != TENSOR_DOWN);
    CHECK_NUMBER(86567656, layout_made(spec, 1000, 0).n); /* without a rank it says nothing */
}

static void check_tensors(const struct layout *l, const char *const *names, size_t n)
{
    CHECK_NUMBER(n, l->n_tensors);
    for (size_t t = 0; t < n && t < l->n_tensors; t++) {
        CHECK(strcmp(names[t], l->tensor[t].name) == 0);
        const char *segment = l->segment[l->tensor[t].segment];
        const size_t bytes = strlen(segment);
        CHECK(strncmp(segment, names[t], bytes) == 0 && names[t][bytes] == '.');
    }
}

static void tensors_are_named_after_segment_and_layer(void)
{
    static const char *const whole[] = {
        "embed.weight",        "embed.bias",        "embed.class",         "embed.position",
        "block1.norm1.weight", "block1.norm1.bias", "block1.qkv.weight",   "block1.qkv.bias",
        "block1.proj.weight",  "block1.proj.bias",  "block1.norm2.weight", "block1.norm2.bias",
        "block1.fc1.weight",   "block1.fc1.bias",   "block1.fc2.weight",   "block1.fc2.bias",
        "head.norm.weight",    "head.norm.bias",    "head.weight",         "head.bias"};
    static const char *const adapters[] = {
        "embed.lora_a",      "embed.lora_b",      "block1.proj.lora_a", "block1.proj.lora_b",
        "block1.fc2.lora_a", "block1.fc2.lora_b", "head.weight",        "head.bias"};
    static const char *const mixer[] = {"embed.weight",
                                        "embed.bias",
                                        "block1.norm1.weight",
                                        "block1.norm1.bias",
                                        "block1.tokens_fc1.weight",
                                        "block1.tokens_fc1.bias",
                                        "block1.tokens_fc2.weight",
                                        "block1.tokens_fc2.bias",
                                        "block1.norm2.weight",
                                        "block1.norm2.bias",
                                        "block1.fc1.weight",
                                        "block1.fc1.bias",
                                        "block1.fc2.weight",
                                        "block1.fc2.bias",
                                        "head.norm.weight",
                                        "head.norm.bias",
                                        "head.weight",
                                        "head.bias"};
    static const char *const mixer_adapters[] = {"block1.tokens_fc2.lora_a",
                                                 "block1.tokens_fc2.lora_b",
                                                 "block1.fc2.lora_a",
                                                 "block1.fc2.lora_b",
                                                 "head.weight",
                                                 "head.bias"};
    struct model_spec spec = vit_b16;
    spec.depth = 1;
    struct layout l = layout_made(spec, 2, 0);
    check_tensors(&l, whole, sizeof whole / sizeof *whole);
    l = layout_made(spec, 2, 4);
    check_tensors(&l, adapters, sizeof adapters / sizeof *adapters);
    spec = mixer_b16;
    spec.depth = 1;
    l = layout_made(spec, 2, 0);
    check_tensors(&l, mixer, sizeof mixer / sizeof *mixer);
    l = layout_made(spec, 2, 4);
    check_tensors(&l, mixer_adapters, sizeof mixer_adapters / sizeof *mixer_adapters);
}

static void tensors_fill_their_segments_one_after_the_other(void)
{
    const struct model_spec *all[] = {&vit_b16, &mixer_b16};
    for (unsigned form = 0; form < 8; form++) {
        struct model_spec spec = *all[form & 1];
        spec.freeze_a = (form & 4) != 0;
        spec.depth = LAYOUT_DEPTH_MAX;
        spec.dim = 12;
        struct layout l = layout_made(spec, 10, (form & 2) != 0 ? 3 : 0);
        CHECK_NUMBER(0, l.n_groups);
        uint64_t at = 0;
        for (uint32_t t = 0; t < l.n_tensors; t++) {
            const struct tensor *tensor = &l.tensor[t];
            CHECK_NUMBER(at, tensor->offset);
            CHECK(t == 0 ? tensor->segment == 0 : tensor->segment - l.tensor[t - 1].segment <= 1);
            CHECK(tensor->group == LAYOUT_NONE && tensor->feed == LAYOUT_NONE);
            CHECK_NUMBER(1, tensor->block);
            at += (uint64_t)tensor->rows * tensor->cols;
        }
        CHECK_NUMBER(at, l.n);
        CHECK_NUMBER(l.n_segments - 1, l.tensor[l.n_tensors - 1].segment);
    }
}

static void the_backbone_is_the_model_without_a_rank(void)
{
    struct model_spec spec = vit_b16;
    spec.rank = 8;
    struct layout backbone = {0};
    CHECK_OK(layout_backbone(&backbone, &spec));
    struct layout whole = layout_made(vit_b16, 1000, 0);
    CHECK_BYTES(&whole, &backbone, sizeof whole);

    memset(&backbone, 0x5a, sizeof backbone);
    struct layout before = backbone;
    CHECK_STATUS(STATUS_RANGE, layout_backbone(&backbone, &vit_b16));
    CHECK_BYTES(&before, &backbone, sizeof backbone);
}

static void check_refused(struct model_spec spec)
{
    struct layout l, before;
    memset(&l, 0x5a, sizeof l);
    memset(&before, 0x5a, sizeof before);
    CHECK_STATUS(STATUS_RANGE, layout_of(&l, &spec));
    CHECK_BYTES(&before, &l, sizeof l);
}

static void bad_specs_are_refused(void)
{
    const struct model_spec *all[] = {&vit_b16, &mixer_b16};
    for (size_t m = 0; m < 2; m++) {
        const struct model_spec good = *all[m];
        struct model_spec s = good;
        check_refused((s.patch = 0, s));
        check_refused((s.patch = 15, s));
        check_refused((s.patch = 448, s));
        s = good;
        check_refused((s.width = 0, s));
        check_refused((s.height = s.width = UINT32_MAX, s.patch = 1, s));
        s = good;
        check_refused((s.channels = 0, s));
        check_refused((s.channels = UINT32_MAX, s));
        s = good;
        check_refused((s.classes = 1, s));
        s = good;
        check_refused((s.dim = 0, s));
        check_refused((s.dim = UINT32_MAX, s.heads = 1, s));
        s = good;
        check_refused((s.depth = 0, s));
        check_refused((s.depth = LAYOUT_DEPTH_MAX + 1, s));
        s = good;
        check_refused((s.mlp = 0, s));
        check_refused((s.mlp = UINT32_MAX, s));
        s = good;
        s.rank = 8;
        check_refused((s.alpha = 0, s));
        check_refused((s.alpha = (double)INFINITY, s));
        check_refused((s.alpha = (double)NAN, s));
        s = good;
        check_refused((s.rank = UINT32_MAX, s));
    }
    struct model_spec s = vit_b16;
    check_refused((s.heads = 0, s));
    check_refused((s.heads = 7, s));
    s = mixer_b16;
    check_refused((s.tokens_mlp = 0, s));
}

int main(void)
{
    RUN(whole_models_have_their_published_sizes);
    RUN(adapters_have_their_published_sizes);
    RUN(exits_are_part_of_their_blocks);
    RUN(fixed_halves_of_adapters_do_not_travel);
    RUN(tensors_are_named_after_segment_and_layer);
    RUN(tensors_fill_their_segments_one_after_the_other);
    RUN(the_backbone_is_the_model_without_a_rank);
    RUN(bad_specs_are_refused);
    return check_done();
}
