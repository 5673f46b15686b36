/* SPDX-License-Identifier: Apache-2.0 */
/* Against numbers that were multiplied by hand. */
#include "protocol/layout_cost.h"

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static const struct model_spec mlp = {.kind = MODEL_MLP, 1, 8, 8, 3, 2, {12, 12}};

static void a_dense_layer_is_applied_once(void)
{
    const struct model_spec spec = {.kind = MODEL_MLP, 1, 28, 28, 10, 2, {200, 200}};
    CHECK_NUMBER(784 * 200 + 200 * 200 + 200 * 10, layout_macs(&spec));
}

static void a_convolution_is_applied_at_every_place_of_its_map(void)
{
    const struct model_spec cnn = {.kind = MODEL_CNN, 1, 28, 28, 10, 2, {8, 16}};
    CHECK_NUMBER(24 * 24 * 8 * 25 + 8 * 8 * 16 * 8 * 25 + 10 * 16 * 4 * 4, layout_macs(&cnn));
    struct model_spec two = {.kind = MODEL_TWOCNN, 1, 24, 24, 10, 3, {32, 64, 512}};
    CHECK_NUMBER(22 * 22 * 32 * 25 + 10 * 10 * 64 * 32 * 25 + 512 * 64 * 49 + 10 * 512,
                 layout_macs(&two));
    CHECK_NUMBER(7117952, layout_macs(&two));
    two.height = two.width = 28;
    CHECK_NUMBER(26 * 26 * 800 + 12 * 12 * 51200 + 512 * 3136 + 5120, layout_macs(&two));
}

static void an_lstm_layer_is_applied_at_every_step(void)
{
    const struct model_spec spec = {.kind = MODEL_LSTM, 1, 1, 80, 80, 3, {8, 256, 256}};
    const uint64_t character = 1024 * (8 + 256) + 1024 * (256 + 256);
    CHECK_NUMBER(794624, character);
    CHECK_NUMBER(80 * character + 80 * 256, layout_macs(&spec));
}

static struct model_spec transformer(enum model_kind kind)
{
    return (struct model_spec){.kind = kind,
                               .channels = 1,
                               .height = 8,
                               .width = 8,
                               .classes = 3,
                               .patch = 4,
                               .dim = 8,
                               .depth = 2,
                               .heads = 2,
                               .mlp = 12,
                               .tokens_mlp = 6,
                               .alpha = 2};
}

/* Four patches; the ViT has a fifth token, which the embedding does not make. */
static void a_linear_layer_is_applied_to_every_token(void)
{
    const struct model_spec vit = transformer(MODEL_VIT), mixer = transformer(MODEL_MIXER);
    const uint64_t embed = 4 * 8 * 16, head = 3 * 8;
    const uint64_t attention = 5 * 24 * 8 + 2 * 5 * 5 * 8 + 5 * 8 * 8;
    CHECK_NUMBER(embed + 2 * (attention + 2 * 5 * 12 * 8) + head, layout_macs(&vit));
    CHECK_NUMBER(embed + 2 * (2 * 8 * 6 * 4 + 2 * 4 * 12 * 8) + head, layout_macs(&mixer));
}

/* A classifier behind each of two blocks, over one token or the mean of all. */
static void exits_are_applied_once_each(void)
{
    for (unsigned form = 0; form < 4; form++) {
        struct model_spec spec = transformer((form & 1) != 0 ? MODEL_MIXER : MODEL_VIT);
        spec.rank = (form & 2) != 0 ? 2 : 0;
        const uint64_t plain = layout_macs(&spec);
        spec.exits = true;
        CHECK_NUMBER(plain + 3 * 8, layout_macs(&spec));
    }
}

static void adapters_come_on_top_of_what_is_frozen(void)
{
    for (int fixed = 0; fixed < 2; fixed++) {
        struct model_spec vit = transformer(MODEL_VIT), mixer = transformer(MODEL_MIXER);
        const uint64_t whole[] = {layout_macs(&vit), layout_macs(&mixer)};
        vit.rank = mixer.rank = 2;
        vit.freeze_a = mixer.freeze_a = fixed == 1;
        const uint64_t embed = 4 * 2 * (16 + 8), proj = 5 * 2 * (8 + 8), fc2 = 5 * 2 * (12 + 8);
        CHECK_NUMBER(whole[0] + embed + 2 * (proj + fc2), layout_macs(&vit));
        const uint64_t tokens = 8 * 2 * (6 + 4), channels = 4 * 2 * (12 + 8);
        CHECK_NUMBER(whole[1] + 2 * (tokens + channels), layout_macs(&mixer));
    }
}

/* The first units of both layers, in a layout whose first layer is 12 x 64. */
static void keep_first(struct bits *keep, const struct layout *layout, uint32_t n)
{
    AUTO(bits_free) struct bits units = {0};
    CHECK_OK(bits_new(&units, 24));
    for (uint32_t u = 0; u < 24; u++)
        if (u % 12 < n) bits_set(&units, u);
    CHECK_OK(layout_keep_units(keep, layout, &units));
}

static void pruned_units_are_not_computed_and_pruned_weights_are(void)
{
    struct layout layout = {0};
    AUTO(bits_free) struct bits keep = {0};
    CHECK_OK(layout_of(&layout, &mlp));
    keep_first(&keep, &layout, 6);
    for (size_t i = 0; i < 32; i++) bits_clear(&keep, i);
    uint64_t macs = 0;
    CHECK_OK(layout_macs_kept(&macs, &mlp, &layout, &keep));
    CHECK_NUMBER(64 * 6 + 6 * 6 + 6 * 3, macs);
    bits_fill(&keep);
    CHECK_OK(layout_macs_kept(&macs, &mlp, &layout, &keep));
    CHECK_NUMBER(layout_macs(&mlp), macs);
}

static void what_cannot_shrink_is_refused(void)
{
    struct layout layout = {0};
    AUTO(bits_free) struct bits none = {0}, keep = {0};
    CHECK_OK(layout_of(&layout, &mlp));
    keep_first(&none, &layout, 0);
    uint64_t macs = 77;
    CHECK_STATUS(STATUS_RANGE, layout_macs_kept(&macs, &mlp, &layout, &none));
    keep_first(&keep, &layout, 6);
    OOM_EACH {
        uint64_t out = 77;
        const enum status status = layout_macs_kept(&out, &mlp, &layout, &keep);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((out == 77) == (status != STATUS_OK));
    }
    CHECK_NUMBER(77, macs);
}

int main(void)
{
    RUN(a_dense_layer_is_applied_once);
    RUN(a_convolution_is_applied_at_every_place_of_its_map);
    RUN(an_lstm_layer_is_applied_at_every_step);
    RUN(a_linear_layer_is_applied_to_every_token);
    RUN(exits_are_applied_once_each);
    RUN(adapters_come_on_top_of_what_is_frozen);
    RUN(pruned_units_are_not_computed_and_pruned_weights_are);
    RUN(what_cannot_shrink_is_refused);
    return check_done();
}
