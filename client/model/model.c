/* SPDX-License-Identifier: Apache-2.0 */
/* A model is a row of layers: convolutions and dense layers as its spec says, one per segment of
 * the layout, and between them what has no weights. Layer l reads the outputs of layer l - 1, and
 * writes its inputs' derivatives into the deltas of layer l - 1. */
#include "client/model/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/crew.h"
#include "base/secret.h"
#include "base/vector.h"
#include "client/model/layer.h"
#include "client/model/loss.h"
#include "client/model/part.h"
#include "client/model/tensor.h"
#include "client/model/transformer.h"

struct model_work {
    size_t room;
    bool apart;     /* how the last forward pass was, */
    size_t all;     /* its records, */
    size_t n;       /* those that this workspace has, the first of them, */
    const float *x; /* and their inputs, borrowed */
    size_t weights; /* of the model that it was made for */
    size_t n_layers;
    struct layer layer[LAYOUT_HIDDEN_MAX + 2];
    struct outer_product outer[LAYOUT_HIDDEN_MAX + 2]; /* of the last descent */
    size_t n_left;
    float *left; /* n_left: their left sides, owned; secret */
    unsigned n_helpers;
    struct model_work *helper[CREW_MAX - 1]; /* owned: each has as many of the further records */
    float *grad;                             /* of a helper: weights floats, owned; secret */
};

enum status model_of(struct model *out, const struct model_spec *spec)
{
    struct layout layout = {0};
    TRY(layout_of(&layout, spec));
    *out = (struct model){.spec = *spec, .layout = layout};
    return STATUS_OK;
}

void model_work_free(struct model_work **work)
{
    if (*work == NULL) return;
    for (size_t l = 0; l < (*work)->n_layers; l++) layer_free(&(*work)->layer[l]);
    for (unsigned k = 0; k < (*work)->n_helpers; k++) model_work_free(&(*work)->helper[k]);
    if ((*work)->grad != NULL) secret_wipe((*work)->grad, (*work)->weights * sizeof *(*work)->grad);
    free((*work)->grad);
    if ((*work)->left != NULL) secret_wipe((*work)->left, (*work)->n_left * sizeof *(*work)->left);
    free((*work)->left);
    free(*work);
    *work = NULL;
}

/* A table of characters, layers that remember, and a head. */
static enum status recurrent_new(struct model_work *work, const struct model *model)
{
    const struct tensor *tensor = model->layout.tensor;
    const size_t steps = model->spec.width, n_lstm = model->spec.n_hidden - 1;
    TRY(embed_new(&work->layer[work->n_layers], tensor++, steps, work->room));
    work->n_layers++;
    for (size_t l = 0; l < n_lstm; l++, tensor += LAYOUT_LSTM_TENSORS, work->n_layers++)
        TRY(lstm_new(&work->layer[work->n_layers], tensor, l + 1 == n_lstm, steps, work->room));
    TRY(dense_new(&work->layer[work->n_layers], tensor, false, work->room));
    work->n_layers++;
    return STATUS_OK;
}

/* Convolutions and dense layers, one after the other. */
static enum status stack_new(struct model_work *work, const struct model *model)
{
    const bool convolves = model->spec.kind == MODEL_CNN || model->spec.kind == MODEL_TWOCNN;
    struct layout_maps maps[LAYOUT_CONVS];
    REQUIRE(!convolves || layout_maps_of(maps, &model->spec));
    for (uint32_t l = 0; l < model->layout.n_segments; l++) {
        const struct tensor *weight = &model->layout.tensor[2 * l];
        struct layer *layer = &work->layer[work->n_layers];
        if (convolves && l < LAYOUT_CONVS)
            TRY(conv_new(layer, weight, &maps[l], work->room));
        else
            TRY(dense_new(layer, weight, l + 1 < model->layout.n_segments, work->room));
        work->n_layers++;
        if (model->spec.kind != MODEL_TWOCNN || l + 1 != LAYOUT_CONVS) continue;
        TRY(average_new(layer + 1, weight->rows, maps[l].out_height, maps[l].out_width,
                        work->room));
        work->n_layers++;
    }
    return STATUS_OK;
}

static enum status layers_new(struct model_work *work, const struct model *model)
{
    if (model->spec.kind == MODEL_LSTM) return recurrent_new(work, model);
    if (!layout_has_blocks(&model->spec)) return stack_new(work, model);
    TRY(transformer_new(&work->layer[0], &model->spec, &model->layout, work->room));
    work->n_layers = 1;
    return STATUS_OK;
}

enum status model_work_new(struct model_work **out, const struct model *model, size_t room)
{
    REQUIRE(room > 0);
    tensor_use_one_thread();
    AUTO(model_work_free) struct model_work *work = calloc(1, sizeof *work);
    if (work == NULL) return STATUS_NOMEM;
    work->room = room;
    work->weights = model->layout.n;
    TRY(layers_new(work, model));
    for (size_t l = 0; l < work->n_layers; l++)
        if (work->layer[l].kind->outer != NULL) work->n_left += work->layer[l].rows;
    if (work->n_left > 0) work->left = calloc(work->n_left, sizeof *work->left);
    if (work->n_left > 0 && work->left == NULL) return STATUS_NOMEM;
    *out = work;
    work = NULL;
    return STATUS_OK;
}

void model_work_freeze(struct model_work *work, const float *backbone)
{
    transformer_freeze(work->layer[0].transformer, backbone);
    for (unsigned k = 0; k < work->n_helpers; k++) model_work_freeze(work->helper[k], backbone);
}

void model_work_choose(struct model_work *work, const struct bits *blocks)
{
    transformer_choose(work->layer[0].transformer, blocks);
    for (unsigned k = 0; k < work->n_helpers; k++) model_work_choose(work->helper[k], blocks);
}

enum status model_work_divide(struct model_work *work, const struct model *model, unsigned threads)
{
    REQUIRE(work->n_helpers == 0 && work->weights == model->layout.n);
    if (threads > CREW_MAX) return STATUS_RANGE;
    for (; work->n_helpers + 1 < threads; work->n_helpers++) {
        struct model_work **helper = &work->helper[work->n_helpers];
        TRY(model_work_new(helper, model, (work->room + threads - 1) / threads));
        (*helper)->grad = calloc(work->weights, sizeof *(*helper)->grad);
        if ((*helper)->grad != NULL) continue;
        model_work_free(helper);
        return STATUS_NOMEM;
    }
    return STATUS_OK;
}

/* What one thread does of a pass. */
struct part {
    const struct model *model;
    struct model_work *work;
    const float *weights, *x;
    const uint8_t *label;
    size_t n;
    float *grad;
    double loss; /* summed */
};

static const float *layer_inputs(const struct model_work *work, size_t l)
{
    return l == 0 ? work->x : work->layer[l - 1].out;
}

static void part_forward(void *context, uint32_t i)
{
    const struct part *part = (const struct part *)context + i;
    struct model_work *work = part->work;
    work->n = part->n;
    work->x = part->x;
    for (size_t l = 0; l < work->n_layers; l++) {
        work->layer[l].apart = work->apart;
        work->layer[l].kind->forward(&work->layer[l], part->weights, layer_inputs(work, l),
                                     part->n);
    }
}

static void part_backward(void *context, uint32_t i)
{
    struct part *part = (struct part *)context + i;
    struct model_work *work = part->work;
    struct layer *last = &work->layer[work->n_layers - 1];
    part->loss = last->kind->loss != NULL ? last->kind->loss(last, part->label, part->n)
                                          : loss_softmax(last->delta, last->out, part->label,
                                                         part->n, part->model->spec.classes);
    for (size_t l = work->n_layers; l-- > 0;)
        work->layer[l].kind->backward(&work->layer[l], part->weights,
                                      l == 0 ? NULL : work->layer[l - 1].delta, part->n);
}

static void gradient(struct model_work *work, size_t first, size_t n, float *grad)
{
    REQUIRE(n > 0 && first < work->n && n <= work->n - first);
    for (size_t l = 0; l < work->n_layers; l++)
        if (work->layer[l].kind->gradient != NULL)
            work->layer[l].kind->gradient(&work->layer[l], layer_inputs(work, l), first, n, grad);
}

static void part_gradient(void *context, uint32_t i)
{
    const struct part *part = (const struct part *)context + i;
    gradient(part->work, 0, part->n, part->grad);
}

/* The k-th workspace, the caller's first. */
static struct model_work *workspace(struct model_work *work, size_t k)
{
    return k == 0 ? work : work->helper[k - 1];
}

/* Records of each part of n, but the last. */
static size_t share(const struct model_work *work, size_t n)
{
    if (work->apart) return n;
    return (n + work->n_helpers) / (work->n_helpers + 1);
}

/* Make the parts of n records; returns how many. What a pass does not need may be NULL. */
static uint32_t divide(struct part part[static CREW_MAX], const struct model *model,
                       struct model_work *work, const struct part *whole)
{
    REQUIRE(whole->n > 0 && whole->n <= work->room && work->weights == model->layout.n);
    const size_t each = share(work, whole->n), floats = work->layer[0].inputs;
    uint32_t used = 0;
    for (size_t first = 0; first < whole->n; first += each, used++)
        part[used] = (struct part){
            .model = model,
            .work = workspace(work, used),
            .weights = whole->weights,
            .x = whole->x == NULL ? NULL : whole->x + first * floats,
            .label = whole->label == NULL ? NULL : whole->label + first,
            .n = whole->n - first < each ? whole->n - first : each,
            .grad = used == 0 ? whole->grad : work->helper[used - 1]->grad,
        };
    return used;
}

static const float *forward(const struct model *model, struct model_work *work,
                            const float *weights, const float *x, size_t n, bool apart)
{
    work->apart = apart;
    struct part part[CREW_MAX];
    const struct part whole = {.weights = weights, .x = x, .n = n};
    const uint32_t used = divide(part, model, work, &whole);
    work->all = n;
    crew_run(part_forward, part, used, used);
    float *logits = work->layer[work->n_layers - 1].out;
    const size_t classes = model->spec.classes;
    for (size_t k = 1; k < used; k++) {
        const struct model_work *helper = part[k].work;
        memcpy(logits + k * share(work, n) * classes, helper->layer[helper->n_layers - 1].out,
               part[k].n * classes * sizeof *logits);
    }
    return logits;
}

const float *model_forward(const struct model *model, struct model_work *work, const float *weights,
                           const float *x, size_t n)
{
    return forward(model, work, weights, x, n, false);
}

size_t model_group(const struct model *model)
{
    return model->spec.kind == MODEL_LSTM || layout_has_blocks(&model->spec) ? 1 : MODEL_GROUP_MAX;
}

const float *model_forward_apart(const struct model *model, struct model_work *work,
                                 const float *weights, const float *x, size_t n)
{
    REQUIRE(n <= model_group(model));
    return forward(model, work, weights, x, n, true);
}

double model_backward(const struct model *model, struct model_work *work, const float *weights,
                      const uint8_t *label, size_t n)
{
    REQUIRE(n == work->all);
    struct part part[CREW_MAX];
    const struct part whole = {.weights = weights, .label = label, .n = n};
    const uint32_t used = divide(part, model, work, &whole);
    crew_run(part_backward, part, used, used);
    double loss = 0;
    for (size_t k = 0; k < used; k++) loss += part[k].loss;
    return loss / (double)n;
}

VECTOR_CLONES static void add_gradient(float *restrict sum, const float *restrict value, size_t n)
{
    for (size_t i = 0; i < n; i++) sum[i] += value[i];
}

void model_grad_sum(const struct model *model, struct model_work *work, float *grad)
{
    struct part part[CREW_MAX];
    const struct part whole = {.n = work->all, .grad = grad};
    const uint32_t used = divide(part, model, work, &whole);
    crew_run(part_gradient, part, used, used);
    for (size_t k = 1; k < used; k++) add_gradient(grad, part[k].grad, work->weights);
}

void model_grad_record(const struct model *model, struct model_work *work, size_t i, float *grad)
{
    REQUIRE(work->weights == model->layout.n && i < work->all);
    const size_t each = share(work, work->all);
    gradient(workspace(work, i / each), i % each, 1, grad);
}

VECTOR_CLONES static void negate(float *out, const float *value, size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = -value[i];
}

/* What layer after layer writes of the gradient, and the outer products that are left out of it;
 * returns how many. */
static size_t factored(struct model_work *work, size_t i, float *grad)
{
    REQUIRE(i < work->n);
    size_t n = 0;
    for (size_t l = 0; l < work->n_layers; l++) {
        struct layer *layer = &work->layer[l];
        if (layer->kind->outer != NULL)
            work->outer[n++] = layer->kind->outer(layer, layer_inputs(work, l), i, grad);
        else if (layer->kind->gradient != NULL)
            layer->kind->gradient(layer, layer_inputs(work, l), i, 1, grad);
    }
    return n;
}

struct update model_descent(const struct model *model, struct model_work *work, size_t i,
                            float *grad)
{
    REQUIRE(work->weights == model->layout.n && i < work->all);
    const size_t each = share(work, work->all), n = work->weights;
    struct model_work *part = workspace(work, i / each);
    const size_t n_outer = factored(part, i % each, grad);
    float *left = part->left;
    size_t at = 0;
    for (size_t k = 0; k < n_outer; k++) {
        struct outer_product *outer = &part->outer[k];
        negate(left, outer->left, outer->rows);
        negate(grad + at, grad + at, outer->at - at);
        outer->left = left;
        left += outer->rows;
        at = outer->at + outer->rows * outer->cols;
    }
    negate(grad + at, grad + at, n - at);
    return (struct update){.n = n, .value = grad, .n_outer = n_outer, .outer = part->outer};
}

void model_grad_input(const struct model *model, struct model_work *work, const float *weights,
                      float *grad)
{
    const enum model_kind kind = model->spec.kind;
    REQUIRE(kind == MODEL_MLP || kind == MODEL_CNN || kind == MODEL_TWOCNN);
    REQUIRE(work->n_helpers == 0 && work->weights == model->layout.n && work->all > 0);
    /* Once more, as training has no use for them; the deltas stay as they are. */
    struct layer *first = &work->layer[0];
    first->kind->backward(first, weights, grad, work->n);
}

double model_accuracy(const struct model *model, struct model_work *work, const float *weights,
                      const float *x, const uint8_t *label, size_t n)
{
    REQUIRE(n > 0);
    size_t hits = 0;
    size_t floats = work->layer[0].inputs;
    for (size_t first = 0; first < n; first += work->room) {
        size_t chunk = n - first < work->room ? n - first : work->room;
        const float *logits = model_forward(model, work, weights, x + first * floats, chunk);
        hits += loss_hits(logits, label + first, chunk, model->spec.classes);
    }
    return (double)hits / (double)n;
}
