/* SPDX-License-Identifier: Apache-2.0 */
#include "client/model/transformer.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "client/model/loss.h"
#include "client/model/part.h"

struct transformer {
    struct arena arena;     /* owned; secret */
    const float *backbone;  /* borrowed; NULL: everything is trained */
    bool adapts;            /* there must be a backbone */
    bool exits;             /* a head behind each block, not one at the end */
    size_t weights, n;      /* trained floats; records of the last forward pass */
    size_t depth, n_chosen; /* blocks, and those that run */
    size_t chosen[LAYOUT_DEPTH_MAX];
    struct patches patches;
    struct block block[LAYOUT_DEPTH_MAX];
    struct head head[LAYOUT_DEPTH_MAX]; /* one, or the exits */
};

float *arena_take(struct arena *arena, size_t rows, size_t cols)
{
    if (cols > 0 && rows > (ARENA_FLOATS_MAX - arena->used) / cols) arena->full = true;
    if (arena->full) return NULL;
    float *taken = arena->at == NULL ? NULL : arena->at + arena->used;
    arena->used += rows * cols;
    return taken;
}

void transformer_free(struct transformer **transformer)
{
    struct transformer *t = *transformer;
    if (t == NULL) return;
    if (t->arena.at != NULL) secret_wipe(t->arena.at, t->arena.used * sizeof *t->arena.at);
    free(t->arena.at);
    free(t);
    *transformer = NULL;
}

/* The exit of the block that was made last: what is frozen of it is the backbone's last norm. */
static void make_exit(struct head *exit, struct making *making, const struct layout *frozen)
{
    const struct tensor *next = making->frozen;
    if (making->spec->rank > 0) making->frozen = &frozen->tensor[frozen->n_tensors - 4];
    head_init(exit, making);
    making->frozen = next;
}

/* Give every part its tensors and its place in the arena. */
static void make(struct transformer *t, const struct model_spec *spec, const struct layout *trained,
                 const struct layout *frozen, size_t room)
{
    struct making making = {.spec = spec,
                            .trained = trained->tensor,
                            .frozen = frozen->tensor,
                            .arena = &t->arena,
                            .room = room};
    patches_init(&t->patches, &making);
    for (size_t l = 0; l < t->depth; l++) {
        block_init(&t->block[l], &making);
        if (t->exits) make_exit(&t->head[l], &making, frozen);
    }
    if (!t->exits) head_init(&t->head[0], &making);
    REQUIRE(making.trained == trained->tensor + trained->n_tensors);
}

static struct source source_of(const struct transformer *t, const float *weights)
{
    REQUIRE(!t->adapts || t->backbone != NULL); /* model_work_freeze */
    return (struct source){.trained = weights, .frozen = t->backbone};
}

/* What the k-th of the chosen blocks reads, and the derivative by it; of n_chosen: the head. */
static float *read_by(struct transformer *t, size_t k)
{
    return k == 0 ? t->patches.out : t->block[t->chosen[k - 1]].out;
}

static float *delta_by(struct transformer *t, size_t k)
{
    return k == 0 ? t->patches.delta : t->block[t->chosen[k - 1]].delta;
}

/* The heads that run, in order: the one at the end, or the exits of the chosen blocks. */
static size_t heads(const struct transformer *t)
{
    return t->exits ? t->n_chosen : 1;
}

static struct head *head_at(struct transformer *t, size_t k)
{
    return &t->head[t->exits ? t->chosen[k] : 0];
}

/* The mean of all heads; zeros where none runs. */
static void transformer_say(struct layer *layer, size_t n)
{
    struct transformer *t = layer->transformer;
    const size_t m = heads(t), size = n * layer->outputs;
    memset(layer->out, 0, size * sizeof *layer->out);
    for (size_t k = 0; k < m; k++)
        for (size_t i = 0; i < size; i++) layer->out[i] += head_at(t, k)->logits[i] / (float)m;
}

static void transformer_forward(struct layer *layer, const float *weights, const float *x, size_t n)
{
    struct transformer *t = layer->transformer;
    const struct source source = source_of(t, weights);
    t->n = n;
    patches_forward(&t->patches, source, x, n);
    for (size_t k = 0; k < t->n_chosen; k++) {
        block_forward(&t->block[t->chosen[k]], source, read_by(t, k), n);
        if (t->exits) head_forward(head_at(t, k), source, read_by(t, k + 1), n);
    }
    if (!t->exits) head_forward(&t->head[0], source, read_by(t, t->n_chosen), n);
    transformer_say(layer, n);
}

/* Each of m heads has its cross-entropy, and the mean over the others of the divergence of what it
 * says from what they say, which are not taught by it: with d its own softmax - one_hot, and S the
 * sum over all heads of that, d + (m d - S) / (m - 1). */
static double transformer_loss(struct layer *layer, const uint8_t *label, size_t n)
{
    struct transformer *t = layer->transformer;
    const size_t m = heads(t), size = n * layer->outputs;
    float *sum = layer->delta;
    double loss = 0;
    memset(sum, 0, size * sizeof *sum);
    for (size_t k = 0; k < m; k++) {
        struct head *head = head_at(t, k);
        loss += loss_softmax(head->delta, head->logits, label, n, layer->outputs);
        for (size_t i = 0; i < size; i++) sum[i] += head->delta[i];
    }
    for (size_t k = 0; m > 1 && k < m; k++) {
        float *delta = head_at(t, k)->delta;
        for (size_t i = 0; i < size; i++)
            delta[i] += ((float)m * delta[i] - sum[i]) / (float)(m - 1);
    }
    return loss;
}

static void transformer_backward(struct layer *layer, const float *weights, float *dx, size_t n)
{
    struct transformer *t = layer->transformer;
    const struct source source = source_of(t, weights);
    REQUIRE(dx == NULL && n == t->n);
    float *last = delta_by(t, t->n_chosen);
    if (!t->exits) head_backward(&t->head[0], last, source, NULL, n);
    if (t->exits && t->n_chosen == 0)
        memset(last, 0, n * t->patches.span * t->patches.spec.dim * sizeof *last);
    for (size_t k = t->n_chosen; k-- > 0;) {
        float *delta = delta_by(t, k + 1);
        if (t->exits) head_backward(head_at(t, k), delta, source, delta == last ? NULL : delta, n);
        block_backward(&t->block[t->chosen[k]], delta_by(t, k), source, n);
    }
    patches_backward(&t->patches, source, n);
}

static void transformer_gradient(struct layer *layer, const float *x, size_t first, size_t n,
                                 float *grad)
{
    struct transformer *t = layer->transformer;
    REQUIRE(x != NULL && first + n <= t->n);
    if (t->n_chosen < t->depth) memset(grad, 0, t->weights * sizeof *grad);
    patches_gradient(&t->patches, grad, first, n);
    for (size_t k = 0; k < t->n_chosen; k++)
        block_gradient(&t->block[t->chosen[k]], grad, first, n);
    for (size_t k = 0; k < heads(t); k++) head_gradient(head_at(t, k), grad, first, n);
}

static const struct layer_kind transformer_kind = {transformer_forward, transformer_backward,
                                                   transformer_gradient, NULL, transformer_loss};

enum status transformer_new(struct layer *out, const struct model_spec *spec,
                            const struct layout *layout, size_t room)
{
    struct layout frozen = {0};
    if (spec->rank > 0) TRY(layout_backbone(&frozen, spec));
    AUTO(transformer_free) struct transformer *t = calloc(1, sizeof *t);
    if (t == NULL) return STATUS_NOMEM;
    t->adapts = spec->rank > 0;
    t->exits = spec->exits;
    t->weights = layout->n;
    t->depth = spec->depth;
    transformer_choose(t, NULL);
    make(t, spec, layout, &frozen, room); /* counts */
    if (t->arena.full) return STATUS_RANGE;
    float *at = calloc(t->arena.used, sizeof *at);
    if (at == NULL) return STATUS_NOMEM;
    t->arena = (struct arena){.at = at};
    make(t, spec, layout, &frozen, room);

    AUTO(layer_free)
    struct layer layer = {.kind = &transformer_kind,
                          .inputs = (size_t)spec->channels * spec->height * spec->width,
                          .outputs = spec->classes,
                          .room = room};
    layer.out = calloc(room, layer.outputs * sizeof *layer.out);
    layer.delta = calloc(room, layer.outputs * sizeof *layer.delta);
    if (layer.out == NULL || layer.delta == NULL) return STATUS_NOMEM;
    layer.transformer = t;
    *out = layer;
    layer = (struct layer){0};
    t = NULL;
    return STATUS_OK;
}

void transformer_freeze(struct transformer *transformer, const float *backbone)
{
    REQUIRE(transformer != NULL && transformer->adapts && backbone != NULL);
    transformer->backbone = backbone;
}

void transformer_choose(struct transformer *transformer, const struct bits *blocks)
{
    REQUIRE(transformer != NULL);
    REQUIRE(blocks == NULL || blocks->n == transformer->depth);
    transformer->n = transformer->n_chosen = 0;
    for (size_t l = 0; l < transformer->depth; l++)
        if (blocks == NULL || bits_has(blocks, l)) transformer->chosen[transformer->n_chosen++] = l;
}
