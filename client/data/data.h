/* SPDX-License-Identifier: Apache-2.0 */
/* One struct for every data set, and a table of readers. Files are hostile: sizes are refused
 * before they are allocated. */
#ifndef CLIENT_DATA_DATA_H
#define CLIENT_DATA_DATA_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
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
    uint16_t
        *key; /* n: who or where a record is from (writer, hospital, speaker); owned, or NULL */
    uint64_t clamped; /* values that a reader moved to the end of their public range */
    uint64_t missing; /* values that a reader replaced by a public constant */
};
void dataset_free(struct dataset *data);
/* Pixels of one record, and so floats of one. */
size_t dataset_floats(const struct dataset *data);

/* What is wrong with a file and what to do about it, for people; set on failure only. */
struct data_error {
    char text[200];
};

/* idx, MNIST's format, gzip or not: bytes as (n, height, width) or (n, channels, height, width),
 * and labels as (n). why is never NULL. On failure out is untouched.
 *
 * STATUS_IO      a file cannot be read.
 * STATUS_FORMAT  the bytes are no such file, promise more than they hold, or hold more.
 * STATUS_RANGE   larger than the limits above. STATUS_NOMEM. */
MUST_USE enum status idx_read(struct dataset *out, const char *images, const char *labels,
                              struct data_error *why);
/* The same from bytes in memory: no STATUS_IO. */
MUST_USE enum status idx_parse(struct dataset *out, struct view images, struct view labels,
                               struct data_error *why);
/* Write both files, not compressed. STATUS_IO removes what was written. */
MUST_USE enum status idx_write(const struct dataset *data, const char *images, const char *labels);

/* npz with MedMNIST's keys: {train,val,test}_images (n,h,w or n,h,w,3, uint8) and _labels (n,1 or
 * n, integers 0..255). split is "train", "val" or "test". Failures as for idx_read. */
MUST_USE enum status npz_read(struct dataset *out, const char *path, const char *split,
                              struct data_error *why);
MUST_USE enum status npz_parse(struct dataset *out, struct view archive, const char *split,
                               struct data_error *why);

/* A table with a schema (client/data/schema.h), csv or csv.gz: records of 1 x 1 x features. */
MUST_USE enum status csv_read(struct dataset *out, const char *path, const char *schema,
                              struct data_error *why);
MUST_USE enum status csv_parse(struct dataset *out, struct view table, struct view schema,
                               struct data_error *why);

/* The size that images are brought to (client/data/image.h), and the values that become 0 and 255.
 */
struct data_shape {
    uint32_t channels, height, width; /* channels 1 or 3 */
};
struct data_window {
    double low, high;
};

/* PNG and JPEG images as FOLDER/CLASS/FILE; hidden files are passed over. */
MUST_USE enum status folder_read(struct dataset *out, const char *folder,
                                 const struct data_shape *shape, struct data_error *why);

/* NIfTI volumes, of which every plane along the first two axes is a record and every volume a key.
 * list is a table with the rows FILE,LABEL or FILE,LABEL,FIRST,LAST: the planes, counted from 0. */
MUST_USE enum status nifti_read(struct dataset *out, const char *list,
                                const struct data_shape *shape, const struct data_window *window,
                                struct data_error *why);

/* Pixels of n records from first on to floats: (p / 255 - mean) / deviation, with the public
 * constants of the study; deviation > 0. out has n * dataset_floats(data) places. */
void data_floats(float *out, const struct dataset *data, size_t first, size_t n, float mean,
                 float deviation);

#endif
