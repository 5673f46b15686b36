/* SPDX-License-Identifier: Apache-2.0 */
/* Names, shapes and offsets of the tensors in a model's flat vector; the units (hidden neurons,
 * channels) that can be pruned; the segments (layers) in which a vector travels.
 *
 * A tensor is a matrix: rows are the layer's units, columns the weights of one unit. A unit of a
 * group owns its row in each tensor of the layer (weight and bias) and, in the layer that it feeds,
 * a block of columns. So a set of kept units says which coordinates are kept, for any model. */
#ifndef PROTOCOL_LAYOUT_H
#define PROTOCOL_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bits.h"
#include "base/status.h"

#define LAYOUT_TENSORS_MAX (16 * LAYOUT_DEPTH_MAX + 8)
#define LAYOUT_SEGMENTS_MAX 32
#define LAYOUT_GROUPS_MAX 31
#define LAYOUT_HIDDEN_MAX 8
#define LAYOUT_DEPTH_MAX 24
#define LAYOUT_NAME_MAX 31
#define LAYOUT_NONE UINT32_MAX

enum model_kind {
    MODEL_MLP,
    MODEL_CNN,
    MODEL_TWOCNN,
    MODEL_VIT,
    MODEL_MIXER,
    MODEL_LSTM,
    MODEL_KIND_COUNT
};

/* What the study file says of the model. */
struct model_spec {
    enum model_kind kind;
    uint32_t channels, height, width;   /* of the images */
    uint32_t classes;                   /* >= 2 */
    uint32_t n_hidden;                  /* MLP: hidden layers; CNN: always 2 convolutions; TwoCNN:
                                         * 2 convolutions and a dense layer;
                                         * LSTM: the embedding and at least one layer */
    uint32_t hidden[LAYOUT_HIDDEN_MAX]; /* units per hidden layer, or channels */

    /* Transformers: a ViT (arXiv 2010.11929) or an MLP-Mixer (arXiv 2105.01601). */
    uint32_t patch;      /* side of a square patch; divides height and width */
    uint32_t dim;        /* floats per token */
    uint32_t depth;      /* blocks */
    uint32_t heads;      /* of attention; divide dim */
    uint32_t mlp;        /* hidden width of a block's MLP over channels */
    uint32_t tokens_mlp; /* and over tokens: the Mixer's */
    uint32_t rank; /* of adapters (LoRA, arXiv 2106.09685) on frozen weights; 0: all is trained */
    double alpha;  /* an adapter adds alpha / rank B A to its weights */
    bool freeze_a; /* A is public and fixed, only B is trained (arXiv 2403.12313) */
    bool exits;    /* a classifier behind each block and none at the end (DepthFL, Kim et al., ICLR
                    * 2023); what the model says is their mean */
};

/* A ViT or an MLP-Mixer. */
static inline bool layout_has_blocks(const struct model_spec *spec)
{
    return spec->kind == MODEL_VIT || spec->kind == MODEL_MIXER;
}

/* The CNN: (5x5 convolution, no padding, relu, 2x2 max pool) twice, then a dense layer.
 * The TwoCNN of AutoFLIP (arXiv 2405.10271): the same with a padding of 1 at each of the four, then
 * an average pool to 7x7 and two dense layers. */
#define LAYOUT_CONVS 2
#define LAYOUT_KERNEL 5
#define LAYOUT_AVERAGE 7

/* The maps of one convolution. */
struct layout_maps {
    uint32_t channels, height, width; /* of what it reads */
    uint32_t padding;                 /* on each side of that, and of the maps that are pooled */
    uint32_t map_height, map_width;   /* before pooling */
    uint32_t out_height, out_width;   /* after it */
};

/* The LSTM guesses the next character from `width` ones, of `classes`: a row of hidden[0] floats
 * for each character ("embed"), LSTM layers ("lstm1", ...), and a dense layer on the last step
 * ("head"). Segment lstmL has the input's weights, the recurrent weights and one bias, 4 rows to a
 * unit: first all input gates, then forget gates, candidates and output gates. No units are pruned.
 */
#define LAYOUT_LSTM_TENSORS 3
#define LAYOUT_LSTM_MEMORY_MAX (1u << 20) /* steps times units of a layer */

enum tensor_role {
    TENSOR_WEIGHT,
    TENSOR_BIAS,  /* in mode private never pruned one by one, only with its unit */
    TENSOR_GAIN,  /* of a norm */
    TENSOR_PLACE, /* what a token starts from: its position, or that it is the class token */
    TENSOR_DOWN,  /* an adapter's A, rank x inputs */
    TENSOR_UP,    /* and B, outputs x rank */
};

struct tensor {
    char name[LAYOUT_NAME_MAX + 1]; /* "fc1.weight" */
    uint32_t rows, cols;
    uint32_t segment;
    uint32_t group; /* unit r of this group owns row r; LAYOUT_NONE: rows are never pruned */
    uint32_t feed;  /* unit c / block of this group owns column c; LAYOUT_NONE: input side */
    uint32_t block; /* columns per feeding unit; 1 when feed is LAYOUT_NONE */
    enum tensor_role role;
    uint64_t offset;
};

struct layout {
    uint32_t n_tensors, n_segments, n_groups;
    uint64_t n; /* coordinates */
    struct tensor tensor[LAYOUT_TENSORS_MAX];
    char segment[LAYOUT_SEGMENTS_MAX][LAYOUT_NAME_MAX + 1]; /* "fc1" */
    uint32_t group_units[LAYOUT_GROUPS_MAX];
    uint32_t group_segment[LAYOUT_GROUPS_MAX]; /* the layer whose units these are */
};

/* The layout of what is trained and travels. Segments are layers in order; group g is the units of
 * hidden layer g.
 * Transformers have segments "embed", "block1" and so on, "head", and no groups. With a rank
 * "embed" (ViT only) and the blocks have adapters alone, of the ViT's patch embedding, attention
 * projection and second MLP layer, and of the Mixer's two second layers; "head" is the classifier.
 * With exits there is no "head": each block ends with a norm (frozen with a rank: the backbone's
 * last one) and a classifier of its own.
 * STATUS_RANGE  a size is 0 or too large (n > 2^28), an unknown kind, less than two classes, an
 * image too small for the CNN (under 16 in height or width) or the TwoCNN (under 6), or a
 * transformer with a patch that does not divide the image, heads that do not divide dim, too many
 * blocks or, with a rank, an alpha that is not positive, or an LSTM without a layer, on more than
 * one row or channel, or above its memory; out is untouched. */
MUST_USE enum status layout_of(struct layout *out, const struct model_spec *spec);

/* The layout of the frozen weights under the adapters: that of the same model without a rank. Its
 * classifier is not read; each study trains its own.
 * STATUS_RANGE  as above, or the model has no rank; out is untouched. */
MUST_USE enum status layout_backbone(struct layout *out, const struct model_spec *spec);

/* Tokens of a transformer that has a layout: patches, and the ViT's class token. */
uint32_t layout_tokens(const struct model_spec *spec);

/* The maps of a CNN's or TwoCNN's convolutions; false when the image is too small for them, of more
 * than 2^28 pixels, or hidden does not fit the kind. */
MUST_USE bool layout_maps_of(struct layout_maps out[static LAYOUT_CONVS],
                             const struct model_spec *spec);

/* Units of all groups, numbered group after group. */
uint32_t layout_units(const struct layout *layout);
/* First unit number of a group. */
uint32_t layout_unit_first(const struct layout *layout, uint32_t group);

/* Sums per unit over its incoming weights and bias: value has layout->n places, out layout_units.
 * The order of additions depends on the layout alone. */
void layout_sum_units(float *out, const struct layout *layout, const float *value);

/* Coordinates kept when these units are: a coordinate goes when the unit of its row or of its
 * column block goes. keep is allocated, layout->n bits. units has layout_units bits.
 * STATUS_RANGE  sizes differ. STATUS_NOMEM. keep is untouched then. */
MUST_USE enum status layout_keep_units(struct bits *keep, const struct layout *layout,
                                       const struct bits *units);

/* Coordinates of segment s that are in keep (all when keep is NULL). */
uint64_t layout_segment_size(const struct layout *layout, uint32_t segment,
                             const struct bits *keep);

/* The first coordinate of segment s, whose tensors stand together. */
uint64_t layout_segment_first(const struct layout *layout, uint32_t segment);

/* A smaller model in which pruned units do not exist: units with no kept coordinate in any tensor
 * of their own layer are left out, so that matrices shrink.
 * index[i] is the place in `full` of coordinate i of `small` (small->n entries, owned by the
 * caller through free()). kept has small->n bits: which of them are in keep.
 * spec gets the smaller hidden sizes.
 * STATUS_RANGE  sizes differ, a layer would be empty, or keep has a weight that reads a unit that
 * is left out. STATUS_NOMEM. out is untouched then. */
struct shrunk {
    struct model_spec spec;
    struct layout layout;
    uint64_t *index;  /* owned; ascending */
    struct bits kept; /* owned */
};
MUST_USE enum status layout_shrink(struct shrunk *out, const struct model_spec *spec,
                                   const struct layout *full, const struct bits *keep);
void shrunk_free(struct shrunk *shrunk);

#endif
