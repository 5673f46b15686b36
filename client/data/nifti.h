/* SPDX-License-Identifier: Apache-2.0 */
/* The NIfTI-1 header in one file (.nii), read by ourselves: Debian's libnifti trusts the sizes that
 * a file claims. Only what is needed to look at planes. */
#ifndef CLIENT_DATA_NIFTI_H
#define CLIENT_DATA_NIFTI_H

#include "client/data/image.h"

#define NIFTI_HEADER_BYTES 348
#define NIFTI_BYTES_MAX (UINT64_C(1) << 32)

/* A volume: planes of height x width, one after the other along all further axes. */
struct nifti {
    uint32_t height, width;
    uint64_t planes;
    int type; /* the format's number of the data type */
    uint32_t item_bytes;
    bool swapped;        /* big endian */
    double slope, inter; /* value = slope * stored + inter; slope is never 0 */
    struct buffer bytes; /* owned: the planes */
};
void nifti_free(struct nifti *nifti);

/* Read a volume, gzip or not.
 * STATUS_FORMAT  no such file, of another type than uint8, int16, uint16, int32, float32 and
 *                float64, or not as long as its header says.
 * STATUS_RANGE   larger than 4 GiB, or planes larger than an image may be. STATUS_NOMEM.
 * out is untouched then. */
MUST_USE enum status nifti_parse(struct nifti *out, struct view bytes, struct data_error *why);

/* Make an image of a plane below nifti->planes: low becomes 0, high 255. Row y of the image is the
 * second axis as it is stored; nothing is turned. Adds to clamped what is outside, and to missing
 * what is not a number, which becomes 0. STATUS_NOMEM. */
MUST_USE enum status nifti_plane(struct image *out, const struct nifti *nifti, uint64_t plane,
                                 const struct data_window *window, struct dataset *counts,
                                 struct data_error *why);

#endif
