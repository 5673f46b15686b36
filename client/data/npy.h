/* SPDX-License-Identifier: Apache-2.0 */
/* The header of a NumPy array: what lies in the bytes after it. */
#ifndef CLIENT_DATA_NPY_H
#define CLIENT_DATA_NPY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

#define NPY_DIMENSIONS_MAX 4
/* Bytes before the header's text: magic, version, length (2 bytes in version 1, 4 in version 2). */
#define NPY_MAGIC_BYTES 8
#define NPY_TEXT_MAX 4096u

struct npy {
    uint32_t n_dims;
    uint64_t dim[NPY_DIMENSIONS_MAX]; /* each below 2^40 */
    uint32_t item_bytes;              /* 1, 2, 4 or 8, little endian */
    bool is_signed;
};

/* Bytes of the length field after the magic; 0 when the magic or version is unknown. */
uint32_t npy_length_bytes(const uint8_t magic[static NPY_MAGIC_BYTES]);

/* Read a header's text, {'descr': '<i8', 'fortran_order': False, 'shape': (546, 1), }.
 * STATUS_FORMAT  malformed, not little-endian integers, Fortran order, or too many dimensions; out
 *                is untouched. */
MUST_USE enum status npy_parse(struct npy *out, struct view text);

#endif
