/* SPDX-License-Identifier: Apache-2.0 */
#include "client/data/source.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum status source_refuse(struct data_error *why, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why->text, sizeof why->text, format, arguments);
    va_end(arguments);
    return status;
}

enum status source_read(struct buffer *out, const char *path, uint64_t limit,
                        struct data_error *why)
{
    errno = 0;
    enum status status = file_read(out, path, limit);
    if (status == STATUS_RANGE)
        return source_refuse(why, status, "%.100s is too large; split it into smaller files", path);
    if (status == STATUS_NOMEM)
        return source_refuse(why, status, "no memory to read %.100s; free some", path);
    if (status != STATUS_OK)
        return source_refuse(why, status, "%.100s cannot be read (%s); check the path", path,
                             errno == 0 ? "not a file" : strerrordesc_np(errno));
    return STATUS_OK;
}

enum status source_shape(struct dataset *out, uint64_t n, uint64_t channels, uint64_t height,
                         uint64_t width, struct data_error *why)
{
    uint64_t bytes = 0;
    if (n > DATA_RECORDS_MAX || channels > UINT32_MAX || height > UINT32_MAX ||
        width > UINT32_MAX || __builtin_mul_overflow(n, channels, &bytes) ||
        __builtin_mul_overflow(bytes, height, &bytes) ||
        __builtin_mul_overflow(bytes, width, &bytes) || bytes > DATA_BYTES_MAX)
        return source_refuse(why, STATUS_RANGE,
                             "the file claims more than 2^24 images or 4 GiB of pixels; split it");
    if (n == 0 || channels == 0 || height == 0 || width == 0)
        return source_refuse(why, STATUS_FORMAT,
                             "the file holds no images; export it again from its source");
    *out = (struct dataset){.n = (size_t)n,
                            .channels = (uint32_t)channels,
                            .height = (uint32_t)height,
                            .width = (uint32_t)width};
    return STATUS_OK;
}

enum status source_new(struct dataset *data, struct data_error *why)
{
    data->pixel = malloc(data->n * dataset_floats(data));
    data->label = malloc(data->n);
    if (data->pixel == NULL || data->label == NULL)
        return source_refuse(why, STATUS_NOMEM,
                             "no memory for %zu images; free some or split the file", data->n);
    return STATUS_OK;
}

void source_count_classes(struct dataset *data)
{
    data->classes = 0;
    for (size_t i = 0; i < data->n; i++)
        if (data->label[i] >= data->classes) data->classes = data->label[i] + 1u;
}
