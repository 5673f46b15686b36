/* SPDX-License-Identifier: Apache-2.0 */
/* Transformers: "embed", "block1" to "blockL", "head" where there are no exits. A tensor's name
 * begins with its segment's. With a rank only what is trained is there: the adapters of the layers
 * that FedRA adapts (arXiv 2311.11227), and the classifier. */
#include <math.h>

#include "protocol/layout_parts.h"

/* A layout that grows, and whether everything has fitted so far. */
struct builder {
    struct layout *layout;
    const struct model_spec *spec;
    bool fits;
};

static void open_segment(struct builder *b, const char *name, uint32_t number)
{
    layout_open(b->layout, name, number);
}

static void add(struct builder *b, const char *name, uint64_t rows, uint64_t cols,
                enum tensor_role role)
{
    b->fits = b->fits && layout_append(b->layout, name, rows, cols, role);
}

/* The four names of one layer. */
struct names {
    const char *weight, *bias, *down, *up;
};
#define NAMES(prefix)                                                                              \
    (&(const struct names){prefix "weight", prefix "bias", prefix "lora_a", prefix "lora_b"})

static void add_norm(struct builder *b, const struct names *names)
{
    if (b->spec->rank > 0) return;
    add(b, names->weight, b->spec->dim, 1, TENSOR_GAIN);
    add(b, names->bias, b->spec->dim, 1, TENSOR_BIAS);
}

/* A layer that is trained whole, or is frozen. */
static void add_frozen(struct builder *b, const struct names *names, uint64_t rows, uint64_t cols)
{
    if (b->spec->rank > 0) return;
    add(b, names->weight, rows, cols, TENSOR_WEIGHT);
    add(b, names->bias, rows, 1, TENSOR_BIAS);
}

/* A layer that is trained whole, or by its adapter. */
static void add_adapted(struct builder *b, const struct names *names, uint64_t rows, uint64_t cols)
{
    add_frozen(b, names, rows, cols);
    if (b->spec->rank == 0) return;
    if (!b->spec->freeze_a) add(b, names->down, b->spec->rank, cols, TENSOR_DOWN);
    add(b, names->up, rows, b->spec->rank, TENSOR_UP);
}

static void add_embed(struct builder *b, uint64_t inputs)
{
    const struct model_spec *spec = b->spec;
    const bool vit = spec->kind == MODEL_VIT;
    if (!vit && spec->rank > 0) return;
    open_segment(b, "embed", 0);
    add_adapted(b, NAMES(""), spec->dim, inputs);
    if (!vit || spec->rank > 0) return;
    add(b, "class", 1, spec->dim, TENSOR_PLACE);
    add(b, "position", layout_tokens(spec), spec->dim, TENSOR_PLACE);
}

static void add_classifier(struct builder *b, const struct names *norm, const struct names *linear)
{
    add_norm(b, norm);
    add(b, linear->weight, b->spec->classes, b->spec->dim, TENSOR_WEIGHT);
    add(b, linear->bias, b->spec->classes, 1, TENSOR_BIAS);
}

static void add_block(struct builder *b, uint32_t number)
{
    const struct model_spec *spec = b->spec;
    const uint64_t dim = spec->dim;
    open_segment(b, "block", number);
    add_norm(b, NAMES("norm1."));
    if (spec->kind == MODEL_VIT) {
        add_frozen(b, NAMES("qkv."), 3 * dim, dim);
        add_adapted(b, NAMES("proj."), dim, dim);
    } else {
        add_frozen(b, NAMES("tokens_fc1."), spec->tokens_mlp, layout_tokens(spec));
        add_adapted(b, NAMES("tokens_fc2."), layout_tokens(spec), spec->tokens_mlp);
    }
    add_norm(b, NAMES("norm2."));
    add_frozen(b, NAMES("fc1."), spec->mlp, dim);
    add_adapted(b, NAMES("fc2."), dim, spec->mlp);
    if (spec->exits) add_classifier(b, NAMES("exit.norm."), NAMES("exit."));
}

uint32_t layout_tokens(const struct model_spec *spec)
{
    return spec->height / spec->patch * (spec->width / spec->patch) + (spec->kind == MODEL_VIT);
}

static bool sound(const struct model_spec *spec)
{
    uint64_t patches = 1;
    return spec->patch > 0 && spec->height % spec->patch == 0 && spec->width % spec->patch == 0 &&
           layout_grow(&patches, spec->height / spec->patch) &&
           layout_grow(&patches, spec->width / spec->patch) && spec->depth > 0 &&
           spec->depth <= LAYOUT_DEPTH_MAX &&
           (spec->kind != MODEL_VIT || (spec->heads > 0 && spec->dim % spec->heads == 0)) &&
           (spec->rank == 0 || (isfinite(spec->alpha) && spec->alpha > 0));
}

bool layout_transformer(struct layout *layout, const struct model_spec *spec)
{
    uint64_t inputs = 1;
    if (!sound(spec) || !layout_grow(&inputs, spec->channels) ||
        !layout_grow(&inputs, spec->patch) || !layout_grow(&inputs, spec->patch))
        return false;
    struct builder b = {layout, spec, true};
    add_embed(&b, inputs);
    for (uint32_t l = 1; l <= spec->depth; l++) add_block(&b, l);
    if (spec->exits) return b.fits;
    open_segment(&b, "head", 0);
    add_classifier(&b, NAMES("norm."), NAMES(""));
    return b.fits;
}
