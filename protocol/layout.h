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

#define LAYOUT_TENSORS_MAX 64
#define LAYOUT_SEGMENTS_MAX 32
#define LAYOUT_GROUPS_MAX 31
#define LAYOUT_HIDDEN_MAX 8
#define LAYOUT_NAME_MAX 31
#define LAYOUT_NONE UINT32_MAX

enum model_kind { MODEL_MLP, MODEL_CNN, MODEL_KIND_COUNT };

/* What the study file says of the model. */
struct model_spec {
    enum model_kind kind;
    uint32_t channels, height, width;   /* of the images */
    uint32_t classes;                   /* >= 2 */
    uint32_t n_hidden;                  /* MLP: hidden layers; CNN: always 2 convolutions */
    uint32_t hidden[LAYOUT_HIDDEN_MAX]; /* units per hidden layer, or channels */
};

/* The CNN: (5x5 convolution, no padding, relu, 2x2 max pool) twice, then a dense layer. */
#define LAYOUT_CNN_KERNEL 5

struct tensor {
    char name[LAYOUT_NAME_MAX + 1]; /* "fc1.weight" */
    uint32_t rows, cols;
    uint32_t segment;
    uint32_t group; /* unit r of this group owns row r; LAYOUT_NONE: rows are never pruned */
    uint32_t feed;  /* unit c / block of this group owns column c; LAYOUT_NONE: input side */
    uint32_t block; /* columns per feeding unit; 1 when feed is LAYOUT_NONE */
    bool bias;      /* in mode private never pruned one by one, only with its unit */
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

/* The layout of a model. Segments are layers in order; group g is the units of hidden layer g.
 * STATUS_RANGE  a size is 0 or too large (n > 2^28), an unknown kind, less than two classes, or an
 * image too small for the CNN (under 16 in height or width); out is untouched. */
MUST_USE enum status layout_of(struct layout *out, const struct model_spec *spec);

/* Units of all groups, numbered group after group. */
uint32_t layout_units(const struct layout *layout);
/* First unit number of a group. */
uint32_t layout_unit_first(const struct layout *layout, uint32_t group);

/* Coordinates kept when these units are: a coordinate goes when the unit of its row or of its
 * column block goes. keep is allocated, layout->n bits. units has layout_units bits.
 * STATUS_RANGE  sizes differ. STATUS_NOMEM. keep is untouched then. */
MUST_USE enum status layout_keep_units(struct bits *keep, const struct layout *layout,
                                       const struct bits *units);

/* Coordinates of segment s that are in keep (all when keep is NULL). */
uint64_t layout_segment_size(const struct layout *layout, uint32_t segment,
                             const struct bits *keep);

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
