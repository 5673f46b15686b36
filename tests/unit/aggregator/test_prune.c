/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/prune.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/rng.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

enum { MOST = 400 };

/* One hidden layer: fc1 is 4x4 and 4 biases (coordinates 0 to 19), fc2 is 2x4 and 2 (20 to 29). */
static const struct model_spec one_layer = {.kind = MODEL_MLP, 1, 2, 2, 2, 1, {4}};
static const struct model_spec two_layers = {.kind = MODEL_MLP, 1, 2, 2, 3, 2, {4, 6}};
static const struct model_spec maps = {.kind = MODEL_CNN, 1, 16, 16, 3, 2, {2, 3}};
enum { FC1_BIAS = 16, FC2 = 20, FC2_BIAS = 28, ONE_LAYER = 30 };

/* Weights that do not matter: all equal in size. */
static const float even[MOST] = {0};

static void prune(struct bits *keep, const struct model_spec *spec, enum study_pruning mode,
                  double units, double weights, const float *guidance, const float *weight)
{
    const struct study study = {.pruning = {.mode = mode, .units = units, .weights = weights}};
    struct layout layout = {0};
    CHECK_OK(layout_of(&layout, spec));
    bits_free(keep);
    CHECK_OK(prune_keep(keep, &study, &layout, guidance, weight));
    CHECK_NUMBER(layout.n, keep->n);
}

/* Whether the kept coordinates of the one-layer model are those of these units, a bit each. */
static bool units_are(const struct bits *keep, unsigned units)
{
    for (size_t i = 0; i < ONE_LAYER; i++) {
        size_t unit = i < FC1_BIAS ? i / 4 : i < FC2 ? i - FC1_BIAS : (i - FC2) % 4;
        bool want = i >= FC2_BIAS || (units >> unit & 1) != 0;
        if (bits_has(keep, i) != want) return false;
    }
    return true;
}

static void units_with_the_least_guidance_go(void)
{
    AUTO(bits_free) struct bits keep = {0};
    const float guidance[] = {3, 1, 2, 4};
    prune(&keep, &one_layer, STUDY_PRUNING_PRIVATE, 0.5, 0, guidance, even);
    CHECK(units_are(&keep, 9));
    prune(&keep, &one_layer, STUDY_PRUNING_PRIVATE, 0.49, 0, guidance, even);
    CHECK(units_are(&keep, 13));
}

static void noise_may_make_guidance_negative(void)
{
    AUTO(bits_free) struct bits keep = {0};
    const float guidance[] = {-3, -1, -2, -4};
    prune(&keep, &one_layer, STUDY_PRUNING_PRIVATE, 0.5, 0, guidance, even);
    CHECK(units_are(&keep, 6));
}

static void of_equal_units_those_with_the_lower_number_go(void)
{
    AUTO(bits_free) struct bits keep = {0};
    const float guidance[] = {1, 1, 1, 1};
    prune(&keep, &one_layer, STUDY_PRUNING_PRIVATE, 0.5, 0, guidance, even);
    CHECK(units_are(&keep, 12));
}

static void each_layer_is_ranked_by_itself(void)
{
    AUTO(bits_free) struct bits keep = {0}, want = {0}, units = {0};
    const float guidance[] = {1, 2, 3, 4, 900, 100, 800, 200, 700, 300};
    prune(&keep, &two_layers, STUDY_PRUNING_PRIVATE, 0.5, 0, guidance, even);
    struct layout layout = {0};
    CHECK_OK(layout_of(&layout, &two_layers));
    CHECK_OK(bits_new(&units, 10));
    static const size_t stay[] = {2, 3, 4, 6, 8};
    for (size_t i = 0; i < 5; i++) bits_set(&units, stay[i]);
    CHECK_OK(layout_keep_units(&want, &layout, &units));
    CHECK(bits_equal(&want, &keep));
}

static void share_zero_prunes_nothing(void)
{
    AUTO(bits_free) struct bits keep = {0};
    float guidance[MOST];
    for (size_t i = 0; i < MOST; i++) guidance[i] = (float)(i * 7 % 31);
    prune(&keep, &one_layer, STUDY_PRUNING_PRIVATE, 0, 0, guidance, even);
    CHECK_NUMBER(ONE_LAYER, bits_count(&keep));
    prune(&keep, &one_layer, STUDY_PRUNING_PAPER, 0, 0, guidance, even);
    CHECK_NUMBER(ONE_LAYER, bits_count(&keep));
}

static void a_share_near_one_leaves_each_layer_its_best(void)
{
    AUTO(bits_free) struct bits keep = {0};
    float guidance[MOST], weight[ONE_LAYER];
    for (size_t i = 0; i < MOST; i++) guidance[i] = (float)(i * 7 % 31);
    for (size_t i = 0; i < ONE_LAYER; i++) weight[i] = (float)i;
    const float unit[] = {1, 9, 3, 4};
    const double most = 1 - 1e-9;
    /* Unit 1 stays; of its weights 4 to 7 the largest, its bias, and the whole last layer. */
    prune(&keep, &one_layer, STUDY_PRUNING_PRIVATE, most, most, unit, weight);
    CHECK_NUMBER(1 + 1 + 2 + 2, bits_count(&keep));
    CHECK(bits_has(&keep, 7) && bits_has(&keep, FC1_BIAS + 1) && bits_has(&keep, FC2 + 1));
    prune(&keep, &one_layer, STUDY_PRUNING_PAPER, most, most, guidance, even);
    size_t hidden = 0, last = 0;
    for (size_t i = 0; i < FC1_BIAS; i++) hidden += bits_has(&keep, i);
    for (size_t i = FC2; i < FC2_BIAS; i++) last += bits_has(&keep, i);
    CHECK_NUMBER(1, hidden);
    CHECK_NUMBER(1, last);
}

static void a_layer_of_one_unit_keeps_it(void)
{
    static const struct model_spec narrow = {.kind = MODEL_MLP, 1, 1, 1, 2, 1, {1}};
    AUTO(bits_free) struct bits keep = {0};
    const double most = 1 - 1e-9;
    prune(&keep, &narrow, STUDY_PRUNING_PRIVATE, most, most, even, even);
    CHECK_NUMBER(6, bits_count(&keep));
}

static void of_a_hidden_layer_the_weights_that_start_smallest_go(void)
{
    AUTO(bits_free) struct bits keep = {0};
    float weight[ONE_LAYER];
    for (size_t i = 0; i < ONE_LAYER; i++) weight[i] = i % 2 == 0 ? (float)i + 1 : -(float)i - 1;
    for (size_t i = FC2; i < ONE_LAYER; i++) weight[i] = 0;
    weight[2] = 100;
    weight[3] = -100;
    weight[FC1_BIAS] = 0;
    const float guidance[] = {1, 1, 1, 1};
    prune(&keep, &one_layer, STUDY_PRUNING_PRIVATE, 0, 0.25, guidance, weight);
    static const size_t gone[] = {0, 1, 4, 5};
    CHECK_NUMBER(ONE_LAYER - 4, bits_count(&keep));
    for (size_t i = 0; i < 4; i++) CHECK(!bits_has(&keep, gone[i]));
}

static void the_scale_of_the_guidance_does_not_matter(void)
{
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    float small[MOST], large[MOST];
    struct layout layout = {0};
    CHECK_OK(layout_of(&layout, &two_layers));
    for (uint32_t t = 0; t < layout.n_tensors; t++) {
        const struct tensor *tensor = &layout.tensor[t];
        for (size_t i = 0; i < (size_t)tensor->rows * tensor->cols; i++) {
            small[tensor->offset + i] = (float)rng_unit(&rng);
            /* Another power of two for each tensor: only a scaling per tensor undoes it. */
            large[tensor->offset + i] = ldexpf(small[tensor->offset + i], (int)t * 4);
        }
    }
    AUTO(bits_free) struct bits a = {0}, b = {0};
    prune(&a, &two_layers, STUDY_PRUNING_PAPER, 0.3, 0.4, small, even);
    prune(&b, &two_layers, STUDY_PRUNING_PAPER, 0.3, 0.4, large, even);
    CHECK(bits_equal(&a, &b));
    for (size_t i = 0; i < MOST; i++) large[i] = ldexpf(small[i % layout.n], 9);
    prune(&a, &two_layers, STUDY_PRUNING_PRIVATE, 0.3, 0.4, small, small);
    prune(&b, &two_layers, STUDY_PRUNING_PRIVATE, 0.3, 0.4, large, small);
    CHECK(bits_equal(&a, &b));
}

static void paper_keeps_what_is_strictly_above_the_quantile(void)
{
    AUTO(bits_free) struct bits keep = {0};
    float guidance[ONE_LAYER];
    /* In each tensor 0 and 8 are the least and the most, so that value / 8 is what counts. */
    for (size_t i = 0; i < ONE_LAYER; i++) guidance[i] = (float)(i % 9);
    guidance[FC1_BIAS] = guidance[FC2 + 1] = guidance[FC2_BIAS + 1] = 8; /* no unit is silent */
    guidance[FC1_BIAS + 1] = guidance[FC2] = guidance[FC2_BIAS] = 0;
    /* A share of one half counts 15 of 30 off; the 15th is the threshold, and its equals go too. */
    prune(&keep, &one_layer, STUDY_PRUNING_PAPER, 0, 0.5, guidance, even);
    float sorted[ONE_LAYER];
    for (size_t i = 0; i < ONE_LAYER; i++) {
        size_t rank = i;
        for (; rank > 0 && sorted[rank - 1] > guidance[i]; rank--) sorted[rank] = sorted[rank - 1];
        sorted[rank] = guidance[i];
    }
    const float threshold = sorted[14];
    CHECK(threshold == sorted[15]);
    for (size_t i = 0; i < ONE_LAYER; i++) CHECK(bits_has(&keep, i) == (guidance[i] > threshold));
}

static void paper_scores_a_unit_by_the_mean_of_its_parameters(void)
{
    AUTO(bits_free) struct bits keep = {0};
    float guidance[ONE_LAYER] = {0};
    /* Scaled, unit 3 has 1 in one weight, unit 1 has 0.5 in all, unit 2 has the highest bias. */
    guidance[12] = 4;
    for (size_t i = 4; i < 8; i++) guidance[i] = 2;
    guidance[FC1_BIAS + 2] = 10;
    prune(&keep, &one_layer, STUDY_PRUNING_PAPER, 0.25, 0, guidance, even);
    CHECK(units_are(&keep, 14));
    guidance[1] = guidance[2] = guidance[3] = 4;
    prune(&keep, &one_layer, STUDY_PRUNING_PAPER, 0.75, 0, guidance, even);
    CHECK(units_are(&keep, 1));
}

static void a_constant_tensor_counts_as_zero(void)
{
    AUTO(bits_free) struct bits keep = {0};
    float guidance[ONE_LAYER];
    for (size_t i = 0; i < ONE_LAYER; i++) guidance[i] = i < FC1_BIAS ? 1000 : 1 + (float)(i % 5);
    prune(&keep, &one_layer, STUDY_PRUNING_PAPER, 0, 0.1, guidance, even);
    CHECK(bits_has(&keep, 0));
    for (size_t i = 1; i < FC1_BIAS; i++) CHECK(!bits_has(&keep, i));
}

static void what_reads_a_silent_unit_goes_with_it(void)
{
    AUTO(bits_free) struct bits keep = {0};
    float guidance[ONE_LAYER];
    for (size_t i = 0; i < ONE_LAYER; i++) guidance[i] = 10 + (float)i;
    for (size_t i = 8; i < 12; i++) guidance[i] = 0;
    guidance[FC1_BIAS + 2] = 0;
    guidance[FC2 + 2] = 1000;
    prune(&keep, &one_layer, STUDY_PRUNING_PAPER, 0, 0.2, guidance, even);
    CHECK(!bits_has(&keep, 8) && !bits_has(&keep, FC1_BIAS + 2));
    CHECK(!bits_has(&keep, FC2 + 2) && !bits_has(&keep, FC2 + 6));
}

static void what_is_kept_always_makes_a_model(void)
{
    static const struct model_spec *const spec[] = {&one_layer, &two_layers, &maps};
    struct rng rng = {0};
    rng_numbered(&rng, 2);
    for (size_t trial = 0; trial < 600; trial++) {
        const struct model_spec *one = spec[trial % 3];
        struct layout layout = {0};
        CHECK_OK(layout_of(&layout, one));
        float guidance[MOST], weight[MOST];
        /* Few different values, so that there are many ties and zeros. */
        for (size_t i = 0; i < MOST; i++) {
            guidance[i] = (float)rng_below(&rng, 3);
            weight[i] = (float)rng_below(&rng, 5) - 2;
        }
        const enum study_pruning mode =
            trial % 2 == 0 ? STUDY_PRUNING_PAPER : STUDY_PRUNING_PRIVATE;
        AUTO(bits_free) struct bits keep = {0};
        prune(&keep, one, mode, rng_unit(&rng), rng_unit(&rng), guidance, weight);
        AUTO(shrunk_free) struct shrunk small = {0};
        CHECK_OK(layout_shrink(&small, one, &layout, &keep));
        for (uint32_t s = 0; s < layout.n_segments; s++)
            CHECK(layout_segment_size(&layout, s, &keep) > 0);
        CHECK_NUMBER(bits_count(&keep), bits_count(&small.kept));
    }
}

static void start(struct bits *keep, const struct study *study, const float *weight)
{
    struct layout layout = {0};
    CHECK_OK(layout_of(&layout, &two_layers));
    bits_free(keep);
    CHECK_OK(prune_start(keep, study, &layout, weight));
}

static void a_random_keep_set_is_the_study_s(void)
{
    float one[MOST], other[MOST];
    for (size_t i = 0; i < MOST; i++) one[i] = (float)i, other[i] = (float)(MOST - i);
    for (enum study_pruning mode = STUDY_PRUNING_PRIVATE; mode <= STUDY_PRUNING_PAPER; mode++) {
        struct study study = {.pruning = {mode, 0.5, 0.25, .mask = STUDY_MASK_RANDOM}};
        AUTO(bits_free) struct bits a = {0}, b = {0}, c = {0};
        start(&a, &study, one);
        start(&b, &study, other);
        CHECK(bits_equal(&a, &b)); /* whatever the model starts with */
        study.hash.bytes[7] = 1;
        start(&c, &study, one);
        CHECK(!bits_equal(&a, &c));
        /* Units 4 -> 2 and 6 -> 3; of 8 and 6 weights a quarter; 2 + 3 biases; 9 + 3 of the last.
         */
        if (mode == STUDY_PRUNING_PRIVATE) CHECK_NUMBER(6 + 5 + 2 + 3 + 9 + 3, bits_count(&c));
    }
}

/* Every unit and every weight is kept as often as any other: 4000 studies, each share within six
 * deviations, a false alarm in less than 1e-6 of all seeds. */
static void a_random_keep_set_favours_nothing(void)
{
    enum { STUDIES = 4000 };
    struct study study = {.pruning = {STUDY_PRUNING_PRIVATE, 0.5, 0.25, .mask = STUDY_MASK_RANDOM}};
    uint32_t kept[MOST] = {0};
    for (uint32_t k = 0; k < STUDIES; k++) {
        memcpy(study.hash.bytes, &k, sizeof k);
        AUTO(bits_free) struct bits keep = {0};
        start(&keep, &study, even);
        for (size_t i = 0; i < keep.n; i++) kept[i] += bits_has(&keep, i);
    }
    for (size_t i = 0; i < 16; i++) CHECK_CLOSE(0.5 * 0.75, kept[i] / (double)STUDIES, 0.046);
    for (size_t i = 16; i < 20; i++) CHECK_CLOSE(0.5, kept[i] / (double)STUDIES, 0.048);
    /* Six of two by three, cut to whole weights: one goes. */
    for (size_t i = 20; i < 44; i++) CHECK_CLOSE(0.25 * 5 / 6, kept[i] / (double)STUDIES, 0.041);
}

static void magnitude_keeps_the_units_that_start_largest(void)
{
    float weight[MOST] = {0};
    /* fc1: unit 2 by its weights, unit 0 by its bias; fc2: units 1, 4, 5. Signs do not matter. */
    weight[9] = -3;
    weight[16] = 2;
    weight[1] = weight[5] = weight[13] = 1;
    const size_t fc2 = 20;
    weight[fc2 + 4] = -1, weight[fc2 + 16] = 5, weight[fc2 + 21] = -2;
    for (enum study_mask mask = STUDY_MASK_MAGNITUDE; mask <= STUDY_MASK_PRUNEFL; mask++) {
        const struct study study = {.pruning = {STUDY_PRUNING_PRIVATE, 0.5, 0, .mask = mask}};
        AUTO(bits_free) struct bits keep = {0}, want = {0}, units = {0};
        start(&keep, &study, weight);
        struct layout layout = {0};
        CHECK_OK(layout_of(&layout, &two_layers));
        CHECK_OK(bits_new(&units, 10));
        static const size_t stay[] = {0, 2, 4 + 1, 4 + 4, 4 + 5};
        for (size_t i = 0; i < 5; i++) bits_set(&units, stay[i]);
        CHECK_OK(layout_keep_units(&want, &layout, &units));
        CHECK(bits_equal(&want, &keep));
    }
}

static void memory_may_end_anywhere(void)
{
    float guidance[MOST];
    for (size_t i = 0; i < MOST; i++) guidance[i] = (float)(i * 7 % 31);
    struct layout layout = {0};
    CHECK_OK(layout_of(&layout, &two_layers));
    for (enum study_pruning mode = STUDY_PRUNING_PRIVATE; mode <= STUDY_PRUNING_PAPER; mode++) {
        const struct study study = {.pruning = {.mode = mode, .units = 0.5, .weights = 0.5}};
        OOM_EACH {
            AUTO(bits_free) struct bits keep = {0};
            enum status status = prune_keep(&keep, &study, &layout, guidance, guidance);
            oom_stop();
            if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
            CHECK((keep.n == 0) == (status != STATUS_OK));
        }
        OOM_EACH {
            AUTO(bits_free) struct bits keep = {0};
            enum status status = prune_start(&keep, &study, &layout, guidance);
            oom_stop();
            if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
            CHECK((keep.n == 0) == (status != STATUS_OK));
        }
    }
}

int main(void)
{
    RUN(units_with_the_least_guidance_go);
    RUN(noise_may_make_guidance_negative);
    RUN(of_equal_units_those_with_the_lower_number_go);
    RUN(each_layer_is_ranked_by_itself);
    RUN(share_zero_prunes_nothing);
    RUN(a_share_near_one_leaves_each_layer_its_best);
    RUN(a_layer_of_one_unit_keeps_it);
    RUN(of_a_hidden_layer_the_weights_that_start_smallest_go);
    RUN(the_scale_of_the_guidance_does_not_matter);
    RUN(paper_keeps_what_is_strictly_above_the_quantile);
    RUN(paper_scores_a_unit_by_the_mean_of_its_parameters);
    RUN(a_constant_tensor_counts_as_zero);
    RUN(what_reads_a_silent_unit_goes_with_it);
    RUN(what_is_kept_always_makes_a_model);
    RUN(a_random_keep_set_is_the_study_s);
    RUN(a_random_keep_set_favours_nothing);
    RUN(magnitude_keeps_the_units_that_start_largest);
    RUN(memory_may_end_anywhere);
    return check_done();
}
