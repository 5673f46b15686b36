/* SPDX-License-Identifier: Apache-2.0 */
/* The idx format: a big-endian magic (0, 0, type 8 = bytes, number of dimensions), the dimensions,
 * the bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/data/gzip.h"
#include "client/data/source.h"

#define DIMENSIONS_MAX 4
#define HEADER_MAX (4 + 4 * DIMENSIONS_MAX)
#define TYPE_BYTES 8

/* Read the dimensions; false when this is no idx file of bytes. */
static bool read_header(uint32_t *n_dims, uint32_t dim[static DIMENSIONS_MAX], struct view in)
{
    uint8_t head[HEADER_MAX] = {0};
    if (!gzip_unpack(in, head, 4, NULL, 0)) return false;
    *n_dims = head[3];
    if (head[0] != 0 || head[1] != 0 || head[2] != TYPE_BYTES) return false;
    if (*n_dims > DIMENSIONS_MAX) return false;
    if (!gzip_unpack(in, head, 4 + 4 * *n_dims, NULL, 0)) return false;
    for (uint32_t d = 0; d < *n_dims; d++) {
        const uint8_t *at = head + 4 + (size_t)4 * d;
        dim[d] = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    }
    return true;
}

static bool read_body(uint8_t *body, size_t n, uint32_t n_dims, struct view in)
{
    uint8_t head[HEADER_MAX] = {0};
    return gzip_unpack(in, head, 4 + (size_t)4 * n_dims, body, n);
}

enum status idx_parse(struct dataset *out, struct view images, struct view labels,
                      struct data_error *why)
{
    uint32_t dims = 0;
    uint32_t dim[DIMENSIONS_MAX] = {0};
    if (!read_header(&dims, dim, images) || dims < 3)
        return source_refuse(why, STATUS_FORMAT,
                             "the image file is not idx with 3 or 4 dimensions of bytes; were the "
                             "image and the label file exchanged?");
    uint32_t label_dims = 0;
    uint32_t label_dim[DIMENSIONS_MAX] = {0};
    if (!read_header(&label_dims, label_dim, labels) || label_dims != 1)
        return source_refuse(why, STATUS_FORMAT,
                             "the label file is not idx with 1 dimension of bytes; were the image "
                             "and the label file exchanged?");
    if (label_dim[0] != dim[0])
        return source_refuse(why, STATUS_FORMAT,
                             "there are %u images but %u labels; give two files of one set",
                             (unsigned)dim[0], (unsigned)label_dim[0]);

    AUTO(dataset_free) struct dataset data = {0};
    TRY(source_shape(&data, dim[0], dims == 3 ? 1 : dim[1], dim[dims - 2], dim[dims - 1], why));
    const size_t n_pixels = data.n * dataset_floats(&data);
    if (!gzip_may_hold(images, n_pixels) || !gzip_may_hold(labels, data.n))
        return source_refuse(why, STATUS_FORMAT,
                             "the file claims more data than it can hold; download it again");
    TRY(source_new(&data, why));
    if (!read_body(data.pixel, n_pixels, dims, images))
        return source_refuse(why, STATUS_FORMAT,
                             "the image file is damaged or not as long as it says; download it "
                             "again");
    if (!read_body(data.label, data.n, 1, labels))
        return source_refuse(why, STATUS_FORMAT,
                             "the label file is damaged or not as long as it says; download it "
                             "again");
    source_count_classes(&data);
    *out = data;
    data = (struct dataset){0};
    return STATUS_OK;
}

enum status idx_read(struct dataset *out, const char *images, const char *labels,
                     struct data_error *why)
{
    AUTO(buffer_free) struct buffer image_bytes = {0};
    TRY(source_read(&image_bytes, images, DATA_BYTES_MAX + HEADER_MAX, why));
    AUTO(buffer_free) struct buffer label_bytes = {0};
    TRY(source_read(&label_bytes, labels, DATA_RECORDS_MAX + HEADER_MAX, why));
    return idx_parse(out, buffer_view(&image_bytes), buffer_view(&label_bytes), why);
}

static bool write_idx(const char *path, uint32_t n_dims, const uint32_t *dim, const uint8_t *body,
                      size_t n)
{
    uint8_t head[HEADER_MAX] = {0, 0, TYPE_BYTES, (uint8_t)n_dims};
    for (uint32_t d = 0; d < n_dims; d++)
        for (unsigned b = 0; b < 4; b++) head[4 + 4 * d + b] = (uint8_t)(dim[d] >> (24 - 8 * b));
    FILE *file = fopen(path, "wbe");
    if (file == NULL) return false;
    size_t n_head = 4 + (size_t)4 * n_dims;
    bool written = fwrite(head, 1, n_head, file) == n_head && fwrite(body, 1, n, file) == n;
    bool closed = fclose(file) == 0;
    if (!written || !closed) (void)unlink(path);
    return written && closed;
}

enum status idx_write(const struct dataset *data, const char *images, const char *labels)
{
    const uint32_t n = (uint32_t)data->n;
    const uint32_t grey[] = {n, data->height, data->width};
    const uint32_t colour[] = {n, data->channels, data->height, data->width};
    bool is_grey = data->channels == 1;
    REQUIRE(data->n <= DATA_RECORDS_MAX);
    if (!write_idx(images, is_grey ? 3 : 4, is_grey ? grey : colour, data->pixel,
                   data->n * dataset_floats(data)))
        return STATUS_IO;
    if (write_idx(labels, 1, &n, data->label, data->n)) return STATUS_OK;
    (void)unlink(images);
    return STATUS_IO;
}
