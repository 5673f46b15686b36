/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client/rig.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"

static const uint8_t label[RIG_RECORDS] = {0, 1, 2};

struct model_spec rig_spec(enum model_kind kind, uint32_t rank)
{
    return (struct model_spec){.kind = kind,
                               .channels = 2,
                               .height = 4,
                               .width = 6,
                               .classes = RIG_CLASSES,
                               .patch = 2,
                               .dim = 4,
                               .depth = RIG_DEPTH,
                               .heads = 2,
                               .mlp = 5,
                               .tokens_mlp = 3,
                               .rank = rank,
                               .alpha = 3};
}

struct model_spec rig_form(unsigned form)
{
    struct model_spec spec = rig_spec((form & 1) != 0 ? MODEL_MIXER : MODEL_VIT, form < 2 ? 0 : 2);
    spec.freeze_a = form >= 4;
    return spec;
}

float *rig_floats(size_t n)
{
    float *at = calloc(n, sizeof *at);
    REQUIRE(at != NULL);
    return at;
}

void rig_open(struct rig *rig, const struct model_spec *spec)
{
    *rig = (struct rig){0};
    CHECK_OK(model_of(&rig->model, spec));
    const size_t n = rig->model.layout.n;
    rig->weights = rig_floats(n);
    rig->grad = rig_floats(n);
    rig->grad2 = rig_floats(n);
    for (size_t i = 0; i < n; i++) rig->weights[i] = (float)sin(0.7 * (double)i + 0.1);
    for (size_t i = 0; i < RIG_RECORDS * RIG_PIXELS; i++)
        rig->x[i] = (float)sin(0.1 * (double)(i * i));
    CHECK_OK(model_work_new(&rig->work, &rig->model, RIG_RECORDS));
    if (spec->rank == 0) return;
    CHECK_OK(layout_backbone(&rig->frozen, spec));
    rig->backbone = rig_floats(rig->frozen.n);
    for (size_t i = 0; i < rig->frozen.n; i++) rig->backbone[i] = (float)cos(0.9 * (double)i + 0.2);
    model_work_freeze(rig->work, rig->backbone);
}

void rig_free(struct rig *rig)
{
    model_work_free(&rig->work);
    free(rig->weights);
    free(rig->backbone);
    free(rig->grad);
    free(rig->grad2);
}

void rig_choose(struct rig *rig, unsigned set)
{
    AUTO(bits_free) struct bits blocks = {0};
    CHECK_OK(bits_new(&blocks, rig->model.spec.depth));
    for (unsigned l = 0; l < rig->model.spec.depth; l++)
        if ((set >> l & 1) != 0) bits_set(&blocks, l);
    model_work_choose(rig->work, &blocks);
}

double rig_pass(struct rig *rig, float *logits, size_t first, size_t n)
{
    const float *out =
        model_forward(&rig->model, rig->work, rig->weights, rig->x + first * RIG_PIXELS, n);
    if (logits != NULL) memcpy(logits, out, n * RIG_CLASSES * sizeof *logits);
    return model_backward(&rig->model, rig->work, rig->weights, label + first, n);
}

void rig_soil(float *at, size_t n)
{
    for (size_t i = 0; i < n; i++) at[i] = NAN; /* all must be overwritten */
}
