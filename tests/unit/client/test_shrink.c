/* SPDX-License-Identifier: Apache-2.0 */
/* The smaller model that layout_shrink makes computes what the full one does with pruned weights
 * at zero: every set of units of three tiny models, with and without single weights pruned too. */
#include <math.h>
#include <stdlib.h>

#include "client/model/model.h"
#include "tests/lib/check.h"

enum { RECORDS = 3 };

static float *floats(size_t n)
{
    float *at = calloc(n, sizeof *at);
    REQUIRE(at != NULL);
    return at;
}

static void logits_of(float *out, const struct model *model, const float *weights, const float *x)
{
    struct model_work *work = NULL;
    CHECK_OK(model_work_new(&work, model, RECORDS));
    const float *logits = model_forward(model, work, weights, x, RECORDS);
    for (size_t i = 0; i < (size_t)RECORDS * model->spec.classes; i++) out[i] = logits[i];
    model_work_free(&work);
}

static void compare(const struct model *full, const float *weights, const float *x,
                    const struct bits *keep)
{
    AUTO(shrunk_free) struct shrunk small = {0};
    CHECK_OK(layout_shrink(&small, &full->spec, &full->layout, keep));
    struct model model = {0};
    CHECK_OK(model_of(&model, &small.spec));
    CHECK_NUMBER(small.layout.n, model.layout.n);

    float *zeroed = floats(full->layout.n);
    float *gathered = floats(model.layout.n);
    for (size_t i = 0; i < full->layout.n; i++) zeroed[i] = bits_has(keep, i) ? weights[i] : 0;
    for (size_t i = 0; i < model.layout.n; i++)
        gathered[i] = bits_has(&small.kept, i) ? weights[small.index[i]] : 0;
    float want[RECORDS * 8] = {0};
    float got[RECORDS * 8] = {0};
    logits_of(want, full, zeroed, x);
    logits_of(got, &model, gathered, x);
    bool same = true;
    for (size_t i = 0; i < (size_t)RECORDS * full->spec.classes; i++)
        same = same && fabsf(want[i] - got[i]) < 1e-5f;
    CHECK(same);
    free(zeroed);
    free(gathered);
}

static bool empties_a_layer(const struct layout *layout, uint32_t set)
{
    bool empty = false;
    for (uint32_t g = 0; g < layout->n_groups; set >>= layout->group_units[g++])
        empty = empty || (set & ((1u << layout->group_units[g]) - 1)) == 0;
    return empty;
}

static void try_all_units(const struct model_spec *spec)
{
    struct model full = {0};
    CHECK_OK(model_of(&full, spec));
    size_t inputs = (size_t)RECORDS * spec->channels * spec->height * spec->width;
    float *weights = floats(full.layout.n);
    float *x = floats(inputs);
    struct rng rng = {0};
    rng_numbered(&rng, 11);
    for (size_t i = 0; i < full.layout.n; i++) weights[i] = (float)(0.5 * rng_normal(&rng));
    for (size_t i = 0; i < inputs; i++) x[i] = (float)rng_normal(&rng);

    uint32_t n_units = layout_units(&full.layout);
    for (uint32_t set = 0; set < 1u << n_units; set++) {
        if (empties_a_layer(&full.layout, set)) continue;
        AUTO(bits_free) struct bits units = {0};
        AUTO(bits_free) struct bits keep = {0};
        CHECK_OK(bits_new(&units, n_units));
        for (uint32_t u = 0; u < n_units; u++)
            if ((set >> u & 1) != 0) bits_set(&units, u);
        CHECK_OK(layout_keep_units(&keep, &full.layout, &units));
        compare(&full, weights, x, &keep);
        for (uint32_t t = 0; t < full.layout.n_tensors; t += 2) {
            const struct tensor *tensor = &full.layout.tensor[t];
            uint64_t n = (uint64_t)tensor->rows * tensor->cols;
            for (uint64_t i = 0; i < n; i++)
                if (rng_below(&rng, 3) == 0) bits_clear(&keep, tensor->offset + i);
        }
        compare(&full, weights, x, &keep);
    }
    free(weights);
    free(x);
}

static void smaller_mlp_computes_the_same(void)
{
    try_all_units(&(struct model_spec){.kind = MODEL_MLP, 1, 2, 2, 3, 2, {4, 3}});
}

static void smaller_cnn_computes_the_same(void)
{
    try_all_units(&(struct model_spec){.kind = MODEL_CNN, 1, 20, 16, 2, 2, {2, 3}});
}

static void smaller_twocnn_computes_the_same(void)
{
    try_all_units(&(struct model_spec){.kind = MODEL_TWOCNN, 1, 7, 6, 2, 3, {2, 2, 3}});
}

int main(void)
{
    RUN(smaller_mlp_computes_the_same);
    RUN(smaller_cnn_computes_the_same);
    RUN(smaller_twocnn_computes_the_same);
    return check_done();
}
