/* SPDX-License-Identifier: Apache-2.0 */
/* What transformers and their adapters are before they are trained. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/model/part.h"
#include "tests/lib/check.h"
#include "tests/unit/client/rig.h"

static void adapters_begin_as_their_backbone(void)
{
    for (unsigned form = 2; form < RIG_FORMS; form++) {
        const struct model_spec spec = rig_form(form);
        struct model_spec whole = spec;
        whole.rank = 0;
        struct rig adapted, plain;
        rig_open(&adapted, &spec);
        rig_open(&plain, &whole);
        struct rng rng = {0};
        rng_numbered(&rng, 4);
        model_init(adapted.weights, &adapted.model, &rng);
        const size_t head = RIG_CLASSES * (spec.dim + 1);
        memcpy(plain.weights, adapted.backbone, plain.model.layout.n * sizeof(float));
        memcpy(plain.weights + plain.model.layout.n - head,
               adapted.weights + adapted.model.layout.n - head, head * sizeof(float));
        float want[RIG_RECORDS * RIG_CLASSES] = {0}, got[RIG_RECORDS * RIG_CLASSES] = {0};
        (void)rig_pass(&plain, want, 0, RIG_RECORDS);
        (void)rig_pass(&adapted, got, 0, RIG_RECORDS);
        for (size_t i = 0; i < RIG_RECORDS * RIG_CLASSES; i++)
            CHECK_CLOSE((double)want[i], (double)got[i], 1e-6);
        rig_free(&adapted);
        rig_free(&plain);
    }
}

static void a_fixed_half_is_what_its_number_draws(void)
{
    for (unsigned form = 4; form < RIG_FORMS; form++) {
        const struct model_spec spec = rig_form(form);
        struct model_spec trained = spec;
        trained.freeze_a = false;
        struct rig fixed, free_a;
        rig_open(&fixed, &spec);
        rig_open(&free_a, &trained);
        uint64_t number = 0;
        size_t at = 0;
        for (uint32_t t = 0; t < free_a.model.layout.n_tensors; t++) {
            const struct tensor *tensor = &free_a.model.layout.tensor[t];
            const size_t n = (size_t)tensor->rows * tensor->cols;
            float *to = free_a.weights + tensor->offset;
            if (tensor->role == TENSOR_DOWN) {
                struct rng rng = {0};
                rng_numbered(&rng, number++);
                linear_draw(to, tensor->rows, tensor->cols, &rng);
            } else {
                memcpy(to, fixed.weights + at, n * sizeof *to);
                at += n;
            }
        }
        CHECK_NUMBER(fixed.model.layout.n, at);
        float want[RIG_RECORDS * RIG_CLASSES] = {0}, got[RIG_RECORDS * RIG_CLASSES] = {0};
        (void)rig_pass(&free_a, want, 0, RIG_RECORDS);
        (void)rig_pass(&fixed, got, 0, RIG_RECORDS);
        CHECK_BYTES(want, got, sizeof want);
        rig_free(&fixed);
        rig_free(&free_a);
    }
}

static void initial_weights_follow_their_role(void)
{
    struct model_spec spec = rig_spec(MODEL_VIT, 0);
    spec.dim = 64;
    struct model model = {0};
    CHECK_OK(model_of(&model, &spec));
    float *w = rig_floats(model.layout.n);
    struct rng rng = {0};
    rng_numbered(&rng, 7);
    model_init(w, &model, &rng);
    for (uint32_t t = 0; t < model.layout.n_tensors; t++) {
        const struct tensor *tensor = &model.layout.tensor[t];
        const size_t n = (size_t)tensor->rows * tensor->cols;
        double squares = 0;
        for (size_t i = 0; i < n; i++)
            squares += (double)w[tensor->offset + i] * (double)w[tensor->offset + i];
        const bool last = strcmp(tensor->name, "head.weight") == 0;
        const double want = tensor->role == TENSOR_GAIN   ? 1
                            : tensor->role == TENSOR_BIAS ? 0
                            : tensor->role == TENSOR_PLACE
                                ? MODEL_PLACE
                                : sqrt(1.0 / tensor->cols) * (last ? MODEL_LAST_SCALE : 1);
        /* 64 draws or more: one deviation of the estimate is 9 % at most. */
        CHECK_CLOSE(want, sqrt(squares / (double)n), tensor->role == TENSOR_GAIN ? 0 : 0.45 * want);
    }
    free(w);
}

static void adapters_start_uniform_and_at_zero(void)
{
    struct model_spec spec = rig_spec(MODEL_VIT, 64);
    struct model model = {0};
    CHECK_OK(model_of(&model, &spec));
    float *w = rig_floats(model.layout.n);
    struct rng rng = {0};
    rng_numbered(&rng, 8);
    model_init(w, &model, &rng);
    for (uint32_t t = 0; t < model.layout.n_tensors; t++) {
        const struct tensor *tensor = &model.layout.tensor[t];
        if (tensor->role != TENSOR_DOWN && tensor->role != TENSOR_UP) continue;
        const size_t n = (size_t)tensor->rows * tensor->cols;
        const double bound = tensor->role == TENSOR_DOWN ? 1 / sqrt(tensor->cols) : 0;
        double least = 0, most = 0;
        for (size_t i = 0; i < n; i++) {
            least = fmin(least, (double)w[tensor->offset + i]);
            most = fmax(most, (double)w[tensor->offset + i]);
        }
        /* 256 draws or more: one in 3e5 that none is in a twentieth at either end. */
        CHECK(-bound * 1.000001 <= least && least <= -0.9 * bound);
        CHECK(bound * 1.000001 >= most && most >= 0.9 * bound);
    }
    free(w);
}

int main(void)
{
    RUN(adapters_begin_as_their_backbone);
    RUN(a_fixed_half_is_what_its_number_draws);
    RUN(initial_weights_follow_their_role);
    RUN(adapters_start_uniform_and_at_zero);
    return check_done();
}
