/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/small.h"

#include <math.h>
#include <stdlib.h>

#include "crypto/rng.h"

void small_study(struct study *study, enum study_unit unit, enum model_kind kind)
{
    const bool cnn = kind == MODEL_CNN, patient = unit == STUDY_PATIENT;
    const uint32_t side = cnn ? 16 : 8;
    *study = (struct study){
        .schema = 1,
        .study = {.id = "small", .rehearsal = true},
        .sites = {.expected = 5, .colluding = 1, .threshold = 4, .min_contributors = 3},
        .model = {.spec = {.kind = kind,
                           .channels = 1,
                           .height = side,
                           .width = side,
                           .classes = 3,
                           .n_hidden = 2,
                           .hidden = {cnn ? 4 : 12, cnn ? 6 : 12}},
                  .pixel_deviation = 1},
        .privacy = {.unit = unit,
                    .epsilon = (double)INFINITY,
                    .delta = 1e-5,
                    .clip = patient ? 8 : 2,
                    .exploration_clip = patient ? 16 : 0.5,
                    .exploration_ratio = 1,
                    .sampling = patient ? 1 : 0,
                    .records = patient ? 200 : 0},
        .pruning = {.mode = STUDY_PRUNING_PRIVATE, .units = 0.5, .weights = 0.2},
        .rounds = {.count = 3,
                   .coordinates = 1,
                   .learning_rate = patient ? 0.5 : 1,
                   .momentum = 0.5,
                   .local_epochs = 2,
                   .local_batch = 10,
                   .local_learning_rate = 0.1,
                   .local_rate_decay = 0.8,
                   .decay = 0.5},
        .secagg = {.bits = 32},
        .deadlines = {.gather_ms = 1000,
                      .keys_ms = 1000,
                      .positions_ms = 1000,
                      .shares_ms = 2000,
                      .input_ms = 3000,
                      .confirm_ms = 4000,
                      .unmask_ms = 5000},
    };
    if (kind == MODEL_LSTM) {
        study->model.spec = (struct model_spec){.kind = kind,
                                                .channels = 1,
                                                .height = 1,
                                                .width = 9,
                                                .classes = 3,
                                                .n_hidden = 3,
                                                .hidden = {3, 5, 4}};
        study->pruning.mode = STUDY_PRUNING_NONE;
    }
    if (kind == MODEL_VIT || kind == MODEL_MIXER) {
        study->model.spec = (struct model_spec){.kind = kind,
                                                .channels = 1,
                                                .height = 8,
                                                .width = 8,
                                                .classes = 3,
                                                .patch = 4,
                                                .dim = 8,
                                                .depth = 2,
                                                .heads = 2,
                                                .mlp = 12,
                                                .tokens_mlp = 6};
        study->pruning.mode = STUDY_PRUNING_NONE;
        if (patient) study->privacy.clip = 64;
    }
    struct settings_error why = {0};
    REQUIRE(study_check(study, &why) == STATUS_OK);
}

void small_allocation(struct study *study, enum study_unit unit, enum study_allocation mode)
{
    small_study(study, unit, MODEL_MLP);
    study->model.spec.kind = MODEL_VIT;
    study->model.spec.patch = 4;
    study->model.spec.dim = study->model.spec.mlp = 8;
    study->model.spec.depth = 12;
    study->model.spec.heads = study->model.spec.rank = 2;
    study->model.spec.alpha = 2;
    study->sites.expected = 6;
    study->sites.min_contributors = 2;
    study->pruning.mode = STUDY_PRUNING_NONE;
    study->allocation.mode = mode;
    study->allocation.n_capacities = mode == STUDY_ALLOCATION_EXCLUSIVE ? 2 : 6;
    for (uint32_t v = 0; v < 6; v++)
        study->allocation.capacities[v] = (uint32_t[]){12, 10, 8, 6, 4, 3}[v];
    study->allocation.min_holders = 3;
    struct settings_error why = {0};
    REQUIRE(study_check(study, &why) == STATUS_OK);
}

void small_data(struct dataset *out, const struct study *study, size_t n, uint64_t seed)
{
    const struct model_spec *spec = &study->model.spec;
    *out = (struct dataset){.n = n,
                            .channels = spec->channels,
                            .height = spec->height,
                            .width = spec->width,
                            .classes = spec->classes};
    const size_t floats = (size_t)spec->channels * spec->height * spec->width;
    out->pixel = calloc(n, floats);
    out->label = calloc(n, 1);
    REQUIRE(out->pixel != NULL && out->label != NULL);
    struct rng rng = {0};
    rng_numbered(&rng, seed);
    const size_t blob = floats / spec->classes;
    for (size_t i = 0; i < n; i++) {
        const size_t label = rng_below(&rng, spec->classes);
        out->label[i] = (uint8_t)label;
        uint8_t *at = out->pixel + i * floats + label * blob;
        for (size_t k = 0; k < blob / 2; k++)
            at[k] = spec->kind == MODEL_LSTM ? (uint8_t)(1 + rng_below(&rng, 2))
                                             : (uint8_t)(128 + rng_below(&rng, 128));
    }
}

static void prune(struct bits *keep, const struct layout *layout, struct rng *rng)
{
    AUTO(bits_free) struct bits units = {0};
    REQUIRE(bits_new(&units, layout_units(layout)) == STATUS_OK);
    for (size_t u = 0; u < units.n; u++)
        if (rng_unit(rng) < 0.6) bits_set(&units, u);
    for (uint32_t g = 0; g < layout->n_groups; g++) bits_set(&units, layout_unit_first(layout, g));
    bits_free(keep);
    REQUIRE(layout_keep_units(keep, layout, &units) == STATUS_OK);
    for (uint32_t t = 0; t < layout->n_tensors; t++) {
        const struct tensor *tensor = &layout->tensor[t];
        for (uint64_t i = 0;
             i < (uint64_t)tensor->rows * tensor->cols && tensor->role != TENSOR_BIAS; i++)
            if (rng_unit(rng) < 0.3) bits_clear(keep, tensor->offset + i);
    }
}

void small_state(struct state *out, const struct study *study, bool pruned)
{
    struct layout layout = {0};
    REQUIRE(layout_of(&layout, &study->model.spec) == STATUS_OK);
    REQUIRE(state_new(out, layout.n) == STATUS_OK);
    struct rng rng = {0};
    rng_numbered(&rng, 2);
    for (uint32_t t = 0; t < layout.n_tensors; t++) {
        const struct tensor *tensor = &layout.tensor[t];
        for (uint64_t i = 0; i < (uint64_t)tensor->rows * tensor->cols; i++)
            out->weight[tensor->offset + i] = (float)(rng_normal(&rng) * sqrt(2.0 / tensor->cols));
    }
    if (!pruned) return;
    prune(&out->keep, &layout, &rng);
    state_prune(out);
}
