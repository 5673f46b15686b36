/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a transformer, each over rows of tokens: record i of a batch has rows i * span to
 * (i + 1) * span - 1 of every buffer. A part keeps what its backward pass needs; inputs, outputs
 * and their derivatives ("delta") are its caller's.
 *
 * Each part has four functions: _init takes its tensors and its room, _forward, _backward, which
 * writes the derivatives by its inputs, and _gradient, which writes those by its trained tensors,
 * summed over n records from `first` on; x and delta are then those of the whole batch. */
#ifndef CLIENT_MODEL_PART_H
#define CLIENT_MODEL_PART_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "crypto/rng.h"
#include "protocol/layout.h"

/* The flat block that is trained, and the frozen one under its adapters (NULL without a rank). */
struct source {
    const float *trained, *frozen;
};

/* One block of floats for all parts. With at NULL it only counts, and everything it gives is NULL;
 * what does not fit into ARENA_FLOATS_MAX is refused before anything is allocated. */
#define ARENA_FLOATS_MAX ((size_t)1 << 32)
struct arena {
    float *at;
    size_t used;
    bool full;
};
float *arena_take(struct arena *arena, size_t rows, size_t cols);

/* What parts are made from: the next tensors of each layout, in its order. */
struct making {
    const struct model_spec *spec;
    const struct tensor *trained, *frozen;
    struct arena *arena;
    size_t room;    /* records */
    uint64_t fixed; /* adapters with a fixed A so far */
};

/* out = x W' + b, with an adapter (LoRA, arXiv 2106.09685) out += alpha / rank (x A') B'. */
enum linear_form {
    LINEAR_FROZEN,  /* under a rank; trained without one */
    LINEAR_ADAPTED, /* the same, and under a rank its adapter is trained */
    LINEAR_TRAINED,
};
struct linear {
    size_t span, rows, cols; /* rows outputs of cols inputs */
    size_t weight, bias;     /* places in their block */
    bool frozen;
    size_t rank, down, up;
    float scale;
    float *fixed; /* A, when it is not trained: linear_draw of rng_numbered(k), for the k-th
                   * adapter of the model, from 0 */
    float *low, *low_delta; /* room * span * rank: scale x A', and the derivative by x A' */
};
/* Initial A of an adapter (He et al. 2015, as LoRA takes it): uniform within 1 / sqrt(cols). */
void linear_draw(float *down, size_t rank, size_t cols, struct rng *rng);
void linear_init(struct linear *linear, struct making *making, enum linear_form form, size_t span);
/* out = residual + ..., unless residual is NULL. */
void linear_forward(struct linear *linear, float *out, struct source weights, const float *x,
                    const float *residual, size_t n);
/* dx is overwritten, and may be NULL. */
void linear_backward(struct linear *linear, float *dx, struct source weights, const float *delta,
                     size_t n);
void linear_gradient(const struct linear *linear, float *grad, const float *x, const float *delta,
                     size_t first, size_t n);

/* out = gain (x - mean) / sqrt(variance + 1e-6) + bias, over each row (layer norm, arXiv
 * 1607.06450). */
struct norm {
    size_t span, dim, gain, bias;
    bool frozen;
    float *mean, *inverse; /* room * span: of each row its mean, and 1 / its deviation */
};
void norm_init(struct norm *norm, struct making *making, size_t span);
void norm_forward(struct norm *norm, float *out, struct source weights, const float *x, size_t n);
/* dx = residual + ...; dx may be residual, but not delta. */
void norm_backward(const struct norm *norm, float *dx, struct source weights, const float *x,
                   const float *delta, const float *residual, size_t n);
void norm_gradient(const struct norm *norm, float *grad, const float *x, const float *delta,
                   size_t first, size_t n);

/* fc2(gelu(fc1(x))), gelu(x) = x Phi(x) with Phi by erf. */
struct mlp {
    struct linear fc1, fc2;
    float *slope, *hidden, *delta; /* room * span * fc1.rows: gelu', gelu, derivative before gelu */
};
void mlp_init(struct mlp *mlp, struct making *making, size_t span);
void mlp_forward(struct mlp *mlp, float *out, struct source weights, const float *x,
                 const float *residual, size_t n);
void mlp_backward(struct mlp *mlp, float *dx, struct source weights, const float *delta, size_t n);
void mlp_gradient(const struct mlp *mlp, float *grad, const float *x, const float *delta,
                  size_t first, size_t n);

/* proj(attention(qkv(x))): scaled dot products of queries and keys, a softmax over the keys of one
 * record, head after head. */
struct attention {
    size_t span, dim, heads;
    struct linear qkv, proj;
    float *said, *said_delta;   /* room * span * 3 dim: queries, keys and values */
    float *heard, *heard_delta; /* room * span * dim: what proj reads */
    float *share;       /* room * span * heads * span: in the row of a key, for each head and
                         * query, its share of that query */
    float *share_delta; /* span + 1 rows of heads * span: scratch for one record */
};
void attention_init(struct attention *attention, struct making *making);
void attention_forward(struct attention *attention, float *out, struct source weights,
                       const float *x, const float *residual, size_t n);
void attention_backward(struct attention *attention, float *dx, struct source weights,
                        const float *delta, size_t n);
void attention_gradient(const struct attention *attention, float *grad, const float *x,
                        const float *delta, size_t first, size_t n);

/* An MLP over the tokens of each channel: its rows are channels. */
struct mixing {
    size_t span, dim;
    struct mlp mlp;
    float *turned,
        *turned_delta; /* room * dim * span: what the MLP reads; derivative by its output */
    float *scratch;    /* room * dim * span */
};
void mixing_init(struct mixing *mixing, struct making *making);
void mixing_forward(struct mixing *mixing, float *out, struct source weights, const float *x,
                    const float *residual, size_t n);
void mixing_backward(struct mixing *mixing, float *dx, struct source weights, const float *delta,
                     size_t n);
void mixing_gradient(const struct mixing *mixing, float *grad, size_t first, size_t n);

/* mid = x + mix(norm1 x), out = mid + mlp(norm2 mid); mix is attention in a ViT (arXiv 2010.11929),
 * and mixing in a Mixer (arXiv 2105.01601). */
struct block {
    bool mixer;
    struct norm norm1, norm2;
    struct attention attention;
    struct mixing mixing;
    struct mlp mlp;
    const float *x; /* of the last forward pass, borrowed */
    /* room * tokens * dim each */
    float *normed1, *mid, *normed2, *out;
    float *normed1_delta, *mid_delta, *normed2_delta, *delta;
};
void block_init(struct block *block, struct making *making);
void block_forward(struct block *block, struct source weights, const float *x, size_t n);
/* From block->delta. */
void block_backward(struct block *block, float *dx, struct source weights, size_t n);
void block_gradient(const struct block *block, float *grad, size_t first, size_t n);

/* An image cut into square patches, a dense layer over each, and in a ViT what tokens start from:
 * its class token, which comes first, and positions. */
struct patches {
    struct model_spec spec;
    size_t span, cols; /* tokens; pixels of a patch */
    struct linear linear;
    bool frozen;
    size_t class, position;
    float *cut;         /* room * span * cols: pixels, zeros in the class token's row */
    float *out, *delta; /* room * span * dim */
};
void patches_init(struct patches *patches, struct making *making);
void patches_forward(struct patches *patches, struct source weights, const float *x, size_t n);
void patches_backward(struct patches *patches, struct source weights, size_t n);
void patches_gradient(const struct patches *patches, float *grad, size_t first, size_t n);

/* A norm, then a dense layer over the class token in a ViT, over the mean of the tokens in a Mixer.
 * One at the end, or as an exit behind each block. */
struct head {
    bool mixer;
    size_t span, dim;
    struct norm norm;
    struct linear linear;
    const float *x;               /* of the last forward pass, borrowed */
    float *normed, *normed_delta; /* room * span * dim */
    float *pooled, *pooled_delta; /* room * dim */
    float *logits, *delta;        /* room * classes; delta: the loss's derivative by the logits */
};
void head_init(struct head *head, struct making *making);
void head_forward(struct head *head, struct source weights, const float *x, size_t n);
/* dx = residual + ..., unless residual is NULL; dx may be residual. */
void head_backward(struct head *head, float *dx, struct source weights, const float *residual,
                   size_t n);
void head_gradient(const struct head *head, float *grad, size_t first, size_t n);

#endif
