/* SPDX-License-Identifier: Apache-2.0 */
/* One struct for every data set, and a table of readers. Files are hostile: sizes are refused
 * before they are allocated. */
#ifndef CLIENT_DATA_DATA_H
#define CLIENT_DATA_DATA_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* At most 2^32 bytes of pixels and 2^24 records. */
#define DATA_RECORDS_MAX (1u << 24)
#define DATA_BYTES_MAX (UINT64_C(1) << 32)

struct dataset {
    size_t n;
    uint32_t channels, height, width;
    uint32_t classes; /* largest label + 1, or what the reader was told */
    uint8_t *pixel;   /* n * channels * height * width, 0..255, channel-major; owned */
    uint8_t *label;   /* n, owned */
};
void dataset_free(struct dataset *data);

/* What went wrong, for people: one sentence. */
struct data_error {
    char text[200];
};

/* idx: the names of an image file and a label file (gzip or not), MNIST's format. */
MUST_USE enum status idx_read(struct dataset *out, const char *images, const char *labels,
                              struct data_error *why);
MUST_USE enum status idx_write(const struct dataset *data, const char *images, const char *labels);

/* npz with MedMNIST's keys: {train,val,test}_images (n,h,w or n,h,w,3, uint8) and _labels (n,1 or
 * n). split is "train", "val" or "test". */
MUST_USE enum status npz_read(struct dataset *out, const char *path, const char *split,
                              struct data_error *why);

/* Pixels to floats: (p / 255 - mean) / deviation with the public constants of the study. */
void data_floats(float *out, const struct dataset *data, size_t first, size_t n, float mean,
                 float deviation);

#endif
