/* SPDX-License-Identifier: Apache-2.0 */
/* The frozen weights under a study's adapters: a safetensors file that the study names by its hash,
 * public, and the same at every site. */
#ifndef CLIENT_BACKBONE_H
#define CLIENT_BACKBONE_H

#include "client/model/weights.h"
#include "crypto/hash.h"
#include "protocol/study.h"

struct backbone {
    size_t n;      /* layout_backbone's coordinates; 0: the study has none */
    float *weight; /* owned; what the study trains itself is zero */
};
void backbone_free(struct backbone *backbone);

/* What a study calls the file: hash_of of all its bytes under the label "backbone". */
struct hash backbone_hash(struct view file);

/* Read the file, once, and take what it has of the frozen tensors, by their names in
 * layout_backbone; others may be in it.
 *
 * path  NULL: none was given.
 *
 * STATUS_RANGE   the study needs a backbone and names none or path is none, or the other way round;
 *                or the file lacks a tensor, or one has another shape; or it is too large.
 * STATUS_AUTH    the file is not the study's.
 * STATUS_FORMAT  no such file. STATUS_IO, STATUS_NOMEM.
 * why says what is wrong; out is untouched then. */
MUST_USE enum status backbone_read(struct backbone *out, const struct study *study,
                                   const char *path, struct data_error *why);

#endif
