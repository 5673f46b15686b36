/* SPDX-License-Identifier: Apache-2.0 */
/* Weights in a file of the safetensors format: u64 length of a header, the header in JSON (name,
 * type, shape and place of each tensor, and a map of texts, "__metadata__"), then the numbers,
 * little endian and without gaps. Files are hostile: sizes are refused before they are allocated.
 *
 * Read: floats of 16, 32 and 64 bits. Written: 32 bits. */
#ifndef CLIENT_MODEL_SAFETENSORS_H
#define CLIENT_MODEL_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "client/data/data.h"
#include "protocol/layout.h"

/* The format allows headers of 100 MB; one of 1 MiB names ten thousand tensors. */
#define SAFETENSORS_HEADER_BYTES_MAX (1u << 20)
#define SAFETENSORS_BYTES_MAX (UINT64_C(1) << 31)
#define SAFETENSORS_DIMS_MAX 8

enum safetensors_type { SAFETENSORS_F16, SAFETENSORS_BF16, SAFETENSORS_F32, SAFETENSORS_F64 };

struct safetensors_tensor {
    const char *name; /* borrowed from the header */
    enum safetensors_type type;
    size_t n_dims; /* 0: one number */
    uint64_t dim[SAFETENSORS_DIMS_MAX];
    struct view data; /* borrowed from the file's bytes */
};

struct json_t;

struct safetensors {
    struct json_t *header; /* owned */
    size_t n;
    struct safetensors_tensor *tensor; /* in the order of their data; owned */
};
void safetensors_free(struct safetensors *file);

/* Check all of a file, its numbers too; what out borrows is valid as long as the bytes are.
 * STATUS_FORMAT  no such file, other types than floats, or numbers that are not finite as floats of
 *                32 bits. STATUS_RANGE  larger than the limits above. STATUS_NOMEM.
 * why says what is wrong; out is untouched then. */
MUST_USE enum status safetensors_parse(struct safetensors *out, struct view bytes,
                                       struct data_error *why);

/* NULL when there is none of that name. */
const struct safetensors_tensor *safetensors_find(const struct safetensors *file, const char *name);
/* A text of the metadata, NULL when absent; borrowed. */
const char *safetensors_note(const struct safetensors *file, const char *key);

/* How many numbers a tensor has, and the numbers themselves, rounded to floats of 32 bits. */
uint64_t safetensors_count(const struct safetensors_tensor *tensor);
void safetensors_floats(float *out, const struct safetensors_tensor *tensor);

/* One entry of the metadata: UTF-8. */
struct safetensors_note {
    const char *key, *text;
};

/* Append a file with every tensor of the layout: (rows, cols), or (rows) where cols is 1.
 * STATUS_RANGE  a note is not UTF-8, or they are too long; out is as before. STATUS_NOMEM. */
MUST_USE enum status safetensors_write(struct buffer *out, const struct layout *layout,
                                       const float *weights, size_t n,
                                       const struct safetensors_note *note);

#endif
