/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/layout.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static const struct model_spec mlp = {
    .kind = MODEL_MLP, 1, 2, 2, .classes = 3, .n_hidden = 2, .hidden = {3, 2}};
static const struct model_spec cnn = {
    .kind = MODEL_CNN, 1, 18, 16, .classes = 2, .n_hidden = 2, .hidden = {2, 3}};
static const struct model_spec twocnn = {
    .kind = MODEL_TWOCNN, 1, 6, 7, .classes = 2, .n_hidden = 3, .hidden = {2, 2, 3}};
static const struct model_spec *const specs[] = {&mlp, &cnn, &twocnn};
enum { SPECS = sizeof specs / sizeof specs[0] };

static void check_tensor(const struct layout *layout, uint32_t t, const char *name, uint32_t rows,
                         uint32_t cols, uint32_t group, uint32_t feed, uint32_t block)
{
    const struct tensor *tensor = &layout->tensor[t];
    CHECK(strcmp(tensor->name, name) == 0);
    CHECK_NUMBER(rows, tensor->rows);
    CHECK_NUMBER(cols, tensor->cols);
    CHECK_NUMBER(group, tensor->group);
    CHECK_NUMBER(feed, tensor->feed);
    CHECK_NUMBER(block, tensor->block);
    CHECK_NUMBER(t % 2 == 0 ? TENSOR_WEIGHT : TENSOR_BIAS, tensor->role);
    CHECK_NUMBER(t / 2, tensor->segment);
}

static void mlp_is_weight_and_bias_per_layer(void)
{
    struct layout l = {0};
    CHECK_OK(layout_of(&l, &mlp));
    CHECK_NUMBER(6, l.n_tensors);
    check_tensor(&l, 0, "fc1.weight", 3, 4, 0, LAYOUT_NONE, 1);
    check_tensor(&l, 1, "fc1.bias", 3, 1, 0, LAYOUT_NONE, 1);
    check_tensor(&l, 2, "fc2.weight", 2, 3, 1, 0, 1);
    check_tensor(&l, 3, "fc2.bias", 2, 1, 1, LAYOUT_NONE, 1);
    check_tensor(&l, 4, "fc3.weight", 3, 2, LAYOUT_NONE, 1, 1);
    check_tensor(&l, 5, "fc3.bias", 3, 1, LAYOUT_NONE, LAYOUT_NONE, 1);
    CHECK_NUMBER(12 + 3 + 6 + 2 + 6 + 3, l.n);
    CHECK_NUMBER(3, l.n_segments);
    CHECK(strcmp(l.segment[1], "fc2") == 0);
    CHECK_NUMBER(2, l.n_groups);
    CHECK_NUMBER(2, l.group_units[1]);
    CHECK_NUMBER(1, l.group_segment[1]);
    CHECK_NUMBER(5, layout_units(&l));
    CHECK_NUMBER(3, layout_unit_first(&l, 1));
}

static void cnn_feeds_blocks_of_columns(void)
{
    struct layout l = {0};
    CHECK_OK(layout_of(&l, &cnn));
    check_tensor(&l, 0, "conv1.weight", 2, 25, 0, LAYOUT_NONE, 1);
    check_tensor(&l, 1, "conv1.bias", 2, 1, 0, LAYOUT_NONE, 1);
    check_tensor(&l, 2, "conv2.weight", 3, 50, 1, 0, 25);
    check_tensor(&l, 3, "conv2.bias", 3, 1, 1, LAYOUT_NONE, 1);
    check_tensor(&l, 4, "fc.weight", 2, 3, LAYOUT_NONE, 1, 1);
    CHECK(strcmp(l.segment[2], "fc") == 0);

    struct model_spec larger = cnn;
    larger.height = 28;
    larger.width = 28;
    CHECK_OK(layout_of(&l, &larger));
    check_tensor(&l, 4, "fc.weight", 2, 3 * 16, LAYOUT_NONE, 1, 16);
}

static void twocnn_averages_to_blocks_of_49_columns(void)
{
    struct layout l = {0};
    CHECK_OK(layout_of(&l, &twocnn));
    CHECK_NUMBER(8, l.n_tensors);
    check_tensor(&l, 0, "conv1.weight", 2, 25, 0, LAYOUT_NONE, 1);
    check_tensor(&l, 2, "conv2.weight", 2, 50, 1, 0, 25);
    check_tensor(&l, 4, "fc1.weight", 3, 98, 2, 1, 49);
    check_tensor(&l, 5, "fc1.bias", 3, 1, 2, LAYOUT_NONE, 1);
    check_tensor(&l, 6, "fc2.weight", 2, 3, LAYOUT_NONE, 2, 1);
    CHECK_NUMBER(3, l.n_groups);
}

static void twocnn_has_the_papers_size(void)
{
    const struct model_spec paper = {.kind = MODEL_TWOCNN, 1, 24, 24, 10, 3, {32, 64, 512}};
    struct layout l = {0};
    CHECK_OK(layout_of(&l, &paper));
    CHECK_NUMBER(1663370, l.n);

    struct layout_maps maps[LAYOUT_CONVS];
    CHECK(layout_maps_of(maps, &paper));
    CHECK(maps[0].map_height == 22 && maps[0].map_width == 22 && maps[0].out_height == 12);
    CHECK(maps[1].channels == 32 && maps[1].height == 12 && maps[1].map_width == 10);
    CHECK(maps[1].out_height == 6 && maps[1].out_width == 6);
    uint64_t products = 0; /* of weights and inputs, for one record */
    for (uint32_t s = 0; s < l.n_segments; s++) {
        const struct tensor *weight = &l.tensor[2 * s];
        const uint64_t places =
            s < LAYOUT_CONVS ? (uint64_t)maps[s].map_height * maps[s].map_width : 1;
        products += (uint64_t)weight->rows * weight->cols * places;
    }
    CHECK_NUMBER(7117952, products);
}

static void tensors_lie_one_after_the_other(void)
{
    for (size_t m = 0; m < SPECS; m++) {
        struct layout l = {0};
        CHECK_OK(layout_of(&l, specs[m]));
        uint64_t at = 0;
        uint64_t in_segments = 0;
        for (uint32_t t = 0; t < l.n_tensors; t++) {
            CHECK_NUMBER(at, l.tensor[t].offset);
            at += (uint64_t)l.tensor[t].rows * l.tensor[t].cols;
        }
        CHECK_NUMBER(l.n, at);
        for (uint32_t s = 0; s < l.n_segments; s++) in_segments += layout_segment_size(&l, s, NULL);
        CHECK_NUMBER(l.n, in_segments);
    }
}

static void check_refused(struct model_spec spec)
{
    struct layout l;
    struct layout before;
    memset(&l, 0x5a, sizeof l);
    memset(&before, 0x5a, sizeof before);
    CHECK_STATUS(STATUS_RANGE, layout_of(&l, &spec));
    CHECK_BYTES(&before, &l, sizeof l);
}

static void bad_specs_are_refused(void)
{
    for (size_t m = 0; m < SPECS; m++) {
        struct model_spec s = *specs[m];
        check_refused((s.channels = 0, s));
        check_refused((s.channels = UINT32_MAX, s));
        s = *specs[m];
        check_refused((s.height = 0, s));
        check_refused((s.height = UINT32_MAX, s));
        s = *specs[m];
        check_refused((s.width = 0, s));
        s = *specs[m];
        check_refused((s.classes = 1, s));
        check_refused((s.classes = UINT32_MAX, s));
        s = *specs[m];
        check_refused((s.n_hidden = 0, s));
        s = *specs[m];
        check_refused((s.hidden[0] = 0, s));
        check_refused((s.hidden[0] = UINT32_MAX, s));
        s = *specs[m];
        check_refused((s.hidden[1] = 0, s));
        s = *specs[m];
        check_refused((s.kind = MODEL_KIND_COUNT, s));
    }
    /* Three sizes whose product is 157736 modulo 2^64. */
    struct model_spec s = mlp;
    check_refused((s.channels = 359131, s.height = 257661, s.width = 199350872, s));
    s = cnn;
    check_refused((s.height = 15, s));
    s = cnn;
    check_refused((s.n_hidden = 3, s.hidden[2] = 4, s));
    s = twocnn;
    check_refused((s.height = 5, s));
    s = twocnn;
    check_refused((s.width = 5, s));
    s = twocnn;
    check_refused((s.hidden[2] = 0, s));
    s = twocnn;
    check_refused((s.n_hidden = 2, s));
}

static void ninth_hidden_layer_is_refused(void)
{
    const struct {
        struct model_spec spec;
        uint32_t ninth;
    } nine = {{.kind = MODEL_MLP, 1, 1, 1, 2, LAYOUT_HIDDEN_MAX + 1, {1, 1, 1, 1, 1, 1, 1, 1}}, 1};
    struct layout l = {.n = 77};
    CHECK_STATUS(STATUS_RANGE, layout_of(&l, &nine.spec));
    CHECK_NUMBER(77, l.n);
}

static void largest_size_is_allowed_and_one_more_is_not(void)
{
    /* (1 + inputs) * 1 + (1 + 1) * 2 coordinates. */
    struct model_spec s = {.kind = MODEL_MLP, 1, 1, (1u << 28) - 5, 2, 1, {1}};
    struct layout l = {0};
    CHECK_OK(layout_of(&l, &s));
    CHECK_NUMBER(1 << 28, l.n);
    s.width++;
    check_refused(s);
}

static uint64_t unit_number(const struct layout *l, uint32_t group, uint64_t unit)
{
    for (uint32_t g = 0; g < group; g++) unit += l->group_units[g];
    return unit;
}

/* The definition once more: does coordinate i of the model need a unit that is not there? */
static bool needs_missing(const struct layout *l, const struct bits *units, uint64_t i)
{
    for (uint32_t t = 0; t < l->n_tensors; t++) {
        const struct tensor *x = &l->tensor[t];
        if (i < x->offset || i >= x->offset + (uint64_t)x->rows * x->cols) continue;
        uint64_t row = (i - x->offset) / x->cols;
        uint64_t unit = (i - x->offset) % x->cols / x->block;
        bool row_gone = x->group != LAYOUT_NONE && !bits_has(units, unit_number(l, x->group, row));
        bool col_gone = x->feed != LAYOUT_NONE && !bits_has(units, unit_number(l, x->feed, unit));
        return row_gone || col_gone;
    }
    return true;
}

static void check_shrink(const struct model_spec *spec, const struct layout *l,
                         const struct bits *units, const struct bits *keep)
{
    uint32_t left[LAYOUT_GROUPS_MAX] = {0};
    bool empty = false;
    for (uint32_t g = 0; g < l->n_groups; g++) {
        for (uint32_t u = 0; u < l->group_units[g]; u++)
            left[g] += bits_has(units, unit_number(l, g, u));
        empty = empty || left[g] == 0;
    }
    AUTO(shrunk_free) struct shrunk s = {0};
    if (empty) {
        CHECK_STATUS(STATUS_RANGE, layout_shrink(&s, spec, l, keep));
        CHECK(s.index == NULL);
        return;
    }
    CHECK_OK(layout_shrink(&s, spec, l, keep));
    for (uint32_t g = 0; g < l->n_groups; g++) CHECK_NUMBER(left[g], s.spec.hidden[g]);
    CHECK_NUMBER(bits_count(keep), s.layout.n);
    CHECK_NUMBER(s.layout.n, bits_count(&s.kept));
    bool ascending_and_kept = true;
    for (uint64_t i = 0; i < s.layout.n; i++)
        ascending_and_kept = ascending_and_kept && bits_has(keep, s.index[i]) &&
                             (i == 0 || s.index[i] > s.index[i - 1]);
    CHECK(ascending_and_kept);
}

static void every_set_of_units_keeps_what_reads_and_feeds_it(void)
{
    for (size_t m = 0; m < SPECS; m++) {
        struct layout l = {0};
        CHECK_OK(layout_of(&l, specs[m]));
        uint32_t n_units = layout_units(&l);
        for (uint32_t set = 0; set < 1u << n_units; set++) {
            AUTO(bits_free) struct bits units = {0};
            AUTO(bits_free) struct bits keep = {0};
            CHECK_OK(bits_new(&units, n_units));
            for (uint32_t u = 0; u < n_units; u++)
                if ((set >> u & 1) != 0) bits_set(&units, u);
            CHECK_OK(layout_keep_units(&keep, &l, &units));
            bool right = keep.n == l.n;
            for (uint64_t i = 0; i < l.n; i++)
                right = right && bits_has(&keep, i) == !needs_missing(&l, &units, i);
            CHECK(right);
            uint64_t in_segments = 0;
            for (uint32_t s = 0; s < l.n_segments; s++)
                in_segments += layout_segment_size(&l, s, &keep);
            CHECK_NUMBER(bits_count(&keep), in_segments);
            check_shrink(specs[m], &l, &units, &keep);
        }
    }
}

static void single_weights_stay_in_the_small_model_but_not_in_kept(void)
{
    struct layout l = {0};
    CHECK_OK(layout_of(&l, &mlp));
    AUTO(bits_free) struct bits units = {0};
    AUTO(bits_free) struct bits keep = {0};
    CHECK_OK(bits_new(&units, 5));
    bits_fill(&units);
    bits_clear(&units, 1);
    CHECK_OK(layout_keep_units(&keep, &l, &units));
    bits_clear(&keep, 0); /* one weight of unit 0 */
    AUTO(shrunk_free) struct shrunk s = {0};
    CHECK_OK(layout_shrink(&s, &mlp, &l, &keep));
    CHECK_NUMBER(bits_count(&keep) + 1, s.layout.n);
    CHECK_NUMBER(bits_count(&keep), bits_count(&s.kept));
    CHECK_NUMBER(0, s.index[0]);
    CHECK(!bits_has(&s.kept, 0) && bits_has(&s.kept, 1));
}

static void weight_that_reads_a_missing_unit_is_refused(void)
{
    struct layout l = {0};
    CHECK_OK(layout_of(&l, &mlp));
    AUTO(bits_free) struct bits units = {0};
    AUTO(bits_free) struct bits keep = {0};
    CHECK_OK(bits_new(&units, 5));
    bits_fill(&units);
    bits_clear(&units, 1);
    CHECK_OK(layout_keep_units(&keep, &l, &units));
    bits_set(&keep, l.tensor[2].offset + 1);
    AUTO(shrunk_free) struct shrunk s = {0};
    CHECK_STATUS(STATUS_RANGE, layout_shrink(&s, &mlp, &l, &keep));
    CHECK(s.index == NULL && s.kept.word == NULL);
}

static void sizes_that_differ_are_refused(void)
{
    struct layout l = {0};
    CHECK_OK(layout_of(&l, &mlp));
    AUTO(bits_free) struct bits four = {0};
    AUTO(bits_free) struct bits keep = {0};
    AUTO(shrunk_free) struct shrunk s = {0};
    CHECK_OK(bits_new(&four, 4));
    CHECK_STATUS(STATUS_RANGE, layout_keep_units(&keep, &l, &four));
    CHECK(keep.word == NULL);
    AUTO(bits_free) struct bits short_by_one = {0};
    CHECK_OK(bits_new(&short_by_one, l.n - 1));
    bits_fill(&short_by_one);
    CHECK_STATUS(STATUS_RANGE, layout_shrink(&s, &mlp, &l, &short_by_one));
    CHECK(s.index == NULL);
}

static void memory_may_end_anywhere(void)
{
    struct layout l = {0};
    CHECK_OK(layout_of(&l, &mlp));
    AUTO(bits_free) struct bits units = {0};
    CHECK_OK(bits_new(&units, 5));
    bits_fill(&units);
    OOM_EACH {
        struct bits keep = {0};
        struct shrunk s = {0};
        enum status status = layout_keep_units(&keep, &l, &units);
        if (status == STATUS_OK) status = layout_shrink(&s, &mlp, &l, &keep);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
        CHECK((status == STATUS_OK) == (s.index != NULL));
        bits_free(&keep);
        shrunk_free(&s);
    }
}

int main(void)
{
    RUN(mlp_is_weight_and_bias_per_layer);
    RUN(cnn_feeds_blocks_of_columns);
    RUN(twocnn_averages_to_blocks_of_49_columns);
    RUN(twocnn_has_the_papers_size);
    RUN(tensors_lie_one_after_the_other);
    RUN(bad_specs_are_refused);
    RUN(ninth_hidden_layer_is_refused);
    RUN(largest_size_is_allowed_and_one_more_is_not);
    RUN(every_set_of_units_keeps_what_reads_and_feeds_it);
    RUN(single_weights_stay_in_the_small_model_but_not_in_kept);
    RUN(weight_that_reads_a_missing_unit_is_refused);
    RUN(sizes_that_differ_are_refused);
    RUN(memory_may_end_anywhere);
    return check_done();
}
